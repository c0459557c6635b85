/** Names by their numbers in `linux/capability.h`. */
export const capabilityNames = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL'],
  ...['CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_LINUX_IMMUTABLE', 'CAP_NET_BIND_SERVICE'],
  ...['CAP_NET_BROADCAST', 'CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_IPC_LOCK', 'CAP_IPC_OWNER', 'CAP_SYS_MODULE'],
  ...['CAP_SYS_RAWIO', 'CAP_SYS_CHROOT', 'CAP_SYS_PTRACE', 'CAP_SYS_PACCT', 'CAP_SYS_ADMIN', 'CAP_SYS_BOOT'],
  ...['CAP_SYS_NICE', 'CAP_SYS_RESOURCE', 'CAP_SYS_TIME', 'CAP_SYS_TTY_CONFIG', 'CAP_MKNOD', 'CAP_LEASE'],
  ...['CAP_AUDIT_WRITE', 'CAP_AUDIT_CONTROL', 'CAP_SETFCAP', 'CAP_MAC_OVERRIDE', 'CAP_MAC_ADMIN'],
  ...['CAP_SYSLOG', 'CAP_WAKE_ALARM', 'CAP_BLOCK_SUSPEND', 'CAP_AUDIT_READ', 'CAP_PERFMON', 'CAP_BPF'],
  'CAP_CHECKPOINT_RESTORE',
] as const

/** Powers over files and processes, by their numbers in `linux/capability.h`. */
export const capabilities = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
} as const

export type Capability = keyof typeof capabilities

/** What one with the capability could do that owners and modes do not say, to stand behind `by which it could`. */
const outOfMounts: ReadonlyMap<string, string> = new Map([
  ['CAP_DAC_READ_SEARCH', 'open files by their handles, whatever its mounts are'],
  ['CAP_SYS_MODULE', 'put code into the kernel'],
  ['CAP_SYS_RAWIO', 'read and write memory and disks'],
  ['CAP_SYS_PTRACE', 'take over processes of others'],
  ['CAP_SYS_ADMIN', 'mount file systems and enter other namespaces'],
])
const withinMounts: ReadonlyMap<string, string> = new Map([
  ['CAP_CHOWN', 'take what belongs to others'],
  ['CAP_DAC_OVERRIDE', 'pass by owners and modes'],
  ['CAP_FOWNER', 'change modes and ACLs'],
  ['CAP_SETGID', 'take any group'],
  ['CAP_SETUID', 'become any user'],
  ['CAP_SETFCAP', 'make programs that have any capability'],
])
const device: ReadonlyMap<string, string> = new Map([['CAP_MKNOD', 'make a device of a disk and read that']])

/**
 * Capabilities among these by which somebody could pass by what keeps it from something.
 *
 * @param by `owners`: it is refused; `mounts`: nothing is there in its own mount namespace
 * @param devicesKept the container's control group lets it open no disk, be there a node of it or not
 */
export function escapes(
  held: ReadonlySet<number>,
  by: 'owners' | 'mounts',
  devicesKept: boolean,
): readonly { readonly name: string; readonly could: string }[] {
  const tables = [outOfMounts, ...(by === 'owners' ? [withinMounts] : []), ...(devicesKept ? [] : [device])]
  return [...held]
    .sort((left, right) => left - right)
    .flatMap((number) => {
      const name = capabilityNames[number]
      const could = name === undefined ? undefined : tables.map((table) => table.get(name)).find(Boolean)
      return name === undefined || could === undefined ? [] : [{ name, could }]
    })
}
