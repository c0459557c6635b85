import type { Planned, Resource, World } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { problem, refused } from '../common/result.ts'
import { wrongType } from '../common/type.ts'

/** A program that is not ours to install, as it must be. */
export interface ProgramDesired {
  readonly path: string
  /** 64 hex digits. */
  readonly sha256?: string | undefined
  /** A word that `argv` prints. */
  readonly version?: string | undefined
  readonly argv: readonly string[]
}

/** Largest program that is hashed. */
const largest = 268_435_456

export function installedProgram(desired: ProgramDesired): Resource {
  const { path, sha256 } = desired
  const test = versionTest(desired)
  return {
    id: `program:${path}`,
    sameness: JSON.stringify(desired),
    atoms: [
      { atom: 'path', path, ...(sha256 === undefined ? {} : { digestUpTo: largest }) },
      ...(test === undefined ? [] : [test]),
    ],
    plan: (world) => plan(desired, world),
  }
}

function versionTest({ argv, version }: ProgramDesired): TestAtom | undefined {
  if (version === undefined) return undefined
  return { atom: 'prints', key: `prints:${JSON.stringify([version, ...argv])}`, argv, word: version }
}

function plan(desired: ProgramDesired, world: World): Planned {
  const { path, sha256, version } = desired
  const fact = world.path(path)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'absent') return other(path, `${path} to be installed`, 'nothing there')
  if (fact.state.type !== 'file') return refused(wrongType(path, 'file', fact.state))
  if (sha256 !== undefined) {
    const { content } = fact.state
    const found = content?.known === true ? content.value.reveal() : undefined
    if (found !== sha256)
      return other(path, `${path} with SHA-256 ${sha256}`, found ?? 'none that could be read')
  }
  const test = versionTest(desired)
  const answer = test === undefined ? undefined : world.test(test.key)
  if (version === undefined || answer === undefined || answer.answer === 'yes') return { is: 'same' }
  return other(path, `${path} of version ${version}`, answer.detail)
}

function other(path: string, expected: string, found: string): Planned {
  return refused(
    problem(
      'resource.program',
      path,
      `expected ${expected}, found ${found}`,
      'Something else installs this program: bring that up to date, or say which version and digest are meant.',
    ),
  )
}
