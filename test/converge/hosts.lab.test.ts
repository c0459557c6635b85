import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { drive, openDesk, type Desk, type Drive } from './drive.ts'
import { listing, touched } from './listing.ts'
import { accountsModel, accountsOn, identityModel, modelOn, strangers } from './model.ts'
import { createPool, type HostPool } from './pool.ts'

let lab: Lab
let pool: HostPool
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: Array.from({ length: 4 }, () => ({ variant: 'plain' as const })) })
  pool = await createPool(lab)
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

/** A host before the run: bare, or as a run left it, and then broken by a script. */
interface Wrong {
  readonly from: 'bare' | 'made'
  readonly breaks: string
  readonly extraVars?: Readonly<Record<string, unknown>>
  /** Nobody can tell the identity of the configuration that stands there: that it goes is accepted by name. */
  readonly losesIdentity?: true
}

const provider = 'systemctl show -p InvocationID --value bao-kms-provider'

async function arrange(host: LabHost, { from, breaks }: Wrong): Promise<void> {
  if (from === 'made') {
    const made = await drive(lab, 'converge', alone(host))
    expect(made.of('failed')).toEqual([])
  }
  await lab.exec(host, breaks)
}

/** One host that is no part of a cluster: what the others are at meanwhile is nothing to it. */
const alone = (host: LabHost, extraVars: Wrong['extraVars'] = {}): Drive => ({
  limit: host.name,
  apart: true,
  extraVars,
})

const optionsOf = (host: LabHost, { extraVars, losesIdentity }: Wrong): Drive => ({
  ...alone(host, extraVars),
  ...(losesIdentity === true ? { acceptNewIdentity: [host.name] } : {}),
})

/** A mended host is as the identity model has it, and a further run finds nothing and moves nothing. */
async function expectWhole(host: LabHost, options: Drive): Promise<void> {
  expect(await modelOn(lab, host)).toEqual(identityModel)
  expect(await accountsOn(lab, host)).toEqual(accountsModel)
  const before = await listing(lab, host)
  const again = await drive(lab, 'converge', options)
  expect(again.planned(host.name)).toEqual([])
  expect(again.ended(host.name)).toMatchObject({ outcome: 'ok', changed: 0 })
  expect(touched(before, await listing(lab, host))).toEqual([])
}

/** A secret's content is compared by runs that may write only; such lines are not in a plan. */
const withoutSecret = (line: string): boolean => !line.includes('identity.jwt content')

interface Mended extends Wrong {
  /** All that the plan says. */
  readonly says: readonly (string | RegExp)[]
  /** The service was restarted or started for it. */
  readonly restarts?: true
  /** Paths outside of the role that move because a name of them was ours. */
  readonly moves?: readonly string[]
}

const directory = (path: string, ...rest: readonly string[]): readonly string[] =>
  rest.map((line) => `directory:${path} ${line}`)
const file = (path: string, ...rest: readonly string[]): readonly string[] =>
  rest.map((line) => `file:${path} ${line}`)
const config = '/etc/openbao-kms/config.yaml'
const jwt = '/var/lib/openbao-kms/identity.jwt'
const unit = 'unit:bao-kms-provider.service'

