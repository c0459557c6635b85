import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { drive, openDesk } from './drive.ts'
import { readListing, touched, type Listing } from './listing.ts'

const run = promisify(execFile)
let lab: Lab
const desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'busybox' }] })
  await lab.exec(host(), 'mkdir -p /var/lib /srv/m/full; cd /srv/m; : >gone; umask 077; : >mend; : >full/x')
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const host = (): LabHost => {
  const [first] = lab.hosts
  if (first === undefined) throw new Error('expected a host, found none')
  return first
}

/** The host's files with the eyes of this machine: busybox's find tells too little of them. */
const outside = (): Promise<Listing> => {
  // sshd looks into /root at each login, and the overlay then moves its ctime.
  const folders = ['etc', 'usr', 'bin', 'sbin', 'var', 'run', 'srv', 'root/.ssh']
  return readListing(folders, async (find) => {
    const { stdout } = await run('/bin/sh', ['-c', `cd ${lab.liveRoot(host())} && ${find}`], {
      maxBuffer: 1 << 26,
    })
    return stdout
  })
}

/** A line of /etc/passwd, group or shadow without the day on which a password was changed. */
const accountLines = async (...names: readonly string[]): Promise<readonly string[]> => {
  const wanted = names.map((name) => `-e '^${name}:'`).join(' ')
  const text = await lab.exec(
    host(),
    `cd /etc; grep -h ${wanted} passwd group; grep -h ${wanted} shadow | cut -d: -f1,2,4-; for user in ${names.join(' ')}; do id $user 2>/dev/null || :; done`,
  )
  return text.trim().split('\n')
}

const rooted = { owner: 'root', group: 'root', mode: '0644' } as const

const identities = {
  sysusers: {
    name: 'openbao-kms',
    groups: [
      { name: 'openbao-kms', gid: 4711, exact: true },
      { name: 'openbao-kms-socket', gid: 4712, exact: true },
    ],
    users: [
      {
        name: 'openbao-kms',
        uid: 4713,
        group: 'openbao-kms',
        gecos: 'OpenBao KMS provider',
        home: '/var/lib/openbao-kms',
      },
    ],
    members: [
      { user: 'openbao-kms', group: 'openbao-kms-socket' },
      { user: 'kube-apiserver', group: 'openbao-kms-socket' },
    ],
  },
}

test('everything but units is planned, made, proved, and left alone the second time', async () => {
  desk.file('t.j2', "gid {{ host.group('openbao-kms-socket').gid }} on {{ inventory_hostname }}\n")
  const bundle = lab.bundle
  const playbook = desk.playbook({
    tasks: [
      identities,
      {
        tmpfiles: {
          name: 'openbao-kms',
          directories: [
            { path: '/run/openbao-kms', owner: 'openbao-kms', group: 'openbao-kms-socket', mode: '2750' },
            { path: '/var/lib/openbao-kms', owner: 'openbao-kms', group: 'openbao-kms', mode: '0750' },
            { path: '/var/lib/openbao-kms/state', owner: 'openbao-kms', group: 'openbao-kms', mode: '0700' },
          ],
        },
      },
      { group: { name: 'm-group', members: ['daemon'] } },
      { user: { name: 'm-user', group: 'm-group', home: '/srv/m', gecos: 'A user (of tests)' } },
      { user: { name: 'm-number', uid: 4714, group: '1', home: '/nonexistent' } },
      { directory: { path: '/srv/m/dir', owner: 'm-user', group: 'm-group', mode: '3771' } },
      { copy: { content: "it's $(not) `run` \\ \n", dest: "/srv/m/dir/od'd $x", ...rooted } },
      { copy: { content: 'k\n', dest: '/var/lib/openbao-kms/state/seed', ...rooted, mode: '0600' } },
      { file: { path: '/srv/m/mend', ...rooted } },
      { template: { src: 't.j2', dest: '/srv/m/template', ...rooted } },
      { link: { path: '/srv/m/link', target: 'template' } },
      { absent: { path: '/srv/m/gone' } },
      { command: { argv: ['rm', '/srv/m/full/x'], removes: '/srv/m/full/x' } },
      { command: { argv: ['sh', '-c', 'id -un >/srv/m/dir/who'], as: 'm-user', creates: '/srv/m/dir/who' } },
      {
        bundle: {
          src: bundle.tarball,
          checksums: bundle.checksums,
          sha256: bundle.sha256,
          signature: 'none',
          members: [
            { name: 'bin/bao-kms-provider', dest: '/usr/bin/bao-kms-provider', ...rooted, mode: '0755' },
          ],
        },
      },
      { wait_for: { path: '/srv/m/template', within: 5 } },
    ],
  })
  const before = await outside()
  const plan = await drive(lab, 'plan', { playbook })
  expect(plan.of('failed')).toEqual([])
  expect(plan.exitCode).toBe(2)
  expect(touched(before, await outside())).toEqual([])

  const made = await drive(lab, 'converge', { playbook })
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  expect(made.done('h1')).toEqual(plan.keys('h1'))
  expect(made.ended('h1')).toMatchObject({ outcome: 'changed', differing: 0 })

  expect(await accountLines('openbao-kms', 'openbao-kms-socket')).toEqual([
    'openbao-kms:x:4713:4711:OpenBao KMS provider:/var/lib/openbao-kms:/usr/sbin/nologin',
    'openbao-kms:x:4711:',
    'openbao-kms-socket:x:4712:kube-apiserver,openbao-kms',
    'openbao-kms:!:0:99999:7:::',
    'uid=4713(openbao-kms) gid=4711(openbao-kms) groups=4711(openbao-kms),4712(openbao-kms-socket)',
  ])
  const [line = ''] = await accountLines('m-user')
  const [, , uid = '', gid = ''] = line.split(':')
  expect(Number(uid)).toBeLessThan(1000)
  expect(await accountLines('m-user', 'm-group')).toEqual([
    `m-user:x:${uid}:${gid}:A user (of tests):/srv/m:/usr/sbin/nologin`,
    `m-group:x:${gid}:daemon`,
    'm-user:!:0:99999:7:::',
    `uid=${uid}(m-user) gid=${gid}(m-group) groups=${gid}(m-group)`,
  ])
  expect(await accountLines('m-number', 'daemon')).toEqual(
    expect.arrayContaining(['m-number:x:4714:1::/nonexistent:/usr/sbin/nologin', 'daemon:x:1:']),
  )
  expect(
    (
      await lab.exec(
        host(),
        `stat -c '%n %A %U:%G' /run/openbao-kms /var/lib/openbao-kms /var/lib/openbao-kms/state /usr/bin/bao-kms-provider
         cd /srv/m; stat -c '%n %A %U:%G' dir dir/* mend template; ls -A . full; cat dir/* link; readlink link
         [ ! -e /etc/sysusers.d ]; [ ! -e /etc/tmpfiles.d ]; ls /var/lib/openbao-kms/state`,
      )
    ).split('\n'),
  ).toEqual([
    '/run/openbao-kms drwxr-s--- openbao-kms:openbao-kms-socket',
    '/var/lib/openbao-kms drwxr-x--- openbao-kms:openbao-kms',
    '/var/lib/openbao-kms/state drwx------ openbao-kms:openbao-kms',
    '/usr/bin/bao-kms-provider -rwxr-xr-x root:root',
    'dir drwxrws--t m-user:m-group',
    "dir/od'd $x -rw-r--r-- root:root",
    'dir/who -rw------- m-user:m-group',
    'mend -rw-r--r-- root:root',
    'template -rw-r--r-- root:root',
    '.:',
    'dir',
    'full',
    'link',
    'mend',
    'template',
    '',
    'full:',
    "it's $(not) `run` \\ ",
    'm-user',
    'gid 4712 on h1',
    'template',
    'seed',
    '',
  ])

  const settled = await outside()
  const again = await drive(lab, 'converge', { playbook })
  expect(again.exitCode).toBe(0)
  expect(again.ended('h1')).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
  expect(touched(settled, await outside())).toEqual([])
})

