import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCode } from '../../src/model/outcome.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { kmsfleet, type CliEnd } from './cli.ts'

let lab: Lab
const state = mkdtempSync(join(tmpdir(), 'kmsfleet-remove-'))

beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
})
afterAll(async () => {
  await lab.down()
  rmSync(state, { recursive: true })
})

const converge = (playbook: string, ...more: readonly string[]): Promise<CliEnd> =>
  kmsfleet(state, 'converge', `playbooks/${playbook}.yml`, '-i', lab.inventoryFile, '--yes', ...more)

const on = (script: string): Promise<string> => {
  const [host] = lab.hosts
  if (host === undefined) throw new Error('expected a host')
  return lab.exec(host, script)
}

/** What a removal must keep, by content; accounts and their ids too. */
const kept = `cd / && sha256sum etc/openbao-kms/config.yaml etc/openbao-kms/tls/ca.crt var/lib/openbao-kms/identity.jwt \
  var/lib/openbao-kms/state/key-registry.json var/lib/openbao-kms/state/key-registry.json.checkpoint \
  var/lib/openbao-kms/state/key-registry.json.lock
stat -c '%n %U:%G %a %i' etc/openbao-kms/config.yaml var/lib/openbao-kms/state var/lib/openbao-kms/state/*
id openbao-kms; getent group openbao-kms openbao-kms-socket`

const installed = `for path in /etc/systemd/system/bao-kms-provider.service /usr/bin/bao-kms-provider \
  /run/openbao-kms/kms.sock /etc/kubernetes/manifests/bao-kms-provider.yaml; do
  if [ -e "$path" ]; then echo "$path"; fi
done`