const mended: Readonly<Record<string, Mended>> = {
  'a runtime directory that its group may write': {
    from: 'made',
    breaks: 'chmod 2770 /run/openbao-kms',
    says: directory('/run/openbao-kms', 'mode 2770 -> 2750'),
  },
  'a runtime directory without its set-group-id bit': {
    from: 'made',
    breaks: 'chmod 00750 /run/openbao-kms',
    says: directory('/run/openbao-kms', 'mode 0750 -> 2750'),
  },
  'a directory with sticky, set-user-id and set-group-id bits': {
    from: 'made',
    breaks: 'chmod 7750 /etc/openbao-kms',
    says: directory('/etc/openbao-kms', 'mode 7750 -> 0750'),
  },
  'a program with a set-user-id bit': {
    from: 'made',
    breaks: 'chmod 4755 /usr/bin/bao-kms-provider',
    says: file('/usr/bin/bao-kms-provider', 'mode 4755 -> 0755'),
  },
  'a token that everyone may read': {
    from: 'made',
    breaks: `chmod 0644 ${jwt}`,
    says: file(jwt, 'mode 0644 -> 0640'),
  },
  'a token that belongs to the provider': {
    from: 'made',
    breaks: `chown openbao-kms ${jwt}`,
    says: file(jwt, 'owner openbao-kms -> root'),
  },
  'a directory of another owner and group': {
    from: 'made',
    breaks: 'chown nobody:games /etc/openbao-kms/tls',
    says: directory('/etc/openbao-kms/tls', 'owner nobody -> root', 'group games -> root'),
  },
  'an ACL on a directory': {
    from: 'made',
    breaks: 'setfacl -m u:kube-apiserver:rx /etc/openbao-kms',
    says: directory('/etc/openbao-kms', 'acl user:999:r-x -> none'),
  },
  'an ACL on a file': {
    from: 'made',
    breaks: `setfacl -m u:kube-apiserver:r ${config}`,
    says: file(config, 'acl user:999:r-- -> none'),
  },
  'an ACL on the token, in a folder of its reader': {
    from: 'made',
    breaks: `setfacl -m g:kube-apiserver:r ${jwt}`,
    says: file(jwt, 'acl group:997:r-- -> none'),
  },
  'a default ACL': {
    from: 'made',
    breaks: 'setfacl -d -m u:kube-apiserver:rwx /var/lib/openbao-kms/state',
    says: [/^directory:\/var\/lib\/openbao-kms\/state acl .*default:user:999:rwx.* -> none$/],
  },
  'a stranger in the socket group': {
    from: 'made',
    breaks: 'gpasswd -a nobody openbao-kms-socket',
    says: [
      'membership:openbao-kms-socket members kube-apiserver, nobody, openbao-kms -> kube-apiserver, openbao-kms',
    ],
  },
  'the API server in the group that reads credentials, and not in its own': {
    from: 'made',
    breaks: 'gpasswd -a kube-apiserver openbao-kms; gpasswd -d kube-apiserver openbao-kms-socket',
    says: [
      'membership:openbao-kms-socket members openbao-kms -> kube-apiserver, openbao-kms',
      'membership:openbao-kms members kube-apiserver, openbao-kms -> openbao-kms',
    ],
  },
  'an account that may log in': {
    from: 'made',
    breaks: `usermod -s /bin/bash -c 'Some body' openbao-kms; sed -i 's/^openbao-kms:[^:]*/openbao-kms:$6$x$x/' /etc/shadow`,
    says: [
      'user:openbao-kms gecos Some body -> OpenBao KMS provider',
      'user:openbao-kms shell /bin/bash -> /usr/sbin/nologin',
      'user:openbao-kms password set -> locked',
    ],
  },
  'a file with a second name elsewhere': {
    from: 'made',
    breaks: `ln /etc/openbao-kms/tls/ca.crt /srv/made-link; chmod 0666 /srv/made-link`,
    says: file('/etc/openbao-kms/tls/ca.crt', 'mode 0666 -> 0644'),
    moves: ['/srv/made-link'],
  },
  'content by hand, where the service runs with what it shall be': {
    from: 'made',
    breaks: `echo '# by hand' >>${config}`,
    says: [/^file:\/etc\/openbao-kms\/config.yaml content sha256:\w+ -> sha256:\w+$/],
  },
  'another content than the service was started with': {
    from: 'made',
    breaks: ':',
    extraVars: { openbao_kms_jwt_role: 'another-role' },
    says: [
      /^file:\/etc\/openbao-kms\/config.yaml content sha256:\w+ -> sha256:\w+$/,
      `${unit} restart not needed -> needed: ${config} differs from what it was started with`,
    ],
    restarts: true,
  },
  'a file that is gone': {
    from: 'made',
    breaks: 'rm /usr/share/doc/bao-kms-provider/README.md',
    says: [
      'file:/usr/share/doc/bao-kms-provider/README.md state absent -> file',
      /^file:\S+README.md content absent -> sha256:/,
      'file:/usr/share/doc/bao-kms-provider/README.md owner absent -> root',
      'file:/usr/share/doc/bao-kms-provider/README.md group absent -> root',
      'file:/usr/share/doc/bao-kms-provider/README.md mode absent -> 0644',
    ],
  },
  'a program of another inode than the one that runs': {
    from: 'made',
    breaks: 'cp /usr/bin/bao-kms-provider /usr/bin/made-x; mv /usr/bin/made-x /usr/bin/bao-kms-provider',
    says: [
      `${unit} restart not needed -> needed: /usr/bin/bao-kms-provider is another file than the one running`,
    ],
    restarts: true,
  },
  'a service that was stopped': {
    from: 'made',
    breaks: 'systemctl stop bao-kms-provider',
    says: [`${unit} active inactive -> active`],
    restarts: true,
  },
  'a service that does not start at boot': {
    from: 'made',
    breaks: 'systemctl disable bao-kms-provider',
    says: [`${unit} enabled disabled -> enabled`],
  },
  'a unit by hand': {
    from: 'made',
    breaks:
      "sed -i 's/^NoNewPrivileges=.*/NoNewPrivileges=false/' /etc/systemd/system/bao-kms-provider.service",
    says: [
      /^file:\/etc\/systemd\/system\/bao-kms-provider.service content sha256:\w+ -> sha256:\w+$/,
      /^unit:\S+ definition out of date: /,
      /^unit:\S+ restart not needed -> needed: /,
    ],
    restarts: true,
  },
  'accounts, folders and files that somebody made by halves': {
    from: 'bare',
    breaks: `groupadd -r openbao-kms; useradd -r -M -g openbao-kms -d /nowhere openbao-kms
      mkdir -p -m 0777 /etc/openbao-kms/tls /var/lib/openbao-kms /run/openbao-kms
      echo old >${config}; chmod 0666 ${config}; echo old >${jwt}; chown openbao-kms:openbao-kms ${jwt}
      echo old >/usr/bin/bao-kms-provider; chmod 6777 /usr/bin/bao-kms-provider`,
    losesIdentity: true,
    says: [],
    restarts: true,
  },
  'a state directory that is a file system of its own': {
    from: 'bare',
    breaks: 'mkdir /var/lib/openbao-kms; mount -t tmpfs -o size=1m tmpfs /var/lib/openbao-kms',
    says: [],
    restarts: true,
  },
  'a configuration that is a file system of its own': {
    from: 'bare',
    breaks: 'mkdir /etc/openbao-kms; mount -t tmpfs -o size=1m tmpfs /etc/openbao-kms',
    says: [],
    restarts: true,
  },
  'no useradd and groupadd, where systemd-sysusers is': {
    from: 'bare',
    breaks: 'for tool in useradd groupadd; do mv /usr/sbin/$tool /usr/sbin/$tool.away; done',
    says: [],
    restarts: true,
    moves: ['/usr/sbin'],
  },
}

