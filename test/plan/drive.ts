import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContexts } from '../../src/converge/context.ts'
import { createMemory } from '../../src/converge/memory.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { Snapshot } from '../../src/model/facts.ts'
import { type Item, type Plan, planItems } from '../../src/model/plan.ts'
import type { Effect, Resource } from '../../src/model/resource.ts'
import type { ReadAtom } from '../../src/model/wire.ts'
import { modules } from '../../src/modules/registry.ts'
import { initialAtoms } from '../../src/plan/atoms.ts'
import type { PlanContext } from '../../src/plan/expand.ts'
import { planHost, type Planning } from '../../src/plan/planner.ts'
import type { DoneResult } from '../../src/plan/registers.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { snapshot, type WorldSpec } from '../resources/world.ts'

/** A play on one host, planned as a run does it: loaded from YAML, with the real modules and the real engine. */
export interface PlannedPlay {
  readonly context: PlanContext
  readonly atoms: readonly ReadAtom[]
  plan(world: WorldSpec, more?: Partial<PlanAgain>): Planning
}

interface PlanAgain {
  readonly owed: readonly string[]
  readonly done: ReadonlyMap<string, DoneResult>
  readonly before: readonly Effect[]
}

interface PlayExtra {
  readonly handlers?: string
  readonly files?: Record<string, string>
  /** YAML of more keywords of the play, each line indented by two. */
  readonly more?: string
}

/** `tasks` and `handlers` are YAML lists; `files` are templates and other files beside the playbook. */
export function play(tasks: string, extra: PlayExtra = {}): PlannedPlay {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-plan-'))
  for (const [name, text] of Object.entries(extra.files ?? {})) writeFileSync(join(folder, name), text)
  const playbookFile = join(folder, 'play.yml')
  const inventoryFile = join(folder, 'hosts.yml')
  const handlers = extra.handlers === undefined ? '' : `  handlers:\n${indent(extra.handlers)}\n`
  writeFileSync(playbookFile, `- hosts: all\n  tasks:\n${indent(tasks)}\n${handlers}${extra.more ?? ''}`)
  writeFileSync(inventoryFile, 'all:\n  hosts:\n    h1:\n      cluster: c1\n')
  const request = {
    command: 'plan',
    playbook: loadPlaybook(playbookFile, { modules: new Set(modules.keys()) }),
    inventory: loadInventory(inventoryFile),
    tags: [],
    extraVars: new Map<string, unknown>(),
  } as const
  const first = request.playbook.plays[0]
  if (first === undefined) throw new Error('a playbook has a play')
  const [context] = createContexts(request, first, createMemory())
  if (context === undefined) throw new Error('a play has a host')
  const atoms = initialAtoms(context, { diff: false })
  return {
    context,
    atoms,
    plan: (world, more = {}) =>
      planHost(context, {
        snapshot: observed(world, atoms, more.owed ?? []),
        asked: atoms,
        done: more.done ?? new Map(),
        before: more.before ?? [],
      }),
  }
}

function observed(world: WorldSpec, atoms: readonly ReadAtom[], owed: readonly string[]): Snapshot {
  const asked: Resource = { id: 'probe:all', sameness: '', atoms, plan: () => ({ is: 'same' }) }
  return { ...snapshot(world, [asked]), owed: new Set(owed) }
}

function indent(yaml: string): string {
  return yaml
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}

/** One line an item, with `--` between stages: what a plan does, without its values. */
export function outline(plan: Plan): readonly string[] {
  return plan.stages.flatMap((stage, index) => [...(index === 0 ? [] : ['--']), ...stage.items.map(line)])
}

function line(item: Item): string {
  switch (item.item) {
    case 'change':
      return `${item.provisional ? '~' : '+'} ${item.resource}`
    case 'check':
      return `? ${item.resource} ${item.state}`
    case 'undecided':
      return `… ${item.task.id} ${item.what}`
    case 'refused':
      return `! ${item.resource ?? item.task.id} ${item.problem.code}`
  }
}

/** `attribute: from → to` of the item with this resource. */
export function differences(plan: Plan, resource: string): readonly string[] {
  return planItems(plan).flatMap((item) =>
    (item.item === 'change' || item.item === 'check') && item.resource === resource
      ? item.differences.map(
          ({ attribute, from, to }) =>
            `${attribute}: ${from.known ? from.value : '?'} → ${to.known ? to.value : `(after ${to.after}.${to.field})`}`,
        )
      : [],
  )
}
