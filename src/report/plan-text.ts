import { likeness, mergeAlike } from './alike.ts'
import { dueLines, itemLines, type PlanTextOptions } from './plan-item.ts'
import { hostList } from './names.ts'
import { styled, type Line } from './paint.ts'
import type { ItemView, PlanView } from './view.ts'
import { count, origins } from './words.ts'

export type { PlanTextOptions } from './plan-item.ts'

/** One host's plan of one play. */
export interface HostPlan {
  readonly host: string
  readonly plan: PlanView
}

/** Items of a plan, counted. */
export interface Tally {
  readonly changes: number
  readonly checks: number
  readonly undecided: number
  readonly refused: number
}

export function tally(plan: PlanView): Tally {
  const items = plan.stages.flatMap((stage) => stage.items)
  const of = (kind: ItemView['item']): number => items.filter((item) => item.item === kind).length
  return { changes: of('change'), checks: of('check'), undecided: of('undecided'), refused: of('refused') }
}

/** The fleet's plan of one play; hosts whose plans are alike in everything that is shown stand together. */
export function fleetPlanLines(plans: readonly HostPlan[], options: PlanTextOptions): readonly Line[] {
  return groupPlans(plans).flatMap(({ hosts, plan }) => [...groupLines(hosts, plan, options), []])
}

/** `3 hosts: 42 to change, 0 unchanged`, and whatever else there is any of. */
export function planRecap(plans: readonly HostPlan[]): Line {
  const tallies = plans.map(({ plan }) => tally(plan))
  const sum = (of: (each: Tally) => number): number => tallies.reduce((total, each) => total + of(each), 0)
  const unchanged = plans.reduce((total, { plan }) => total + plan.unchanged, 0)
  const some = (number: number, words: string): readonly string[] =>
    number === 0 ? [] : [`${String(number)} ${words}`]
  const hosts = new Set(plans.map(({ host }) => host)).size
  return [
    styled('strong', `${count(hosts, 'host')}: `),
    [
      `${String(sum((each) => each.changes))} to change`,
      `${String(unchanged)} unchanged`,
      ...some(
        sum((each) => each.checks),
        'to check',
      ),
      ...some(
        sum((each) => each.undecided),
        'undecided',
      ),
      ...some(
        sum((each) => each.refused),
        'refused',
      ),
      ...some(
        plans.reduce((total, { plan }) => total + plan.due.length, 0),
        'due',
      ),
    ].join(', '),
  ]
}

interface PlanGroup {
  readonly hosts: readonly string[]
  readonly plan: PlanView
}

/** Groups in the order of their first host, those with nothing to do first: what matters stands last. */
function groupPlans(plans: readonly HostPlan[]): readonly PlanGroup[] {
  const groups = new Map<string, HostPlan[]>()
  for (const each of plans) {
    const key = likeness(each.plan)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  const all = [...groups.values()].map((group) => ({
    hosts: group.map(({ host }) => host),
    plan: mergeAlike(group.map(({ plan }) => plan)),
  }))
  const idle = (group: PlanGroup): boolean => group.plan.stages.every((stage) => stage.items.length === 0)
  return [...all.filter(idle), ...all.filter((group) => !idle(group))]
}

function groupLines(hosts: readonly string[], plan: PlanView, options: PlanTextOptions): readonly Line[] {
  const head: Line = [styled('strong', hostList(hosts)), `: ${headline(plan, hosts.length > 1)}`]
  const notCompared = plan.notCompared.map((path): Line => [
    '  ',
    styled('dim', `${path}: content not compared, since no secret source was opened`),
  ])
  const stages = plan.stages.flatMap((stage, index): readonly Line[] => [
    ...(index === 0 ? [] : [stageLine(plan, index)]),
    ...stage.items.flatMap((item) => itemLines(item, options)),
  ])
  const remarks = plan.remarks.map((remark): Line => ['  ', styled('warn', remark)])
  const due = plan.due.flatMap((each) => dueLines(each, options))
  return [head, ...stages, ...due, ...notCompared, ...remarks]
}

function headline(plan: PlanView, several: boolean): string {
  const { changes, checks, undecided, refused } = tally(plan)
  const parts = [
    ...(changes === 0 ? [] : [count(changes, 'change')]),
    ...(checks === 0 ? [] : [count(checks, 'check')]),
    ...(undecided === 0 ? [] : [`${String(undecided)} undecided`]),
    ...(refused === 0 ? [] : [`${String(refused)} refused`]),
    ...(plan.due.length === 0 ? [] : [`${String(plan.due.length)} due`]),
  ]
  if (parts.length === 0) return `nothing to change, ${String(plan.unchanged)} unchanged`
  return `${several ? 'the same ' : ''}${parts.join(', ')}; ${String(plan.unchanged)} unchanged`
}

/** Says why what follows is a stage of its own. */
function stageLine(plan: PlanView, index: number): Line {
  const needs = plan.stages[index - 1]?.needs ?? []
  const why = needs.length === 0 ? 'what stands above is done' : `${origins(needs)} is known`
  return ['  ', styled('dim', `── after ${why}:`)]
}
