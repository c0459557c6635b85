import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Digest } from '../../src/model/secret.ts'
import { makeRelease } from '../lab/release.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { cutAfter } from '../transport/cut.ts'
import { tarball } from '../modules/tarball.ts'
import { drive, openDesk, type Desk } from './drive.ts'
import { connectInside } from './inside.ts'

/*
 * What runs stays recoverable: another identity is refused, and a configuration or program under which the service does
 * not become ready gives way to the one of before. The lab's provider is a stand-in.
 */

let lab: Lab
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  const made = await drive(lab, 'converge')
  expect(made.exitCode).toBe(0)
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const hostNamed = (name: string): LabHost => {
  const found = lab.hosts.find((host) => host.name === name)
  if (found === undefined) throw new Error(`expected ${name} in the lab, found none`)
  return found
}

const config = '/etc/openbao-kms/config.yaml'
const program = '/usr/bin/bao-kms-provider'
const kept =
  'find /etc /usr/bin /run/kmsfleet/kept -name ".kmsfleet*" -o -path "/run/kmsfleet/kept/*" 2>/dev/null'
const inodes = (host: LabHost): Promise<string> =>
  lab.exec(host, `stat -c '%i %U:%G %a %n' ${config} ${program}`)

describe('another identity', () => {
  const extraVars = { openbao_kms_cluster_id: 'another' }

  test('is refused as a rail, names the fields, and nothing is written', async () => {
    const before = await inodes(hostNamed('h1'))
    const run = await drive(lab, 'converge', { limit: 'h1', extraVars })
    expect(run.exitCode).toBe(16)
    expect(run.problem('h1')).toMatchObject({ code: 'resource.identity' })
    expect(run.problem('h1').message).toContain('transit.keyIdScope.clusterId lab -> another')
    expect(run.done('h1')).toEqual([])
    expect(await inodes(hostNamed('h1'))).toBe(before)
  })

  test('is made where exactly that host is named, and a host that keeps its own must not be named', async () => {
    const run = await drive(lab, 'converge', { limit: 'h2', extraVars, acceptNewIdentity: ['h2'] })
    expect(run.exitCode).toBe(0)
    expect(run.planned('h2')).toContain(
      'file:/etc/openbao-kms/config.yaml transit.keyIdScope.clusterId lab -> another',
    )
    const again = await drive(lab, 'plan', { limit: 'h2', extraVars, acceptNewIdentity: ['h2'] })
    expect(again.exitCode).toBe(16)
    expect(again.problem('h2').message).toContain('expected h2 to get another identity')
    await expect(drive(lab, 'plan', { limit: 'h2', acceptNewIdentity: ['h1'] })).rejects.toThrow(
      'expected --accept-new-identity to name hosts whose provider this run configures, found h1',
    )
    const back = await drive(lab, 'converge', { limit: 'h2', acceptNewIdentity: ['h2'] })
    expect(back.exitCode).toBe(0)
  })

  test('an unreadable file is refused unless it is accepted', async () => {
    const host = hostNamed('h2')
    await lab.exec(host, `cp -p ${config} /root/config; echo '{' >${config}`)
    const run = await drive(lab, 'plan', { limit: 'h2' })
    expect(run.exitCode).toBe(16)
    expect(run.problem('h2').message).toContain('whose identity must be kept, found one that cannot be read')
    expect((await drive(lab, 'converge', { limit: 'h2', acceptNewIdentity: ['h2'] })).exitCode).toBe(0)
  })
})

