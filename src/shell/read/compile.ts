import type { Identity } from '../../model/identity.ts'
import type { PodProcess } from '../../model/process.ts'
import type { ReadAtom, TestAtom } from '../../model/wire.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { keptFolder, startedFolder, owedFolder, runFolder } from '../layout.ts'
import { quote } from '../quote.ts'
import type { Frame } from '../session.ts'
import { questionsOf } from './atoms.ts'
import type { AttemptsQuestion, PathQuestion, ProcessQuestion, Questions } from './atoms.ts'
import { entryBytes } from './decode-entries.ts'
import { decodeSnapshot } from './decode.ts'
import { listeningAddresses } from './listening.ts'
import { accessPrelude, processPrelude } from './prelude.ts'

/** Atoms that every frame asks beside its own: kmsfleet's folders on the host, and who we are. */
const ownFolders = [runFolder, owedFolder, startedFolder]
const ownAtoms: readonly ReadAtom[] = ownFolders.map((path) => ({ atom: 'path', path }))

const askedUrls =
  /^(http:\/\/(127\.[0-9.]+|\[::1\]|localhost)|https:\/\/([0-9.]+|\[[0-9a-f:]+\]|localhost))(:[0-9]+)?(\/[!-~]*)?$/

function checkedUrl(url: string): string {
  if (!askedUrls.test(url)) {
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
    case 'started':
      return `kf_test_started ${[test.before.join(' '), test.word ?? '', ...podWords(test.of)].map(quote).join(' ')}`
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
    : `kf_live_pod ${String(number)} ${podWords(of).map(quote).join(' ')}`
}

function podWords({ namespace, name, container }: PodProcess): readonly string[] {
  return [namespace, name, container ?? '']
}

/** How the answers name the question for this process. */
function askedNumber({ processes }: Questions, process: string, key: string): string {
  const index = processes.findIndex((question) => question.key === process)
  if (index === -1) {
    throw new KmsfleetError(
      'host.unsendable',
      `expected a process atom for ${JSON.stringify(process)}, found none beside ${JSON.stringify(key)}`,
      { hint: 'ask both in one frame' },
    )
  }
  return String(index)
}

/** What tries all of one identity. */
function attemptsScript({ key, as, tries }: AttemptsQuestion, number: number, questions: Questions): string {
  const asked = (process: string): string => askedNumber(questions, process, key)
  const words = tries.map((each) =>
    each.action === 'signal'
      ? `signal "$(kf_pids ${asked(each.process)})"`
      : `${each.action} ${quote(each.path)}`,
  )
  const who =
    as.by === 'process'
      ? `kf_trial_process ${String(number)} ${asked(as.key)}`
      : as.by === 'account'
        ? `kf_trial_account ${String(number)} ${quote(as.user)}`
        : `kf_trial_number ${String(number)} ${String(as.uid)} ${String(as.gid)} ${quote(as.groups.join(','))}`
  return [who, ...words].join(' ')
}

/** All but the nonce: the same for every host that is asked the same. */
function body(questions: Questions): string {
  const { paths, users, groups, units, folders, pairs, processes, attempts, entries } = questions
  const { held, says, tests } = questions
  const asksProcesses = processes.length + attempts.length > 0
  const call = (name: string, words: readonly string[]): readonly string[] =>
    words.length === 0 ? [] : [`${name} ${words.map(quote).join(' ')}`]
  return [
    ...(asksProcesses || tests.some(({ atom }) => atom === 'started') ? [processPrelude, 'kf_lives='] : []),
    ...(attempts.length + entries.length + held.length + says.length > 0 ? [accessPrelude] : []),
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
    ...(processes.some(({ about }) => about !== undefined) ? ['kf_clock'] : []),
    ...processes.flatMap(({ about }, number) =>
      about === undefined ? [] : [`kf_about ${String(number)} ${quote(about.sees ?? '')}`],
    ),
    ...attempts.map((question, number) => attemptsScript(question, number, questions)),
    ...held.map(({ key, path, process }) =>
      ['kf_held_at', quote(key), askedNumber(questions, process, key), quote(path)].join(' '),
    ),
    ...says.map(({ key, process, within, argv }) =>
      ['kf_says', quote(key), askedNumber(questions, process, key), String(within), ...argv.map(quote)].join(
        ' ',
      ),
    ),
    ...entries.map(({ path, limit }) => `kf_entries ${quote(path)} ${String((limit + 1) * entryBytes)}`),
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

/** Seconds that an atom may take on the host, where it may take more than one. */
const allowed: Readonly<Partial<Record<ReadAtom['atom'], number>>> = {
  run: 32,
  folder: 11,
  pair: 45,
  reach: 12,
  prints: 12,
  http: 6,
  process: 15,
  entries: 11,
  held: 30,
  started: 15,
  // four processes, each with a child, and two looks of root
  attempts: 180,
}

/** Milliseconds that the probes of these atoms may take: the sum of what each is allowed on the host, and slack. */
function probeDeadline(atoms: readonly ReadAtom[]): number {
  const within = (atom: ReadAtom): number =>
    atom.atom === 'says' ? atom.within + 2 : (allowed[atom.atom] ?? 1)
  return 1000 * atoms.reduce((sum, atom) => sum + within(atom), 60)
}

/** Bytes of content that an atom may answer. */
function contentLimit(atom: ReadAtom): number {
  if (atom.atom === 'attempts') return 262_144 + 8192 * atom.tries.length
  if (atom.atom === 'entries') return (atom.limit + 1) * entryBytes
  if (atom.atom === 'process') return 1_048_576
  if (atom.atom === 'says') return 65_536
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
