import { describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { checkTags, chosenTasks } from '../../src/playbook/tags.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const { plays } = loadPlaybook(
  join(
    folderWith({
      'site.yml': `- hosts: all
  tasks:
    - {name: plain, assert: {that: x}}
    - {name: a, tags: a, assert: {that: x}}
    - {name: ab, tags: [a, b], assert: {that: x}}
    - {name: always, tags: [always, b], assert: {that: x}}
    - {name: never, tags: [never, c], assert: {that: x}}
`,
    }),
    'site.yml',
  ),
  { modules: new Set(['assert']) },
)
const tasks = plays.flatMap((play) => play.tasks)

describe('tags choose tasks as in Ansible', () => {
  test.each([
    [[], [], 'plain a ab always'],
    [['a'], [], 'a ab always'],
    [['b'], [], 'ab always'],
    [['c'], [], 'always never'],
    [['never'], [], 'always never'],
    [['all'], [], 'plain a ab always'],
    [['tagged'], [], 'a ab always'],
    [['untagged'], [], 'plain always'],
    [['a', 'c'], ['b'], 'a never'],
    [[], ['a'], 'plain always'],
    [[], ['always'], 'plain a ab'],
    [[], ['all'], 'always'],
    [[], ['tagged'], 'plain always'],
    [[], ['untagged'], 'a ab always'],
  ])('--tags %j --skip-tags %j', (tags, skipTags, expected) => {
    expect(chosenTasks(tasks, { tags, skipTags }).map(({ name }) => name)).toEqual(expected.split(' '))
  })
})

test('a tag that no task has is refused, and one that only a later play has is not', () => {
  expect(
    problemsOf(() => {
      checkTags(plays, { tags: ['a', 'd'], skipTags: ['tagged', 'alwais'] })
    }),
  ).toEqual([
    "- run.usage expected tags that tasks have, found 'd', 'alwais' | known here: a, always, b, c, never",
  ])
  const first = plays.map((play) => ({ ...play, tasks: play.tasks.slice(0, 1) }))
  checkTags([...first, ...plays], { tags: ['a'], skipTags: ['b'] })
})
