import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostProof } from '../../../src/model/access.ts'
import { drive } from '../../converge/drive.ts'
import { startLab, type Lab, type LabHost } from '../../lab/lab.ts'
import { unproved, verify } from '../drive.ts'

/* A socket from end to end on converged hosts, which have socat; and what is said where somebody tampers with it. */

const socket = '/run/openbao-kms/kms.sock'
const program = '/usr/bin/bao-kms-provider'
/** Until somebody has made the socket, which is some time after its unit was started. */
const listening = `for i in $(seq 50); do [ ! -S ${socket} ] || break; sleep 0.1; done; [ -S ${socket} ]`
const restart = `systemctl restart bao-kms-provider; ${listening}`

let lab: Lab
let first: LabHost
let second: LabHost
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  const [one, other] = lab.hosts
  if (one === undefined || other === undefined) throw new Error('expected two hosts')
  ;[first, second] = [one, other]
  for (const playbook of ['playbooks/rollout.yml', 'playbooks/restart-apiserver.yml']) {
    const made = await drive(lab, 'converge', { playbook, apart: true })
    expect(made.of('failed')).toEqual([])
  }
})
afterAll(() => lab.down())

async function prove(host: LabHost): Promise<HostProof> {
  const proof = (await verify(lab, { limit: host.name })).get(host.name)
  if (proof === undefined) throw new Error(`expected a proof of ${host.name}`)
  return proof
}

/** What is not proved of the socket itself. */
const open = (proof: HostProof): readonly string[] =>
  unproved(proof).filter((line) => /^\w+ \/run\/openbao-kms\/kms\.sock, /.test(line))

const providerLog = (host: LabHost): Promise<string> =>
  lab.exec(host, 'journalctl --quiet --no-pager -o cat -u bao-kms-provider')

/** Does it, proves, and undoes it again. */
async function during(doing: string, undoing: string): Promise<HostProof> {
  await lab.exec(first, doing)
  try {
    return await prove(first)
  } finally {
    await lab.exec(first, undoing)
  }
}

test('a converged cluster is proved: who holds it, three calls with their times, one key; the provider notices nothing', async () => {
  const said = await providerLog(first)
  const proofs = [...(await verify(lab)).values()]
  expect(proofs.flatMap(unproved)).toEqual([])
  const sockets = proofs.flatMap((proof) => proof.sockets)
  expect(sockets).toHaveLength(2)
  for (const { path, through, calls } of sockets) {
    expect([path, through]).toEqual([socket, 'socat'])
    expect(calls.map(({ call }) => call)).toEqual(['Status', 'Encrypt', 'Decrypt'])
    expect(calls.every(({ milliseconds }) => milliseconds > 0)).toBe(true)
  }
  expect(new Set(sockets.map(({ keyIdHash }) => keyIdHash)).size).toBe(1)
  expect(sockets[0]?.keyIdHash).toMatch(/^[\w-]{43}$/)
  expect(await providerLog(first)).toBe(said)
  expect(await lab.exec(first, 'pgrep -c socat || true')).toBe('0\n')
  const checks = proofs[0]?.checks.map(({ expected }) => expected) ?? []
  expect(checks).toContain('doctor, as provider: transit.probe')
  expect(checks).toContain('all hosts of lab report one key id')
})

describe('without a program that leads to a socket', () => {
  test('the probe of the provider asks as the API server', async () => {
    const proof = await during('mv /usr/bin/socat /usr/bin/away', 'mv /usr/bin/away /usr/bin/socat')
    expect(unproved(proof)).toEqual([])
    expect(proof.sockets[0]).toMatchObject({ through: 'probe', calls: [] })
    const [other] = (await prove(first)).sockets
    expect(proof.sockets[0]?.keyIdHash).toBe(other?.keyIdHash)
  })

  test('and a program that others can write is not run: it is unknown, and said what to install', async () => {
    const proof = await during(
      `mv /usr/bin/socat /usr/bin/away; chmod 0775 ${program}`,
      `mv /usr/bin/away /usr/bin/socat; chmod 0755 ${program}`,
    )
    expect(open(proof)).toEqual([
      `unknown ${socket}, it answers Status, Encrypt and Decrypt as kube-apiserver: this host has no program that leads a connection to a socket: install socat or ncat on it`,
    ])
    expect(unproved(proof)).toContain(
      `unknown ${program}, it says that all is well: it is not there, or others than root could have put it there: it was not run`,
    )
  })
})

