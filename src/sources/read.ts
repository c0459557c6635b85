import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { collect, throwCollected } from '../document/collect.ts'
import type { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import type { Secret } from '../model/secret.ts'
import { readSecretFile } from './file.ts'

/** A secret whose path was rendered for a host. */
export interface SecretFile {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly place: Place
}

/** Absolute path of a rendered one: `~/` is the operator's home, a relative one starts beside the playbook. */
export function secretPath(rendered: string, playbook: string): string {
  if (rendered.startsWith('~/')) return join(homedir(), rendered.slice(2))
  return resolve(dirname(playbook), rendered)
}

/**
 * Reads every path once, however many hosts share it, and gives secrets by path. Throws KmsfleetErrors with
 * all that cannot be read.
 */
export function readSecrets(files: Iterable<SecretFile>): ReadonlyMap<string, Secret> {
  const secrets = new Map<string, Secret>()
  const tried = new Set<string>()
  const errors: KmsfleetError[] = []
  for (const { name, path, place } of files) {
    if (tried.has(path)) continue
    tried.add(path)
    const secret = collect(errors, () => readSecretFile(path, name, place))
    if (secret !== undefined) secrets.set(path, secret)
  }
  throwCollected(errors)
  return secrets
}
