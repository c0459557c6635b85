import * as z from 'zod'
import { isDictionary } from '../document/dictionary.ts'
import { parseDocument } from '../document/parse.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import type { Snapshot } from '../model/facts.ts'

/** Bytes of a document on a host that are read at most. */
export const documentLimit = 256 * 1024

export type HostDocument =
  | { readonly is: 'found'; readonly value: unknown }
  /** Why it is not known, to stand behind its path. */
  | { readonly is: 'unknown'; readonly because: string }

/** A YAML document that a host has, from what a frame read of it. */
export function hostDocument(file: string, { paths }: Pick<Snapshot, 'paths'>): HostDocument {
  const fact = paths.get(file)
  if (fact?.is === 'absent') return { is: 'unknown', because: 'it is not there' }
  const bytes = fact?.is === 'present' ? fact.state.bytes : undefined
  if (bytes === undefined) {
    return { is: 'unknown', because: 'it cannot be read, or others than root can write it' }
  }
  try {
    const text = Buffer.from(bytes.reveal()).toString('utf8')
    return { is: 'found', value: parseDocument(file, text, z.unknown()).value }
  } catch (error) {
    if (error instanceof KmsfleetError || error instanceof KmsfleetErrors) {
      return { is: 'unknown', because: 'it is no YAML' }
    }
    throw error
  }
}

/** What stands at a key such as `auth.jwt.jwtFile`; undefined where nothing does. */
export function valueAt(value: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((part, step) => (isDictionary(part) ? part[step] : undefined), value)
}
