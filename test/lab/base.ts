import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from './process.ts'

const recipe = join(import.meta.dirname, 'base.sh')
const inotifyLimit = '/proc/sys/fs/inotify/max_user_instances'
/** Each systemd takes a handful of inotify instances; the kernel's default of 128 ends at about 18 hosts. */
const inotifyInstances = 8192

/** Where root filesystems and programs that are built once are kept. */
export function cacheFolder(): string {
  const folder = resolve(process.env['KMSFLEET_LAB_CACHE'] ?? '/var/cache/kmsfleet-lab')
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  return folder
}

/** The read-only root filesystem below every host, built by base.sh where the cache lacks it. */
export async function baseFolder(): Promise<string> {
  const cache = cacheFolder()
  const name = `base-${process.arch}-${createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 16)}`
  const folder = join(cache, name)
  if (!existsSync(folder)) await run(['/bin/sh', recipe, cache, name, debianMirror()], { visible: true })
  return folder
}

/** The Debian mirror that this machine itself installs from; empty where it has none: debootstrap knows one. */
function debianMirror(): string {
  const folder = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...list(folder).map((name) => join(folder, name))]
  const text = files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('\n')
  const mirrors = text.split(/\s+/).filter((word) => /^https?:\/\/\S+\/debian\/?$/.test(word))
  return mirrors[0] ?? ''
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : []
}

/** Lets this kernel run more than 18 systemds. The limit stays raised until the machine restarts. */
export function allowManyHosts(): void {
  if (Number(readFileSync(inotifyLimit, 'utf8')) >= inotifyInstances) return
  writeFileSync(inotifyLimit, String(inotifyInstances))
  process.stderr.write(
    `lab: set fs.inotify.max_user_instances=${String(inotifyInstances)} until the next restart\n`,
  )
}
