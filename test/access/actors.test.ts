import { describe, expect, test } from 'vitest'
import { accountsOf } from '../../src/access/actors/accounts.ts'
import { findActor } from '../../src/access/actors/find.ts'
import type { Actor } from '../../src/model/access.ts'
import { folderKey, type Snapshot } from '../../src/model/facts.ts'
import type { ProcessState } from '../../src/model/process.ts'
import { group, process, snapshotWith, text, user } from './snapshot.ts'

const provider: Actor = {
  ...{ name: 'provider', description: 'it', running: { by: 'unit', unit: 'kms.service' }, user: 'kms' },
  ...{ group: 'kms', groups: ['kms', 'kms-socket'], capabilities: 'none' },
  place: { file: 'access.yml', line: 1, column: 1 },
}
const accounts = {
  users: new Map([
    ['root', user(0, 0)],
    ['kms', user(700, 700)],
    ['api', user(800, 800)],
  ]),
  groups: new Map([
    ['root', group(0)],
    ['kms', group(700)],
    ['kms-socket', group(701, 'kms', 'api')],
    ['adm', group(4)],
    ['api', group(800)],
  ]),
}
const unit = (service: string, dropIn?: string): Pick<Snapshot, 'folders'> => ({
  folders: new Map([
    [
      folderKey('/etc/systemd/system', 'kms.service'),
      { is: 'present', state: new Map([['kms.service', `[Service]\n${service}`]]) },
    ],
    ...(dropIn === undefined
      ? []
      : [
          [
            folderKey('/etc/systemd/system/kms.service.d', '.conf'),
            { is: 'present', state: new Map([['x.conf', `[Service]\n${dropIn}`]]) },
          ] as const,
        ]),
  ]),
})
const right = unit('User=kms\nGroup=kms\nSupplementaryGroups=kms-socket')

const found = (
  processes: readonly ProcessState[] | undefined,
  parts: Partial<Snapshot> = right,
  actor = provider,
): readonly string[] => {
  const snapshot = snapshotWith({
    ...accounts,
    ...(processes === undefined
      ? {}
      : { processes: new Map([[actor.name, { is: 'present', state: processes }]]) }),
    ...parts,
  })
  return findActor(actor, snapshot, accountsOf(snapshot))
    .checks.filter(({ verdict }) => verdict !== 'pass')
    .map(({ verdict, expected, finding }) => `${verdict}: ${expected}: ${finding}`)
}

const live = process(700, 700, [700, 701])
const says =
  'it runs as user kms (700), group kms (700), groups kms (700), kms-socket (701), and in no other group'
const next = 'it will be the same when it is started next'

