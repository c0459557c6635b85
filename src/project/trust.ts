import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as z from 'zod'
import { readRegularFile, showFailure } from '../document/read.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { privateFolder, stateFolder } from '../runs/state-folder.ts'
import { isInside, isLookedInto, ModuleDoc, readProjectCode, type ProjectCode } from './code.ts'

/** The package itself: what is shipped with it is the program, and was trusted when it was installed. */
export const programFolder = realpathSync(resolve(import.meta.dirname, '../..'))

const recordLimit = 64 * 1024 * 1024

/** What a trusted project looked like, as the state folder keeps it. */
const TrustRecord = z.strictObject({
  v: z.literal(1),
  folder: z.string(),
  at: z.string(),
  digest: z.string(),
  parts: z.record(z.string(), z.string()),
  /** Its modules, by the real path of their file. */
  modules: z.record(z.string(), ModuleDoc),
})
export type TrustRecord = z.infer<typeof TrustRecord>

/** What is to be done before code of a project may run. */
export type Trust =
  | { readonly is: 'program' }
  | {
      readonly is: 'trusted'
      readonly folder: string
      readonly modules: Readonly<Record<string, ModuleDoc>>
    }
  | { readonly is: 'unknown' }
  /** It lies in a trusted project, but what was trusted does not say what it would run. */
  | { readonly is: 'unseen'; readonly folder: string }
  | { readonly is: 'changed'; readonly folder: string; readonly changes: readonly string[] }

/**
 * Throws KmsfleetErrors unless all these files belong to projects that were trusted as they are now
 * (`project.untrusted`, `project.changed`). To be called right before code of a project runs, and once for all of
 * it: for `.ts` files, and for the playbook whose secrets are read from programs. Gives the folders of the projects.
 */
export function requireTrustedProject(files: readonly string[]): readonly string[] {
  const judge = createJudge()
  const folders = new Set<string>()
  const unlike = new Map<string, KmsfleetError>()
  for (const file of files) {
    const trust = judge(file)
    if (trust.is === 'trusted') folders.add(trust.folder)
    else if (trust.is !== 'program') {
      const error = refusal(file, trust)
      unlike.set(error.message, error)
    }
  }
  if (unlike.size > 0) throw new KmsfleetErrors([...unlike.values()])
  return [...folders]
}

/** Judges files; each project is read once. */
export function createJudge(state: string = stateFolder()): (file: string) => Trust {
  const projects = new Map<string, Trust>()
  return (file) => {
    const real = realpathSync(file)
    if (isInside(programFolder, real)) return { is: 'program' }
    // The nearest folder decides: trust in a parent covers what lies in it.
    const folder = ancestors(dirname(real)).find((each) => existsSync(recordFile(state, each)))
    if (folder === undefined) return { is: 'unknown' }
    if (!isLookedInto(folder, real)) return { is: 'unseen', folder }
    const before = projects.get(folder)
    if (before !== undefined) return before
    const trust = judgeFolder(folder, state)
    projects.set(folder, trust)
    return trust
  }
}

function judgeFolder(folder: string, state: string): Trust {
  const record = readTrust(folder, state)
  if (record === undefined) return { is: 'unknown' }
  const code = readProjectCode(folder)
  return record.digest === code.digest
    ? { is: 'trusted', folder, modules: record.modules }
    : { is: 'changed', folder, changes: changesSince(record, code) }
}

/** What is not as it was trusted: `added x.ts`, `changed y.ts`, `removed z.ts`. */
export function changesSince(record: TrustRecord, code: ProjectCode): readonly string[] {
  const now = new Map(code.parts.map(({ name, digest }) => [name, digest]))
  const before = new Map(Object.entries(record.parts))
  return [
    ...[...now].flatMap(([name, digest]) => {
      const was = before.get(name)
      return was === digest ? [] : [`${was === undefined ? 'added' : 'changed'} ${name}`]
    }),
    ...[...before.keys()].filter((name) => !now.has(name)).map((name) => `removed ${name}`),
  ]
}

/** Longest list of changes that an error line holds. */
const shownChanges = 5

type Mistrust = Exclude<Trust, { readonly is: 'program' | 'trusted' }>

function refusal(file: string, trust: Mistrust): KmsfleetError {
  if (trust.is === 'unknown') {
    return new KmsfleetError('project.untrusted', `expected a trusted project, found code in ${file}`, {
      hint: `kmsfleet trust-project ${projectOf(file)} shows what would run, and asks`,
    })
  }
  if (trust.is === 'unseen') {
    return new KmsfleetError(
      'project.untrusted',
      `expected a file that trust-project looks into, found ${file}`,
      { hint: `name it .yml, outside of node_modules; then run kmsfleet trust-project ${trust.folder}` },
    )
  }
  const { folder, changes } = trust
  const more = changes.length - shownChanges
  const listed = [...changes.slice(0, shownChanges), ...(more > 0 ? [`${String(more)} more`] : [])].join(', ')
  return new KmsfleetError(
    'project.changed',
    `expected the code of ${folder} as it was trusted, found: ${listed}`,
    { hint: `look at the changes, then run kmsfleet trust-project ${folder}` },
  )
}

/** The folder that is most likely meant as the project of a file: a repository, or what holds `roles/` or `modules/`. */
function projectOf(file: string): string {
  const folders = ancestors(dirname(realpathSync(file)))
  const repository = folders.find((folder) => existsSync(join(folder, '.git')))
  const holder = folders.findLast((folder) => /\/(roles|modules|playbooks)$/.test(folder))
  return repository ?? (holder === undefined ? dirname(realpathSync(file)) : dirname(holder))
}

function ancestors(folder: string): readonly string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestors(parent)]
}

/** The record of a folder; undefined where it was never trusted. */
export function readTrust(folder: string, state: string = stateFolder()): TrustRecord | undefined {
  const file = recordFile(state, folder)
  const read = readRegularFile(file, recordLimit, ({ uid, mode }) => {
    const self = process.getuid?.()
    if ((self === undefined || uid === self) && (mode & 0o022) === 0) return
    throw new KmsfleetError('run.state', `expected that only you can write ${file}, found that others can`, {
      hint: 'remove it and trust the project again',
    })
  })
  if (read.is === 'missing') return undefined
  if (read.is !== 'read') throw damaged(file, showFailure(read, recordLimit))
  const record = TrustRecord.safeParse(parseJson(new TextDecoder().decode(read.bytes)))
  if (record.success && record.data.folder === folder) return record.data
  throw damaged(file, 'found something else')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function damaged(file: string, found: string): KmsfleetError {
  return new KmsfleetError('run.state', `expected a record of a trusted project in ${file}, ${found}`, {
    hint: 'remove it and trust the project again',
  })
}

/** Remembers that this code may run. Whole or not at all. */
export function writeTrust(
  code: ProjectCode,
  modules: TrustRecord['modules'] = {},
  state: string = stateFolder(),
): void {
  const file = recordFile(state, code.folder)
  const record: TrustRecord = {
    v: 1,
    folder: code.folder,
    at: new Date().toISOString(),
    digest: code.digest,
    parts: Object.fromEntries(code.parts.map(({ name, digest }) => [name, digest])),
    modules,
  }
  mkdirSync(state, { recursive: true, mode: 0o700 })
  privateFolder(state)
  privateFolder(dirname(file))
  const staged = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(staged, `${JSON.stringify(record, undefined, 1)}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(staged, file)
}

/** Named by digest: a path of the project never becomes one of the state folder. */
function recordFile(state: string, folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32)
  return join(state, 'trusted-projects', `${name}.json`)
}
