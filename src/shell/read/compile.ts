import type { Identity } from '../../model/identity.ts'
import type { ReadAtom, TestAtom } from '../../model/wire.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { keptFolder, startedFolder, owedFolder, runFolder } from '../layout.ts'
import { quote } from '../quote.ts'
import type { Frame } from '../session.ts'
import { questionsOf } from './atoms.ts'
import type { PathQuestion, ProcessQuestion, Questions } from './atoms.ts'
import { decodeSnapshot } from './decode.ts'
import { listeningAddresses } from './listening.ts'
import { accessPrelude } from './prelude.ts'

/** Atoms that every frame asks beside its own: kmsfleet's folders on the host, and who we are. */
const ownFolders = [runFolder, owedFolder, startedFolder]
const ownAtoms: readonly ReadAtom[] = ownFolders.map((path) => ({ atom: 'path', path }))

function checkedUrl(url: string): string {
  if (!/^http:\/\/(127\.[0-9.]+|\[::1\]|localhost)(:[0-9]+)?(\/[!-~]*)?$/.test(url)) {
    throw new KmsfleetError(
      'host.unsendable',
      `expected a plain-HTTP URL on a loopback address, found ${JSON.stringify(url)}`,
      {
        hint: 'such as http://127.0.0.1:8082/ready',
      },
    )
  }
  return url
}

function asIdentity(identity: Identity, test: string): string {
  if (identity.by === 'number') {
    const groups = identity.groups.map(String).join(',')
    return `kf_account= kf_uid=${String(identity.uid)} kf_gid=${String(identity.gid)} kf_groups=${quote(groups)}; ${test}`
  }
  return `if kf_identity ${quote(identity.user)}; then ${test}; else kf_answer=unknown kf_detail='no such account'; fi`
}

/** Shell that runs one test and sets `kf_answer` (yes, no, unknown) and `kf_detail`. Needs the read prelude. */
export function testScript(test: TestAtom): string {
  switch (test.atom) {
    case 'run':
      return `kf_test_run ${test.argv.map(quote).join(' ')}`
    case 'prints':
      return `kf_test_prints ${[test.word, ...test.argv].map(quote).join(' ')}`
    case 'reach':
      return asIdentity(test.as, `kf_test_reach ${quote(test.socket)}`)
    case 'exists':
      return `kf_test_${test.present ? 'exists' : 'absent'} ${quote(test.path)}`
    case 'renewed':
      return `kf_test_renewed ${quote(test.path)} ${quote(test.token)}`
    case 'http': {
      const url = checkedUrl(test.url)
      if (test.unit === undefined) return `kf_test_http ${quote(url)}`
      const unit = quote(test.unit)
      return `kf_main_of ${unit}; kf_test_unit_http ${unit} ${quote(url)} ${quote(listeningAddresses(url).join(' '))}`
    }
    case 'listens':
      return `kf_main_of ${quote(test.unit)}; kf_test_listens ${quote(test.unit)} ${quote(test.path)}`
  }
}

const labelFlags = { file: 'F', directory: 'D' } as const
const publicFlags = { claims: 'c', certificates: 'x' } as const

/** The prelude's `kf_path` reads these letters: o our own folder, a asked, h digest, t text, b bytes, p package, c claims, x certificates, F and D label. */
function flags(question: PathQuestion): string {
  if (ownFolders.includes(question.path)) return 'o'
  if (!question.asked) return '-'
  const digest = question.digestUpTo === undefined ? '' : `h${String(question.digestUpTo)}`
  // what stands at a secret's path is never read as text
  const text = question.textUpTo === undefined || question.sealed ? '' : `t${String(question.textUpTo)}`
  const bytes = question.bytesUpTo === undefined ? '' : `b${String(question.bytesUpTo)}`
  const seen = question.publicPart === undefined ? '' : publicFlags[question.publicPart]
  const label = question.labelOf === undefined ? '' : labelFlags[question.labelOf]
  return `a${label}${seen}${question.package ? 'p' : ''}${digest}${text}${bytes}`
}

/** What finds a process; its number is how the answers name the question. */
function processScript({ of }: ProcessQuestion, number: number): string {
  return of.by === 'unit'
    ? `kf_live_unit ${String(number)} ${quote(of.unit)}`
    : `kf_live_pod ${String(number)} ${[of.namespace, of.name, of.container ?? ''].map(quote).join(' ')}`
}

