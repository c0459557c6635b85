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
  const missing = missingOf(wanted)
  if (missing.length > 0) install(missing)
} catch (error) {
  process.stderr.write(`prepare: ${error.message}\n  npm run test:unit runs every test that needs no lab\n`)
  process.exitCode = 1
}

/** Packages that dpkg does not call installed; all of them where there is no dpkg. */
function missingOf(names) {
  const { stdout, error } = spawnSync(
    'dpkg-query',
    ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names],
    {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    },
  )
  if (error) return names
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return names.filter((name) => !installed.has(name))
}

function install(names) {
  const unfit = [
    ...(process.getuid?.() === 0 ? [] : ['it was not started as root']),
    ...(spawnSync('apt-get', ['--version']).error ? ['this is not Debian or Ubuntu'] : []),
  ]
  if (unfit.length > 0) {
    throw new Error(
      `expected these Debian packages, found them missing: ${names.join(' ')}\n  not installed, since ${unfit.join(' and ')}`,
    )
  }
  process.stderr.write(`prepare: installing Debian packages: ${names.join(' ')}\n`)
  withoutServices(() => {
    apt(['update'])
    apt(['install', '--yes', '--no-install-recommends', ...names])
  })
  const left = missingOf(names)
  if (left.length > 0)
    throw new Error(`expected apt-get to install ${names.join(' ')}, found still missing: ${left.join(' ')}`)
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
  const own = !existsSync(policy)
  if (own) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    work()
  } finally {
    if (own) rmSync(policy, { force: true })
  }
}
