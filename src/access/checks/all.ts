import type { Check, Matrix } from '../../model/access.ts'
import type { Snapshot } from '../../model/facts.ts'
import type { ReadAtom } from '../../model/wire.ts'
import type { Accounts } from '../actors/accounts.ts'
import { documentLimit } from '../host-document.ts'
import { accountChecks, sudoRules } from './accounts.ts'
import { objects, pathsOf } from './common.ts'
import { configurationChecks } from './configuration.ts'
import { credentialAtoms, credentialChecks } from './credentials.ts'
import { encryptionChecks } from './encryption.ts'
import { materialChecks } from './material.ts'
import { podChecks } from './pods.ts'
import { unitChecks } from './units.ts'

/** What {@link hostChecks} is read from, beside what the rules and actors ask for. */
export function checkAtoms(matrix: Matrix): readonly ReadAtom[] {
  const documents = [
    ...pathsOf(matrix, objects.configuration),
    ...pathsOf(matrix, objects.encryption),
    sudoRules.file,
  ]
  return [
    ...documents.map((path): ReadAtom => ({ atom: 'path', path, bytesUpTo: documentLimit })),
    { atom: 'folder', path: sudoRules.folder, ending: '' },
    ...credentialAtoms(matrix),
  ]
}

/**
 * What is proved of a host beside the rules of its matrix and who its actors are.
 * @param now seconds since the epoch
 */
export function hostChecks(
  matrix: Matrix,
  snapshot: Snapshot,
  accounts: Accounts,
  now: number,
): readonly Check[] {
  const looked = { matrix, snapshot, accounts }
  return [
    ...podChecks(looked),
    ...unitChecks(looked),
    ...accountChecks(looked),
    ...configurationChecks(looked),
    ...encryptionChecks(looked),
    ...credentialChecks(looked, now),
    ...materialChecks(looked),
  ]
}
