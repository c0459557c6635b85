import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allowManyHosts, baseFolder, busyboxFolder } from './base.ts'
import { bootHost, hostFolder, makeHost, mountHosts, sshPort, type HostSeed } from './host.ts'
import { inventoryText } from './inventory.ts'
import { run } from './process.ts'
import { makeRelease, type Bundle } from './release.ts'
import { makeSecrets, passwordHash, type LabSecrets } from './secrets.ts'
import {
  claimSlot,
  hostAddress,
  hostInit,
  reapSlots,
  releaseSlot,
  slotFolder,
  stopHost,
  type Slot,
} from './slot.ts'
import { loginUser, type Variant } from './variant.ts'

export interface LabRequest {
  /** One entry a host; they are named h1, h2, ... in this order. At most 250. */
  readonly hosts: readonly { readonly variant: Variant }[]
  /** The lab stays up after this process: for the command line, which takes it down by its number. */
  readonly detached?: boolean
}

export interface LabHost {
  readonly name: string
  readonly variant: Variant
  /** Control planes of three: h1 to h3 are c1, h4 to h6 are c2, ... */
  readonly cluster: string
  readonly address: string
  readonly port: number
  readonly user: 'root' | 'ops'
  /** What the host sees as /, without what it mounts itself, /run among it. */
  readonly rootFolder: string
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string
  /** `[address]:port ssh-ed25519 AAAA...` */
  readonly knownHostLine: string
  /** Where the provider is to serve; as `address:port`. */
  readonly healthAddress: string
  readonly metricsAddress: string
}

/** What a lab's files say; all paths are absolute. */
export interface LabDescription {
  readonly slot: Slot
  readonly folder: string
  readonly hosts: readonly LabHost[]
  /** Private ed25519 key that logs in to every host. */
  readonly keyFile: string
  readonly knownHostsFile: string
  readonly inventoryFile: string
  readonly bundle: Bundle
  readonly secrets: LabSecrets
}

export interface Lab extends LabDescription, AsyncDisposable {
  /** Stdout of a sh script run as root inside a host, by no way of kmsfleet's; throws with its stderr if it fails. */
  readonly exec: (host: LabHost, script: string) => Promise<string>
  /** Stops a host as a power cut does and boots it again: what it kept below /run is gone. */
  readonly reboot: (host: LabHost) => Promise<void>
  /** A running host's / as it sees it, with what it mounts: reaches its sockets from here. Holds until it restarts. */
  readonly liveRoot: (host: LabHost) => string
  /** Ends the hosts and leaves nothing behind. May be called again. */
  readonly down: () => Promise<void>
}

/** What is the same in every lab; beside an inventory, its group_vars count. */
const sharedVariables = join(import.meta.dirname, '../../inventories/lab/group_vars')

const descriptionFile = (slot: Slot): string => join(slotFolder(slot), 'lab.json')
/** Limit of the memory that all that is written on a lab's hosts may take. */
const writableSize = '4g'

/** Boots a lab of bare hosts, and returns when all answer on SSH. Takes down labs whose test was killed. */
export async function startLab(request: LabRequest): Promise<Lab> {
  if (process.getuid?.() !== 0) throw new Error('expected root to start a lab, found another user')
  await reapSlots()
  allowManyHosts()
  const [base, bundle] = await Promise.all([baseFolder(), makeRelease()])
  const needsBusybox = request.hosts.some(({ variant }) => variant === 'busybox')
  const busybox = needsBusybox ? await busyboxFolder(base) : base
  const baseOf = (variant: Variant): string => (variant === 'busybox' ? busybox : base)
  const slot = claimSlot(request.detached !== true)
  try {
    return await bootLab(slot, baseOf, bundle, request)
  } catch (error) {
    await releaseSlot(slot)
    throw error
  }
}

