import { expect, test } from 'vitest'
import { splitResource } from '../../src/resources/split/split.ts'
import { known } from '../../src/model/value.ts'
import { group, planAll, summary, user, type WorldSpec } from './world.ts'

const split = splitResource({ provider: 'kms', credentials: 'secrets', socket: 'sock', apiServer: 'api' })
const pod = splitResource({ provider: '65532', credentials: '65532', socket: 'sock' })
const groups = { secrets: group(801), sock: group(802) }
const api = user(901)

test.each<[string, typeof split, WorldSpec, string]>([
  ['a bare host', split, {}, 'same'],
  ['as it shall be', split, { groups, users: { kms: user(800, { gid: known(801) }), api } }, 'same'],
  [
    'one gid for both groups',
    split,
    { groups: { secrets: group(801), sock: group(801) } },
    'two groups, found the gid 801',
  ],
  [
    'credentials are its primary group',
    split,
    { groups, users: { api: user(901, { gid: known(801) }) } },
    'primary group of its own, found the group secrets',
  ],
  [
    'the socket is its primary group',
    split,
    { groups, users: { api: user(901, { gid: known(802) }) } },
    'primary group of its own, found the group sock',
  ],
  [
    'it belongs to those that read credentials',
    split,
    { groups: { ...groups, secrets: group(801, { members: ['api'] }) }, users: { api } },
    'not to belong to secrets',
  ],
  [
    'it is the provider by number',
    split,
    { groups, users: { kms: user(901), api } },
    'found that it has the uid of kms',
  ],
  ['a user has the number of the pod', pod, { users: { someone: user(65_532) } }, 'uid 65532, found someone'],
  ['a group has it', pod, { groups: { someone: group(65_532) } }, 'gid 65532, found someone'],
  [
    'a user has it for its primary group',
    pod,
    { users: { other: user(5, { gid: known(65_532) }) } },
    'gid 65532, found other',
  ],
])('who may do what: %s', (_, resource, world, wanted) => {
  expect(planAll(world, resource).map(summary)[0]).toContain(wanted)
})
