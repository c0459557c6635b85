import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { drive, openDesk, type Desk } from './drive.ts'
import { listing, touched } from './listing.ts'

let lab: Lab
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'bash-sh' }, { variant: 'sudo' }] })
  await Promise.all(
    lab.hosts.map((host) =>
      lab.exec(
        host,
        "sed -i '/pam_motd/d' /etc/pam.d/sshd; mkdir /srv/m; cd /srv/m; mkdir empty full; umask 077; : >full/x; : >gone; : >mend",
      ),
    ),
  )
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const rooted = { owner: 'root', group: 'root', mode: '0644' } as const
const host = (): LabHost => {
  const [first] = lab.hosts
  if (first === undefined) throw new Error('expected a host, found none')
  return first
}

test('every module: planned, made, proved, and nothing left to do', async () => {
  desk.file('files-x', 'from a file\n')
  desk.file('t.j2', 'on {{ inventory_hostname }}\n')
  const playbook = desk.playbook({
    tasks: [
      { group: { name: 'm-group', gid: 4321, members: ['games'] } },
      {
        user: { name: 'm-user', uid: 4322, group: 'm-group', home: '/srv/m', gecos: 'A user (of tests)' },
      },
      { directory: { path: '/srv/m/dir', owner: 'm-user', group: 'm-group', mode: '3771' } },
      { copy: { src: 'files-x', dest: '/srv/m/file', ...rooted } },
      { file: { path: '/srv/m/mend', ...rooted } },
      {
        copy: {
          content: "it's $(not) `run` \\ \n",
          dest: "/srv/m/dir/od'd $x",
          ...rooted,
          validate: { argv: ['grep', '-q', 'not', '{}'], as: 'm-user' },
        },
      },
      { template: { src: 't.j2', dest: '/srv/m/template', ...rooted } },
      { link: { path: '/srv/m/link', target: 'template' } },
      { absent: { path: '/srv/m/gone' } },
      { absent: { path: '/srv/m/empty' } },
      { command: { argv: ['touch', '/srv/m/made by command'], creates: '/srv/m/made by command' } },
      { command: { argv: ['rm', '/srv/m/full/x'], removes: '/srv/m/full/x' } },
      {
        command: {
          argv: ['chmod', '0600', '/srv/m/full'],
          unless: ['sh', '-c', 'test "$(stat -c %a /srv/m/full)" = 600'],
        },
      },
      { command: { argv: ['sh', '-c', 'id -un >/srv/m/dir/who'], as: 'm-user', creates: '/srv/m/dir/who' } },
      { assert: { that: ["inventory_hostname != 'h9'"] } },
      { wait_for: { path: '/srv/m/template', within: 5 } },
      { unit: { name: 'kube-apiserver.service', state: 'stopped', enabled: false } },
    ],
  })
  const plan = await drive(lab, 'plan', { playbook })
  expect(plan.of('failed')).toEqual([])
  expect(plan.exitCode).toBe(2)
  const run = await drive(lab, 'converge', { playbook })
  expect(run.of('failed')).toEqual([])
  expect(run.exitCode).toBe(0)
  for (const { name } of lab.hosts) {
    expect(run.done(name)).toEqual(plan.keys(name))
    expect(run.planned(name)).toEqual(plan.planned(name))
    expect(run.ended(name)).toMatchObject({ outcome: 'changed', differing: 0 })
  }
  const seen = await Promise.all(
    lab.hosts.map((each) =>
      lab.exec(
        each,
        `cd /srv/m; stat -c '%n %A %U:%G' dir dir/* file mend template full; ls -A; cat dir/* file link; readlink link
         getent passwd m-user; getent group m-group; systemctl is-active kube-apiserver || :`,
      ),
    ),
  )
  expect(seen[0]?.split('\n')).toEqual([
    'dir drwxrws--t m-user:m-group',
    "dir/od'd $x -rw-r--r-- root:root",
    'dir/who -rw------- m-user:m-group',
    'file -rw-r--r-- root:root',
    'mend -rw-r--r-- root:root',
    'template -rw-r--r-- root:root',
    'full drw------- root:root',
    'dir',
    'file',
    'full',
    'link',
    'made by command',
    'mend',
    'template',
    "it's $(not) `run` \\ ",
    'm-user',
    'from a file',
    'on h1',
    'template',
    'm-user:x:4322:4321:A user (of tests):/srv/m:/usr/sbin/nologin',
    'm-group:x:4321:games',
    'inactive',
    '',
  ])
  for (const [index, each] of seen.entries()) {
    expect(each.replace(`on h${String(index + 1)}`, 'on h1')).toBe(seen[0])
  }

  const before = await Promise.all(lab.hosts.map((each) => listing(lab, each)))
  const again = await drive(lab, 'converge', { playbook })
  expect(again.exitCode).toBe(0)
  for (const [index, each] of lab.hosts.entries()) {
    expect(again.ended(each.name)).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
    expect(touched(before[index] ?? new Map(), await listing(lab, each))).toEqual([])
  }
})

