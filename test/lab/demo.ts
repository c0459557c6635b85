import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startLab, type Lab } from './lab.ts'

const program = join(import.meta.dirname, '../../dist/cli/main.js')
const playbook = 'playbooks/rollout.yml'

/** Exit codes of kmsfleet that the demo meets. */
const done = 0
const differs = 2

/** Runs the real command line as a child, its output visible, and ends the demo where its exit code is another. */
function kmsfleet(lab: Lab, expected: number, ...args: string[]): void {
  const all = [...args, '-i', lab.inventoryFile]
  console.log(`\n$ kmsfleet ${all.join(' ')}`)
  const { status } = spawnSync(process.execPath, [program, ...all], { stdio: 'inherit' })
  if (status !== expected) {
    throw new Error(`expected exit code ${String(expected)}, found ${String(status ?? 'a signal')}`)
  }
}

function say(text: string): void {
  console.log(`\n# ${text}`)
}

say('Boot three bare Debian hosts: a real systemd and a real sshd each, nothing of the identity model.')
await using lab = await startLab({
  hosts: [{ variant: 'plain' }, { variant: 'plain' }, { variant: 'plain' }],
})
for (const host of lab.hosts) console.log(`  ${host.name}  ${host.user}@${host.address}:${String(host.port)}`)

say('Can they be reached, with the host keys that are known?')
kmsfleet(lab, done, 'ping')

say('What would be done? Nothing is written; exit code 2 says that something differs.')
kmsfleet(lab, differs, 'plan', playbook)

say('Do it.')
kmsfleet(lab, done, 'converge', '--yes', playbook)

say('Once more: nothing is left to do, and plan now ends with 0.')
kmsfleet(lab, done, 'converge', '--yes', playbook)
kmsfleet(lab, done, 'plan', playbook)

const [, second] = lab.hosts
if (second === undefined) throw new Error('expected a second host, found none')
say(`Somebody lets the socket group replace the socket of ${second.name}:`)
console.log(`\n${second.name}# chmod 2770 /run/openbao-kms`)
await lab.exec(second, 'chmod 2770 /run/openbao-kms')
kmsfleet(lab, differs, 'plan', playbook)

say('Mend just that.')
kmsfleet(lab, done, 'converge', '--yes', playbook)
kmsfleet(lab, done, 'plan', playbook)

say(
  'The API servers were started before they were in the group of the socket. What is due is done by a play of its own.',
)
kmsfleet(lab, done, 'converge', '--yes', 'playbooks/restart-apiserver.yml')

say('Who can do what now, and who cannot? Every access is tried as the one who would make it.')
kmsfleet(lab, done, 'verify', playbook)

say(`Somebody lets the API server of ${second.name} read the provider's token, in a way that no mode shows:`)
const token = '/var/lib/openbao-kms/identity.jwt'
const folder = '/var/lib/openbao-kms'
console.log(
  `\n${second.name}# setfacl -m u:kube-apiserver:r ${token}; setfacl -m u:kube-apiserver:x ${folder}`,
)
await lab.exec(second, `setfacl -m u:kube-apiserver:r ${token}; setfacl -m u:kube-apiserver:x ${folder}`)
kmsfleet(lab, differs, 'verify', playbook)
kmsfleet(lab, done, 'why', 'kube-apiserver', 'read', token, '-l', second.name)

say('Mended, and proved again at the end of the run.')
kmsfleet(lab, done, 'converge', '--yes', playbook)
say('Done; the hosts are taken down.')