describe('three truths of a service', () => {
  test.each([
    ['the same', [live], right, []],
    [
      'nothing runs',
      [],
      right,
      ['unknown: its process runs: nothing runs: what it could do is worked out and tried for its account'],
    ],
    [
      'started before it was put into the group',
      [process(700, 700, [700])],
      right,
      [
        `violated: ${says}: lacks group kms-socket`,
        `violated: ${next}: by kms.service: also in group kms-socket`,
      ],
    ],
    [
      'in one group more',
      [process(700, 700, [4, 700, 701])],
      right,
      [`violated: ${says}: also in group adm`, `violated: ${next}: by kms.service: lacks group adm`],
    ],
    [
      'as root',
      [process(0, 0, [0])],
      right,
      [
        `violated: ${says}: user root instead of kms; primary group root instead of kms; lacks group kms, kms-socket; also in group root`,
        `violated: ${next}: by kms.service: user kms instead of root; primary group kms instead of root; lacks group root; also in group kms, kms-socket`,
      ],
    ],
    [
      'with a saved user and a real group of root',
      [process(700, 700, [700, 701], { uids: { ...live.uids, saved: 0 }, gids: { ...live.gids, real: 0 } })],
      right,
      [`violated: ${says}: its saved user is root; its real group is root`],
    ],
    [
      'a drop-in that counts at the next start',
      [live],
      unit('User=kms\nGroup=kms', 'User=root\nAmbientCapabilities=CAP_CHOWN'),
      [
        `violated: ${next}: by kms.service: user root instead of kms; lacks group kms-socket; also in group root; gets capabilities CAP_CHOWN`,
      ],
    ],
    [
      'a user that the host does not have',
      [live],
      unit('User=kmz'),
      [`unknown: ${next}: kms.service names user kmz, whom the host does not have`],
    ],
    [
      'a group that the host does not have',
      [live],
      unit('User=kms\nSupplementaryGroups=none'),
      [`unknown: ${next}: kms.service names group none, which the host does not have`],
    ],
    ['no unit', [live], {}, [`unknown: ${next}: there is no kms.service`]],
    [
      'a capability',
      [process(700, 700, [700, 701], { capabilities: { ...live.capabilities, permitted: new Set([1]) } })],
      right,
      ['violated: it has no capability: it has 1'],
    ],
    [
      'another user namespace',
      [process(700, 700, [700, 701], { userNamespace: 'other' })],
      right,
      [
        'unknown: it is in the user namespace of the host: its ids are mapped: what they may do on the host cannot be told',
      ],
    ],
    [
      'two processes, not the same',
      [live, process(700, 700, [700])],
      right,
      ['unknown: its process runs: 2 processes run, and not all as the same user and groups'],
    ],
    ['two processes, the same', [live, { ...live, pid: 813 }], right, []],
  ] as const)('%s', (_, processes, parts, expected) => {
    expect(found(processes, parts)).toEqual(expected)
  })

  test('an account that is not there', () => {
    expect(found([], { ...right, users: new Map() })).toEqual([
      'violated: its account is there: the host has no user kms',
      'unknown: its process runs: nothing runs: what it could do is worked out and tried for its account',
      `unknown: ${next}: kms.service names user kms, whom the host does not have`,
    ])
  })

  test('processes that cannot be told', () => {
    const problem = { code: 'host.unreadable', message: 'no systemctl' } as const
    expect(
      found(undefined, { ...right, processes: new Map([['provider', { is: 'unreadable', problem }]]) })[0],
    ).toBe('unknown: its process runs: no systemctl')
  })
})

describe('a static pod', () => {
  const manifest = '/etc/kubernetes/manifests/kms.yaml'
  const pod: Actor = {
    ...provider,
    running: { by: 'pod', namespace: 'kube-system', name: 'kms', container: 'provider', manifest },
    ...{ user: '65532', group: '65532', groups: ['65532', 'kms-socket'] },
  }
  const written = (context: string): Partial<Snapshot> => ({
    paths: new Map([
      [
        manifest,
        text(`kind: Pod\nspec:\n  securityContext: ${context}\n  containers: [{name: provider, image: i}]\n`),
      ],
    ]),
  })
  const running = [process(65532, 65532, [701])]
  test.each([
    ['the same', running, '{runAsUser: 65532, runAsGroup: 65532, supplementalGroups: [701]}', []],
    [
      'another gid in the manifest',
      running,
      '{runAsUser: 65532, runAsGroup: 65532, supplementalGroups: [702]}',
      [`violated: ${next}: by ${manifest}: lacks group kms-socket; also in group 702`],
    ],
    [
      'no user in the manifest',
      running,
      '{}',
      [
        `violated: ${next}: by ${manifest}: user root instead of 65532; primary group root instead of 65532; lacks group kms-socket, 65532; also in group root`,
      ],
    ],
  ] as const)('%s', (_, processes, context, expected) => {
    expect(found(processes, written(context), pod)).toEqual(expected)
  })
  test.each([
    ['none', undefined, `there is no ${manifest}`],
    ['what is no pod', 'kind: List\n', `${manifest} is no manifest of such a pod`],
    ['what others can write', '', `${manifest} cannot be read, or others than root can write it`],
  ] as const)('a manifest that is %s', (_, content, because) => {
    const fact = content === undefined ? ({ is: 'absent' } as const) : text(content)
    const open =
      content === '' && fact.is === 'present'
        ? { is: 'present', state: { ...fact.state, bytes: undefined } }
        : fact
    expect(found(running, { paths: new Map([[manifest, open as typeof fact]]) }, pod)).toEqual([
      `unknown: ${next}: ${because}`,
    ])
  })
})
