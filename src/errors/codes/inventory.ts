/** Errors in inventories and their variables; all are found before anything is contacted. */
export const inventoryCodes = {
  'inventory.not-found': 'The inventory file or folder does not exist or cannot be read.',
  'inventory.invalid': 'An inventory is not of the form that is asked for.',
  'inventory.host-name': 'A host or group has a name that is not allowed.',
  'inventory.range': 'A host range cannot be expanded.',
  'inventory.group': 'Groups contain one another, or a variables file names no group or host.',
  'inventory.cluster': 'A host has no usable value for the required variable cluster.',
  'inventory.connection': 'A connection variable is not understood, or has a wrong value.',
  'inventory.refused': 'Something that Ansible reads in an inventory, and that one may not have here.',
  'inventory.pattern': 'A host pattern, or a part of it, matches nothing.',
} as const
