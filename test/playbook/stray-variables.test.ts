import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadInventory } from '../../src/inventory/load.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { refuseStrayVariables } from '../../src/playbook/stray-variables.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const files = {
  'hosts.yml': 'all: {hosts: {h1: {cluster: c}}}\n',
  'site.yml': '- hosts: all\n',
  'group_vars/all.yml': 'a: 1\n',
  'playbooks/site.yml': '- hosts: all\n',
}

function check(folder: string, playbook: string): void {
  const inventory = loadInventory(join(folder, 'hosts.yml'))
  refuseStrayVariables(loadPlaybook(join(folder, playbook), { modules: new Set() }), inventory)
}

test('group_vars and host_vars beside a playbook in a folder of its own are refused, not passed over', () => {
  const folder = folderWith({
    ...files,
    'playbooks/group_vars/all.yml': 'a: 2\n',
    'playbooks/host_vars/h1.yml': 'a: 3\n',
  })
  const problems = problemsOf(() => {
    check(folder, 'playbooks/site.yml')
  })
  expect(problems).toHaveLength(2)
})

test('beside the inventory they are read', () => {
  const folder = folderWith(files)
  check(folder, 'site.yml')
  check(folder, 'playbooks/site.yml')
})
