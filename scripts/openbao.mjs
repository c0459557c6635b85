// `npm run test:openbao`: the sources' tests against a real server. An installed `bao` or `vault` is used; else Vault
// 1.13.1, the last of the line that OpenBao came from and of the same API, is built once with Go and kept in the lab's
// cache. Exit status 77: neither is there. `--only-build` runs no test, and `--no-build` leaves the minutes that a build takes
// to those who ask for it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const notThere = 77
const vault = 'github.com/hashicorp/vault'
const version = 'v1.13.1'

/** Vault's own go.mod replaces modules by folders and versions that are not published; these stand in for them. */
const replacements = [
  `${vault}/sdk => ${vault}/sdk v0.8.1`,
  `${vault}/api => ${vault}/api v1.9.0`,
  ...['client/pkg/v3', 'client/v3', 'api/v3'].map(
    (part) => `go.etcd.io/etcd/${part} => go.etcd.io/etcd/${part} v3.5.7`,
  ),
  'go.etcd.io/etcd/client/v2 => go.etcd.io/etcd/client/v2 v2.305.5',
]

const main = `package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
`

const [option, ...rest] = process.argv.slice(2)
const onlyBuild = option === '--only-build'
const noBuild = option === '--no-build'
const forTests = option === undefined || onlyBuild || noBuild ? rest : [option, ...rest]

const program = installed('bao') ?? installed('vault') ?? build()
if (program === undefined) {
  const lacks = noBuild ? 'was built: `npm run test:openbao` does that' : 'nor go is installed'
  console.log(`not run: neither bao nor vault ${lacks}`)
  process.exitCode = onlyBuild ? 0 : notThere
} else if (!onlyBuild) {
  console.log(`server: ${program}`)
  const { status } = spawnSync(
    'npx',
    ['--no-install', 'vitest', 'run', '--project', 'openbao', ...forTests],
    {
      stdio: 'inherit',
      env: { ...process.env, KMSFLEET_OPENBAO: program },
    },
  )
  process.exitCode = status ?? 1
}

function installed(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

function build() {
  const go = installed('go')
  if (go === undefined) return undefined
  const recipe = createHash('sha256')
    .update(JSON.stringify([vault, version, replacements, main]))
    .digest('hex')
    .slice(0, 16)
  const cache = join(process.env.KMSFLEET_LAB_CACHE ?? '/var/cache/kmsfleet-lab', `vault-${recipe}`)
  const made = join(cache, 'vault')
  if (existsSync(made)) return made
  if (noBuild) return undefined
  console.log(`building ${vault} ${version}: some minutes, once`)
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-vault-'))
  try {
    const run = (...args) => {
      const { status, stdout } = spawnSync(go, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
      if (status !== 0) throw new Error(`go ${args[0]} failed`)
      return stdout.toString()
    }
    const { GoMod, Dir } = JSON.parse(run('mod', 'download', '-json', `${vault}@${version}`))
    const required = readFileSync(GoMod, 'utf8').match(/^require \($[^]*?^\)$/gm)
    writeFileSync(
      join(folder, 'go.mod'),
      [
        'module kmsfleet.test/vault',
        'go 1.19',
        `require ${vault} ${version}`,
        ...required,
        ...replacements.map((line) => `replace ${line}`),
        '',
      ].join('\n\n'),
    )
    // What Vault was released with; the checksum database answers for the rest.
    copyFileSync(join(Dir, 'go.sum'), join(folder, 'go.sum'))
    writeFileSync(join(folder, 'main.go'), main)
    mkdirSync(cache, { recursive: true })
    const staged = join(cache, `staged-${process.pid}`)
    run('build', '-mod=mod', '-o', staged, '.')
    renameSync(staged, made)
    return made
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