describe('what the service does not become ready with', () => {
  /** Accepted by every check of its text; but the address is taken. */
  const taken = (host: LabHost): Record<string, unknown> => ({
    openbao_kms_metrics_address: `${host.address}:${String(host.port)}`,
    openbao_kms_ready_within: 3,
  })

  test('a configuration: the one of before is back, the very file, and the service runs with it', async () => {
    const host = hostNamed('h1')
    const before = await inodes(host)
    const run = await drive(lab, 'converge', { limit: 'h1', extraVars: taken(host) })
    expect(run.exitCode).toBe(4)
    expect(run.problem('h1').message).toMatch(
      // It may end before systemd has called it started.
      /^unit:bao-kms-provider.service: (ready: expected .* to be ready within 3 s|unit: expected .* to restart), found.*; rolled back: the version of before is back at \/etc\/openbao-kms\/config.yaml, and the unit is ready with it$/s,
    )
    expect(await inodes(host)).toBe(before)
    expect(await lab.exec(host, kept)).toBe('')
    expect((await drive(lab, 'plan', { limit: 'h1' })).exitCode).toBe(0)
  })

  test('a file that others could write is not brought back', async () => {
    const host = hostNamed('h1')
    await lab.exec(host, `chmod 0666 ${config}`)
    const run = await drive(lab, 'converge', {
      limit: 'h1',
      extraVars: taken(host),
      acceptNewIdentity: ['h1'],
    })
    expect(run.exitCode).toBe(4)
    expect(run.problem('h1').message).toMatch(/; not rolled back: nothing of before was kept$/)
    expect(await inodes(host)).toMatch(/^\d+ root:openbao-kms 640 \/etc/)
    expect(await lab.exec(host, kept)).toBe('')
    expect((await drive(lab, 'converge', { limit: 'h1' })).exitCode).toBe(0)
  })

  test('a program, with a configuration beside it: both are back', async () => {
    const host = hostNamed('h1')
    const before = await inodes(host)
    const release = tarball([
      ['r/bin/bao-kms-provider', '#!/bin/sh\n[ "$1" != serve ] || exit 1\n'],
      ['r/README.md', ''],
      ['r/LICENSE', ''],
      ['r/kubernetes/encryption-config.yaml', ''],
    ])
    const sha256 = Digest.of(release).reveal()
    writeFileSync(join(desk.folder, 'r.tar.gz'), release)
    const run = await drive(lab, 'converge', {
      limit: 'h1',
      extraVars: {
        openbao_kms_bundle: join(desk.folder, 'r.tar.gz'),
        openbao_kms_bundle_checksums: desk.file('checksums.txt', `${sha256}  r.tar.gz\n`),
        openbao_kms_bundle_sha256: sha256,
        openbao_kms_jwt_role: 'another-role',
        openbao_kms_ready_within: 3,
      },
    })
    expect(run.exitCode).toBe(4)
    expect(run.problem('h1').message).toMatch(
      /rolled back: .* at \/usr\/bin\/bao-kms-provider \/etc\/openbao-kms\/config.yaml/,
    )
    expect(await inodes(host)).toBe(before)
    expect(await lab.exec(host, kept)).toBe('')
  })
})

