import * as z from 'zod'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { KmsfleetError } from '../errors/error.ts'
import { checkHostName } from './names.ts'
import { readVariables, VariablesForm } from './values.ts'
import { hostNamed, mentionGroup } from './written.ts'
import type { WrittenInventory } from './written.ts'

const ListedGroup = z.strictObject({
  hosts: z.array(z.string()).optional(),
  children: z.array(z.string()).optional(),
  vars: VariablesForm.optional(),
})

/** What `ansible-inventory --list` and inventory scripts print: names in lists, variables of hosts apart. */
export const ListingDocument = z
  .object({
    _meta: z.strictObject({
      hostvars: z.record(z.string(), VariablesForm),
      // Newer releases say in which encoding the values stand; both known ones are plain JSON.
      profile: z.string().optional(),
    }),
  })
  .catchall(ListedGroup)
type ListingDocument = z.infer<typeof ListingDocument>

/** Is a text such a document? `_meta` tells it from a YAML inventory in braces. */
export function isListing(text: string): boolean {
  return /^\s*\{/.test(text) && /"_meta"\s*:/.test(text)
}

/** Adds the document to what was read before it. Names stand for themselves: a listing has no ranges. */
export function readListing(
  inventory: WrittenInventory,
  document: KeyLocated<ListingDocument>,
  errors: KmsfleetError[],
): void {
  const { _meta: meta, ...groups } = document.value
  for (const [name, written] of Object.entries(groups)) {
    const group = mentionGroup(inventory, document, [name], name, written.vars, errors)
    for (const child of written.children ?? []) group.children.add(child)
    for (const [index, host] of (written.hosts ?? []).entries()) {
      const place = document.place([name, 'hosts', index])
      const isName = collect(errors, () => {
        checkHostName(host, place)
        return true
      })
      if (isName !== true) continue
      hostNamed(inventory, host, place)
      group.hosts.add(host)
    }
  }
  // A child without hosts and variables is left out of the listing, but it is a group all the same.
  for (const [name, written] of Object.entries(groups)) {
    for (const child of written.children ?? []) {
      if (!inventory.groups.has(child))
        mentionGroup(inventory, document, [name, 'children'], child, null, errors)
    }
  }
  for (const [name, written] of Object.entries(meta.hostvars)) {
    const path = ['_meta', 'hostvars', name]
    const variables = readVariables(document, path, written, 'host', errors)
    const host = inventory.hosts.get(name)
    if (host === undefined) {
      const message = `expected a host of a group in \`hostvars\`, found \`${name}\``
      errors.push(new KmsfleetError('inventory.invalid', message, { place: document.keyPlace(path) }))
    } else if (variables.size > 0) host.layers.push({ level: 'host', variables })
  }
}
