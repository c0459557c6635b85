import { access, readFile } from 'node:fs/promises'
import type { ConnectionSettings } from '../model/host.ts'
import { authorityOf, knownHostsName, knownTypes } from './known-hosts.ts'
import type { KnownHostsFiles } from './host-keys.ts'
import type { Answer } from './ssh-g.ts'

/** Something of ssh's configuration, keys or known_hosts that only the OpenSSH client can do. */
export interface OpensshNeed {
  /** As it completes "found ...". */
  readonly found: string
  /** Nothing else leads to the host: without the OpenSSH client it cannot be reached. */
  readonly onlyWay: boolean
}

/** Says why a login needs the OpenSSH client; undefined where the library will do. `answer` is of `ssh -G`. */
export type FindNeed = (settings: ConnectionSettings, answer: Answer) => Promise<OpensshNeed | undefined>

/** One finder for a run: key files are looked at once for all hosts. */
export function createFindNeed(knownHosts: KnownHostsFiles): FindNeed {
  const kinds = new Map<string, Promise<KeyKind>>()

  return async (settings, answer) => {
    const said = needOfConfiguration(answer)
    if (said !== undefined) return said
    const found = await Promise.all(
      settings.identityFiles.map((file) => {
        const kind = kinds.get(file) ?? kindOf(file)
        kinds.set(file, kind)
        return kind
      }),
    )
    const at = found.indexOf('certified')
    if (at >= 0) return key(`a certificate beside the key ${settings.identityFiles[at] ?? ''}`)
    // Only where no other key is at hand: the sk keys that ssh looks for by default are no wish to touch one.
    if (found.includes('hardware') && !found.includes('plain')) return key('a key on a FIDO token')
    return needOfHostKey(settings, knownHosts)
  }
}

type KeyKind = 'none' | 'plain' | 'certified' | 'hardware'

const key = (found: string): OpensshNeed => ({ found, onlyWay: false })

function needOfConfiguration(answer: Answer): OpensshNeed | undefined {
  const one = (keyword: string): string | undefined => {
    const value = answer.get(keyword)?.[0]
    return value === 'none' ? undefined : value
  }
  if (one('certificatefile') !== undefined) return key('a CertificateFile')
  if (one('pkcs11provider') !== undefined) return key('a PKCS11Provider')
  if (one('preferredauthentications')?.startsWith('gssapi') === true) {
    return key('PreferredAuthentications that begin with GSSAPI')
  }
  return undefined
}

async function kindOf(file: string): Promise<KeyKind> {
  const there = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    )
  if (await there(`${file}-cert.pub`)) return 'certified'
  const publicHalf = await readFile(`${file}.pub`, 'latin1').catch(() => '')
  if (publicHalf.startsWith('sk-')) return 'hardware'
  return (await there(file)) ? 'plain' : 'none'
}

async function needOfHostKey(
  settings: ConnectionSettings,
  knownHosts: KnownHostsFiles,
): Promise<OpensshNeed | undefined> {
  if (settings.hostKeys.length > 0) return undefined
  const entries = await knownHosts.read(settings.knownHostsFiles)
  const name = knownHostsName(settings.address, settings.port)
  const authority = authorityOf(entries, name)
  if (authority === undefined || knownTypes(entries, name).length > 0) return undefined
  return key(`a certificate authority for its host key (${authority.origin})`)
}
