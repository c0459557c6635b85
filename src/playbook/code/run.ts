import { checkValue } from '../../document/parse.ts'
import type { KeyLocated } from '../../document/issues.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { attemptProjectCode, importProjectFile, keepProjectsInside } from '../../project/import.ts'
import { requireTrustedProject } from '../../project/trust.ts'
import { TaskList } from '../keywords.ts'
import { isTaskCode } from './define.ts'
import { toDocument } from './document.ts'
import { loadModule } from './module.ts'
import type { RanCode, UnreadCode } from './reader.ts'

/**
 * Runs code that a playbook needs, each file once: task functions write their lists, modules are loaded. Nothing
 * runs unless the projects of all files are trusted.
 */
export async function runProjectCode(needed: readonly UnreadCode[], before: RanCode): Promise<RanCode> {
  await keepProjectsInside(requireTrustedProject(needed.map(({ file }) => file)))
  const lists = new Map(before.lists)
  const modules = new Map(before.modules)
  for (const { file, holds } of needed) {
    if (holds === 'tasks') lists.set(file, await runFile(file))
    else modules.set(file, await loadModule(file))
  }
  return { lists, modules }
}

async function runFile(file: string): Promise<KeyLocated> {
  const { default: code } = await importProjectFile(file)
  if (!isTaskCode(code)) {
    throw new KmsfleetError('project.failed', 'expected `export default defineTasks(...)`, found none', {
      place: { file, line: 1, column: 1 },
      hint: "import { defineTasks, tasks } from 'kmsfleet'",
    })
  }
  const written: unknown = await attemptProjectCode(file, () => code.write())
  const document = toDocument(written, file)
  return { ...document, value: checkValue(TaskList, document.value, document, { code: 'playbook.invalid' }) }
}
