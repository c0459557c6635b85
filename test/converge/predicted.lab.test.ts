import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Link, openLink } from '../../src/converge/link.ts'
import { makeStage } from '../../src/converge/make-stage.ts'
import { createObserver } from '../../src/converge/observe.ts'
import { prepareRun } from '../../src/converge/run.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { Fact, GroupState, PathState, Snapshot, UserState } from '../../src/model/facts.ts'
import { type Plan, planItems } from '../../src/model/plan.ts'
import type { Effect } from '../../src/model/resource.ts'
import { modules } from '../../src/modules/registry.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { compileRead } from '../../src/shell/read/compile.ts'
import { createConnector } from '../../src/transport/connect.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { testTransport } from '../lab/transport.ts'
import { activate, matchpathcon } from '../shell/selinux.ts'
import { openDesk, type Desk } from './drive.ts'

/*
 * The law that a plan rests on: what its changes are predicted to leave behind is what a probe then finds. Hosts are
 * taken from state to state by plays and by an operator's hand, drawn at random; nothing is put back in between. One of
 * the hosts looks as if SELinux enforced on it, with a substitute for the policy's tool: see test/shell/selinux.ts.
 */

let lab: Lab
const desk: Desk = openDesk()
const variants = ['plain', 'bash-sh'] as const
const enforcing = 1
beforeAll(async () => {
  lab = await startLab({ hosts: variants.map((variant) => ({ variant })) })
  const host = lab.hosts[enforcing]
  if (host === undefined) throw new Error('expected a host, found none')
  await lab.exec(
    host,
    `${activate('1')}
cat >/usr/sbin/matchpathcon <<'end'
${matchpathcon}end
chmod 755 /usr/sbin/matchpathcon`,
  )
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const owner = fc.constantFrom('root', 'daemon', 'lawyer')
const group = fc.constantFrom('root', 'daemon', 'lawyer', 'jury')
const fileMode = fc.constantFrom('0600', '0644', '0660', '0666', '4755', '2750')
const folderMode = fc.constantFrom('0755', '0750', '2750', '1777', '0777')
const content = fc.constantFrom('', 'one\n', "two 'quoted'\n", 'three\n'.repeat(900))

type Task = Readonly<Record<string, unknown>>
const file = (path: string): fc.Arbitrary<Task> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .record({ content, owner, group, mode: fileMode })
        .map((args) => ({ copy: { dest: path, ...args } })),
    },
    { weight: 1, arbitrary: fc.constant({ absent: { path } }) },
  )
const link = (path: string): fc.Arbitrary<Task> =>
  fc.oneof(
    fc.constantFrom('/nowhere', '../law').map((target) => ({ link: { path, target } })),
    fc.constant({ absent: { path } }),
  )
const folder = (path: string): fc.Arbitrary<Task> =>
  fc.record({ owner, group, mode: folderMode }).map((args) => ({ directory: { path, ...args } }))
const members = fc.subarray(['daemon', 'lawyer'])
const accounts = (jurors: readonly string[], shell: string): readonly Task[] => [
  { group: { name: 'lawyer' } },
  { user: { name: 'lawyer', shell, gecos: 'Of the law' } },
  { group: { name: 'jury', members: jurors, exact: true } },
]

const play: fc.Arbitrary<readonly Task[]> = fc
  .record({
    jurors: members,
    shell: fc.constantFrom('/bin/sh', '/usr/sbin/nologin'),
    law: folder('/srv/law'),
    deep: folder('/srv/law/deep'),
    rest: fc.tuple(
      file('/srv/law/a'),
      file('/srv/law/deep/b'),
      link('/srv/law/l'),
      file('/srv/top'),
      link('/srv/law/deep/m'),
    ),
    keep: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  })
  .map(({ jurors, shell, law, deep, rest, keep }) => [
    ...accounts(jurors, shell),
    law,
    deep,
    ...rest.filter((_, index) => keep[index]),
  ])

/** A kernel with SELinux would have given a label to whatever a hand made. */
const labelled = `find /srv -exec stat -c '%C %n' {} + 2>/dev/null | sed -n 's/^? //p' | while read -r path; do
  chcon -h u:object_r:default_t:s0 "$path"
done`

/** What an operator, or somebody who should not, does by hand. */
const byHand = fc.constantFrom(
  ':',
  'chmod 0777 /srv/law',
  'chown daemon /srv/law/deep',
  'chmod 6777 /srv/law/a',
  'chown daemon:daemon /srv/top; chmod 0666 /srv/top',
  'ln /srv/law/a /srv/law-other-name',
  'ln -sfn /elsewhere /srv/law/l',
  'setfacl -m u:daemon:rw /srv/top',
  'setfacl -d -m u:daemon:rwx /srv/law',
  'gpasswd -a root jury',
  'usermod -s /bin/bash lawyer',
  'userdel lawyer',
  'chcon u:object_r:tmp_t:s0 /srv/law /srv/law/a /srv/top',
  'rm -rf /srv/law',
  'echo other >/srv/law/deep/b',
)

interface Outcome {
  readonly plan: Plan
  readonly left: Plan
  readonly after: Snapshot
}

