import { expect, it } from 'vitest'
import { Digest } from '../../src/model/secret.ts'
import { planItems } from '../../src/model/plan.ts'
import { directory, file, group, unit, user } from '../resources/world.ts'
import { differences, outline, play } from './drive.ts'

const gidTask = `
- group:
    name: sock
- template:
    src: conf.j2
    dest: /etc/conf
    owner: root
    group: sock
    mode: "0640"
- directory:
    path: /etc/after
    owner: root
    group: root
    mode: "0755"
`
const gidFiles = { 'conf.j2': "gid={{ host.group('sock').gid }}\n" }

it('plans a bare host whole, and says where a number will stand that is not known yet', () => {
  const { plan } = play(gidTask, { files: gidFiles }).plan({}, {})
  expect(outline(plan)).toEqual(['+ group:sock', '--', '~ file:/etc/conf', '+ directory:/etc/after'])
  expect(differences(plan, 'file:/etc/conf')).toContain('content: absent → (after group:sock.gid)')
})

it('needs one stage where the number is there already', () => {
  const { plan } = play(gidTask, { files: gidFiles }).plan({ groups: { sock: group(7) } }, {})
  expect(outline(plan)).toEqual(['+ file:/etc/conf', '+ directory:/etc/after'])
})

it('asks for every address in the first frame, unknown contents or not', () => {
  const asked = play(gidTask, { files: gidFiles }).atoms.map((atom) =>
    atom.atom === 'path' ? atom.path : atom.atom,
  )
  expect(asked).toContain('/etc/conf')
  expect(asked).toContain('/etc/after')
})

it('waits for a condition that hangs on a change, and goes on behind it', () => {
  const tasks = `
- group:
    name: sock
- directory:
    path: /etc/maybe
    owner: root
    group: root
    mode: "0755"
  when: host.group('sock').gid > 100
- directory:
    path: /etc/after
    owner: root
    group: root
    mode: "0755"
`
  const { plan } = play(tasks).plan({}, {})
  expect(outline(plan)).toEqual(['+ group:sock', '--', '… play/2 condition', '+ directory:/etc/after'])
})

it('lets an owner made earlier in the run satisfy a later task', () => {
  const tasks = `
- group:
    name: kms
- user:
    name: kms
- directory:
    path: /srv/kms
    owner: kms
    group: kms
    mode: "0750"
- copy:
    dest: /srv/kms/note
    content: hello
    owner: kms
    group: kms
    mode: "0640"
`
  const { plan } = play(tasks).plan({ paths: { '/srv': directory(), '/srv/kms': null } }, {})
  expect(outline(plan)).toEqual(['+ group:kms', '+ user:kms', '+ directory:/srv/kms', '+ file:/srv/kms/note'])
})

it('refuses on this host what this host lacks, and plans the rest', () => {
  const tasks = `
- copy:
    dest: /etc/a
    content: "{{ host.group('nobody-made-it').gid }}"
    owner: root
    group: root
    mode: "0644"
- directory:
    path: /etc/b
    owner: root
    group: root
    mode: "0755"
`
  const { plan } = play(tasks).plan({}, {})
  expect(outline(plan)).toEqual(['! play/1 resource.unknown-account', '+ directory:/etc/b'])
})

it('merges equal resources and refuses unequal ones before any contact', () => {
  const task = (mode: string): string => `
- directory:
    path: /etc/a
    owner: root
    group: root
    mode: "${mode}"
`
  expect(outline(play(task('0755') + task('0755')).plan({}, {}).plan)).toEqual(['+ directory:/etc/a'])
  expect(() => play(task('0755') + task('0700'))).toThrow(/one task to manage directory:\/etc\/a/)
})

it('unrolls loops, each element a task of its own', () => {
  const tasks = `
- directory:
    path: "/etc/{{ item }}"
    owner: root
    group: root
    mode: "0755"
  loop: [a, b]
`
  const { plan } = play(tasks).plan({}, {})
  expect(planItems(plan).map((item) => item.key)).toEqual([
    'directory:/etc/a@play/1[0]',
    'directory:/etc/b@play/1[1]',
  ])
})

const notifying = `
- copy:
    dest: /etc/conf
    content: new
    owner: root
    group: root
    mode: "0644"
  notify: restart it
`
const restart = `
- name: restart it
  unit:
    name: x.service
    state: restarted
`
const running = { units: { 'x.service': unit() } }

it('tells what is owed and no handler answers to, and how it is settled', () => {
  const { plan } = play(notifying, { handlers: restart }).plan(running, {
    owed: ['play.all.gone', 'play.all.restart-it'],
  })
  expect(plan.remarks).toEqual([
    'owed: play.all.gone, which no handler of this playbook answers to: run the playbook that has it; where it was renamed or removed, do what it did and remove /run/kmsfleet/owed/play.all.gone',
  ])
})

