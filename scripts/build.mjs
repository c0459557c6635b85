// Compiles src/ to dist/ and copies what is not TypeScript: the shell preludes that are sent to hosts.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const { status } = spawnSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.json'], { stdio: 'inherit' })
if (status === 0) {
  cpSync('src/shell', 'dist/shell', { recursive: true, filter: (path) => !path.endsWith('.ts') })
  chmodSync('dist/cli/main.js', 0o755)
} else {
  process.exitCode = 1
}