async function converge(link: Link, host: string, tasks: readonly Task[]): Promise<Outcome | undefined> {
  const never = new AbortController().signal
  const [prepared] =
    prepareRun({
      command: 'converge',
      playbook: loadPlaybook(desk.playbook({ tasks }), { modules: new Set(modules.keys()) }),
      inventory: loadInventory(lab.inventoryFile, {
        ssh: { kind: 'ssh', connectTimeoutMs: 10_000, ...testTransport() },
      }),
      limit: host,
      tags: [],
      extraVars: new Map(),
      diff: false,
    })[0]?.hosts ?? []
  if (prepared === undefined) throw new Error('expected a host, found none')
  const observer = createObserver(prepared.context, prepared.atoms, [], never)
  const plan = await observer.ask(link)
  let left = plan
  // What cannot be done is left alone by a run, and so here.
  if (planItems(plan).some(({ item }) => item === 'refused')) return undefined
  while (left.stages.length > 0) {
    const lock = { who: 'tester', since: 'now', run: 'law' }
    const emit = (): void => undefined
    const end = await makeStage({ host, link, observer, lock, emit, abort: never, onChange: emit }, left)
    expect(end.problem).toBeUndefined()
    left = end.plan
  }
  return { plan, left, after: await link.send(compileRead(observer.asked), never) }
}

/** The prediction in the words of a probe: only what it says, and ids only where they were known. */
function predictedPath(state: PathState): Readonly<Record<string, unknown>> {
  return {
    type: state.type,
    mode: state.mode,
    acl: state.acl,
    ...(state.uid.known ? { uid: state.uid } : {}),
    ...(state.gid.known ? { gid: state.gid } : {}),
    ...(state.label === undefined ? {} : { label: state.label }),
    ...(state.target === undefined ? {} : { target: state.target }),
    ...(state.type === 'file' ? { links: state.links, size: state.size } : {}),
    ...(state.content?.known === true ? { content: state.content.value.reveal() } : {}),
  }
}

function observedPath(
  state: PathState,
  like: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const all: Readonly<Record<string, unknown>> = {
    ...state,
    content: state.content?.known === true ? state.content.value.reveal() : undefined,
  }
  return Object.fromEntries(Object.keys(like).map((key) => [key, all[key]]))
}

const groupForm = (state: GroupState): unknown => [
  state.members.toSorted(),
  state.primaryOf.toSorted(),
  state.source,
]
const userForm = ({ gecos, home, shell, password, source }: UserState): unknown => [
  gecos,
  home,
  shell,
  password,
  source,
]

function form<T>(fact: Fact<T> | undefined, of: (state: T) => unknown): unknown {
  return fact?.is === 'present' ? of(fact.state) : fact?.is
}

/** How a prediction and the probe tell of one subject; equal where the law holds. */
function bothOf(effect: Effect, after: Snapshot): readonly [unknown, unknown] {
  switch (effect.set) {
    case 'path': {
      const like = effect.fact.is === 'present' ? predictedPath(effect.fact.state) : {}
      return [
        form(effect.fact, () => like),
        form(after.paths.get(effect.key), (state) => observedPath(state, like)),
      ]
    }
    case 'user':
      return [form(effect.fact, userForm), form(after.users.get(effect.key), userForm)]
    case 'group':
      return [form(effect.fact, groupForm), form(after.groups.get(effect.key), groupForm)]
    case 'unit':
    case 'test':
    case 'unsure':
      return [undefined, undefined]
  }
}

test.each(variants.map((variant, index) => [variant, index] as const))(
  '%s: what is predicted is what is found, and nothing is left to do',
  async (_, index) => {
    const host = lab.hosts[index]
    if (host === undefined) throw new Error('expected a host, found none')
    await using connector = createConnector()
    const inventory = loadInventory(lab.inventoryFile, {
      ssh: { kind: 'ssh', connectTimeoutMs: 10_000, ...testTransport() },
    })
    const known = inventory.hosts.find(({ name }) => name === host.name)
    if (known === undefined) throw new Error('expected the host in the inventory')
    await using open = await openLink(known, connector.connect, new AbortController().signal)
    let compared = 0
    await fc.assert(
      fc.asyncProperty(play, byHand, async (tasks, hand) => {
        const after = index === enforcing ? labelled : ':'
        await lab.exec(host, `(${hand}) >/dev/null 2>&1 || :\n${after}`)
        const outcome = await converge(open, host.name, tasks)
        if (outcome === undefined) return
        const effects = planItems(outcome.plan).flatMap((item) =>
          item.item === 'change' ? item.effects : [],
        )
        const last = new Map(effects.map((effect) => [`${effect.set} ${effect.key}`, effect]))
        const both = [...last].map(([what, effect]) => [what, bothOf(effect, outcome.after)] as const)
        compared += both.length
        expect(both.map(([what, [, found]]) => [what, found])).toEqual(
          both.map(([what, [predicted]]) => [what, predicted]),
        )
      }),
      { numRuns: 60, endOnFailure: true },
    )
    expect(compared).toBeGreaterThan(100)
  },
)
