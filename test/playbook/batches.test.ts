import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const load = (keyword: string): ReturnType<typeof loadPlaybook> => {
  const folder = folderWith({ 'play.yml': `- hosts: all\n  ${keyword}\n` })
  return loadPlaybook(join(folder, 'play.yml'), { modules: new Set() })
}

describe('how a play goes over its hosts', () => {
  test.each([
    ['name: x', { order: 'inventory', pause: 0 }],
    ['pause: 30s', { pause: 30 }],
    ['pause: 5m', { pause: 300 }],
    ['pause: 1h', { pause: 3600 }],
    ['pause: 90', { pause: 90 }],
    ['order: shuffle', { order: 'shuffle' }],
  ])('%s', (keyword, expected) => {
    expect(load(keyword).plays[0]).toMatchObject(expected)
  })

  test.each([
    ['pause: 30 s', 'a time such as "30s", "5m" or "1h"'],
    ['pause: -1', 'expected a number of at least 0'],
    ['order: random', '2:10 playbook.invalid expected "inventory" or "reverse_inventory"'],
  ])('%s is refused', (keyword, expected) => {
    expect(problemsOf(() => load(keyword)).join('\n')).toContain(expected)
  })
})
