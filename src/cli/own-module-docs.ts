import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Module } from '../modules/define.ts'
import { findOwnModules } from '../playbook/code/own-modules.ts'
import { loadModule } from '../playbook/code/module.ts'
import type { ModuleDoc, ProjectCode } from '../project/code.ts'
import { createJudge, type Trust } from '../project/trust.ts'
import { styled, type Line } from '../report/paint.ts'
import { moduleSchema } from './module-doc.ts'

/** What `doc`, schemas and completion say of a module; for a project's own it is kept with the trust in it. */
export function docOf(module: Module): ModuleDoc {
  const { name, summary, description, examples } = module
  return { name, summary, description, examples: [...examples], schema: moduleSchema(module) }
}

/** A project's own module, and why nothing more is known of it where that is so. */
export type OwnModule =
  | { readonly is: 'documented'; readonly doc: ModuleDoc }
  | { readonly is: 'untrusted'; readonly name: string; readonly file: string; readonly trust: Trust['is'] }

/** What an operator is told of a module that nobody may run yet. */
export function untrustedLine({ file, trust }: Extract<OwnModule, { readonly is: 'untrusted' }>): Line {
  const changed = trust === 'changed' ? ' as it is now' : ''
  return [styled('warn', 'not looked into'), ` ${file}: the project is not trusted${changed}`]
}

/** Modules that stand beside the playbooks of a folder, without running them. */
export function ownModules(folder: string): readonly OwnModule[] {
  const judge = createJudge()
  return [...findOwnModules(folder)].map(([name, file]) => {
    const trust = judge(file)
    const doc = trust.is === 'trusted' ? trust.modules[file] : undefined
    return doc === undefined ? { is: 'untrusted', name, file, trust: trust.is } : { is: 'documented', doc }
  })
}

/** Loads all modules of a project that was just trusted, for what is to be said of them later without running them. */
export async function loadModuleDocs(code: ProjectCode): Promise<Readonly<Record<string, ModuleDoc>>> {
  const files = code.parts
    .map(({ name }) => join(code.folder, name))
    .filter((file) => /\/modules\/[a-z][a-z0-9_]*\/index\.ts$/.test(file) && existsSync(file))
  const docs: Record<string, ModuleDoc> = {}
  for (const file of files) docs[file] = docOf(await loadModule(file))
  return docs
}
