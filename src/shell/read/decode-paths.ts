import { createHash } from 'node:crypto'
import { KmsfleetError } from '../../errors/error.ts'
import { claimsOf, expiryOf } from '../../model/expiry.ts'
import type { Fact, FileType, PathState } from '../../model/facts.ts'
import { Digest, Secret } from '../../model/secret.ts'
import { known } from '../../model/value.ts'
import { directoryToken } from '../layout.ts'
import type { PathQuestion, Questions } from './atoms.ts'
import { decodeAcls } from './decode-acls.ts'
import { decodeLabels } from './decode-labels.ts'
import { decodeMounts } from './decode-mounts.ts'
import { decodePackages } from './decode-packages.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'
import { unescapeName } from './unescape.ts'

const types: ReadonlyMap<number, FileType> = new Map([
  [0x8, 'file'],
  [0x4, 'directory'],
  [0xa, 'link'],
  [0xc, 'socket'],
  [0x1, 'fifo'],
  [0x6, 'block'],
  [0x2, 'character'],
])

/** Why the child that reads a contested file gave up; exit statuses of the prelude's `kf_digest`. */
const slowReasons: ReadonlyMap<string, string> = new Map([
  ['!40', 'its directory is reached over a symbolic link, or moved'],
  ['!41', 'it is no longer a regular file'],
  ['!43', 'it was exchanged while it was read'],
  ['!44', 'it grew while it was read'],
  ['!127', 'the host has no timeout or no sha256sum'],
  ['!137', 'reading stalled for 10 s: its owner may hold a lease, or it is a FIFO'],
])

export interface Row {
  readonly raw: string
  readonly state: Pick<
    PathState,
    'type' | 'mode' | 'uid' | 'gid' | 'size' | 'links' | 'device' | 'inode' | 'modified' | 'changed'
  >
}

/** `2026-11-24 15:40:01.123456789 +0000`; the bootstrap sets TZ so that it is UTC. Not a number where it is none. */
function changedAt(text: string): number {
  const [, day, time] = /^([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})/.exec(text) ?? []
  return Date.parse(`${day ?? ''}T${time ?? ''}Z`) / 1000
}

/** One row of the prelude's stat format, without the name. Throws KmsfleetError `host.protocol`. */
export function parseRow(raw: string): Row {
  const found = /^([0-9a-f]{3,5}) ([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+) (-?[0-9]+) /.exec(raw)
  const bits = Number.parseInt(found?.[1] ?? '', 16)
  const type = types.get(bits >> 12)
  if (found === null || type === undefined) {
    throw new KmsfleetError(
      'host.protocol',
      `expected a row of stat, found ${JSON.stringify(raw.slice(0, 80))}`,
      {
        hint: 'the stat program of the host prints what no known version prints',
      },
    )
  }
  const changed = changedAt(raw.slice(found[0].length))
  const [, , uid, gid, links, device = '', inode = '', size, modified] = found
  return {
    raw,
    state: {
      type,
      mode: bits & 0o7777,
      uid: known(Number(uid)),
      gid: known(Number(gid)),
      size: Number(size),
      links: Number(links),
      device,
      inode,
      modified: Number(modified),
      ...(Number.isNaN(changed) ? {} : { changed }),
    },
  }
}

function rowsByPath(section: Section): ReadonlyMap<string, Row> {
  const rows = section.all('stat').flatMap(([text]) => lines(text))
  return new Map(
    rows.map((line) => {
      const slash = line.indexOf(' /')
      return [line.slice(slash + 1), parseRow(slash === -1 ? '' : line.slice(0, slash))]
    }),
  )
}

/** Digest in hex, or the reason why there is none, by path. */
function digests(section: Section): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of section.all('sums').flatMap(([text]) => lines(text))) {
    if (/^[0-9a-f]{64} [ *]\//.test(line)) found.set(line.slice(66), line.slice(0, 64))
  }
  for (const [path, answer] of section.all('slow')) found.set(path, answer)
  return found
}

