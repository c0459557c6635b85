import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** A host's public key: its type and the base64 of its wire form, as in a known_hosts line. */
export interface HostKey {
  readonly type: string
  readonly base64: string
}

/** One usable line of a known_hosts file. */
export interface KnownHostsEntry {
  readonly marker: 'none' | 'revoked' | 'cert-authority'
  /** Comma list as written: names, patterns, `!` negations, or one hashed name. */
  readonly names: string
  readonly key: HostKey
  /** `file:line`, for messages. */
  readonly origin: string
}

/** What known_hosts says of a key that a host presented. */
export type HostKeyVerdict =
  | { readonly is: 'known'; readonly origin: string }
  /** `because` is set where there is more to say than "no line". */
  | { readonly is: 'unknown'; readonly because?: string }
  /** `expected`: the keys of the presented type that are on record. */
  | { readonly is: 'changed'; readonly expected: readonly HostKey[]; readonly origin: string }
  | { readonly is: 'revoked'; readonly origin: string }

const maxLine = 64 * 1024

/**
 * Parses the text of a known_hosts file. Lines that OpenSSH would skip (comments, SSH-1 keys, broken base64) are
 * skipped too: a line that is not understood makes no key known.
 */
export function parseKnownHosts(text: string, file: string): readonly KnownHostsEntry[] {
  return text.split('\n').flatMap((line, index) => {
    const entry = parseKnownHostsLine(line, `${file}:${String(index + 1)}`)
    return entry === undefined ? [] : [entry]
  })
}

/** One line; undefined where it names no key. */
export function parseKnownHostsLine(line: string, origin: string): KnownHostsEntry | undefined {
  if (line.length > maxLine) return undefined
  const fields = line.trim().split(/[ \t]+/)
  let marker: KnownHostsEntry['marker'] = 'none'
  if (fields[0]?.startsWith('@') === true) {
    const name = fields.shift()
    if (name === '@revoked') marker = 'revoked'
    else if (name === '@cert-authority') marker = 'cert-authority'
    else return undefined
  }
  const [names, type, base64] = fields
  if (names === undefined || names === '' || names.startsWith('#')) return undefined
  const key = hostKeyOf(type, base64)
  return key === undefined ? undefined : { marker, names, key, origin }
}

/** `TYPE BASE64 [COMMENT]`, as in a `.pub` file or the inventory's `host_keys`; undefined where it is not a key. */
export function parsePublicKeyLine(line: string): HostKey | undefined {
  const [type, base64] = line.trim().split(/[ \t]+/)
  return hostKeyOf(type, base64)
}

/** The key of a wire-form blob; undefined where the blob does not begin with a key type. */
export function hostKeyOfBlob(blob: Uint8Array): HostKey | undefined {
  const type = blobType(Buffer.from(blob))
  return type === undefined ? undefined : { type, base64: Buffer.from(blob).toString('base64') }
}

/** `SHA256:…` without padding, as `ssh-keygen -l` prints it. */
export function fingerprint(key: HostKey): string {
  const digest = createHash('sha256').update(Buffer.from(key.base64, 'base64')).digest('base64')
  return `SHA256:${digest.replace(/=+$/, '')}`
}

export function sameKey(a: HostKey, b: HostKey): boolean {
  return a.type === b.type && a.base64 === b.base64
}

/** The name that known_hosts has for an address and port: `host`, or `[host]:port` where the port is not 22. */
export function knownHostsName(address: string, port: number): string {
  const lower = address.toLowerCase()
  return port === 22 ? lower : `[${lower}]:${String(port)}`
}

/** Does the name list of a line cover `name` (as {@link knownHostsName} gives it)? A matching negation wins. */
export function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|')) return hashMatches(names, name)
  let found = false
  for (const raw of names.split(',')) {
    const negated = raw.startsWith('!')
    const pattern = (negated ? raw.slice(1) : raw).toLowerCase()
    if (pattern === '' || !wildcardMatches(pattern, name)) continue
    if (negated) return false
    found = true
  }
  return found
}

/** True where the line names the host itself, so that it can be taken out of the line. */
export function namesExactly(names: string, name: string): boolean {
  if (names.startsWith('|')) return namesMatch(names, name)
  const list = names.toLowerCase().split(',')
  return list.includes(name) && !namesMatch(list.filter((one) => one !== name).join(','), name)
}

/** Key types on record for `name` and not revoked, in the order of the file. */
export function knownTypes(entries: readonly KnownHostsEntry[], name: string): readonly string[] {
  const types = entries
    .filter((entry) => entry.marker === 'none' && namesMatch(entry.names, name))
    .map((entry) => entry.key.type)
  return [...new Set(types)]
}

/** The first certificate authority that may vouch for `name`. */
export function authorityOf(entries: readonly KnownHostsEntry[], name: string): KnownHostsEntry | undefined {
  return entries.find((entry) => entry.marker === 'cert-authority' && namesMatch(entry.names, name))
}

/** Decides over a presented key. Revocation wins over everything; another type than those on record is unknown. */
export function judgeHostKey(
  entries: readonly KnownHostsEntry[],
  name: string,
  key: HostKey,
): HostKeyVerdict {
  const matching = entries.filter((entry) => namesMatch(entry.names, name))
  const revoked = matching.find((entry) => entry.marker === 'revoked' && sameKey(entry.key, key))
  if (revoked !== undefined) return { is: 'revoked', origin: revoked.origin }
  const plain = matching.filter((entry) => entry.marker === 'none')
  const known = plain.find((entry) => sameKey(entry.key, key))
  if (known !== undefined) return { is: 'known', origin: known.origin }
  const sameType = plain.filter((entry) => entry.key.type === key.type)
  const [first] = sameType
  if (first !== undefined) {
    return { is: 'changed', expected: sameType.map((entry) => entry.key), origin: first.origin }
  }
  const otherTypes = knownTypes(entries, name)
  if (otherTypes.length > 0) {
    return { is: 'unknown', because: `on record are only its keys of type ${otherTypes.join(', ')}` }
  }
  const authority = authorityOf(matching, name)
  if (authority !== undefined) {
    return {
      is: 'unknown',
      because: `certificate authorities (${authority.origin}) need --transport openssh`,
    }
  }
  return { is: 'unknown' }
}

function hostKeyOf(type: string | undefined, base64: string | undefined): HostKey | undefined {
  if (type === undefined || base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  const blob = Buffer.from(base64, 'base64')
  // The type inside the blob is what the key exchange compares; a line that disagrees with itself is no key.
  return blobType(blob) === type ? { type, base64: blob.toString('base64') } : undefined
}

function blobType(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined
  const length = blob.readUInt32BE(0)
  if (length === 0 || length > 64 || blob.length < 4 + length) return undefined
  const type = blob.toString('latin1', 4, 4 + length)
  return /^[a-z0-9@.-]+$/.test(type) ? type : undefined
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, as OpenSSH's HashKnownHosts writes it. */
function hashMatches(hashed: string, name: string): boolean {
  const [, scheme, salt, hash] = hashed.split('|')
  if (scheme !== '1' || salt === undefined || hash === undefined) return false
  const expected = Buffer.from(hash, 'base64')
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return expected.length === found.length && timingSafeEqual(expected, found)
}

/** OpenSSH's `*` and `?`. Iterative: a pattern from a file must not cost exponential time. */
function wildcardMatches(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let mark = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      mark = t
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++mark
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
