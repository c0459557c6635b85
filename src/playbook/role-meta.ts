import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { partOf, readDocument } from '../document/parse.ts'
import { isDirectory } from '../document/read.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { type RoleEntry, RoleMetaKeywords } from './keywords.ts'
import { readArguments, type RoleArguments } from './role-arguments.ts'

/** What `meta/` of a role says. */
export interface RoleMeta {
  /** Roles that run before it, in order. */
  readonly dependencies: readonly { readonly entry: RoleEntry; readonly part: KeyLocated }[]
  /** It runs as often as it is named under `roles` and `dependencies`, even with the same parameters. */
  readonly allowDuplicates: boolean
  /** Of `arguments.yml`. */
  readonly declared?: RoleArguments
}

const known = ['main.yml', 'arguments.yml'] as const

/** Reads `meta/` of a role, which may be missing; a file that nothing reads is refused. */
export function readMeta(role: string, errors: KmsfleetError[]): RoleMeta {
  const folder = join(role, 'meta')
  const files = isDirectory(folder) ? readdirSync(folder) : []
  for (const file of files) {
    if (!known.some((each) => each === file)) errors.push(unreadFile(folder, file))
  }
  const meta = files.includes('main.yml')
    ? collect(errors, () =>
        readDocument(join(folder, 'main.yml'), RoleMetaKeywords, {
          errors,
          unknownKey: (key, keys) => metaHints.get(key) ?? suggestion(key, keys),
        }),
      )
    : undefined
  const declared = files.includes('arguments.yml')
    ? readArguments(join(folder, 'arguments.yml'), errors)
    : undefined
  return {
    ...(declared === undefined ? {} : { declared }),
    dependencies:
      meta === undefined
        ? []
        : (meta.value?.dependencies ?? []).map((entry, index) => ({
            entry,
            part: partOf(meta, ['dependencies', index]),
          })),
    allowDuplicates: meta?.value?.allow_duplicates ?? false,
  }
}

const metaHints: ReadonlyMap<string, string> = new Map([
  ['collections', 'remove it: all modules are built in'],
])

function unreadFile(folder: string, file: string): KmsfleetError {
  return new KmsfleetError(
    'playbook.invalid',
    `expected files named ${known.join(' and ')}, found ${join(folder, file)}`,
    {
      place: { file: join(folder, file), line: 1, column: 1 },
      ...(file.startsWith('argument_specs') ? { hint: 'arguments are declared in arguments.yml' } : {}),
    },
  )
}
