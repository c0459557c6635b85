import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prepareRun } from '../../src/converge/run.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { modules } from '../../src/modules/registry.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { folderWith } from '../document/problems.ts'

const folder = folderWith({
  'hosts.yml':
    'all: {vars: {cluster: c}, children: {servers: {hosts: {s1: , s2: }}, workers: {hosts: {w1: }}, idle: {hosts: {i1: }}}}',
  'site.yml': '- {name: first, hosts: servers}\n- {name: second, hosts: workers}\n',
})

/** Hosts of both plays within a limit. */
function hosts(limit: string): readonly (readonly string[])[] {
  const plays = prepareRun({
    command: 'plan',
    playbook: loadPlaybook(join(folder, 'site.yml'), { modules: new Set(modules.keys()) }),
    inventory: loadInventory(join(folder, 'hosts.yml')),
    limit,
    tags: [],
    extraVars: new Map(),
    diff: false,
  })
  return plays.map((play) => play.hosts.map(({ host }) => host.name))
}

test('a limit passes over plays that are for other hosts', () => {
  expect(hosts('s2')).toEqual([['s2'], []])
  expect(hosts('workers,s1')).toEqual([['s1'], ['w1']])
})

test('a limit that leaves no host of any play is refused', () => {
  expect(() => hosts('i1')).toThrow(
    /expected --limit i1 to leave hosts of a play, found none in 'first', 'second'/,
  )
})