test('a provider that stands in the place of the right one is found by who got the connection', async () => {
  const proof = await during(
    `mv ${socket} ${socket}.away
     install -d -m 0700 -o openbao-kms -g openbao-kms /run/fake
     sed -e 's|/var/lib/openbao-kms/state|/run/fake|; s|\\(healthAddress: .*\\):[0-9]*|\\1:39871|; s|\\(metricsAddress: .*\\):[0-9]*|\\1:39872|' \\
       /etc/openbao-kms/config.yaml >/etc/openbao-kms/fake.yaml
     chown root:openbao-kms /etc/openbao-kms/fake.yaml; chmod 0640 /etc/openbao-kms/fake.yaml
     systemd-run --quiet --unit=fake -p User=openbao-kms -p SupplementaryGroups=openbao-kms-socket ${program} serve --config /etc/openbao-kms/fake.yaml
     ${listening}`,
    `systemctl stop fake; rm -rf /run/fake /etc/openbao-kms/fake.yaml; mv ${socket}.away ${socket}`,
  )
  expect(open(proof)).toEqual([
    `violated ${socket}, it was the same socket all the time, and provider took the connection: something answered, and provider has got no connection by that`,
  ])
})

test('a socket of somebody else, with nothing of the provider behind it, is not spoken to', async () => {
  const proof = await during(
    `systemctl stop bao-kms-provider
     systemd-run --quiet --unit=fake socat UNIX-LISTEN:${socket},fork,user=openbao-kms,group=openbao-kms-socket,mode=0660 OPEN:/run/heard,creat,append
     ${listening}`,
    `systemctl stop fake; rm -f ${socket} /run/heard; ${restart}`,
  )
  expect(open(proof)).toEqual([
    `violated ${socket}, a process of provider listens there: nothing of it runs`,
    `violated ${socket}, it answers Status, Encrypt and Decrypt as kube-apiserver: it was not asked: nothing of it runs`,
  ])
})

test('a provider that is stopped is violated', async () => {
  const proof = await during('systemctl stop bao-kms-provider', restart)
  expect(open(proof)).toEqual([
    `violated ${socket}, a process of provider listens there: no socket is there`,
    `violated ${socket}, it is a socket of openbao-kms:openbao-kms-socket with mode 0660: nothing is there`,
    `violated ${socket}, it answers Status, Encrypt and Decrypt as kube-apiserver: it was not asked: no socket is there`,
  ])
})

test('a provider that hangs is violated once the time is over, and nothing of ours stays on the host', async () => {
  const pid = 'systemctl show -p MainPID --value bao-kms-provider'
  await lab.exec(first, `kill -STOP $(${pid})`)
  try {
    const proof = await prove(first)
    expect(open(proof).join()).toMatch(/violated .*expected an answer to Status, found no end within 15 s/)
    expect(await lab.exec(first, 'pgrep -c socat || true')).toBe('0\n')
  } finally {
    await lab.exec(first, `kill -CONT $(${pid})`)
  }
})

test('two keys in one cluster are violated on both hosts, which are named', async () => {
  await lab.exec(
    second,
    `sed -i 's/\\(keyLineageId: *\\).*/\\1other-lineage/' /etc/openbao-kms/config.yaml; ${restart}`,
  )
  const proofs = await verify(lab)
  for (const proof of proofs.values()) {
    expect(open(proof).join()).toMatch(
      /^violated .*, all hosts of lab report one key id: found [\w-]{12}… on h1; [\w-]{12}… on h2$/,
    )
  }
})