/** All but the nonce: the same for every host that is asked the same. */
function body(questions: Questions): string {
  const { paths, users, groups, units, folders, pairs, processes, tests } = questions
  const call = (name: string, words: readonly string[]): readonly string[] =>
    words.length === 0 ? [] : [`${name} ${words.map(quote).join(' ')}`]
  return [
    ...(processes.length === 0 ? [] : [accessPrelude]),
    'kf_mark probe',
    '{',
    `kf_host ${units.flatMap((unit) => [startedFolder, keptFolder].map((folder) => quote(`${folder}/${unit}`))).join(' ')}`,
    `kf_list=${quote(paths.map(({ path }) => path).join('\n'))}`,
    `kf_paths ${paths.map((question) => `${flags(question)} ${quote(question.path)}`).join(' ')}`,
    ...call('kf_names passwd', users),
    ...call('kf_names group', groups),
    ...call('kf_shadow', users),
    ...call('kf_units', units),
    ...call(
      'kf_folders_of',
      folders.flatMap(({ path, ending }) => [path, ending]),
    ),
    ...pairs.map(({ folder, names, owner, upTo }) =>
      ['kf_pair', ...[folder, ...names, owner].map(quote), String(upTo)].join(' '),
    ),
    ...(processes.length === 0 ? [] : ['kf_idmap']),
    ...processes.map(processScript),
    ...tests
      .filter(({ atom }) => atom !== 'exists')
      .map((test) => `${testScript(test)}; kf_f test ${quote(test.key)} "$kf_answer" "$kf_detail"`),
    ...(processes.length === 0 ? [] : ['kf_lives_again']),
    '} </dev/null',
  ].join('\n')
}

function withNonce(script: string, nonce: string): string {
  return `kf_nonce=${quote(nonce)}\n${script}`
}

/** Milliseconds that the probes of these atoms may take: the sum of what each is allowed on the host, and slack. */
function probeDeadline(atoms: readonly ReadAtom[]): number {
  const seconds = atoms.map(({ atom }) =>
    atom === 'run'
      ? 32
      : atom === 'folder'
        ? 11
        : atom === 'pair'
          ? 45
          : atom === 'reach' || atom === 'prints'
            ? 12
            : atom === 'http'
              ? 6
              : 1,
  )
  return 1000 * seconds.reduce((sum, each) => sum + each, 60)
}

/** Bytes of content that an atom may answer. */
function contentLimit(atom: ReadAtom): number {
  if (atom.atom === 'process') return 1_048_576
  if (atom.atom === 'pair') return 2 * atom.upTo
  if (atom.atom !== 'path') return 0
  const { textUpTo = 0, bytesUpTo = 0, publicPart } = atom
  return textUpTo + bytesUpTo + (publicPart === undefined ? 0 : 65_536)
}

/** Bytes that the probes of these atoms may answer: accounts of a large host, and what each atom may add. */
function probeOutputLimit(atoms: readonly ReadAtom[]): number {
  const bytes = atoms.map((atom) => 16_384 + contentLimit(atom))
  return bytes.reduce((sum, each) => sum + each, 8 * 1024 * 1024)
}

/** The hosts of a play are mostly asked the same: the frame that was made last serves the next host too. */
let latest: { readonly asked: string; readonly frame: Frame } | undefined

/**
 * One frame that asks all of `atoms` at once. Throws KmsfleetError `host.unsendable`. It has no way to emit a write; the
 * write compiler puts its script behind the changes, outside the subshell that has the write functions.
 */
export function compileRead(atoms: readonly ReadAtom[]): Frame {
  const asked = JSON.stringify(atoms)
  if (latest?.asked !== asked) latest = { asked, frame: frameOf(atoms) }
  return latest.frame
}

function frameOf(atoms: readonly ReadAtom[]): Frame {
  const questions = questionsOf([...ownAtoms, ...atoms])
  const script = body(questions)
  return {
    access: 'read',
    script: (nonce) => withNonce(script, nonce),
    payloads: [],
    deadlineMs: probeDeadline(atoms),
    outputLimit: probeOutputLimit(atoms),
    decode: (fields) => decodeSnapshot(questions, fields),
  }
}
