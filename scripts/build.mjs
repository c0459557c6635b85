// Compiles src/ to dist/ and copies what is not TypeScript: the shell preludes that are sent to hosts.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.json'], { stdio: 'inherit' })
cpSync('src/shell', 'dist/shell', { recursive: true, filter: (path) => !path.endsWith('.ts') })
try {
  chmodSync('dist/cli/main.js', 0o755)
} catch {
  // The command line is not built yet.
}
