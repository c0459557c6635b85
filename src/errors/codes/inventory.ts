/** Errors in inventories and their variables; all are found before anything is contacted. */
export const inventoryCodes = {
  'inventory.not-found': 'The inventory file or folder does not exist or cannot be read.',
} as const
