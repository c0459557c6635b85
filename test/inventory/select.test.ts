import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../src/inventory/load.ts'
import { selectHosts } from '../../src/inventory/select.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const folder = folderWith({
  'hosts.yml': `all: {vars: {cluster: c}}
web: {hosts: {"web[1:3]": }}
db: {hosts: {"db[1:2]": , web1: }}
v6: {hosts: {"fe80::1": }}
empty: {}
`,
  limit: '# the failed ones\nweb2\n\ndb*\n',
  none: '# nobody\n',
  nested: '@limit\n',
})
const inventory = loadInventory(folder)

describe('patterns', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['all', ['web1', 'web2', 'web3', 'db1', 'db2', 'fe80::1']],
    ['*', ['web1', 'web2', 'web3', 'db1', 'db2', 'fe80::1']],
    ['web', ['web1', 'web2', 'web3']],
    ['web2', ['web2']],
    ['web?', ['web1', 'web2', 'web3']],
    ['d*', ['web1', 'db1', 'db2']],
    ['db2:web3', ['web3', 'db2']],
    ['db2, web3', ['web3', 'db2']],
    ['web:!web2', ['web1', 'web3']],
    ['!web2,web', ['web1', 'web3']],
    ['!web', ['db1', 'db2', 'fe80::1']],
    ['web:&db', ['web1']],
    ['all,&web,!db', ['web2', 'web3']],
    ['web[1:2]', ['web1', 'web2']],
    ['web[1:3:2]:db1', ['web1', 'web3', 'db1']],
    ['fe80::1', ['fe80::1']],
    [`@${join(folder, 'limit')}`, ['web1', 'web2', 'db1', 'db2']],
    [`@${join(folder, 'limit')},!db`, ['web2']],
  ]
  test.each(cases)('%s', (pattern, expected) => {
    expect(selectHosts(inventory, pattern).map((host) => host.name)).toEqual(expected)
  })
})

test('what a pattern takes from elsewhere is read once for an inventory: a run may change it', () => {
  const file = join(folder, 'changing')
  const names = (): readonly string[] => selectHosts(once, `@${file},!web3`).map(({ name }) => name)
  const once = loadInventory(folder)
  writeFileSync(file, 'web1\n')
  expect(names()).toEqual(['web1'])
  writeFileSync(file, 'web2\n')
  expect(names()).toEqual(['web1'])
  expect(selectHosts(loadInventory(folder), `@${file}`).map(({ name }) => name)).toEqual(['web2'])
})

describe('patterns that are refused', () => {
  test.each([
    ['wbe', 'expected a host or group for `wbe`, found none of that name | did you mean `web`?'],
    ['web,wbe1', 'for `wbe1` in `web,wbe1`'],
    ['web:!nobody', 'for `!nobody`'],
    ['web:&nobody', 'for `&nobody`'],
    ['x*', 'for `x*`'],
    ['empty', 'found a group without hosts'],
    ['web:&v6', 'expected at least one host for `web:&v6`, found none'],
    ['web[2:4]:db[1:3]', 'positions within'],
    ['', 'expected a host or group'],
    ['web[2:4]', 'found `web4` | positions within a group'],
    ['db[0:1]', 'found `db0` | positions within a group'],
    ['~web.*', 'the regular expression'],
    ['@/nowhere', 'expected a readable file /nowhere'],
    [`@${join(folder, 'none')}`, 'expected at least one host in'],
    [`@${join(folder, 'nested')}`, 'found @limit'],
  ])('%s', (pattern, expected) => {
    const problems = problemsOf(() => selectHosts(inventory, pattern))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
    expect(problems[0]).toContain('inventory.pattern')
  })
})
