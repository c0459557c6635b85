// `npm test`: every check of the repository, to the end even where one fails. The last line is `N passed, N failed`,
// in which a check without tests of its own, such as the lint, counts as one.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const reports = mkdtempSync(join(tmpdir(), 'kmsfleet-test-'))
const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []

try {
  if (check('prepare:machine')) {
    for (const script of ['build', 'typecheck', 'lint', 'format:check', 'shellcheck']) check(script)
    for (const project of ['unit', 'lab']) tests(project)
    for (const program of ['openbao', 'kubernetes']) realProgram(program)
  }
} finally {
  rmSync(reports, { recursive: true, force: true })
}
if (failures.length > 0) console.log(`failed: ${failures.join(', ')}`)
if (total.skipped > 0) console.log(`${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

function count(name, { passed, failed, skipped }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  if (failed > 0) failures.push(name)
}

function run(command, ...args) {
  return spawnSync(command, args, { stdio: 'inherit' }).status === 0
}

function check(script) {
  console.log(`== ${script}`)
  const passed = run('npm', 'run', '--silent', script)
  count(script, { passed: Number(passed), failed: Number(!passed), skipped: 0 })
  return passed
}

/** Counts as one check, and as skipped where the program was not built: that would take longer than all else. */
function realProgram(name) {
  console.log(`== test:${name}`)
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.mjs`), '--no-build'], {
    stdio: 'inherit',
  })
  const skipped = Number(status === 77)
  const passed = Number(status === 0)
  count(`test:${name}`, { passed, failed: 1 - passed - skipped, skipped })
}

function tests(project) {
  console.log(`== ${project} tests`)
  const file = join(reports, `${project}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const passed = run('npx', '--no-install', 'vitest', 'run', '--project', project, ...reporters)
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = report
  // A run can fail without a failed test: a file that does not load, an error between tests.
  const failed = numFailedTests === 0 && !passed ? 1 : numFailedTests
  count(`${project} tests`, { passed: numPassedTests, failed, skipped: numPendingTests })
}
