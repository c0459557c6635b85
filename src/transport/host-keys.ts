import { readFile } from 'node:fs/promises'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { messageOf, systemCode } from './failures.ts'
import {
  authorityOf,
  fingerprint,
  judgeHostKey,
  knownHostsName,
  knownTypes,
  parseKnownHosts,
  parsePublicKeyLine,
  type HostKey,
  type HostKeyVerdict,
  type KnownHostsEntry,
} from './known-hosts.ts'

/** Everything on record about one host's keys: decides over a presented key without further reading. */
export interface HostKeyPolicy {
  /** Key types on record; the key exchange is restricted to them. Empty where nothing is known. */
  readonly types: readonly string[]
  /** `file:line` of a certificate authority for the host, which only the OpenSSH client can check keys against. */
  readonly authority: string | undefined
  judge(key: HostKey): HostKeyVerdict
}

/** Parsed known_hosts files, each read once for all hosts of a run. */
export interface KnownHostsFiles {
  /** Entries of the files in order; a file that does not exist has none. */
  read(files: readonly string[]): Promise<readonly KnownHostsEntry[]>
}

export function createKnownHostsFiles(): KnownHostsFiles {
  const parsed = new Map<string, Promise<readonly KnownHostsEntry[]>>()
  return {
    async read(files) {
      const lists = await Promise.all(
        files.map((file) => {
          const entries = parsed.get(file) ?? readKnownHosts(file)
          parsed.set(file, entries)
          return entries
        }),
      )
      return lists.flat()
    },
  }
}

/**
 * What is on record for a host. `hostKeys` of the inventory, where given, are the only keys accepted; revocations
 * of the known_hosts files count all the same.
 */
export async function hostKeyPolicy(
  host: string,
  settings: ConnectionSettings,
  files: KnownHostsFiles,
): Promise<HostKeyPolicy> {
  const entries = await files.read(settings.knownHostsFiles)
  const name = knownHostsName(settings.address, settings.port)
  return policyOf(pinnedEntries(host, settings, entries) ?? entries, name)
}

/**
 * What counts where the inventory has `host_keys`: these, and the revocations among `entries`; undefined where it has
 * none.
 */
export function pinnedEntries(
  host: string,
  settings: ConnectionSettings,
  entries: readonly KnownHostsEntry[],
): readonly KnownHostsEntry[] | undefined {
  if (settings.hostKeys.length === 0) return undefined
  const names = knownHostsName(settings.address, settings.port)
  const pinned = settings.hostKeys.map((line, index): KnownHostsEntry => {
    const key = parsePublicKeyLine(line)
    if (key === undefined) {
      throw new KmsfleetError(
        'transport.known-hosts',
        `${host}: expected host key ${String(index + 1)} of the inventory as "TYPE BASE64", found another form`,
        { hint: 'Copy the line from /etc/ssh/ssh_host_*_key.pub on the host.' },
      )
    }
    return { marker: 'none', names, key, origin: 'host_keys of the inventory' }
  })
  return [...entries.filter((entry) => entry.marker === 'revoked'), ...pinned]
}

/** The error for a verdict that is not `known`. */
export function hostKeyError(
  host: string,
  settings: ConnectionSettings,
  key: HostKey,
  verdict: Exclude<HostKeyVerdict, { readonly is: 'known' }>,
): KmsfleetError {
  const name = knownHostsName(settings.address, settings.port)
  const found = `${key.type} ${fingerprint(key)}`
  switch (verdict.is) {
    case 'revoked':
      return new KmsfleetError(
        'transport.host-key-revoked',
        `${host}: expected a valid host key of ${name}, found ${found}, revoked in ${verdict.origin}`,
        { hint: 'Give the host a new key; a revoked key is never accepted.' },
      )
    case 'changed':
      return new KmsfleetError(
        'transport.host-key-changed',
        `${host}: expected host key ${verdict.expected.map(fingerprint).join(' or ')} of ${name} ` +
          `(${verdict.origin}), found ${found}`,
        {
          hint: `Someone may be in between. If the host was reinstalled, check the fingerprint on its console, then run "kmsfleet trust --replace ${host}".`,
        },
      )
    case 'unknown':
      return new KmsfleetError(
        'transport.host-key-unknown',
        `${host}: expected a known host key of ${name}, found ${found}` +
          (verdict.because === undefined ? '' : `; ${verdict.because}`),
        { hint: `Check the fingerprint on the host's console and accept it with "kmsfleet trust".` },
      )
  }
}

function policyOf(entries: readonly KnownHostsEntry[], name: string): HostKeyPolicy {
  return {
    types: knownTypes(entries, name),
    authority: authorityOf(entries, name)?.origin,
    judge: (key) => judgeHostKey(entries, name, key),
  }
}

async function readKnownHosts(file: string): Promise<readonly KnownHostsEntry[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw new KmsfleetError(
      'transport.known-hosts',
      `expected a readable known_hosts file, found ${file}: ${messageOf(error)}`,
      { hint: 'Mend the file or its permissions; host keys are never accepted without it.', cause: error },
    )
  }
}
