import { describe, expect, test } from 'vitest'
import { accountsOf } from '../../../src/access/actors/accounts.ts'
import { hostChecks } from '../../../src/access/checks/all.ts'
import type { Actor, Matrix, MatrixRule, Target } from '../../../src/model/access.ts'
import { folderKey, type Fact, type PathState, type Snapshot } from '../../../src/model/facts.ts'
import { known } from '../../../src/model/value.ts'
import { group, snapshotWith, text, unreadable, user, withAncestors } from '../snapshot.ts'

const place = { file: 'access.yml', line: 1, column: 1 }
const [home, config, encryption] = ['/var/lib/kms', '/etc/kms/config.yaml', '/etc/kubernetes/encryption.yaml']
const [jwt, registry, socket] = [`${home}/identity.jwt`, `${home}/state/registry.json`, '/run/kms/kms.sock']
const unit = 'kms.service'

const provider: Actor = {
  ...{ name: 'provider', description: 'it', running: { by: 'unit', unit }, user: 'kms', group: 'kms' },
  ...{ groups: ['kms', 'kms-socket'], capabilities: 'none', place },
}
const rule = (objectClass: string, target: Target): MatrixRule => ({
  ...{ actor: 'provider', action: 'read', must: true, objectClass, target, because: 'b', source: 's', place },
})
const path = (at: string): Target => ({ is: 'path', path: at })
const matrix: Matrix = {
  actors: new Map([['provider', provider]]),
  rules: [
    rule('auth material', path(jwt)),
    rule('auth material', { is: 'named', file: config, keys: ['auth.jwt.jwtFile'] }),
    rule('configuration', path(config)),
    rule('encryption configuration', path(encryption)),
    rule('key registry', path(registry)),
    rule('key registry', path(`${registry}.checkpoint`)),
    rule('provider program', path(`/etc/systemd/system/${unit}`)),
    rule('runtime directory', path('/run/kms')),
    rule('stray copies', { is: 'others', folder: home }),
  ],
  kmsSockets: [],
  leftBehind: [],
  outside: [],
}

const now = 1_000_000
const exp = now + 3600
const file = (changes: Partial<PathState>): Fact<PathState> => ({
  is: 'present',
  state: {
    ...{ type: 'file', mode: 0o640, uid: known(0), gid: known(700), size: 1, links: 1, acl: 'none' },
    ...changes,
  },
})
const own = (changes: Partial<PathState> = {}): Fact<PathState> =>
  file({ uid: known(700), modified: now, ...changes })
const token = (claims: PathState['claims'], changes: Partial<PathState> = {}): Fact<PathState> =>
  file({
    ...(claims === undefined ? {} : { claims }),
    ...(claims?.exp === undefined ? {} : { expires: claims.exp }),
    ...changes,
  })
const trouble = unreadable('expected an answer, found none')
const configured = `server: {socketGroup: kms-socket, socketPath: ${socket}}
auth: {jwt: {expectedIssuer: i, expectedAudience: [a], expectedSubject: s}}
transit: {keyIdScope: {providerName: kms-1}}
`
const encrypted = (kms: string): Fact<PathState> =>
  text(
    `{apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: [secrets], providers: [${kms}]}]}`,
  )
const kms = (name: string, endpoint: string, version = 'v2'): string =>
  `{kms: {apiVersion: ${version}, name: ${name}, endpoint: 'unix://${endpoint}'}}`
const right: Readonly<Record<string, Fact<PathState>>> = {
  [jwt]: token({ iss: 'i', sub: 's', aud: ['a', 'b'], exp }),
  [config]: text(configured),
  [encryption]: encrypted(`${kms('kms-1', socket)}, {identity: {}}`),
  [registry]: own(),
  [`${registry}.checkpoint`]: own(),
  '/run/kms': own({ type: 'directory', gid: known(701), mode: 0o2750 }),
  '/etc/sudoers': { is: 'absent' },
  [`/etc/systemd/system/${unit}`]: file({}),
}
const folder = (at: string, ending: string, texts: Readonly<Record<string, string>>): Snapshot['folders'] =>
  new Map([[folderKey(at, ending), { is: 'present', state: new Map(Object.entries(texts)) }]])
const unitIn = (at: string): Snapshot['folders'] => folder(at, unit, { [unit]: '' })

