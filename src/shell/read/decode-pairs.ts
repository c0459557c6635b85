import type { Fact, PairState } from '../../model/facts.ts'
import { Secret } from '../../model/secret.ts'
import type { PairQuestion, Questions } from './atoms.ts'
import type { Section } from './section.ts'

/** Why the child that reads a pair gave up; exit statuses of the prelude's `kf_pair_child`. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['!40', 'their directory is reached over a symbolic link, or is not there'],
  ['!41', 'one of them is not there, or no regular file'],
  ['!43', 'one of them was exchanged or written while they were read'],
  ['!44', 'one of them is empty or too large'],
  ['!45', "one of them is not its account's own, or has a further name"],
  ['!46', 'they were being written whenever they were read'],
  ['!127', 'the host has no timeout'],
  ['!137', 'reading stalled for 10 s: their owner may hold a lease, or one is a FIFO'],
])

/** Every asked pair by the path of its first file. What is no text of the sizes that were told is unreadable. */
export function decodePairs(questions: Questions, section: Section): ReadonlyMap<string, Fact<PairState>> {
  const answers = new Map(section.all('pair'))
  return new Map(
    questions.pairs.map((question) => {
      const path = `${question.folder}/${question.names[0]}`
      return [path, pairOf(question, answers.get(path) ?? '')]
    }),
  )
}

/** `SIZE SIZE`, a newline, the two contents, and a `.`, so that newlines at the end survive. */
function pairOf({ folder, names }: PairQuestion, answer: string): Fact<PairState> {
  const [head, one, two] = /^(\d{1,9}) (\d{1,9})\n/.exec(answer) ?? []
  const path = `${folder}/${names[0]}`
  if (head === undefined)
    return unreadable(path, names, reasons.get(answer) ?? 'the host could not read them')
  const sizes = [Number(one), Number(two)] as const
  const bytes = Buffer.from(answer.slice(head.length, -1), 'utf8')
  // Bytes that are no UTF-8 came as replacement characters, and the shell dropped NULs.
  if (bytes.length !== sizes[0] + sizes[1] || answer.includes('\uFFFD')) {
    return unreadable(path, names, 'bytes that are no text')
  }
  const state: PairState = [
    new Secret(path, bytes.subarray(0, sizes[0])),
    new Secret(`${folder}/${names[1]}`, bytes.subarray(sizes[0])),
  ]
  return { is: 'present', state }
}

function unreadable(path: string, [, second]: PairQuestion['names'], found: string): Fact<PairState> {
  const message = `expected to read ${path} and ${second} as a pair, found that ${found}`
  return { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: path } }
}
