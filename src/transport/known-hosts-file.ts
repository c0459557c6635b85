import { createHmac, randomBytes } from 'node:crypto'
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import { messageOf, systemCode } from './failures.ts'
import { namesExactly, namesMatch, parseKnownHostsLine, sameKey, type HostKey } from './known-hosts.ts'

/** A host's name as known_hosts has it (`host` or `[host]:port`) and a key of it. */
export interface KnownHost {
  readonly name: string
  readonly key: HostKey
}

/**
 * Adds and removes keys in a known_hosts file, which appears whole under its name or not at all (mode 0600). Lines of
 * others keep their bytes. New names are hashed where the file hashes names. Throws `transport.known-hosts`.
 */
export async function writeKnownHosts(
  file: string,
  additions: readonly KnownHost[],
  removals: readonly KnownHost[],
): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    // Through a link: known_hosts is often kept elsewhere, and the link should stay.
    const real = await realpath(file).catch(() => file)
    const old = await readFile(real, 'latin1').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return ''
      throw error
    })
    await replaceFile(real, editKnownHosts(old, additions, removals))
  } catch (error) {
    if (error instanceof KmsfleetError) throw error
    throw new KmsfleetError(
      'transport.known-hosts',
      `expected ${file} to be writable, found: ${messageOf(error)}`,
      { hint: 'Nothing was changed; mend the permissions of the folder.', cause: error },
    )
  }
}

/** The new text of a known_hosts file, as latin1 so that bytes of any encoding survive. */
export function editKnownHosts(
  text: string,
  additions: readonly KnownHost[],
  removals: readonly KnownHost[],
): string {
  const lines = text.split('\n').map((line) => ({ line, entry: parseKnownHostsLine(line, '') }))
  const hashed = lines.some(({ entry }) => entry?.names.startsWith('|') === true)
  const kept = lines.flatMap(({ line, entry }) => {
    if (entry?.marker !== 'none') return [line]
    const gone = removals.filter(
      ({ name, key }) => sameKey(key, entry.key) && namesExactly(entry.names, name),
    )
    if (gone.length === 0) return [line]
    const left = entry.names
      .split(',')
      .filter((one) => !one.startsWith('|') && !gone.some(({ name }) => name === one.toLowerCase()))
    return left.length === 0 ? [] : [line.replace(entry.names, () => left.join(','))]
  })
  const present = kept.flatMap((line) => parseKnownHostsLine(line, '') ?? [])
  const added = additions
    .filter(
      ({ name, key }) =>
        !present.some(
          (entry) => entry.marker === 'none' && sameKey(entry.key, key) && namesMatch(entry.names, name),
        ),
    )
    .map(
      ({ name, key }) =>
        `${hashed ? hashName(plainName(name)) : plainName(name)} ${key.type} ${key.base64}\n`,
    )
  const body = kept.join('\n')
  const separator = body === '' || body.endsWith('\n') || added.length === 0 ? '' : '\n'
  return body + separator + added.join('')
}

/** Refuses a pattern: a line for `*` would accept the key for every host there is. */
function plainName(name: string): string {
  if (/^(?:\[[A-Za-z0-9._:%-]+\]:\d{1,5}|[A-Za-z0-9._:%-]+)$/.test(name)) return name
  throw new KmsfleetError('transport.known-hosts', `expected the plain name of a host, found "${name}"`, {
    hint: 'Patterns are never written to known_hosts.',
  })
}

function hashName(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

async function replaceFile(file: string, text: string): Promise<void> {
  const staged = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`)
  try {
    const handle = await open(staged, 'wx', 0o600)
    try {
      await handle.writeFile(text, 'latin1')
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(staged, file)
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
