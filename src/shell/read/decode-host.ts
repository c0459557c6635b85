import type { HostState } from '../../model/facts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** Path to lines, of the small files that one `grep` printed as `path:line`. */
export type SmallFiles = ReadonlyMap<string, readonly string[]>

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text
}

function distribution(release: readonly string[]): string {
  const value = (key: string): string => {
    const line = release.find((each) => each.startsWith(`${key}=`))
    return line === undefined ? '' : unquoted(line.slice(key.length + 1))
  }
  return `${value('ID')} ${value('VERSION_ID')}`.trim()
}

/** What the host is, and the small files that travelled with it. */
export function decodeHost(section: Section): {
  readonly host: Omit<HostState, 'uid'>
  readonly files: SmallFiles
} {
  const [tools = '', machine = '', systemd = '', , text = ''] = section.all('host')[0] ?? []
  const files = new Map<string, string[]>()
  for (const row of lines(text)) {
    const colon = row.indexOf(':')
    const path = row.slice(0, colon)
    const known = files.get(path)
    if (known === undefined) files.set(path, [row.slice(colon + 1)])
    else known.push(row.slice(colon + 1))
  }
  const first = (path: string): string => files.get(path)?.[0] ?? ''
  const policy = files.get('/etc/selinux/config')?.find((line) => line.startsWith('SELINUXTYPE=')) ?? ''
  const policyName = policy.slice('SELINUXTYPE='.length).trim()
  const enforce = first('/sys/fs/selinux/enforce')
  return {
    host: {
      kernel: first('/proc/sys/kernel/osrelease'),
      machine: first('/proc/sys/kernel/arch') || machine,
      bootId: first('/proc/sys/kernel/random/boot_id'),
      systemd: systemd === 'yes',
      selinux: enforce === '1' ? 'enforcing' : enforce === '0' ? 'permissive' : 'absent',
      customLabels: new Set(files.get(`/etc/selinux/${policyName}/contexts/customizable_types`)),
      tools: new Set(tools.split(' ').filter((tool) => tool !== '')),
      distribution: distribution(files.get('/etc/os-release') ?? []),
    },
    files,
  }
}
