import { readFile, stat } from 'node:fs/promises'
import ssh2 from 'ssh2'
import type { ParsedKey } from 'ssh2'
import { KmsfleetError } from '../errors/error.ts'
import type { Secret } from '../model/secret.ts'
import { isParsedKey } from './agent.ts'
import { messageOf, systemCode } from './failures.ts'
import { hostKeyOfBlob, parsePublicKeyLine } from './known-hosts.ts'

/** Asks a person for the passphrase of a key file; undefined where nobody can be asked or nothing was said. */
export type PromptPassphrase = (file: string) => Promise<Secret | undefined>

/** A private key file of the workstation. */
export type KeyFile =
  | { readonly is: 'key'; readonly file: string; readonly key: ParsedKey }
  /** `publicBlob`: its public half, where the file shows it. */
  | { readonly is: 'encrypted'; readonly file: string; readonly publicBlob: Buffer | undefined }
  /** The private half is only in an agent. */
  | { readonly is: 'public'; readonly file: string; readonly publicBlob: Buffer }
  /** Not offered; `why` is said when nothing else is accepted either. */
  | { readonly is: 'unusable'; readonly file: string; readonly why: string }

/** The key files of a run: each is read once, and its passphrase asked for once, for all hosts. */
export interface KeyFiles {
  load(file: string): Promise<KeyFile>
  /** Opens an encrypted key; throws `transport.passphrase`. */
  unlock(file: string): Promise<ParsedKey>
}

export function createKeyFiles(promptPassphrase: PromptPassphrase | undefined): KeyFiles {
  const loaded = new Map<string, Promise<KeyFile>>()
  const unlocked = new Map<string, Promise<ParsedKey>>()
  // One question at a time, whatever number of hosts and files need one.
  let asking: Promise<unknown> = Promise.resolve()

  async function unlock(file: string): Promise<ParsedKey> {
    const ask = asking.then(() => promptPassphrase?.(file))
    asking = ask.catch(() => undefined)
    const passphrase = await ask
    if (passphrase === undefined) {
      throw new KmsfleetError(
        'transport.passphrase',
        `expected a passphrase for ${file}, found nobody to ask`,
        { hint: 'Load the key into an agent with ssh-add, or run with a terminal.' },
      )
    }
    const key = parsePrivateKey(await readFile(file), Buffer.from(passphrase.reveal()))
    if (key instanceof Error) {
      throw new KmsfleetError(
        'transport.passphrase',
        `expected the passphrase of ${file}, found one that does not open it`,
        { hint: 'Try again; the passphrase is asked for once a run.' },
      )
    }
    return refuseSha1(key)
  }

  return {
    load(file) {
      const known = loaded.get(file) ?? loadKeyFile(file)
      loaded.set(file, known)
      return known
    },
    unlock(file) {
      const known = unlocked.get(file) ?? unlock(file)
      unlocked.set(file, known)
      return known
    },
  }
}

/** True for the public key blobs of one and the same key. */
export function sameBlob(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a !== undefined && b !== undefined && a.equals(b)
}

async function loadKeyFile(file: string): Promise<KeyFile> {
  let bytes: Buffer
  let mode: number
  try {
    mode = (await stat(file)).mode & 0o777
    bytes = await readFile(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') return { is: 'unusable', file, why: messageOf(error) }
    const publicBlob = publicKeyOf(await readFile(`${file}.pub`, 'utf8').catch(() => ''))
    return publicBlob === undefined
      ? { is: 'unusable', file, why: 'no such file' }
      : { is: 'public', file, publicBlob }
  }
  const publicBlob = publicKeyOf(bytes.toString('latin1'))
  if (publicBlob !== undefined) return { is: 'public', file, publicBlob }
  if ((mode & 0o077) !== 0) {
    return { is: 'unusable', file, why: `others may use it (mode 0${mode.toString(8)}, expected 0600)` }
  }
  const key = parsePrivateKey(bytes)
  if (!(key instanceof Error)) return { is: 'key', file, key: refuseSha1(key) }
  if (/encrypted|passphrase/i.test(key.message)) {
    return { is: 'encrypted', file, publicBlob: publicHalf(bytes.toString('latin1')) }
  }
  return { is: 'unusable', file, why: 'not a private key in a form that is understood' }
}

function parsePrivateKey(bytes: Buffer, passphrase?: Buffer): ParsedKey | Error {
  // The types say one key; for OpenSSH's newer format ssh2 gives a list of one.
  const parsed: unknown = ssh2.utils.parseKey(bytes, passphrase)
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error) return key
  return isParsedKey(key) && key.isPrivateKey() ? key : new Error('not a private key')
}

/** ssh2 signs with SHA-1 for servers that announce nothing better; such a server is refused instead. */
function refuseSha1(key: ParsedKey): ParsedKey {
  const sign = key.sign.bind(key)
  key.sign = (data, algorithm) => {
    if (algorithm === 'sha1') throw new Error('the server accepts RSA signatures with SHA-1 only')
    return sign(data, algorithm)
  }
  return key
}

function publicKeyOf(text: string): Buffer | undefined {
  const key = parsePublicKeyLine(text)
  return key === undefined ? undefined : Buffer.from(key.base64, 'base64')
}

/** The public key of an encrypted OpenSSH private key file (PROTOCOL.key: it stands there in clear). */
function publicHalf(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1]
  if (body === undefined) return undefined
  const bytes = Buffer.from(body, 'base64')
  const magic = Buffer.from('openssh-key-v1\0', 'latin1')
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined
  let at = magic.length
  const next = (): Buffer | undefined => {
    if (at + 4 > bytes.length) return undefined
    const length = bytes.readUInt32BE(at)
    const field = bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
    return field.length === length ? field : undefined
  }
  for (let skipped = 0; skipped < 3; skipped += 1) if (next() === undefined) return undefined // cipher, kdf, options
  at += 4 // number of keys, always 1
  const blob = next()
  return blob !== undefined && hostKeyOfBlob(blob) !== undefined ? blob : undefined
}