async function bootLab(
  slot: Slot,
  baseOf: (variant: Variant) => string,
  bundle: Bundle,
  request: LabRequest,
): Promise<Lab> {
  const folder = slotFolder(slot)
  const hostsFolder = join(folder, 'hosts')
  mkdirSync(hostsFolder)
  await run(['mount', '-t', 'tmpfs', '-o', `mode=0755,size=${writableSize}`, 'kmsfleet-lab', hostsFolder])

  const keyFile = join(folder, 'id_ed25519')
  const [secrets] = await Promise.all([
    makeSecrets(join(folder, 'secrets')),
    run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'kmsfleet-lab', '-f', keyFile]),
  ])
  const hash = await passwordHash(secrets.password)
  const seeds = request.hosts.map(({ variant }, index): HostSeed => ({
    slot,
    name: `h${String(index + 1)}`,
    variant,
    address: hostAddress(slot, index + 1),
    base: baseOf(variant),
    authorizedKey: readFileSync(`${keyFile}.pub`, 'utf8'),
    passwordHash: hash,
  }))
  const keys = await Promise.all(seeds.map(makeHost))
  await mountHosts(seeds)
  const hosts = seeds.map((seed, index) => describeHost(seed, index, keys[index] ?? ''))

  const knownHostsFile = join(folder, 'known_hosts')
  writeFileSync(knownHostsFile, hosts.map((host) => `${host.knownHostLine}\n`).join(''))
  const inventoryFile = join(folder, 'inventory.yml')
  cpSync(sharedVariables, join(folder, 'group_vars'), { recursive: true })
  writeFileSync(inventoryFile, inventoryText({ hosts, keyFile, knownHostsFile, bundle, secrets }))
  const description: LabDescription = {
    slot,
    folder,
    hosts,
    keyFile,
    knownHostsFile,
    inventoryFile,
    bundle,
    secrets,
  }
  writeFileSync(descriptionFile(slot), JSON.stringify(description), { mode: 0o600 })

  await Promise.all(seeds.map(bootHost))
  return labOf(description)
}

function describeHost(seed: HostSeed, index: number, hostKey: string): LabHost {
  const { name, variant, address } = seed
  return {
    name,
    variant,
    cluster: `c${String(Math.floor(index / 3) + 1)}`,
    address,
    port: sshPort,
    user: loginUser(variant),
    rootFolder: join(hostFolder(seed.slot, name), 'root'),
    hostKey,
    knownHostLine: `[${address}]:${String(sshPort)} ${hostKey}`,
    healthAddress: `${address}:8082`,
    metricsAddress: `${address}:8081`,
  }
}

/** What a lab that another process started says of itself. */
export function readLab(slot: Slot): LabDescription {
  // Written by this program on this machine, in a folder that only root can enter.
  return JSON.parse(readFileSync(descriptionFile(slot), 'utf8')) as LabDescription
}

function labOf(description: LabDescription): Lab {
  const down = (): Promise<void> => releaseSlot(description.slot)
  return {
    ...description,
    exec: (host, script) => execOnHost(description.slot, host, script),
    reboot: async (host) => {
      await stopHost(description.slot, host.name)
      await bootHost({ ...host, slot: description.slot })
    },
    liveRoot: (host) => `/proc/${String(initOf(description.slot, host))}/root`,
    down,
    [Symbol.asyncDispose]: down,
  }
}

async function execOnHost(slot: Slot, host: LabHost, script: string): Promise<string> {
  const init = initOf(slot, host)
  const inside = ['--mount', '--uts', '--ipc', '--pid', '--root', '--wd=/']
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const shell = ['/usr/bin/env', '-i', path, 'LC_ALL=C', 'HOME=/root', '/bin/sh', '-e']
  return run(['nsenter', `--target=${String(init)}`, ...inside, ...shell], { stdin: script })
}

function initOf(slot: Slot, host: LabHost): number {
  const init = hostInit(slot, host.name)
  if (init === undefined) throw new Error(`expected ${host.name} to run, found no PID 1 of it`)
  return init
}