test('a member too many and a password go; what busybox cannot change is refused before anything is', async () => {
  await lab.exec(
    host(),
    `addgroup daemon openbao-kms-socket; sed -i 's/^openbao-kms:!:/openbao-kms:x.IxpxYV9J1eg:/' /etc/shadow`,
  )
  const playbook = desk.playbook({ tasks: [identities] })
  const mended = await drive(lab, 'converge', { playbook })
  expect(mended.exitCode).toBe(0)
  expect(mended.planned('h1')).toEqual([
    'user:openbao-kms password set -> locked',
    'membership:openbao-kms-socket members daemon, kube-apiserver, openbao-kms -> kube-apiserver, openbao-kms',
  ])
  const lines = await accountLines('openbao-kms', 'openbao-kms-socket')
  expect(lines).toContain('openbao-kms-socket:x:4712:kube-apiserver,openbao-kms')
  expect(lines).toContain('openbao-kms:!x.IxpxYV9J1eg:0:99999:7:::')

  const before = await outside()
  for (const [task, code, says] of [
    [
      { user: { name: 'm-user', group: 'm-group', home: '/elsewhere', gecos: 'A user (of tests)' } },
      'resource.tool-missing',
      'expected usermod on the host to change the home of m-user',
    ],
    [{ unit: { name: 'sshd.service', state: 'started' } }, 'resource.unit', 'expected systemd to run'],
    [{ group: { name: 'm-taken', gid: 4711 } }, 'resource.id', 'found that openbao-kms has it'],
  ] as const) {
    const refused = await drive(lab, 'converge', { playbook: desk.playbook({ tasks: [task] }) })
    expect(refused.problem('h1')).toMatchObject({ code })
    expect(refused.problem('h1').message).toContain(says)
  }
  expect(touched(before, await outside())).toEqual([])
})

test('a socket is tried as who shall reach it, and as who shall not', async () => {
  const path = `${lab.liveRoot(host())}/run/openbao-kms/kms.sock`
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    await lab.exec(
      host(),
      'cd /run/openbao-kms; chown openbao-kms:openbao-kms-socket kms.sock; chmod 0660 kms.sock',
    )
    const reach = async (as: string): Promise<number> => {
      const task = { wait_for: { socket: { path: '/run/openbao-kms/kms.sock', as }, within: 1 } }
      return (await drive(lab, 'plan', { playbook: desk.playbook({ tasks: [task] }) })).exitCode
    }
    expect(await reach('kube-apiserver')).toBe(0)
    expect(await reach('openbao-kms')).toBe(0)
    expect(await reach('m-user')).toBe(2)
  } finally {
    server.close()
  }
})