interface Trouble {
  readonly task: object
  readonly code: string
  readonly says: RegExp
}

const troubles: Readonly<Record<string, Trouble>> = {
  'a check that does not accept the file': {
    task: {
      copy: { content: 'x', dest: '/srv/refused', ...rooted, validate: { argv: ['grep', 'y', '{}'] } },
    },
    code: 'host.change-failed',
    says: /file:\/srv\/refused: validate: expected the check to accept the file, found exit status 1/,
  },
  'a command that fails': {
    task: { command: { argv: ['sh', '-c', 'echo the reason >&2; exit 3'], always: true } },
    code: 'host.change-failed',
    says: /expected exit status 0, found 3; output: the reason/,
  },
  'a command that takes too long': {
    task: { command: { argv: ['sleep', '60'], always: true, within: 1 } },
    code: 'host.change-failed',
    says: /expected exit status 0 in time, found that it was killed/,
  },
  'a directory with entries that shall be absent': {
    task: { absent: { path: '/usr/lib' } },
    code: 'resource.not-empty',
    says: /\/usr\/lib/,
  },
  'a path that does not come to be': {
    task: { wait_for: { path: '/srv/never', within: 1 } },
    code: 'host.change-failed',
    says: /\/srv\/never.*expected yes within 1 s/,
  },
  'an assertion that does not hold': {
    task: { assert: { that: ["inventory_hostname == 'h9'"], message: 'only for h9' } },
    code: 'resource.assertion',
    says: /only for h9/,
  },
  'a program that is not there': {
    task: { command: { argv: ['no-such-program'], always: true } },
    code: 'host.change-failed',
    says: /expected exit status 0, found 127/,
  },
}

describe('what fails says why, and what comes after it is not begun', () => {
  test.each(Object.entries(troubles))('%s', async (_, { task, code, says }) => {
    const playbook = desk.playbook({
      tasks: [task, { copy: { content: 'x', dest: '/srv/after', ...rooted } }],
    })
    const run = await drive(lab, 'converge', { playbook, limit: 'h1' })
    expect(run.exitCode & 4).toBe(4)
    expect(run.problem('h1')).toMatchObject({ code })
    expect(`${run.problem('h1').message} ${run.problem('h1').hint ?? ''}`).toMatch(says)
    expect(await lab.exec(host(), 'ls /srv')).toBe('m\n')
  })
})

test('two runs at the same moment: one writes at a time, and what is there is whole', async () => {
  const content = 'w'.repeat(20_000)
  for (let round = 0; round < 4; round += 1) {
    const playbook = desk.playbook({
      tasks: [1, 2, 3].map((index) => ({
        copy: { content: `${content}${String(round)}`, dest: `/srv/m/race-${String(index)}`, ...rooted },
      })),
    })
    const runs = await Promise.all([1, 2].map(() => drive(lab, 'converge', { playbook, limit: 'h1' })))
    const ends = runs.map((run) => run.ended('h1'))
    expect(ends.some(({ outcome }) => outcome === 'changed')).toBe(true)
    for (const { outcome, problem } of ends) {
      if (outcome === 'failed') expect(problem?.code).toMatch(/^(run.locked|host.conflict)$/)
    }
    const whole = await drive(lab, 'plan', { playbook, limit: 'h1' })
    expect(whole.exitCode).toBe(0)
  }
})