test('a removal keeps what a rollout needs to bring everything back; a purge names its cluster', async () => {
  const made = await converge('rollout')
  expect(made.stderr).not.toMatch(/error/)
  expect(made.code).toBe(0)
  // The provider of the lab keeps no registry: what a real one would have written.
  await on(`mkdir -p /etc/kubernetes/manifests && echo pod >/etc/kubernetes/manifests/bao-kms-provider.yaml
cd /var/lib/openbao-kms/state && for name in key-registry.json key-registry.json.checkpoint key-registry.json.lock; do
  echo "$name" >"$name" && chown openbao-kms:openbao-kms "$name" && chmod 0600 "$name"
done`)
  const before = await on(kept)
  expect(before).toMatch(/key-registry\.json\.lock openbao-kms:openbao-kms 600/)

  // An API server that uses the provider would lose what it wrote.
  await on(`mkdir -p /etc/kubernetes/openbao-kms
echo 'endpoint: unix:///var/run/openbao-kms/kms.sock' >/srv/encryption-config.yaml
ln -s /srv/encryption-config.yaml /etc/kubernetes/openbao-kms/encryption-config.yaml`)
  const used = await converge('remove')
  expect(used.code & exitCode.hostFailed).toBe(exitCode.hostFailed)
  expect(used.stdout).toMatch(
    /encryption configuration in \/etc\/kubernetes names \/run\/openbao-kms\/kms\.sock/,
  )
  expect((await on(installed)).split('\n').filter((line) => line !== '')).toHaveLength(4)
  await on('rm /etc/kubernetes/openbao-kms/encryption-config.yaml')

  expect(await converge('remove')).toMatchObject({ code: 0 })
  expect(await on(installed)).toBe('')
  expect(await on('systemctl show -P LoadState bao-kms-provider.service')).toBe('not-found\n')
  expect(await on(kept)).toBe(before)

  const again = await converge('remove')
  expect(again).toMatchObject({ code: 0 })
  expect(again.stdout).toMatch(/0 changed|nothing/)

  // The other way to make the runtime directory, which has a unit of its own.
  expect(await converge('rollout', '-e', 'openbao_kms_run_dir_by=install')).toMatchObject({ code: 0 })
  expect(await on('systemctl is-enabled openbao-kms-run-directory.service')).toBe('enabled\n')
  expect(await on('systemctl is-active bao-kms-provider.service')).toBe('active\n')
  expect(await on(kept)).toBe(before)

  const wrong = await converge('remove', '-e', 'openbao_kms_purge=REMOVE EVERYTHING ON another')
  expect(wrong.code).not.toBe(0)
  expect(wrong.stdout).toMatch(/openbao_kms_purge must be: REMOVE EVERYTHING ON c1/)
  expect(await on('systemctl is-active bao-kms-provider.service')).toBe('active\n')

  // kubelet would not start the API server any more.
  await on(`mkdir -p /etc/kubernetes/manifests
echo 'path: /run/openbao-kms' >/etc/kubernetes/manifests/kube-apiserver.yaml`)
  const mounted = await converge('remove', '-e', 'openbao_kms_purge=REMOVE EVERYTHING ON c1')
  expect(mounted.code & exitCode.hostFailed).toBe(exitCode.hostFailed)
  expect(mounted.stdout).toMatch(/kube-apiserver\.yaml mounts \/run\/openbao-kms/)
  expect(await on('systemctl is-active bao-kms-provider.service')).toBe('active\n')
  await on('rm /etc/kubernetes/manifests/kube-apiserver.yaml')

  // What is not named stays, and the host says so.
  await on('touch /var/lib/openbao-kms/state/note')
  const stranger = await converge('remove', '-e', 'openbao_kms_purge=REMOVE EVERYTHING ON c1')
  expect(stranger.code & exitCode.hostFailed).toBe(exitCode.hostFailed)
  expect(await on('ls /var/lib/openbao-kms/state')).toBe('note\n')
  await on('rm /var/lib/openbao-kms/state/note')

  // What a rollout of the other shape left.
  await on('echo "d /run/openbao-kms" >/etc/tmpfiles.d/openbao-kms-static-pod.conf')
  const all = [
    '-e',
    'openbao_kms_purge=REMOVE EVERYTHING ON c1',
    '-e',
    'openbao_kms_user=kms-of-another-name',
  ]
  expect(await converge('remove', ...all)).toMatchObject({ code: 0 })
  expect(
    await on(`ls -d /etc/openbao-kms /var/lib/openbao-kms /run/openbao-kms /usr/share/doc/bao-kms-provider \
      /etc/*.d/openbao-kms*.conf /etc/systemd/system/openbao-kms* 2>/dev/null || true`),
  ).toBe('')

  // Accounts go by a phrase of their own, beside the other, and only while nothing runs as them.
  const accounts = ['-e', 'openbao_kms_purge_accounts=REMOVE ACCOUNTS ON c1']
  const alone = await converge('remove', ...accounts)
  expect(alone.stdout).toMatch(/openbao_kms_purge must be given/)
  const both = [...all.slice(0, 2), ...accounts]
  await on('setpriv --reuid openbao-kms --clear-groups sleep 600 >/dev/null 2>&1 & echo $! >/run/sleeper')
  const running = await converge('remove', ...both)
  expect(running.code & exitCode.hostFailed).toBe(exitCode.hostFailed)
  expect(running.stdout).toMatch(/expected no process of openbao-kms, found process [0-9]+/)
  await on('kill "$(cat /run/sleeper)"')
  await on('usermod -s /bin/sh openbao-kms')
  const changed = await converge('remove', ...both)
  expect(changed.stdout).toMatch(
    /expected the user openbao-kms to be the one that was made, found the shell \/bin\/sh/,
  )
  await on('usermod -s /usr/sbin/nologin openbao-kms')
  expect(await converge('remove', ...both)).toMatchObject({ code: 0 })
  expect(await on('grep -h openbao /etc/passwd /etc/group /etc/shadow /etc/gshadow || true')).toBe('')
  const gone = await converge('remove', ...both)
  expect(gone).toMatchObject({ code: 0 })
  expect(gone.stdout).toMatch(/0 changed|nothing/)
}, 240_000)
