import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run, startTime } from './process.ts'

/**
 * A lab is a numbered slot: it owns the addresses 127.77.SLOT.0/24, the folder /run/kmsfleet-lab/SLOT and the control
 * group kmsfleet-lab-SLOT. What a lab runs and mounts is found there, not in a record of it, so that it can be taken
 * down whenever and however its maker ended.
 */
export type Slot = number

const labs = '/run/kmsfleet-lab'
const lastSlot = 254

export const slotFolder = (slot: Slot): string => join(labs, String(slot))
export const hostAddress = (slot: Slot, index: number): string => `127.77.${String(slot)}.${String(index)}`

/** The slots in use, in order. */
export function slotsInUse(): Slot[] {
  if (!existsSync(labs)) return []
  return readdirSync(labs)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Takes a free slot: making its folder is the lock. An `owned` lab ends with this process, at the latest when the next one starts. */
export function claimSlot(owned: boolean): Slot {
  mkdirSync(labs, { recursive: true, mode: 0o700 })
  for (let slot = 1; slot <= lastSlot; slot++) {
    try {
      mkdirSync(slotFolder(slot), { mode: 0o700 })
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue
      throw error
    }
    const owner = owned ? `${String(process.pid)} ${startTime(process.pid) ?? ''}` : 'nobody'
    writeFileSync(join(slotFolder(slot), 'owner'), owner)
    return slot
  }
  throw new Error(`expected a free lab among ${String(lastSlot)}, found none: npm run lab -- down --all`)
}

/** Whether a process still holds the lab; labs of the command line have no such process. */
export function slotOwner(slot: Slot): 'nobody' | 'alive' | 'dead' {
  const file = join(slotFolder(slot), 'owner')
  const owner = existsSync(file) ? readFileSync(file, 'utf8') : 'nobody'
  if (owner === 'nobody') return 'nobody'
  const [pid, start] = owner.split(' ')
  return startTime(Number(pid)) === start ? 'alive' : 'dead'
}

/** Takes down every lab whose process ended without doing so. */
export async function reapSlots(): Promise<void> {
  for (const slot of slotsInUse().filter((each) => slotOwner(each) === 'dead')) {
    const file = join(slotFolder(slot), 'owner')
    try {
      // Of two that reap at once one gets the name; the other must not touch a lab that takes this slot afterwards.
      renameSync(file, `${file}.reaped`)
    } catch {
      continue
    }
    await releaseSlot(slot)
  }
}

/** The folders of a host's control group, one for each hierarchy that systemd uses on this machine. */
export function hostGroups(slot: Slot, host = ''): string[] {
  const top = '/sys/fs/cgroup'
  const unified = existsSync(join(top, 'cgroup.controllers'))
  const roots = unified ? [top] : [join(top, 'systemd'), join(top, 'unified')].filter(existsSync)
  return roots.map((root) => join(root, `kmsfleet-lab-${String(slot)}`, host))
}

/** A folder and all folders below it, deepest first. Files of a control group are no business of ours. */
function tree(folder: string): string[] {
  if (!existsSync(folder)) return []
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [...inner.flatMap((entry) => tree(join(folder, entry.name))), folder]
}

/** The processes of a control group and of all below it. */
function members(groups: readonly string[]): number[] {
  const pids = groups.flatMap(tree).flatMap((folder) => {
    try {
      return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
    } catch {
      return [] // The group went away with its last process.
    }
  })
  return [...new Set(pids)]
}

/** Whether a process is PID 1 of a process namespace just below this one. */
function isInit(pid: number): boolean {
  try {
    return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** This machine's pid of a host's PID 1; undefined: the host is not running. */
export function hostInit(slot: Slot, host: string): number | undefined {
  return members(hostGroups(slot, host)).find(isInit)
}

/** Ends a host, and returns when none of its processes is left. */
export async function stopHost(slot: Slot, host: string): Promise<void> {
  const groups = hostGroups(slot, host)
  const init = hostInit(slot, host)
  if (init !== undefined) kill(init)
  for (let round = 0; members(groups).length > 0; round++) {
    if (round > 1000) throw new Error(`expected ${host} to end, found that its processes do not`)
    await delay(10)
  }
}

/** Ends all processes of a lab, unmounts what it mounted, removes its folders and frees the slot. */
export async function releaseSlot(slot: Slot): Promise<void> {
  const groups = hostGroups(slot)
  // A host dies with its PID 1; its systemd-nspawn then cleans up after itself. Only what lingers is killed too.
  const patience = 200
  for (let round = 0; !removed(groups.flatMap(tree)); round++) {
    if (round > 5 * patience)
      throw new Error(`expected lab ${String(slot)} to end, found that its processes do not`)
    for (const pid of members(groups)) if (round > patience || isInit(pid)) kill(pid)
    await delay(10)
  }

  const prefix = `${slotFolder(slot)}/`
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(prefix))
    .reverse()
  if (mounted.length > 0) await run(['umount', '--lazy', ...mounted])
  rmSync(slotFolder(slot), { recursive: true, force: true })
}

/** Removes control groups, deepest first; false: one has processes still. */
function removed(folders: readonly string[]): boolean {
  try {
    for (const folder of folders) rmdirSync(folder)
    return true
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}