describe('a host that is wrong is mended, and nothing else is touched', () => {
  test.concurrent.for(Object.entries(mended))('%s', async ([, wrong], { expect: judged }) => {
    await pool.use(async (host) => {
      await arrange(host, wrong)
      const options = optionsOf(host, wrong)
      const running = await lab.exec(host, provider)
      const before = await listing(lab, host)
      const plan = await drive(lab, 'plan', options)
      judged(plan.of('failed')).toEqual([])
      judged(plan.exitCode).toBe(2)
      judged(touched(before, await listing(lab, host))).toEqual([])
      if (wrong.says.length > 0) {
        // Whether the socket is reached cannot be judged before the changes, so that is always the last line.
        const lines = [...plan.planned(host.name)]
        judged(lines.pop()).toMatch(/^reach:\/run\/openbao-kms\/kms.sock as kube-apiserver pending$/)
        judged(lines).toHaveLength(wrong.says.length)
        for (const [index, said] of wrong.says.entries()) {
          if (typeof said === 'string') judged(lines[index]).toBe(said)
          else judged(lines[index]).toMatch(said)
        }
      }

      const run = await drive(lab, 'converge', options)
      judged(run.of('failed')).toEqual([])
      judged(run.exitCode).toBe(0)
      judged(run.planned(host.name).filter(withoutSecret)).toEqual(
        plan.planned(host.name).filter(withoutSecret),
      )
      judged(run.done(host.name)).toEqual(plan.keys(host.name))
      judged(run.of('widened')).toEqual([])
      const moved = strangers(touched(before, await listing(lab, host)))
      judged(moved.filter((path) => wrong.moves?.includes(path) !== true)).toEqual([])
      judged((await lab.exec(host, provider)) === running).toBe(wrong.restarts !== true)
      await expectWhole(host, alone(host, wrong.extraVars))
    })
  })
})

interface Refused extends Wrong {
  readonly code: string
  /** What the error says: it names the path or account, what was expected and what was found. */
  readonly says: RegExp
  /** Another play than the rollout. */
  readonly play?: Readonly<Record<string, unknown>>
}

