import * as z from 'zod'
import { collect } from '../document/collect.ts'
import { emptyDictionary, isDictionary } from '../document/dictionary.ts'
import { describeValue } from '../document/describe.ts'
import type { KeyLocated } from '../document/issues.ts'
import { KmsfleetError } from '../errors/error.ts'
import { findRegions } from '../template/regions.ts'
import { hasTemplate } from '../template/scan.ts'
import { checkConnectionName } from './connection-names.ts'
import { checkVariableName } from './names.ts'
import type { Variable } from './types.ts'

export type VariablesDocument = Readonly<Record<string, unknown>> | null

/** The variables of a group, of a host or of a variables file: a dictionary, or nothing. */
export const VariablesForm: z.ZodType<VariablesDocument> = z.record(z.string(), z.unknown()).nullable()

/** What owns variables: a group or host of an inventory file, or a file of `group_vars/` or `host_vars/`. */
export type Owner = 'group' | 'host' | 'file'

type Path = readonly (string | number)[]

const priority = 'ansible_group_priority'

/**
 * The variables of a dictionary at `path`, as Ansible would read them. Names and values are checked where they are
 * set, whether or not a host ever gets them.
 */
export function readVariables(
  document: KeyLocated,
  path: Path,
  written: VariablesDocument | undefined,
  owner: Owner,
  errors: KmsfleetError[],
): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>()
  for (const [name, value] of Object.entries(written ?? {})) {
    const at = [...path, name]
    const origin = document.keyPlace(at)
    if (name === priority) {
      if (owner !== 'group') errors.push(strayPriority(document, at))
      continue
    }
    collect(errors, () => {
      if (name.startsWith('ansible_')) checkConnectionName(name, origin)
      else checkVariableName(name, origin)
    })
    const read = collect(errors, () => readValue(document, at, value, name))
    variables.set(name, { value: read, origin })
  }
  return variables
}

/** `ansible_group_priority` of a group's variables; undefined where it is not set. */
export function readPriority(
  document: KeyLocated,
  path: Path,
  written: VariablesDocument | undefined,
  errors: KmsfleetError[],
): number | undefined {
  const value = written?.[priority]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  const message = `expected a whole number for \`${priority}\`, found ${describeValue(value)}`
  errors.push(new KmsfleetError('inventory.invalid', message, { place: document.place([...path, priority]) }))
  return undefined
}

/** Group variables files are read when the order is already settled: there Ansible passes it over silently. */
function strayPriority(document: KeyLocated, path: Path): KmsfleetError {
  return new KmsfleetError(
    'inventory.refused',
    `expected \`${priority}\` under \`vars\` of a group, found it where it has no effect`,
    { place: document.keyPlace(path), hint: 'set it for the group in the inventory file itself' },
  )
}

/** Words that YAML 1.1, and so Ansible, reads as truth values. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
])

/** A value with what Ansible's own files mean by it; throws where it is of a kind that is refused. */
function readValue(document: KeyLocated, path: Path, value: unknown, name: string): unknown {
  if (typeof value === 'string') {
    if (document.source(path)?.quoted === false) return truths.get(value) ?? value
    return checkText(document, path, value, name)
  }
  if (Array.isArray(value)) {
    return value.map((part: unknown, index) => readValue(document, [...path, index], part, name))
  }
  if (!isDictionary(value)) return value
  if ('__ansible_vault' in value)
    throw refusedValue(document, path, name, 'an Ansible Vault value', vaultHint)
  const unsafe = value['__ansible_unsafe']
  if (typeof unsafe === 'string') {
    if (!hasTemplate(unsafe)) return unsafe
    throw refusedValue(document, path, name, 'text marked unsafe that looks like a template', unsafeHint)
  }
  const read = emptyDictionary()
  for (const [key, part] of Object.entries(value)) read[key] = readValue(document, [...path, key], part, name)
  return read
}

export const vaultHint =
  'Ansible Vault is not read here: name the secret under `secrets` of the play and keep its bytes in a file of its own'
const unsafeHint = 'write the value so that it holds no {{ or {%, or put it into a file of the role'
const lookupHint =
  'an inventory is data: secrets belong under `secrets` of the play, other values into group_vars or --extra-vars'

function checkText(document: KeyLocated, path: Path, text: string, name: string): string {
  if (!hasTemplate(text)) return text
  for (const { tokens } of findRegions(text)?.code ?? []) {
    for (const [index, token] of tokens.entries()) {
      const called = tokens[index + 1]?.text === '(' && tokens[index - 1]?.text !== '.'
      if (!called || !/^(lookup|query|q)$/.test(token.text)) continue
      throw refusedValue(document, path, name, `the lookup \`${token.text}(…)\``, lookupHint)
    }
  }
  return text
}

function refusedValue(
  document: KeyLocated,
  path: Path,
  name: string,
  found: string,
  hint: string,
): KmsfleetError {
  const message = `expected a plain value for \`${name}\`, found ${found}`
  return new KmsfleetError('inventory.refused', message, { place: document.place(path), hint })
}
