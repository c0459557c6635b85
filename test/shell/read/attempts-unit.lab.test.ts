import { expect, it } from 'vitest'
import type { ProcessState, TrialState, Try } from '../../../src/model/process.ts'
import type { ReadAtom } from '../../../src/model/wire.ts'
import { bootstrapCommand } from '../../../src/shell/bootstrap.ts'
import { quote } from '../../../src/shell/quote.ts'
import { openSession } from '../../../src/shell/session.ts'
import { startLab } from '../../lab/lab.ts'
import { localChannel } from '../local-shell.ts'
import { ask, present } from './host.ts'

it('tries as the main process of a unit, in the mount namespace that systemd made for it', async () => {
  await using lab = await startLab({ hosts: [{ variant: 'plain' }] })
  const [host] = lab.hosts
  if (host === undefined) throw new Error('expected a host')
  await lab.exec(
    host,
    `groupadd -g 5402 actors; groupadd -g 5403 more; useradd -u 5401 -g actors actor
mkdir -p /opt/kf; echo x >/opt/kf/file; chgrp 5403 /opt/kf/file; chmod 660 /opt/kf/file; echo x >/opt/kf/hidden; chmod 644 /opt/kf/hidden
systemd-run --unit=kf-actor --uid=actor --gid=actors -p SupplementaryGroups=more -p ProtectSystem=strict -p InaccessiblePaths=/opt/kf/hidden -p NoNewPrivileges=yes sleep 1000
systemd-run --unit=kf-other --uid=nobody sleep 1000`,
  )
  const login = `-F /dev/null -o UserKnownHostsFile=${lab.knownHostsFile} -o BatchMode=yes -i ${lab.keyFile} -p ${String(host.port)} ${host.user}@${host.address}`
  await using session = await openSession(
    localChannel(`ssh ${login} ${quote(bootstrapCommand)}`),
    new AbortController().signal,
  )
  const tries: readonly Try[] = [
    { action: 'read', path: '/opt/kf/file' },
    { action: 'write', path: '/opt/kf/file' },
    { action: 'read', path: '/opt/kf/hidden' },
    { action: 'read', path: '/etc/shadow' },
    { action: 'create', path: '/tmp' },
    { action: 'signal', process: 'other' },
    { action: 'signal', process: 'kf-actor' },
  ]
  const atoms: readonly ReadAtom[] = [
    { atom: 'process', key: 'kf-actor', of: { by: 'unit', unit: 'kf-actor.service' } },
    { atom: 'process', key: 'other', of: { by: 'unit', unit: 'kf-other.service' } },
    { atom: 'process', key: 'none', of: { by: 'unit', unit: 'kf-none.service' } },
    { atom: 'attempts', key: 'as process', as: { by: 'process', key: 'kf-actor' }, tries },
    { atom: 'attempts', key: 'as account', as: { by: 'account', user: 'actor' }, tries },
    { atom: 'attempts', key: 'as none', as: { by: 'process', key: 'none' }, tries },
    { atom: 'attempts', key: 'nobody there', as: { by: 'account', user: 'not-an-account' }, tries },
  ]
  const before = session.roundTrips
  const seen = await ask(session, atoms)
  expect(session.roundTrips - before).toBe(1)
  const [actor] = present<readonly ProcessState[]>(seen.processes.get('kf-actor'))
  expect(actor).toMatchObject({
    uids: { effective: 5401 },
    gids: { effective: 5402 },
    noNewPrivileges: true,
    userNamespace: 'initial',
    mountNamespace: 'other',
  })
  expect(actor?.groups).toContain(5403)
  expect(seen.processes.get('none')).toEqual({ is: 'absent' })
  expect(seen.attempts.get('as none')).toEqual({ is: 'absent' })
  const said = (key: string): readonly string[] =>
    present<readonly TrialState[]>(seen.attempts.get(key)).flatMap(({ attempts }) =>
      attempts.map((each) => (each.is === 'denied' ? each.errno : each.is)),
    )
  expect(said('as process')).toEqual(['granted', 'EROFS', 'EACCES', 'EACCES', 'EROFS', 'EPERM', 'granted'])
  // the account is not in the group that the unit gives, and has no mounts of its own
  expect(said('as account')).toEqual(['EACCES', 'EACCES', 'granted', 'EACCES', 'granted', 'EPERM', 'granted'])
  expect(new Set(said('nobody there'))).toEqual(new Set(['unknown']))
})