const task = (
  module: string,
  args: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> => ({
  tasks: [
    // The first task would change something: a plan with a refusal must not.
    { directory: { path: '/srv/made', owner: 'root', group: 'root', mode: '0755' } },
    { [module]: args },
  ],
})

const refused: Readonly<Record<string, Refused>> = {
  'a file where a directory shall be': {
    from: 'bare',
    breaks: 'echo keep >/etc/openbao-kms',
    code: 'resource.wrong-type',
    says: /expected \/etc\/openbao-kms to be a directory, found a regular file/,
  },
  'a directory where a file shall be': {
    from: 'made',
    breaks: `rm ${config}; mkdir ${config}`,
    code: 'resource.wrong-type',
    says: /expected \/etc\/openbao-kms\/config.yaml to be a regular file, found a directory/,
  },
  'a FIFO where a file shall be': {
    from: 'made',
    breaks: `rm ${jwt}; mkfifo ${jwt}; chown openbao-kms ${jwt}`,
    code: 'resource.wrong-type',
    says: /expected \/var\/lib\/openbao-kms\/identity.jwt to be a regular file, found a FIFO/,
  },
  'a link to outside where a file shall be': {
    from: 'made',
    breaks: `rm ${jwt}; ln -s /srv/outside/file ${jwt}`,
    code: 'resource.wrong-type',
    says: /expected \/var\/lib\/openbao-kms\/identity.jwt to be a regular file, found a symbolic link to \/srv\/outside\/file/,
  },
  'a link to nowhere where a file shall be': {
    from: 'bare',
    breaks: `mkdir -p /etc/openbao-kms/tls; ln -s /srv/made-later /etc/openbao-kms/tls/ca.crt`,
    code: 'resource.wrong-type',
    says: /expected \/etc\/openbao-kms\/tls\/ca.crt to be a regular file, found a symbolic link to \/srv\/made-later/,
  },
  'a link to outside where a directory shall be': {
    from: 'bare',
    breaks: 'ln -s /srv/outside/directory /var/lib/openbao-kms',
    code: 'resource.wrong-type',
    says: /expected \/var\/lib\/openbao-kms to be a directory, found a symbolic link to \/srv\/outside\/directory/,
  },
  'a link among the ancestors': {
    from: 'bare',
    breaks: 'mv /usr/share/doc /srv/doc; ln -s /srv/doc /usr/share/doc',
    code: 'resource.ancestor',
    says: /expected \/usr\/share\/doc to be a real directory, found a symbolic link/,
  },
  'a read-only file system': {
    from: 'bare',
    breaks:
      'mkdir /etc/openbao-kms; mount -t tmpfs tmpfs /etc/openbao-kms; mount -o remount,ro /etc/openbao-kms',
    code: 'resource.read-only',
    says: /expected \/etc\/openbao-kms to be writable, found its file system mounted read-only/,
  },
  'a masked unit': {
    from: 'bare',
    breaks: 'systemctl mask bao-kms-provider',
    code: 'resource.wrong-type',
    says: /expected \/etc\/systemd\/system\/bao-kms-provider.service to be a regular file, found a symbolic link to \/dev\/null/,
  },
  'a masked unit that is not ours': {
    from: 'bare',
    breaks: 'systemctl mask --runtime made-x.service',
    play: task('unit', { name: 'made-x.service', state: 'started' }),
    code: 'resource.unit',
    says: /expected the unit made-x.service to be loadable, found it masked/,
  },
  'the group that reads credentials as primary group of the API server': {
    from: 'bare',
    breaks:
      'groupadd -r openbao-kms; sed -i "s/^\\(kube-apiserver:x:[0-9]*\\):[0-9]*/\\1:$(getent group openbao-kms | cut -d: -f3)/" /etc/passwd',
    code: 'resource.member',
    says: /expected kube-apiserver not to belong to the group openbao-kms, found it as the primary group of kube-apiserver/,
  },
  'another primary group of the provider': {
    from: 'bare',
    breaks: 'groupadd -r openbao-kms; useradd -r -g games openbao-kms',
    code: 'resource.id',
    says: /expected the primary group of openbao-kms to be openbao-kms, found gid 60/,
  },
  'a second account with the uid of the provider': {
    from: 'made',
    breaks: 'useradd -r -o -u "$(id -u openbao-kms)" -g games intruder',
    code: 'resource.id',
    says: /expected uid \d+ to belong to openbao-kms alone, found that intruder has it/,
  },
  'a pinned gid that is taken': {
    from: 'bare',
    breaks: ':',
    play: task('group', { name: 'made-x', gid: 60 }),
    code: 'resource.id',
    says: /expected gid 60 to belong to made-x alone, found that games has it/,
  },
  'a pinned uid that is taken': {
    from: 'bare',
    breaks: ':',
    play: task('user', { name: 'made-x', uid: 5, group: 'games', home: '/nonexistent' }),
    code: 'resource.id',
    says: /expected uid 5 to belong to made-x alone, found that games has it/,
  },
  'a user of another uid than the pinned one': {
    from: 'bare',
    breaks: ':',
    play: task('user', { name: 'games', uid: 4242, group: 'games', home: '/nonexistent' }),
    code: 'resource.id',
    says: /expected the user games to have uid 4242, found 5/,
  },
  'no program that could make a group': {
    from: 'bare',
    breaks:
      'for tool in /usr/sbin/useradd /usr/sbin/groupadd /usr/bin/systemd-sysusers; do mv $tool $tool.away; done',
    code: 'resource.tool-missing',
    says: /expected groupadd, systemd-sysusers or busybox's addgroup on the host, found none/,
  },
  'a destination that a package owns': {
    from: 'bare',
    breaks: ':',
    extraVars: { openbao_kms_binary: '/usr/bin/setpriv' },
    code: 'resource.package-owned',
    says: /expected \/usr\/bin\/setpriv to belong to no package, found that util-linux owns it/,
  },
  'a file of which only owner and mode are ours, with a second name': {
    from: 'bare',
    breaks: 'echo x >/srv/made-file; ln /srv/made-file /srv/made-link; chmod 0600 /srv/made-link',
    play: task('file', { path: '/srv/made-file', owner: 'root', group: 'root', mode: '0644' }),
    code: 'resource.hard-linked',
    says: /expected \/srv\/made-file to be the only name of its file, found 2 names/,
  },
  'a file of which only owner and mode are ours, that another account could write': {
    from: 'bare',
    breaks: 'echo x >/srv/made-file; chown games /srv/made-file',
    play: task('file', { path: '/srv/made-file', owner: 'root', group: 'root', mode: '0644' }),
    code: 'resource.old-writer',
    says: /expected \/srv\/made-file to have had no other writers, found that uid 5 could write it/,
  },
  'an owner that nobody makes': {
    from: 'bare',
    breaks: ':',
    play: task('directory', { path: '/srv/made-dir', owner: 'nobody-made', group: 'root', mode: '0755' }),
    code: 'resource.unknown-account',
    says: /expected the user nobody-made to exist, found no such user/,
  },
  'a parent that nobody makes': {
    from: 'bare',
    breaks: ':',
    play: task('directory', { path: '/srv/made-a/b', owner: 'root', group: 'root', mode: '0755' }),
    code: 'resource.parent-missing',
    says: /expected the directory \/srv\/made-a to exist, found nothing there/,
  },
}

describe('what cannot be mended is refused before anything is touched', () => {
  test.concurrent.for(Object.entries(refused))('%s', async ([, wrong], { expect: judged }) => {
    await pool.use(async (host) => {
      await arrange(host, wrong)
      const options: Drive = {
        ...optionsOf(host, wrong),
        ...(wrong.play === undefined ? {} : { playbook: desk.playbook(wrong.play) }),
      }
      const before = await listing(lab, host)
      for (const command of ['plan', 'converge'] as const) {
        const run = await drive(lab, command, options)
        judged(run.exitCode & 4).toBe(4)
        judged(run.ended(host.name)).toMatchObject({ host: host.name, outcome: 'failed', changed: 0 })
        judged(run.problem(host.name).code).toBe(wrong.code)
        judged(run.problem(host.name).message).toMatch(wrong.says)
        judged(run.problem(host.name).place).toBeDefined()
      }
      judged(touched(before, await listing(lab, host))).toEqual([])
    })
  })
})

interface Failing extends Wrong {
  readonly code: string
  /** The change that it ends at. */
  readonly at: RegExp
  readonly says: RegExp
  /** What an operator does about it; the next run then makes the host whole. */
  readonly mends: string
  /** The host is whole with the variables of the rollout, not with those of the case. */
  readonly otherwise?: true
}

const failing: Readonly<Record<string, Failing>> = {
  'a folder of ours that others may enter': {
    from: 'made',
    breaks: 'chmod 2770 /run/openbao-kms; chmod 0755 /run/kmsfleet',
    code: 'host.change-failed',
    at: /^$/,
    says: /expected \/run\/kmsfleet to be a folder of root's with mode 0700, found another owner or mode/,
    mends: 'chmod 0700 /run/kmsfleet',
  },
  'a full disk below the state directory': {
    from: 'bare',
    breaks: `mkdir /var/lib/openbao-kms; mount -t tmpfs -o size=16k,mode=0750 tmpfs /var/lib/openbao-kms
      dd if=/dev/zero of=/var/lib/openbao-kms/fill bs=4096 count=4 2>/dev/null || :`,
    code: 'host.change-failed',
    at: /identity.jwt|openbao-kms\/state/,
    says: /\/var\/lib\/openbao-kms\/.*(room|space)/i,
    mends: 'rm /var/lib/openbao-kms/fill',
  },
  'a full disk below the configuration': {
    from: 'bare',
    breaks: `mkdir /etc/openbao-kms; mount -t tmpfs -o size=16k,mode=0750 tmpfs /etc/openbao-kms
      dd if=/dev/zero of=/etc/openbao-kms/fill bs=4096 count=4 2>/dev/null || :`,
    code: 'host.change-failed',
    at: /etc\/openbao-kms/,
    says: /\/etc\/openbao-kms.*(room|space)/i,
    mends: 'rm /etc/openbao-kms/fill',
  },
  'an immutable file': {
    from: 'made',
    breaks: `mv /etc/openbao-kms /srv/made-copy; mkdir /etc/openbao-kms; mount -t tmpfs -o size=1m tmpfs /etc/openbao-kms
      cp -a /srv/made-copy/. /etc/openbao-kms/; rm -r /srv/made-copy; chown root:openbao-kms /etc/openbao-kms
      chmod 0750 /etc/openbao-kms; chmod 0644 ${config}; chattr +i ${config}`,
    code: 'resource.immutable',
    at: /^$/,
    says: /expected \/etc\/openbao-kms\/config.yaml to be changeable, found the immutable/,
    mends: `chattr -i ${config}`,
  },
  'a home directory of a running account that is not what it shall be': {
    from: 'made',
    breaks: "sed -i 's|:/var/lib/openbao-kms:|:/home/x:|' /etc/passwd",
    code: 'host.change-failed',
    at: /^user:openbao-kms@/,
    says: /user:openbao-kms: .*currently used by process/,
    mends: 'systemctl stop bao-kms-provider',
  },
  'a configuration that the provider does not accept': {
    from: 'bare',
    breaks: ':',
    // What this provider alone asks for: what every one does is refused before any contact.
    extraVars: { openbao_kms_openbao_address: 'https://openbao.example/a@b', openbao_kms_ready_within: 5 },
    code: 'host.change-failed',
    at: /config.yaml/,
    says: /file:\/etc\/openbao-kms\/config.yaml: validate: expected the check to accept the file as uid \d+, found exit status \d+: .*openbao.address/,
    mends: ':',
    otherwise: true,
  },
  'a provider that crashes again and again': {
    from: 'bare',
    breaks: ':',
    extraVars: { openbao_kms_metrics_address: '192.0.2.7:8081', openbao_kms_ready_within: 5 },
    code: 'host.change-failed',
    at: /^unit:/,
    says: /unit:bao-kms-provider.service: ready: expected bao-kms-provider.service to be (ready within 5 s|active), found/,
    mends: ':',
    otherwise: true,
  },
}

describe('what goes wrong on the way is told, and the next run finishes', () => {
  test.concurrent.for(Object.entries(failing))('%s', async ([, wrong], { expect: judged }) => {
    await pool.use(async (host) => {
      await arrange(host, wrong)
      const options = optionsOf(host, wrong)
      const before = await listing(lab, host)
      const run = await drive(lab, 'converge', options)
      judged(run.exitCode & 4).toBe(4)
      judged(run.problem(host.name)).toMatchObject({ code: wrong.code })
      judged(run.problem(host.name).message).toMatch(wrong.says)
      // What was done is the beginning of what was planned, and the next is the one that failed.
      const done = run.done(host.name)
      const keys = run.keys(host.name)
      judged(done).toEqual(keys.slice(0, done.length))
      const [last] = run.of('acting', host.name).slice(done.length)
      judged(last?.change ?? '').toMatch(wrong.at)
      judged(strangers(touched(before, await listing(lab, host)))).toEqual([])

      await lab.exec(host, wrong.mends)
      const whole: Drive = wrong.otherwise === true ? alone(host) : options
      const next = await drive(lab, 'converge', whole)
      judged(next.of('failed')).toEqual([])
      judged(next.exitCode).toBe(0)
      await expectWhole(host, whole)
    })
  })
})
