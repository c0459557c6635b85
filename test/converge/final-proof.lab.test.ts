import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLab, type Lab } from '../lab/lab.ts'
import { drive, rollout, type Driven } from './drive.ts'

let lab: Lab
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
})
afterAll(() => lab.down())

const on = (command: string): Promise<string> => {
  const [host] = lab.hosts
  if (host === undefined) throw new Error('expected a host, found none')
  return lab.exec(host, command)
}
const converge = (playbook: string, verify: boolean): Promise<Driven> =>
  drive(lab, 'converge', { playbook, verify })
const access = (run: Driven): readonly unknown[] => run.of('access').map((event) => event.access)

test('a first rollout is proved but for what waits for the restart that is due; that does not count', async () => {
  const first = await converge(rollout, true)
  expect(first.exitCode).toBe(0)
  const [found] = access(first)
  expect(found).toMatchObject({ is: 'verified', counts: { unknown: 0 } })
  const { findings } = found as {
    readonly findings: readonly { readonly text: string; readonly due: boolean }[]
  }
  expect(findings.every(({ due }) => due)).toBe(true)
  expect(findings.map(({ text }) => text).join('\n')).toContain(
    'kube-apiserver must connect to /run/openbao-kms/kms.sock',
  )
})

test('a play whose roles have no matrix of their own proves nothing, and says nothing', async () => {
  const restart = await converge('playbooks/restart-apiserver.yml', true)
  expect([restart.exitCode, access(restart)]).toEqual([0, []])
})

test('nothing is proved where nothing was changed; what was changed is, unless it is told not to', async () => {
  expect(access(await converge(rollout, true))).toEqual([])
  await on('chmod 2770 /run/openbao-kms')
  const mended = await converge(rollout, true)
  expect(mended.exitCode).toBe(0)
  expect(access(mended)).toMatchObject([
    { is: 'verified', counts: { violated: 0, unknown: 0 }, findings: [] },
  ])
  await on('chmod 2770 /run/openbao-kms')
  const quiet = await converge(rollout, false)
  expect([quiet.exitCode, access(quiet)]).toEqual([
    0,
    [{ is: 'not-verified', because: '--no-verify was given' }],
  ])
})

test('what no task of the roles would mend counts', async () => {
  await on(
    'cd /var/lib/openbao-kms && install -m 0644 identity.jwt identity.jwt.bak && chmod 2770 /run/openbao-kms',
  )
  const run = await converge(rollout, true)
  expect(run.exitCode).toBe(2)
  expect(JSON.stringify(access(run))).toContain('identity.jwt.bak')
})
