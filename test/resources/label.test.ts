import { expect, test } from 'vitest'
import type { HostState, PathState } from '../../src/model/facts.ts'
import { payloadOf } from '../../src/resources/file/content.ts'
import { directoryResource } from '../../src/resources/directory/directory.ts'
import { fileResource } from '../../src/resources/file/file.ts'
import { directory, file, host, summary, worldFor, type WorldSpec } from './world.ts'

const policy = 'system_u:object_r:etc_t:s0'
const wrong = 'unconfined_u:object_r:user_home_t:s0'
const path = '/etc/kms'

const enforcing: Partial<HostState> = { selinux: 'enforcing', tools: new Set([...host.tools, 'chcon']) }
const permissive: Partial<HostState> = { ...enforcing, selinux: 'permissive' }
const custom = (...types: readonly string[]): Partial<HostState> => ({
  ...enforcing,
  customLabels: new Set(types),
})
const withoutChcon: Partial<HostState> = { ...enforcing, tools: host.tools }

const untold =
  'refused: expected an enforcing host to tell the SELinux label of /etc/kms and that which its policy gives, found that it does not'

const root = { owner: 'root', group: 'root' }
const folder = directoryResource({ path, ...root, mode: 0o755 })
const bytes = Buffer.from('new')
const content = {
  is: 'bytes',
  payload: payloadOf(bytes, false, { secretsOpened: true, once: (_, make) => make() }),
} as const
const copy = fileResource({ path, ...root, mode: 0o644, content })

const here = (label: string, more: Partial<PathState> = {}): WorldSpec['paths'] => ({
  [path]: directory({ label, ...more }),
})

test.each<{
  name: string
  host: Partial<HostState>
  paths?: WorldSpec['paths']
  given?: string
  plan: unknown
}>([
  { name: 'no SELinux', host: {}, given: policy, paths: here(wrong), plan: 'same' },
  {
    name: 'another type',
    host: enforcing,
    given: policy,
    paths: here(wrong),
    plan: [`label: ${wrong} → ${policy}`],
  },
  {
    name: 'another type, where it only warns',
    host: permissive,
    given: policy,
    paths: here(wrong),
    plan: [`label: ${wrong} → ${policy}`],
  },
  {
    name: 'another user of the same',
    host: enforcing,
    given: policy,
    paths: here('unconfined_u:object_r:etc_t:s0'),
    plan: 'same',
  },
  {
    name: 'another level',
    host: enforcing,
    given: policy,
    paths: here(`${policy}:c1`),
    plan: [`label: ${policy}:c1 → ${policy}`],
  },
  {
    name: 'a type that is left to administrators',
    host: custom('user_home_t'),
    given: policy,
    paths: here(wrong),
    plan: 'same',
  },
  { name: 'a policy that gives none', host: enforcing, given: '<<none>>', paths: here(wrong), plan: 'same' },
  { name: 'it is not told', host: enforcing, paths: here(wrong), plan: untold },
  { name: 'it is not told, where it only warns', host: permissive, paths: here(wrong), plan: 'same' },
  {
    name: 'no chcon',
    host: withoutChcon,
    given: policy,
    paths: here(policy),
    plan: untold,
  },
  {
    name: 'nothing is there',
    host: enforcing,
    given: policy,
    plan: [
      'state: absent → directory',
      'owner: absent → root',
      'group: absent → root',
      'mode: absent → 0755',
      `label: absent → ${policy}`,
    ],
  },
])('$name', ({ host, paths, given, plan }) => {
  const world = worldFor(
    { host, ...(paths && { paths }), ...(given !== undefined && { policyLabels: { [path]: given } }) },
    folder,
  )
  expect(summary(folder.plan(world))).toEqual(plan)
})

test.each([
  ["the policy's label", enforcing, policy],
  ['that which an administrator gave the old one', custom('user_home_t'), wrong],
])('a new file in the place of another gets %s, and is predicted with it', (_, host, label) => {
  const world = worldFor(
    { host, paths: { [path]: file({ label: wrong }) }, policyLabels: { [path]: policy } },
    copy,
  )
  const planned = copy.plan(world)
  expect(planned).toMatchObject({ ops: [{ op: 'file-put', to: { label } }] })
  if (planned.is !== 'change') throw new Error('expected a change')
  world.apply(planned.effects)
  expect(world.path(path)).toMatchObject({ state: { label } })
  expect(copy.plan(world)).toEqual({ is: 'same' })
})