describe('the upgrade playbook', () => {
  const state = '/var/lib/openbao-kms/state'
  const states = async (): Promise<readonly string[]> =>
    Promise.all(lab.hosts.map((host) => lab.exec(host, `stat -c '%n %i %Y' ${state}/*; ${program} version`)))

  const keyIdHash = async (): Promise<string> => {
    const said = await lab.exec(
      hostNamed('h1'),
      `setpriv --reuid=openbao-kms --regid=openbao-kms --init-groups ${program} rotation-plan --config ${config} --output json`,
    )
    return /"activeKeyIdHash": "(\w+)"/.exec(said)?.[1] ?? ''
  }

  test('goes host by host, and leaves the state alone', async () => {
    const release = await makeRelease('v0.9.0')
    const before = await states()
    const run = await drive(lab, 'converge', {
      playbook: 'playbooks/upgrade.yml',
      extraVars: {
        openbao_kms_key_id_hash: await keyIdHash(),
        openbao_kms_bundle: release.tarball,
        openbao_kms_bundle_checksums: release.checksums,
        openbao_kms_bundle_sha256: release.sha256,
      },
    })
    expect(run.exitCode).toBe(0)
    const hosts = run
      .of('acting')
      .filter(({ change }) => /^(file|unit):/.test(change))
      .map(({ host }) => host)
    expect(hosts).toEqual(hosts.toSorted())
    expect(new Set(hosts)).toEqual(new Set(['h1', 'h2']))
    const after = await states()
    expect(after).toEqual(before.map((text) => text.replace(/version v\S+/, 'version v0.9.0')))
    expect(await Promise.all(lab.hosts.map((host) => lab.exec(host, kept)))).toEqual(['', ''])
  })

  test.each([
    [
      'a rotation is pending',
      'pending',
      /rotationState is pending \(expected active\) and the hash of the key id is \w+ \(/,
    ],
    ['the state of the rotation is unknown', 'unknown', /rotationState is unknown \(expected active\)/],
    [
      'one host shows another key',
      'another',
      /rotationState is active .* the hash of the key id is \w{16} \(expected \w{16}\)/,
    ],
  ])('replaces nothing where %s', async (_, said, says) => {
    await lab.exec(hostNamed('h2'), `echo ${said} >/run/stand-in-rotation`)
    const run = await drive(lab, 'converge', {
      playbook: 'playbooks/upgrade.yml',
      extraVars: { openbao_kms_key_id_hash: await keyIdHash(), openbao_kms_jwt_role: 'another-role' },
    })
    await lab.exec(hostNamed('h2'), 'rm /run/stand-in-rotation')
    expect(run.exitCode & 4).toBe(4)
    expect(JSON.stringify(run.events)).toMatch(says)
    expect(run.of('done').filter(({ change }) => /^(file|unit):/.test(change))).toEqual([])
  })

  test('replaces nothing where nobody said which key is meant, and tells what is found', async () => {
    const hash = await keyIdHash()
    const run = await drive(lab, 'converge', {
      playbook: 'playbooks/upgrade.yml',
      extraVars: { openbao_kms_jwt_role: 'another-role' },
    })
    expect(run.exitCode & 4).toBe(4)
    expect(JSON.stringify(run.events)).toContain(`the hash of the key id is ${hash} (expected the one of`)
    expect(run.of('done').filter(({ change }) => /^(file|unit):/.test(change))).toEqual([])
  })

  test('replaces nothing where a provider is not ready, whoever answers in its place', async () => {
    await lab.exec(hostNamed('h2'), 'systemctl stop bao-kms-provider')
    const [address, port] = hostNamed('h2').healthAddress.split(':')
    const other = createServer((_, answer) => answer.end('ok'))
    await new Promise<void>((resolve) => other.listen(Number(port), address, resolve))
    const run = await drive(lab, 'converge', { playbook: 'playbooks/upgrade.yml' })
    await new Promise((resolve) => other.close(resolve))
    await lab.exec(hostNamed('h2'), 'systemctl start bao-kms-provider')
    expect(run.exitCode & 4).toBe(4)
    expect(run.problem('h2').message).toContain('bao-kms-provider.service has no process')
    expect(run.of('done').filter(({ change }) => change.startsWith('file:'))).toEqual([])
  })
})

describe('a run that dies between a file and the gate of its restart', () => {
  const service = `[Unit]
StartLimitIntervalSec=0
[Service]
ExecStartPre=/bin/grep -q good /srv/kf/config
ExecStart=/usr/bin/sleep infinity
`
  const root = { owner: 'root', group: 'root' }
  const play = (text: string, between: readonly string[] = ['sleep', '0.1']): string =>
    desk.playbook({
      tasks: [
        { copy: { content: service, dest: '/etc/systemd/system/kf.service', mode: '0644', ...root } },
        { copy: { content: text, dest: '/srv/kf/config', mode: '0640', ...root } },
        { command: { argv: between, always: true } },
        { unit: { name: 'kf.service', state: 'started', within: 5, restart_on: ['/srv/kf/config'] } },
      ],
    })
  const base = { limit: 'h2' }
  const state = (host: LabHost): Promise<string> =>
    lab.exec(
      host,
      'cat /srv/kf/config; systemctl is-active kf || :; cat /run/kmsfleet/kept/* 2>/dev/null || :',
    )
  beforeAll(async () => {
    await lab.exec(hostNamed('h2'), 'mkdir -p /srv/kf')
    expect((await drive(lab, 'converge', { ...base, playbook: play('good 0\n') })).exitCode).toBe(0)
  })

  test('the version that is known to be good is kept, whatever comes after it', async () => {
    const host = hostNamed('h2')
    const inode = await lab.exec(host, 'stat -c %i /srv/kf/config')
    const died = await drive(lab, 'converge', {
      ...base,
      playbook: play('good, but never tried\n', ['false']),
    })
    expect(died.problem('h2').message).toContain('command')
    expect(await state(host)).toBe('good, but never tried\nactive\n/srv/kf/config\n')
    expect(await lab.exec(host, 'stat -c "%U %a %F" /srv/kf/.kmsfleet-kept')).toBe('root 700 directory\n')
    const next = await drive(lab, 'converge', { ...base, playbook: play('bad\n') })
    expect(next.planned('h2')).toContain(
      'unit:kf.service restart not needed -> needed: an earlier run put /srv/kf/config there and never saw the unit ready with it',
    )
    expect(next.problem('h2').message).toContain(
      '; rolled back: the version of before is back at /srv/kf/config',
    )
    expect(await state(host)).toBe('good 0\nactive\n')
    expect(await lab.exec(host, 'stat -c %i /srv/kf/config; ls -A /srv/kf')).toBe(`${inode}config\n`)
  })

  test("nothing comes back where the directory became another's meanwhile, and the run says so", async () => {
    const host = hostNamed('h2')
    await drive(lab, 'converge', { ...base, playbook: play('good, but never tried\n', ['false']) })
    await lab.exec(host, 'chown nobody /srv/kf')
    const next = await drive(lab, 'converge', { ...base, playbook: play('bad\n') })
    expect(next.exitCode).toBe(4)
    expect(next.problem('h2').message).toMatch(/; not rolled back: \/srv\/kf\/config$/)
    expect(await lab.exec(host, 'cat /srv/kf/config /srv/kf/.kmsfleet-kept/config')).toBe('bad\ngood 0\n')
    await lab.exec(host, 'chown root /srv/kf; rm -r /srv/kf/.kmsfleet-kept')
    const mended = await drive(lab, 'converge', { ...base, playbook: play('good 0\n') })
    expect(mended.exitCode).toBe(0)
  })

  test('wherever the connection breaks, the next run ends with a service that runs and nothing left behind', async () => {
    const host = hostNamed('h2')
    const connect = connectInside(lab)
    const bad = play('bad\n')
    const { bytesReceived } = (await drive(lab, 'plan', { ...base, connect, playbook: bad })).ended('h2').cost
    const states = new Set<string>()
    for (const [index, bytes] of [90, 180, 270, 350].entries()) {
      const cut = cutAfter(connect, { bytesReceived: bytesReceived + bytes })
      await drive(lab, 'converge', { ...base, connect: cut, playbook: bad })
      await lab.exec(host, 'while pgrep -f "KMSFLEET 1 BEGIN" >/dev/null; do sleep 0.02; done')
      states.add(await state(host))
      // Alternately the run is finished, which rolls back, or mended by what is good.
      const finished = index % 2 === 0
      const next = await drive(lab, 'converge', {
        ...base,
        connect,
        playbook: finished ? bad : play(`good ${String(index)}\n`),
      })
      expect(next.exitCode).toBe(finished ? 4 : 0)
      expect(await state(host)).toMatch(/^good \d+\nactive\n$/)
      expect(await lab.exec(host, 'ls -A /srv/kf')).toBe('config\n')
    }
    expect(states.size).toBeGreaterThan(1)
  })
})