interface Case {
  readonly paths?: Readonly<Record<string, Fact<PathState>>>
  readonly users?: Snapshot['users']
  readonly groups?: Snapshot['groups']
  readonly folders?: Snapshot['folders']
  readonly names?: readonly string[]
}
const found = ({
  paths,
  users,
  groups,
  folders,
  names = ['identity.jwt', 'state'],
}: Case): readonly string[] => {
  const snapshot = snapshotWith({
    users: new Map([['root', user(0, 0)], ['kms', user(700, 700)], ...(users ?? [])]),
    groups: new Map([
      ['root', group(0)],
      ['kms', group(700)],
      ['kms-socket', group(701, 'kms')],
      ...(groups ?? []),
    ]),
    paths: withAncestors({ ...right, ...paths }),
    folders: new Map([
      ...unitIn('/etc/systemd/system'),
      ...folder('/etc/sudoers.d', '', {}),
      ...(folders ?? []),
    ]),
    entries: new Map([[home, { is: 'present', state: { names, more: false } }]]),
  })
  return hostChecks(matrix, snapshot, accountsOf(snapshot), now)
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ subject, verdict, finding }) => `${verdict} ${subject}: ${finding}`)
}
const login = (changes: Readonly<Record<string, string>>): Snapshot['users'] => {
  const fact = user(700, 700)
  return new Map([['kms', fact.is === 'present' ? { ...fact, state: { ...fact.state, ...changes } } : fact]])
}