it('runs a handler once at the end, owed by the change and settled by the handler', () => {
  const { plan } = play(notifying, { handlers: restart }).plan(running, {})
  expect(outline(plan)).toEqual(['+ file:/etc/conf', '+ unit-restarted:x.service'])
  const [change, handler] = planItems(plan)
  expect(change).toMatchObject({ owes: ['play.all.restart-it'], settles: [] })
  expect(handler).toMatchObject({ owes: [], settles: ['play.all.restart-it'] })
})

it('pays the debt of a run that died, although nothing notifies now', () => {
  const content = file({ content: { known: true, value: digestOf('new') } })
  const planned = play(notifying, { handlers: restart })
  const world = { ...running, paths: { '/etc/conf': { ...content, size: 3 } } }
  expect(outline(planned.plan(world, {}).plan)).toEqual([])
  expect(outline(planned.plan(world, { owed: ['play.all.restart-it'] }).plan)).toEqual([
    '+ unit-restarted:x.service',
  ])
})

it('lets a start that comes anyway pay for a handler that asks for no more', () => {
  const tasks = `${notifying}
- unit:
    name: x.service
    state: started
    restart_on: [/etc/conf]
`
  const { plan } = play(tasks, { handlers: restart }).plan(running, {})
  expect(outline(plan)).toEqual(['+ file:/etc/conf', '+ unit:x.service'])
  expect(planItems(plan)[1]).toMatchObject({ settles: ['play.all.restart-it'] })
})

it('does not repeat an act that was done in this run', () => {
  const tasks = `
- command:
    argv: [touch, /etc/x]
    always: true
`
  const planned = play(tasks)
  const [item] = planItems(planned.plan({}, {}).plan)
  expect(item?.item).toBe('change')
  expect(outline(planned.plan({}, { done: new Map([[item?.key ?? '', { status: 0 }]]) }).plan)).toEqual([])
})

it("makes what reads a command's result wait until it ran, then sees it", () => {
  const tasks = `
- command:
    argv: [id, -u]
    always: true
  register: me
- directory:
    path: /etc/root-only
    owner: root
    group: root
    mode: "0700"
  when: me.stdout == '0'
`
  const planned = play(tasks)
  const before = planned.plan({}, {}).plan
  expect(outline(before)[1]).toBe('--')
  expect(outline(before)[2]).toBe('… play/2 condition')
  const key = planItems(before)[0]?.key ?? ''
  const after = (output: string): readonly string[] =>
    outline(planned.plan({}, { done: new Map([[key, { status: 0, output }]]) }).plan)
  expect(after('0')).toEqual(['+ directory:/etc/root-only'])
  expect(after('1000')).toEqual([])
})

it('says which addresses became known only now', () => {
  const tasks = `
- directory:
    path: "/etc/{{ host.user('kms').uid }}"
    owner: root
    group: root
    mode: "0755"
`
  const { missing } = play(tasks).plan({ users: { kms: user(7) } }, {})
  expect(missing).toContainEqual({ atom: 'path', path: '/etc/7', labelOf: 'directory' })
})

it('counts what is as it should be', () => {
  const tasks = `
- directory:
    path: /etc/a
    owner: root
    group: root
    mode: "0755"
`
  expect(play(tasks).plan({ paths: { '/etc/a': directory() } }, {}).plan).toMatchObject({
    stages: [],
    unchanged: 1,
  })
})

function digestOf(text: string): Digest {
  return Digest.of(Buffer.from(text))
}

const alone = `
- name: nobody else
  group:
    name: sock
    members: []
    exact: true
`
const primary = `
- name: the user
  user:
    name: kms
    group: sock
`
it.each([
  ['a group that is to be made', {}],
  ['a group that is there', { groups: { sock: group(7) } }],
])('refuses before any change what the end of the play contradicts: %s', (_, world) => {
  const { plan } = play(alone + primary).plan(world)
  const refused = planItems(plan).flatMap((item) => (item.item === 'refused' ? [item] : []))
  expect(refused.map(({ resource, task }) => [resource, task.name])).toEqual([
    ['membership:sock', 'nobody else'],
  ])
  expect(refused[0]?.problem).toMatchObject({
    code: 'resource.member',
    message: expect.stringMatching(
      /^expected kms not to belong to the group sock, found it as .*; that is what the task 'the user' \(.*play\.yml:9:7\) makes of it$/,
    ) as unknown,
  })
})

it('allows what the end of the play does not contradict', () => {
  const { plan } = play(
    alone.replace('[]', '[kms]').replace('- name: nobody', '- name: some') + primary,
  ).plan({
    users: { kms: user(7) },
    groups: { sock: group(7, { primaryOf: ['kms'] }) },
  })
  expect(outline(plan)).not.toContainEqual(expect.stringContaining('!'))
})
