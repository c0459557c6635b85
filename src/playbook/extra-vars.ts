import * as z from 'zod'
import { collect, throwCollected } from '../document/collect.ts'
import { parseDocument, readDocument } from '../document/parse.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { commandLinePlace } from '../inventory/connection.ts'
import { checkConnectionName } from '../inventory/connection-names.ts'
import { checkVariableName } from '../inventory/names.ts'

const Variables = z.record(z.string(), z.unknown())

/**
 * The variables of `--extra-vars`, later ones over earlier ones. Each text is `name=value` (only `true`,
 * `false` and whole numbers are more than text), a JSON or YAML dictionary in braces, or `@FILE` with one.
 */
export function parseExtraVars(texts: readonly string[]): ReadonlyMap<string, unknown> {
  const variables = new Map<string, unknown>()
  const errors: KmsfleetError[] = []
  for (const text of texts) {
    for (const [name, value, place] of collect(errors, () => parseText(text)) ?? []) {
      collect(errors, () => {
        if (name.startsWith('ansible_')) checkConnectionName(name, place)
        else checkVariableName(name, place)
      })
      variables.set(name, value)
    }
  }
  throwCollected(errors)
  return variables
}

type Assignment = readonly [name: string, value: unknown, place: Place | undefined]

function parseText(text: string): readonly Assignment[] {
  if (text.startsWith('@')) {
    const document = readDocument(text.slice(1), Variables, { code: 'variable.extra' })
    return Object.entries(document.value).map(([name, value]) => [name, value, document.keyPlace([name])])
  }
  if (text.trimStart().startsWith('{')) {
    const document = parseDocument(commandLinePlace.file, text, Variables, { code: 'variable.extra' })
    return Object.entries(document.value).map(([name, value]) => [name, value, document.keyPlace([name])])
  }
  const equals = text.indexOf('=')
  if (equals < 1) {
    // Not shown: it may be a secret that was meant for another option.
    throw new KmsfleetError(
      'variable.extra',
      'expected name=value, a dictionary in braces or @FILE for --extra-vars',
      {
        hint: 'such as --extra-vars release=1.2.0',
      },
    )
  }
  return [[text.slice(0, equals), scalar(text.slice(equals + 1)), undefined]]
}

/** `1.10` and `0750` stay text: as numbers they would lose a digit. */
function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text
}