describe('what is proved of a host beside the rules of its matrix', () => {
  test.each<readonly [string, Case, readonly string[]]>([
    ['as it shall be', {}, []],
    [
      "somebody else in the provider's group",
      { groups: new Map([['kms', group(700, 'kms', 'alice')]]) },
      ['violated kms: alice is, and reads all credentials of the provider'],
    ],
    [
      "the provider's group as a primary group",
      { users: new Map([['bob', user(900, 700)]]) },
      ['violated kms: bob is, by its primary group, and reads all credentials of the provider'],
    ],
    [
      'two users of one number',
      { users: new Map([['twin', user(700, 900)]]) },
      ['violated kms: twin has uid 700 too: to the kernel they are one'],
    ],
    ['a login shell', { users: login({ shell: '/bin/sh' }) }, ['violated kms: its shell is /bin/sh']],
    ['a password', { users: login({ password: 'set' }) }, ['violated kms: it has a password']],
    [
      'no password at all',
      { users: login({ password: 'empty' }) },
      ['violated kms: it has an empty password'],
    ],
    [
      'keys to log in with',
      { users: login({ home }), names: ['identity.jwt', 'state', '.ssh'] },
      [
        `violated kms: ${home}/.ssh is there: a key in it may let somebody in`,
        `violated ${home}: .ssh: a copy is as good as the credential`,
      ],
    ],
    [
      'a rule of sudo for the user',
      { folders: folder('/etc/sudoers.d', '', { x: '# kms\n%wheel ALL=(ALL) ALL\nkms ALL=(ALL) ALL\n' }) },
      ['violated kms: sudo has a rule for it at /etc/sudoers.d/x:3'],
    ],
    [
      'a rule of sudo for everybody, and one for its group',
      {
        paths: {
          '/etc/sudoers': text('Defaults env_reset\nALL ALL=(root) /bin/x\n%kms-socket ALL=(ALL) ALL\n'),
        },
      },
      ['violated kms: sudo has a rule for it at /etc/sudoers:2; sudo has a rule for it at /etc/sudoers:3'],
    ],
    [
      'rules of sudo that others can write',
      { paths: { '/etc/sudoers': file({}) } },
      ['unknown kms: /etc/sudoers cannot be read, or others than root can write it'],
    ],
    [
      'rules of sudo that cannot be read',
      { paths: { '/etc/sudoers': trouble }, folders: new Map([[folderKey('/etc/sudoers.d', ''), trouble]]) },
      ['unknown kms: expected an answer, found none; expected an answer, found none'],
    ],
    [
      'rules of sudo that cannot be read, beside one that can',
      {
        paths: { '/etc/sudoers': trouble },
        folders: folder('/etc/sudoers.d', '', { x: 'kms ALL=(ALL) ALL\n' }),
      },
      ['violated kms: sudo has a rule for it at /etc/sudoers.d/x:1'],
    ],
    [
      'a directory on the way that cannot be looked at',
      { paths: { '/etc/kms': trouble } },
      [`unknown ${config}: expected an answer, found none`],
    ],
    [
      'a credential that cannot be looked at',
      { paths: { [jwt]: trouble } },
      Array.from({ length: 3 }, () => `unknown ${jwt}: expected an answer, found none`),
    ],
    [
      'a registry and a runtime directory that cannot be looked at',
      { paths: { [registry]: trouble, '/run/kms': trouble } },
      [
        `unknown ${registry}: expected an answer, found none`,
        'unknown /run/kms: expected an answer, found none',
        'unknown /run/kms: expected an answer, found none',
        `unknown ${registry}: expected an answer, found none`,
        `unknown ${registry}.checkpoint: expected an answer, found none`,
      ],
    ],
    [
      'a unit before that of the model',
      { folders: unitIn('/etc/systemd/system.control') },
      [`violated ${unit}: /etc/systemd/system.control/${unit} goes before /etc/systemd/system/${unit}`],
    ],
    [
      'a folder of units that cannot be read',
      { folders: new Map([[folderKey('/etc/systemd/system.control', unit), trouble]]) },
      [`unknown ${unit}: expected an answer, found none`],
    ],
    [
      'a token that has expired',
      { paths: { [jwt]: token({ iss: 'i', sub: 's', aud: ['a'], exp: now - 1 }) } },
      [`violated ${jwt}: it expired 1970-01-12T13:46:39Z`],
    ],
    [
      'a token within its margin',
      { paths: { [jwt]: token({ iss: 'i', sub: 's', aud: ['a'], exp: now + 60 }) } },
      [`violated ${jwt}: it expires 1970-01-12T13:47:40Z`],
    ],
    [
      'a token of another issuer, audience and subject, of tomorrow',
      { paths: { [jwt]: token({ iss: 'x', aud: ['y'], exp, nbf: now + 86_400 }) } },
      [
        `violated ${jwt}: it is not valid before 1970-01-13T13:46:40Z: a clock may be wrong; its issuer is x, the provider expects i; its subject is missing, the provider expects s; its audience is y, the provider expects a`,
      ],
    ],
    [
      'what is no token',
      { paths: { [jwt]: token(undefined) } },
      [`unknown ${jwt}: it is no token, or others than root can write it`],
    ],
    [
      'a hard link',
      { paths: { [jwt]: token({ iss: 'i', sub: 's', aud: ['a'], exp }, { links: 2 }) } },
      [`violated ${jwt}: it has another name (hard links)`],
    ],
    [
      'a symbolic link on the way',
      { paths: { '/etc/kms': file({ type: 'link', target: '/opt/kms' }) } },
      [`violated ${config}: /etc/kms is a symbolic link to /opt/kms`],
    ],
    [
      'a stray copy',
      { names: ['identity.jwt', 'identity.jwt.bak', 'state', '.node-setup-check'] },
      [`violated ${home}: identity.jwt.bak: a copy is as good as the credential`],
    ],
    [
      'a registry of another host',
      { paths: { [registry]: own({ uid: known(4242), gid: known(0), mode: 0o644 }) } },
      [
        `violated ${registry}: its uid is 4242 (nobody of this host) instead of 700; its gid is 0 (root) instead of 700; its mode is 0644, which the provider refuses`,
      ],
    ],
    [
      'a registry without its checkpoint',
      { paths: { [`${registry}.checkpoint`]: { is: 'absent' } } },
      [
        `violated ${registry}.checkpoint: it is not there, and ${registry} is: restore both from one backup or a healthy peer`,
      ],
    ],
    [
      'no registry yet',
      { paths: { [registry]: { is: 'absent' }, [`${registry}.checkpoint`]: { is: 'absent' } } },
      [],
    ],
    [
      'a registry from a backup',
      { paths: { [registry]: own({ modified: now - 3600 }) } },
      [`violated ${registry}: it was written 3600 s before ${registry}.checkpoint: it is from a backup`],
    ],
    [
      'a token that the provider owns',
      { paths: { [jwt]: token({ iss: 'i', sub: 's', aud: ['a'], exp }, { uid: known(700), mode: 0o644 }) } },
      [`violated ${jwt}: its uid is 700 (kms) instead of 0; its mode is 0644`],
    ],
    [
      'a runtime directory that its group can write, of the wrong group',
      { paths: { '/run/kms': own({ type: 'directory', mode: 0o2770 }) } },
      ['violated /run/kms: its gid is 700 (kms) instead of 701; its mode is 2770'],
    ],
    [
      'the API server with another spelling of the socket',
      { paths: { [encryption]: encrypted(kms('kms-1', `/var${socket}`)) } },
      [],
    ],
    [
      'a credential in the folder that only the configuration names',
      {
        paths: { [config]: text(configured.replace('{jwt: {', `{jwt: {jwtFile: ${home}/other.jwt, `)) },
        names: ['identity.jwt', 'other.jwt', 'state'],
      },
      [],
    ],
    [
      'the API server with another name for the provider',
      { paths: { [encryption]: encrypted(kms('kms-2', socket)) } },
      [`violated ${encryption}: it calls the provider kms-2, whose own name is kms-1`],
    ],
    [
      'the API server with another socket, by v1',
      { paths: { [encryption]: encrypted(kms('kms-1', '/run/other.sock', 'v1')) } },
      [
        `violated ${encryption}: its endpoint is unix:///run/other.sock, the socket is unix://${socket}; its version is v1 instead of v2`,
      ],
    ],
    [
      'the API server without the provider',
      { paths: { [encryption]: encrypted('{identity: {}}') } },
      [`violated ${encryption}: no kms provider in it is kms-1 at unix://${socket}`],
    ],
  ])('%s', (_, given, expected) => {
    expect(found(given)).toEqual(expected)
  })
})
