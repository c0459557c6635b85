import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from './process.ts'
import { hostGroups, slotFolder, type Slot } from './slot.ts'
import { loginUser, variantArguments, variantFiles, type Overlaid, type Variant } from './variant.ts'

export const sshPort = 2222
const bootLimitMs = 60_000

export interface HostSeed {
  readonly slot: Slot
  readonly name: string
  readonly variant: Variant
  readonly address: string
  readonly base: string
  /** Public half of the lab's client key, one line. */
  readonly authorizedKey: string
  /** crypt(3) hash for `ops`. */
  readonly passwordHash: string
}

/** The parts of a host's folder in its slot: `root` is what it sees as /. */
export const hostFolder = (slot: Slot, name: string): string => join(slotFolder(slot), 'hosts', name)

/** Makes the layers of a host and its own key; returns the public key, as `type base64`. */
export async function makeHost(seed: HostSeed): Promise<string> {
  const folder = hostFolder(seed.slot, seed.name)
  for (const part of ['upper', 'work', 'root'])
    mkdirSync(join(folder, part), { recursive: true, mode: 0o755 })
  const key = join(folder, 'hostkey')
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', seed.name, '-f', key])
  const publicLine = readFileSync(`${key}.pub`, 'utf8')

  const files: Overlaid[] = [
    { path: 'etc/hostname', text: `${seed.name}\n` },
    { path: 'etc/hosts', text: `127.0.0.1 localhost\n127.0.1.1 ${seed.name}\n` },
    { path: 'etc/machine-id', mode: 0o444, text: `${randomBytes(16).toString('hex')}\n` },
    { path: 'etc/ssh/ssh_host_ed25519_key', mode: 0o600, text: readFileSync(key, 'utf8') },
    { path: 'etc/ssh/ssh_host_ed25519_key.pub', text: publicLine },
    { path: 'etc/ssh/sshd_config.d/10-lab.conf', text: sshdSettings(seed) },
    ...variantFiles(seed.variant, seed.base, seed.authorizedKey, seed.passwordHash),
  ]
  for (const file of files) overlay(join(folder, 'upper'), file)
  return publicLine.split(' ').slice(0, 2).join(' ').trim()
}

function sshdSettings(seed: HostSeed): string {
  return `${[
    `Port ${String(sshPort)}`,
    `ListenAddress ${seed.address}`,
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    `PermitRootLogin ${loginUser(seed.variant) === 'root' ? 'prohibit-password' : 'no'}`,
    `PasswordAuthentication ${seed.variant === 'sudo-password' ? 'yes' : 'no'}`,
  ].join('\n')}\n`
}

/** Folders of these names are not 0755 below; what lies over them must not open them. */
const closedFolders: ReadonlySet<string> = new Set(['root', '.ssh', 'ops'])

function overlay(upper: string, file: Overlaid): void {
  const { uid = 0, gid = 0 } = file
  let folder = upper
  for (const part of dirname(file.path).split('/')) {
    folder = join(folder, part)
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, closedFolders.has(part) ? 0o700 : 0o755)
    if (part === 'ops' || part === '.ssh') chownSync(folder, uid, gid)
  }
  const path = join(upper, file.path)
  if (file.link !== undefined) {
    symlinkSync(file.link, path)
    return
  }
  writeFileSync(path, file.text ?? '')
  chmodSync(path, file.mode ?? 0o644)
  chownSync(path, uid, gid)
}

/** Mounts the layers of all hosts, with one process for them all. */
export async function mountHosts(seeds: readonly HostSeed[]): Promise<void> {
  const lines = seeds.map(({ slot, name, base }) => {
    const at = hostFolder(slot, name)
    // xino keeps device and inode of a file the same when a write moves it to the upper layer, as on any other disk.
    return `mount -t overlay -o xino=on,lowerdir='${base}',upperdir='${at}/upper',workdir='${at}/work' kmsfleet-lab '${at}/root'`
  })
  await run(['/bin/sh', '-e'], { stdin: lines.join('\n') })
}

/**
 * Boots a mounted host and waits until its sshd answers. It runs in a control group of its own, else the systemds of
 * all hosts would share one and end each other's processes; and in a session of its own, so that it outlives the lab's
 * command line.
 */
export async function bootHost(seed: Pick<HostSeed, 'slot' | 'name' | 'variant' | 'address'>): Promise<void> {
  const { slot, name, variant } = seed
  const groups = hostGroups(slot, name)
  for (const group of groups) mkdirSync(group, { recursive: true })
  const log = join(hostFolder(slot, name), 'console.log')
  const output = openSync(log, 'a')
  const enter = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'
  const nspawn = [
    'systemd-nspawn',
    '--quiet',
    '--settings=no',
    '--register=no',
    '--keep-unit',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--console=pipe',
    `--machine=kmsfleet-lab-${String(slot)}-${name}`,
    `--hostname=${name}`,
    `--directory=${join(hostFolder(slot, name), 'root')}`,
    ...variantArguments(variant),
    '--boot',
  ]
  const child = spawn('/bin/sh', ['-c', enter, 'sh', ...groups, '--', ...nspawn], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  })
  closeSync(output)
  child.unref()

  const deadline = Date.now() + bootLimitMs
  while (!(await answersSsh(seed.address))) {
    const ended = child.exitCode !== null || child.signalCode !== null
    if (ended || Date.now() > deadline) {
      const tail = readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')
      throw new Error(
        `expected sshd of ${name} at ${seed.address}, found ${ended ? 'that it ended' : 'none'}:\n${tail}`,
      )
    }
    await delay(50)
  }
}

function answersSsh(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: sshPort, timeout: 5_000 })
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', (bytes: Buffer) => {
      done(bytes.toString('latin1').startsWith('SSH-2.0-'))
    })
    for (const event of ['error', 'close', 'timeout']) {
      socket.once(event, () => {
        done(false)
      })
    }
  })
}
