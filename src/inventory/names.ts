import { isIPv6 } from 'node:net'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { templateWords } from '../template/words.ts'

const hostName = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/
const groupName = /^[A-Za-z_][A-Za-z0-9_-]*$/
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
const longestName = 253

/**
 * Names of hosts reach `ssh`, file names and reports: nothing that could be an option, a path or a pattern
 * is one.
 */
export function checkHostName(name: string, place: Place): void {
  if (!hostName.test(name) || name.includes('..') || name.length > longestName) {
    const shown = JSON.stringify(name.slice(0, longestName))
    throw new KmsfleetError(
      'inventory.host-name',
      `expected a host name of letters, digits, dots, dashes and underscores, found ${shown}`,
      { place, hint: 'give the host a plain name and put its address into ansible_host' },
    )
  }
  if (name.includes(':') && !isIPv6(name)) {
    throw new KmsfleetError(
      'inventory.host-name',
      `expected a host name without port, found ${JSON.stringify(name)}`,
      { place, hint: 'put the port into ansible_port' },
    )
  }
}

export function checkGroupName(name: string, place: Place): void {
  if (groupName.test(name) && name.length <= longestName) return
  throw new KmsfleetError(
    'inventory.host-name',
    `expected a group name of letters, digits, dashes and underscores, found ${JSON.stringify(name.slice(0, longestName))}`,
    { place },
  )
}

/** Set by kmsfleet for every host and task. */
export const builtInVariables: ReadonlySet<string> = new Set([
  'inventory_hostname',
  'inventory_dir',
  'group_names',
  'playbook_dir',
  'role_path',
])

/** Words that templates have no variables for, with those that would only confuse, and the element of a loop. */
const reservedNames: ReadonlySet<string> = new Set([...templateWords, 'endfor', 'endif', 'set', 'item'])

/** Throws where a name is none that a person may give a variable. */
export function checkVariableName(name: string, place: Place | undefined): void {
  const found = `found ${JSON.stringify(name.slice(0, longestName))}`
  const at = place === undefined ? {} : { place }
  if (!variableName.test(name)) {
    const message = `expected a variable name of letters, digits and underscores, ${found}`
    throw new KmsfleetError('variable.name', message, at)
  }
  if (builtInVariables.has(name) || reservedNames.has(name)) {
    const message = `expected a variable name of your own, ${found}, which kmsfleet or the template language sets`
    throw new KmsfleetError('variable.name', message, { ...at, hint: 'choose another name' })
  }
}
