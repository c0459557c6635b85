import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { isDirectory, isFile } from '../../document/read.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { modules as shipped } from '../../modules/registry.ts'
import { isInside } from '../../project/code.ts'
import { blockWords, handlerKeywords } from '../keywords.ts'

const moduleName = /^[a-z][a-z0-9_]{0,63}$/

/**
 * Modules that stand beside a playbook: real paths of `modules/NAME/index.ts` by name. Folders that begin with `_` or
 * `.` hold what modules share. Runs none of them.
 */
export function findOwnModules(folder: string): ReadonlyMap<string, string> {
  const base = join(folder, 'modules')
  if (!isDirectory(base)) return new Map()
  const names = readdirSync(base).filter((name) => !/^[._]/.test(name))
  return new Map(
    names.sort().flatMap((name) => {
      const file = join(base, name, 'index.ts')
      if (!isFile(file)) return []
      checkName(name, file)
      const path = realpathSync(file)
      if (isInside(realpathSync(folder), path)) return [[name, path] as const]
      throw new KmsfleetError(
        'playbook.source',
        `expected a file inside ${folder}, found that ${file} leads to ${path}`,
      )
    }),
  )
}

function checkName(name: string, file: string): void {
  if (!moduleName.test(name)) {
    throw new KmsfleetError(
      'playbook.invalid',
      `expected the folder of a module to be named with small letters, digits and \`_\`, found ${file}`,
    )
  }
  if (shipped.has(name) || handlerKeywords.has(name) || blockWords.has(name)) {
    const what = shipped.has(name) ? 'a module of kmsfleet' : 'a keyword of tasks'
    throw new KmsfleetError(
      'playbook.duplicate',
      `expected a name of its own for a module, found \`${name}\`, which is ${what}, in ${file}`,
      { hint: 'rename the folder' },
    )
  }
}
