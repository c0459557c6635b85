import { readdirSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { collect } from '../document/collect.ts'
import { isDirectory, systemErrorCode } from '../document/read.ts'
import { KmsfleetError } from '../errors/error.ts'
import { isInventory } from './foreign.ts'

/** What `-i` names, taken apart. */
export interface Sources {
  /** Inventory files in the order in which they are read. */
  readonly files: readonly string[]
  /** Folders whose `group_vars/` and `host_vars/` count, each once; a later one wins. */
  readonly folders: readonly string[]
}

/** Files of a folder that are inventories or variables; what has another extension is passed over. */
const readable: ReadonlySet<string> = new Set(['', '.yml', '.yaml', '.json', '.ini', '.toml'])

/** Each path is a file, or a folder with inventory files; folders in it are looked into as well. */
export function inventorySources(paths: readonly string[], errors: KmsfleetError[]): Sources {
  const files: string[] = []
  const folders: string[] = []
  for (const path of paths) {
    collect(errors, () => {
      const isFolder = isDirectory(path)
      files.push(...(isFolder ? inventoryFiles(path) : [path]))
      folders.push(isFolder ? path : dirname(path))
    })
  }
  // Of a folder that is named twice the last turn decides: what it sets would win then anyway.
  return { files, folders: folders.filter((folder, index) => folders.lastIndexOf(folder) === index) }
}

function inventoryFiles(folder: string): readonly string[] {
  const files = filesBelow(folder, ['group_vars', 'host_vars']).filter(isInventory)
  if (files.length > 0) return files
  throw new KmsfleetError(
    'inventory.not-found',
    `expected an inventory such as hosts.yml in the folder ${folder}, found none`,
  )
}

/** All readable files below a folder, sorted, without hidden ones and editors' backups. */
export function filesBelow(folder: string, without: readonly string[] = []): readonly string[] {
  return namesIn(folder)
    .filter((name) => !without.includes(name))
    .flatMap((name): readonly string[] => {
      const path = join(folder, name)
      if (isDirectory(path)) return filesBelow(path, without)
      return readable.has(extname(name)) ? [path] : []
    })
}

/** Names in a folder, sorted, without hidden ones and editors' backups. None where there is no folder. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
      .sort()
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT') return []
    const message = `expected a readable folder ${folder}, found the system error ${code}`
    throw new KmsfleetError('inventory.not-found', message)
  }
}
