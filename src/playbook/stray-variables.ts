import { dirname, join, resolve } from 'node:path'
import { throwCollected } from '../document/collect.ts'
import { isDirectory } from '../document/read.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Inventory } from '../inventory/types.ts'
import type { Playbook } from './types.ts'

/**
 * Ansible reads `group_vars/` and `host_vars/` beside the playbook too; here they stand beside the inventory alone.
 * Folders that nothing reads are refused, or their values would silently be missing or be those of the defaults.
 */
export function refuseStrayVariables(playbook: Playbook, inventory: Inventory): void {
  const beside = dirname(resolve(playbook.file))
  const read = inventory.folders.map((folder) => resolve(folder))
  if (read.includes(beside)) return
  const strays = ['group_vars', 'host_vars'].filter((name) => isDirectory(join(beside, name)))
  throwCollected(
    strays.map(
      (name) =>
        new KmsfleetError(
          'playbook.invalid',
          `expected ${name} beside the inventory, in ${read.join(' or ')}, found ${join(beside, name)}`,
          { hint: 'move the folder: variables of hosts and groups belong to one inventory' },
        ),
    ),
  )
}
