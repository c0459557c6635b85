import { checkValue } from '../../document/parse.ts'
import type { KeyLocated } from '../../document/issues.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { attemptProjectCode, importProjectFile } from '../../project/import.ts'
import { requireTrustedProject } from '../../project/trust.ts'
import { TaskList } from '../keywords.ts'
import { isTaskCode } from './define.ts'
import { toDocument } from './document.ts'

/** Lists of tasks that code wrote, by the file it stands in. */
export type WrittenLists = ReadonlyMap<string, KeyLocated>

/**
 * Runs the task functions of these files, each once, and gives the lists that they wrote. Nothing runs unless the
 * projects of all files are trusted.
 */
export async function runTaskCode(files: readonly string[]): Promise<WrittenLists> {
  requireTrustedProject(files)
  const lists = new Map<string, KeyLocated>()
  for (const file of files) lists.set(file, await runFile(file))
  return lists
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
