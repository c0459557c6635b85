// Makes a Debian or Ubuntu machine fit for the lab: installs what is missing of scripts/packages.txt, as root, and says
// so. Anywhere else it stops and names what is missing.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const list = readFileSync(join(import.meta.dirname, 'packages.txt'), 'utf8')
const wanted = list
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter(Boolean)

try {
  prepare()
} catch (error) {
  process.stderr.write(`prepare: ${error.message}\n  npm run test:unit runs every test that needs no lab\n`)
  process.exitCode = 1
}

function prepare() {
  const missing = missingOf(wanted)
  const lacks = [
    ...(process.getuid?.() === 0 ? [] : ['root, to boot the hosts of the lab']),
    ...(missing.length > 0 ? [`Debian packages: ${missing.join(' ')}`] : []),
    ...(missing.length > 0 && !existsSync('/usr/bin/apt-get') ? ['Debian or Ubuntu, to install them'] : []),
  ]
  // As root on Debian only packages can be missing, and those come from apt.
  if (lacks.length > (missing.length > 0 ? 1 : 0)) {
    throw new Error(`found missing on this machine:\n  - ${lacks.join('\n  - ')}`)
  }
  if (missing.length > 0) install(missing)
}

/** Packages that dpkg does not call installed; all of them where there is no dpkg. */
function missingOf(names) {
  const query = ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names]
  const { stdout, error } = spawnSync('dpkg-query', query, { encoding: 'utf8' })
  if (error) return names
  const lines = new Set(stdout.split('\n'))
  return names.filter((name) => !lines.has(`${name} installed`))
}

function install(names) {
  process.stderr.write(`prepare: installing Debian packages: ${names.join(' ')}\n`)
  withoutServices(() => {
    apt(['update'])
    apt(['install', '--yes', '--no-install-recommends', ...names])
  })
  const left = missingOf(names)
  if (left.length > 0) throw new Error(`expected apt-get to install them, found missing: ${left.join(' ')}`)
}

function apt(args) {
  const { status, stdout, stderr } = spawnSync('apt-get', ['--quiet', ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    maxBuffer: 1 << 28,
  })
  if (status !== 0)
    throw new Error(`expected apt-get ${args.join(' ')} to succeed, found:\n${stdout}${stderr}`)
}

/** No package may start a service on this machine: dpkg asks policy-rc.d, unless the machine has its own. */
function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    work()
  } finally {
    if (ours) rmSync(policy, { force: true })
  }
}
