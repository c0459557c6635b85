import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { collect } from '../document/collect.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Module } from '../modules/define.ts'
import { findOwnModules } from '../playbook/code/own-modules.ts'
import { loadModule } from '../playbook/code/module.ts'
import type { ModuleDoc, ProjectCode } from '../project/code.ts'
import { keepProjectsInside } from '../project/import.ts'
import { createJudge, requireTrustedProject, type Trust } from '../project/trust.ts'
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
  return [styled('warn', 'not looked into'), ` ${file}: ${whyNot(trust)}`]
}

function whyNot(trust: Trust['is']): string {
  if (trust === 'trusted') {
    return 'it did not load when the project was trusted; kmsfleet trust-project tries it again'
  }
  return trust === 'changed' ? 'the project is not trusted as it is now' : 'the project is not trusted'
}

/** Throws why nothing is known of this module. */
export function refuseUntrusted({ name, file }: Extract<OwnModule, { readonly is: 'untrusted' }>): never {
  requireTrustedProject([file])
  throw new KmsfleetError(
    'project.failed',
    `expected the module \`${name}\` to be loaded when the project was trusted, found that it was not`,
    {
      place: { file, line: 1, column: 1 },
      hint: 'kmsfleet trust-project tries it again, and says what is wrong',
    },
  )
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

/** Files of a project's modules. */
export function moduleFiles({ folder, parts }: ProjectCode): readonly string[] {
  return parts
    .map(({ name }) => join(folder, name))
    .filter((file) => /\/modules\/[a-z][a-z0-9_]*\/index\.ts$/.test(file) && existsSync(file))
}

/**
 * Loads all modules of a project that is trusted, for what is to be said of them later without running them; and what
 * keeps some from being loaded.
 */
export async function loadModuleDocs(code: ProjectCode): Promise<{
  readonly docs: Readonly<Record<string, ModuleDoc>>
  readonly errors: readonly KmsfleetError[]
}> {
  const docs: Record<string, ModuleDoc> = {}
  const errors: KmsfleetError[] = []
  await keepProjectsInside([code.folder])
  for (const file of moduleFiles(code)) {
    try {
      docs[file] = docOf(await loadModule(file))
    } catch (error) {
      collect(errors, () => {
        throw error
      })
    }
  }
  return { docs, errors }
}
