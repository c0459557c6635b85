// Checks every shell file of the repository with shellcheck.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const known = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
const files = known
  .split('\0')
  .filter((file) => file !== '' && existsSync(file) && (file.endsWith('.sh') || isScript(file)))
const { status, error } = spawnSync('shellcheck', ['--external-sources', '--', ...files], {
  stdio: 'inherit',
})
if (error) throw error
process.exitCode = status

function isScript(file) {
  return file.startsWith('.ci/') && readFileSync(file, 'utf8').startsWith('#!')
}