function contentOf(question: PathQuestion, size: number, answer: string | undefined): PathState['content'] {
  const { digestUpTo } = question
  if (digestUpTo === undefined) return undefined
  if (size > digestUpTo) {
    return { known: false, unreadable: `it is larger than ${String(digestUpTo)} bytes` }
  }
  if (answer !== undefined && /^[0-9a-f]{64}$/.test(answer)) return known(new Digest(answer, question.sealed))
  return { known: false, unreadable: slowReasons.get(answer ?? '') ?? 'the host could not read it' }
}

/** Text is believed only as far as its digest agrees; bytes that are no UTF-8, and NULs, fail that. */
function agrees(text: string, content: PathState['content']): boolean {
  if (content === undefined) return !text.includes('\uFFFD')
  if (!content.known || !(content.value instanceof Digest)) return false
  return createHash('sha256').update(text).digest('hex') === content.value.reveal()
}

/** Where links lead: from ls, which escapes, or from readlink, one by one. */
function targetsOf(section: Section): ReadonlyMap<string, string> {
  // the prelude appends a `.` so that trailing newlines survive; readlink adds a newline of its own before it
  const read = section.all('link').map(([path, text]) => [path, text.slice(0, -2)] as const)
  return new Map([
    ...section.all('target').map(([path, text]) => [path, unescapeName(text)] as const),
    ...read,
  ])
}

/** Every asked path and ancestor. A path without a row is absent unless the host said that it could not look. */
export function decodePaths(questions: Questions, section: Section): ReadonlyMap<string, Fact<PathState>> {
  const rows = rowsByPath(section)
  const sums = digests(section)
  const texts = new Map(section.all('text'))
  const whole = new Map(section.all('bytes'))
  const seen = new Map(section.all('public'))
  const targets = targetsOf(section)
  const troubles = section.all('trouble').map(([line]) => line)
  const acls = decodeAcls(section)
  const mounts = decodeMounts(section)
  const packages = decodePackages(section)
  const labels = decodeLabels(section)

  function fact(question: PathQuestion): Fact<PathState> {
    const { path } = question
    const row = rows.get(path)
    if (row === undefined) {
      const trouble = rows.size === 0 ? 'no answer of stat' : troubles.find((line) => line.includes(path))
      if (trouble === undefined) return { is: 'absent' }
      const message = `expected to read ${path}, found ${trouble}`
      return { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: path } }
    }
    const { type, size } = row.state
    const acl = type === 'link' ? 'none' : acls.of(path)
    const entries = acls.entries(path)
    const content = type === 'file' ? contentOf(question, size, sums.get(path)) : undefined
    // the prelude appends a `.` so that trailing newlines survive
    const text = texts.get(path)?.slice(0, -1)
    const bytes = whole.get(path)?.slice(0, -1)
    const expires = question.publicPart && expiryOf(question.publicPart, seen.get(path) ?? '')
    const claims = question.publicPart === 'claims' ? claimsOf((seen.get(path) ?? '').trim()) : undefined
    const target = targets.get(path)
    const owner = question.package && type === 'file' ? packages(path) : undefined
    const immutable = mounts.immutable(path)
    const label = labels.get(path)
    const state: PathState = {
      ...row.state,
      acl,
      readOnlyMount: mounts.readOnly(path),
      ...entries,
      ...(immutable === undefined ? {} : { immutable }),
      ...(content === undefined ? {} : { content }),
      ...(text !== undefined && agrees(text, content) ? { text } : {}),
      ...(expires === undefined ? {} : { expires }),
      ...(claims === undefined ? {} : { claims }),
      ...(bytes !== undefined && agrees(bytes, content)
        ? { bytes: new Secret(path, Buffer.from(bytes, 'utf8')) }
        : {}),
      ...(type === 'link' && target !== undefined && target !== '' ? { target } : {}),
      ...(owner === undefined ? {} : { package: owner }),
      ...(label === undefined ? {} : { label }),
    }
    return { is: 'present', state, token: type === 'directory' ? directoryToken(row.raw) : row.raw }
  }

  return new Map(questions.paths.map((question) => [question.path, fact(question)]))
}
