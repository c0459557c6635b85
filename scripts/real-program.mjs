// Tests that need a program of others which Debian lacks: it is built once with Go, and kept in the lab's cache.
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

/**
 * Runs a project's tests with the program that `find` gives, its path in an environment variable. Exit status 77: there is
 * no program. `--only-build` runs no test, and `--no-build` leaves the minutes that a build takes to those who ask for it.
 */
export function testWith({ project, variable, find, absent, notBuilt }) {
  const [option, ...rest] = process.argv.slice(2)
  const onlyBuild = option === '--only-build'
  const noBuild = option === '--no-build'
  const forTests = option === undefined || onlyBuild || noBuild ? rest : [option, ...rest]
  const program = find(noBuild)
  if (program === undefined) {
    console.log(`not run: ${noBuild ? notBuilt : absent}`)
    process.exitCode = onlyBuild ? 0 : notThere
  } else if (!onlyBuild) {
    console.log(`program: ${program}`)
    const { status } = spawnSync(
      'npx',
      ['--no-install', 'vitest', 'run', '--project', project, ...forTests],
      { stdio: 'inherit', env: { ...process.env, [variable]: program } },
    )
    process.exitCode = status ?? 1
  }
}

/** Path of a program of PATH; undefined: not installed. */
export function installed(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/**
 * Path of the built program; undefined where it was not built and there is no Go 1.`needsMinor`, or `noBuild` is set.
 *
 * `recipe` names all that its bytes depend on. `goMod` gets the module's own go.mod and returns the lines that follow
 * the requirements in the wrapper's. `build` holds the arguments of `go build`; `files` lie beside go.mod.
 */
export function buildOnce(program) {
  const { name, recipe, module, version, noBuild, goVersion, needsMinor, goMod, files, build, env } = program
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16)
  const cache = join(process.env.KMSFLEET_LAB_CACHE ?? '/var/cache/kmsfleet-lab', `${name}-${key}`)
  const made = join(cache, name)
  if (existsSync(made)) return made
  const go = noBuild ? undefined : goSince(needsMinor)
  if (go === undefined) return undefined
  console.log(`building ${module} ${version}: some minutes, once`)
  const folder = mkdtempSync(join(tmpdir(), `kmsfleet-${name}-`))
  try {
    const run = (...args) => {
      const { status, stdout } = spawnSync(go, args, {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      if (status !== 0) throw new Error(`go ${args[0]} failed`)
      return stdout.toString()
    }
    const { GoMod, Dir } = JSON.parse(run('mod', 'download', '-json', `${module}@${version}`))
    const own = readFileSync(GoMod, 'utf8')
    writeFileSync(
      join(folder, 'go.mod'),
      [
        `module kmsfleet.test/${name}`,
        `go ${goVersion}`,
        `require ${module} ${version}`,
        ...own.match(/^require \($[^]*?^\)$/gm),
        ...goMod(own),
        '',
      ].join('\n\n'),
    )
    // What the module was released with; the checksum database answers for the rest.
    copyFileSync(join(Dir, 'go.sum'), join(folder, 'go.sum'))
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text)
    mkdirSync(cache, { recursive: true })
    const staged = join(cache, `staged-${process.pid}`)
    run('build', '-mod=mod', '-o', staged, ...build)
    renameSync(staged, made)
    return made
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Path of go, where it is 1.`minor` or newer. */
function goSince(minor) {
  const go = installed('go')
  if (go === undefined) return undefined
  const { stdout } = spawnSync(go, ['env', 'GOVERSION'], { encoding: 'utf8' })
  const [, found] = /go1\.(\d+)/.exec(stdout) ?? []
  return Number(found) >= minor ? go : undefined
}
