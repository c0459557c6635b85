import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readDocument } from '../document/parse.ts'
import { isFile } from '../document/read.ts'
import { AccessKeywords } from './access-keywords.ts'
import { shippedRoles } from './roles.ts'

let read: readonly AccessKeywords[] | undefined

/** What all shipped roles say of the access matrix, whether a playbook uses them or not; read once. */
export function shippedAccess(): readonly AccessKeywords[] {
  read ??= readdirSync(shippedRoles)
    .map((role) => join(shippedRoles, role, 'access.yml'))
    .filter(isFile)
    .map((file) => readDocument(file, AccessKeywords, { code: 'playbook.invalid' }).value)
  return read
}
