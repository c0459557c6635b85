import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import type { SecretReference } from '../playbook/types.ts'
import type { OpenbaoPlace, OpenbaoSource, SecretSource, WantedSecret } from '../sources/types.ts'

/** Renders one text of a source for a host. */
export type RenderText = (template: string) => string

/**
 * The source of a secret for one host, its texts rendered, and files named by absolute paths: `~/` is the operator's
 * home, a relative one starts beside the playbook. Undefined where the path is empty for the host: it has no
 * such secret.
 */
export function renderReference(
  { name, source, place }: SecretReference,
  text: RenderText,
  playbook: string,
): WantedSecret | undefined {
  const rendered = renderSource(source, text, playbook, place)
  return rendered === undefined ? undefined : { name, source: rendered, place }
}

function renderSource(
  source: SecretSource,
  text: RenderText,
  playbook: string,
  place: Place,
): SecretSource | undefined {
  switch (source.from) {
    case 'file': {
      const path = text(source.path)
      return path === '' ? undefined : { from: 'file', path: localPath(path, playbook) }
    }
    case 'exec': {
      const argv = source.argv.map(text)
      if (argv.some((word) => word.includes('\0')))
        throw invalid('arguments without NUL', 'one with it', place)
      return { ...source, argv }
    }
    case 'openbao': {
      const path = text(source.path)
      if (path === '') return undefined
      const mount = text(source.mount)
      const version = source.version === undefined ? '' : text(source.version)
      checkPath(mount, 'mount', place)
      checkPath(path, 'path', place)
      if (!/^([1-9]\d{0,8})?$/.test(version))
        throw invalid('a version number', JSON.stringify(version), place)
      return {
        ...source,
        ...renderServer(source, text, playbook),
        mount,
        path,
        field: text(source.field),
        version: version === '' ? undefined : version,
      }
    }
  }
}

function renderServer(source: OpenbaoSource, text: RenderText, playbook: string): OpenbaoPlace {
  const optional = (template: string | undefined): string | undefined =>
    template === undefined ? undefined : text(template) || undefined
  const file = (template: string | undefined): string | undefined => {
    const path = optional(template)
    return path === undefined ? undefined : localPath(path, playbook)
  }
  return {
    address: optional(source.address),
    namespace: optional(source.namespace),
    serverName: optional(source.serverName),
    caFile: file(source.caFile),
    clientCertificate: file(source.clientCertificate),
    clientKey: file(source.clientKey),
  }
}

/** A server resolves `.`, `..` and empty parts: a secret outside the mount would be read. */
function checkPath(path: string, what: string, place: Place): void {
  if (path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')) return
  throw invalid(`a ${what} of plain parts, such as \`kms/prod\``, JSON.stringify(path), place)
}

function invalid(expected: string, found: string, place: Place): KmsfleetError {
  return new KmsfleetError('playbook.invalid', `expected ${expected} for the secret, found ${found}`, {
    place,
  })
}

function localPath(path: string, playbook: string): string {
  if (path.startsWith('~/')) return join(homedir(), path.slice(2))
  return resolve(dirname(playbook), path)
}
