import { KmsfleetError } from '../errors/error.ts'
import type { KnownHost } from './known-hosts-file.ts'
import {
  judgeHostKey,
  knownTypes,
  namesExactly,
  namesMatch,
  sameKey,
  type KnownHostsEntry,
} from './known-hosts.ts'
import type { ScannedKey } from './scan.ts'

/** One line of a fingerprint file. */
export interface Fingerprint {
  /** Inventory name, address or known_hosts name. */
  readonly host: string
  /** `SHA256:…` */
  readonly fingerprint: string
}

/** What is to become of one scanned key. */
export type TrustDecision =
  /** `vouched`: it stands in the fingerprint file; otherwise a person has to look at it. */
  | { readonly is: 'add'; readonly scanned: ScannedKey; readonly vouched: boolean }
  | {
      readonly is: 'replace'
      readonly scanned: ScannedKey
      readonly vouched: boolean
      /** Lines on record that go; the same for every key of the host. */
      readonly removes: readonly KnownHostsEntry[]
    }
  | { readonly is: 'known'; readonly scanned: ScannedKey }
  /** The host is vouched for by other keys of it; this one is in no fingerprint line and stays unknown. */
  | { readonly is: 'unlisted'; readonly scanned: ScannedKey }
  | { readonly is: 'refused'; readonly scanned: ScannedKey; readonly error: KmsfleetError }

export interface TrustRequest {
  readonly scanned: readonly ScannedKey[]
  /** Entries of all known_hosts files that count for these hosts. */
  readonly known: readonly KnownHostsEntry[]
  /** The file that is written: only its lines can be replaced. */
  readonly file: string
  /** Given: a key is accepted only if it is listed. */
  readonly fingerprints?: readonly Fingerprint[]
  /** Inventory names whose keys on record may be replaced. */
  readonly replace: ReadonlySet<string>
}

/** Decides over scanned keys; pure. A changed key needs `replace`, a revoked one is never taken. */
export function planTrust(request: TrustRequest): readonly TrustDecision[] {
  return request.scanned.map((scanned) => decide(request, scanned))
}

function decide(request: TrustRequest, scanned: ScannedKey): TrustDecision {
  const { known, replace, file } = request
  const { name, key } = scanned
  const verdict = judgeHostKey(known, name, key)
  if (verdict.is === 'revoked') {
    return refused(
      scanned,
      'transport.host-key-revoked',
      `expected a key that may be trusted, found ${scanned.fingerprint}, revoked in ${verdict.origin}`,
      'Give the host a new key; a revoked key is never accepted.',
    )
  }
  if (verdict.is === 'known') return { is: 'known', scanned }
  const listed = listing(request, scanned)
  if (listed === 'other') {
    return refused(
      scanned,
      'transport.host-key-changed',
      `expected one of the listed fingerprints, found ${scanned.fingerprint} (${key.type})`,
      'Compare with the fingerprints on the host itself; someone may be in between.',
    )
  }
  if (listed === 'absent') return { is: 'unlisted', scanned }
  const vouched = listed === 'listed'
  // A new key type is an addition only if the host also proved a key on record; else it is a change in disguise.
  const familiar = request.scanned.some(
    (other) => other.name === name && judgeHostKey(known, name, other.key).is === 'known',
  )
  const changed = verdict.is === 'changed' || (knownTypes(known, name).length > 0 && !familiar)
  if (!changed) return { is: 'add', scanned, vouched }
  if (!replace.has(scanned.host)) {
    return refused(
      scanned,
      'transport.host-key-changed',
      `expected the key on record, found ${scanned.fingerprint} (${key.type})`,
      `If the host was reinstalled, check the fingerprint on its console, then run "kmsfleet trust --replace ${scanned.host}".`,
    )
  }
  const removes = known.filter(
    (entry) =>
      entry.marker === 'none' &&
      namesMatch(entry.names, name) &&
      !request.scanned.some((other) => other.name === name && sameKey(other.key, entry.key)),
  )
  const fixed = removes.find(
    (entry) => !entry.origin.startsWith(`${file}:`) || !namesExactly(entry.names, name),
  )
  if (fixed !== undefined) {
    return refused(
      scanned,
      'transport.known-hosts',
      `expected the old key on a line of its own in ${file}, found it at ${fixed.origin}`,
      'Take it out of that line by hand: a pattern, or a file shared by others, is not edited.',
    )
  }
  return { is: 'replace', scanned, vouched, removes }
}

/** The edits of a known_hosts file that carry out what was decided (and, by a person, agreed to). */
export function trustEdits(decisions: readonly TrustDecision[]): {
  readonly additions: readonly KnownHost[]
  readonly removals: readonly KnownHost[]
} {
  return {
    additions: decisions.flatMap((decision) =>
      decision.is === 'add' || decision.is === 'replace'
        ? [{ name: decision.scanned.name, key: decision.scanned.key }]
        : [],
    ),
    removals: decisions.flatMap((decision) =>
      decision.is === 'replace'
        ? decision.removes.map(({ key }) => ({ name: decision.scanned.name, key }))
        : [],
    ),
  }
}

/** `free`: there is no fingerprint file. `absent`: other keys of the host are listed and matched. */
function listing(request: TrustRequest, scanned: ScannedKey): 'free' | 'listed' | 'absent' | 'other' {
  if (request.fingerprints === undefined) return 'free'
  const listed = new Set(
    request.fingerprints
      .filter(({ host }) => [scanned.host, scanned.address, scanned.name].includes(host))
      .map(({ fingerprint }) => fingerprint),
  )
  if (listed.has(scanned.fingerprint)) return 'listed'
  const vouchedElsewhere = request.scanned.some(
    (other) => other.name === scanned.name && listed.has(other.fingerprint),
  )
  return vouchedElsewhere ? 'absent' : 'other'
}

/**
 * Parses a fingerprint file: `HOST SHA256:…` a line, or what `ssh-keygen -lf` prints (`256 SHA256:… HOST (ED25519)`,
 * where `user@HOST` counts as HOST). Blank lines and `#` comments are skipped; anything else is an error.
 */
export function parseFingerprints(text: string, file: string): readonly Fingerprint[] {
  return text.split('\n').flatMap((raw, index): Fingerprint[] => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return []
    const match =
      /^(?<host>\S+)\s+(?<fp>SHA256:[A-Za-z0-9+/]{43})$/.exec(line) ??
      /^\d+\s+(?<fp>SHA256:[A-Za-z0-9+/]{43})\s+(?:\S+@)?(?<host>\S+)\s+\([A-Z0-9-]+\)$/.exec(line)
    const host = match?.groups?.['host']
    const fingerprint = match?.groups?.['fp']
    if (host !== undefined && fingerprint !== undefined) return [{ host, fingerprint }]
    throw new KmsfleetError(
      'transport.known-hosts',
      'expected "HOST SHA256:…" or a line of ssh-keygen -lf, found another form',
      {
        place: { file, line: index + 1, column: 1 },
        hint: 'On the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
      },
    )
  })
}

function refused(
  scanned: ScannedKey,
  code: 'transport.host-key-revoked' | 'transport.host-key-changed' | 'transport.known-hosts',
  message: string,
  hint: string,
): TrustDecision {
  const error = new KmsfleetError(code, `${scanned.host} (${scanned.name}): ${message}`, { hint })
  return { is: 'refused', scanned, error }
}
