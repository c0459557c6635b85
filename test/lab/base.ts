import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from './process.ts'

const recipe = join(import.meta.dirname, 'base.sh')
const busyboxRecipe = join(import.meta.dirname, 'busybox.sh')
/** As its authors released it; Debian keeps the same bytes. */
const busyboxSource = {
  name: 'busybox_1.35.0.orig.tar.bz2',
  sha256: 'faeeb244c35a348a334f4a59e44626ee870fb07b6884d68c10ae8bc19f83a694',
  elsewhere: 'https://busybox.net/downloads/busybox-1.35.0.tar.bz2',
}
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
  const name = `base-${keyOf(recipe)}`
  const folder = join(cache, name)
  if (!existsSync(folder)) await run(['/bin/sh', recipe, cache, name, debianMirror()], { visible: true })
  return folder
}

/** The read-only root filesystem of hosts that have busybox alone, built by busybox.sh where the cache lacks it. */
export async function busyboxFolder(base: string): Promise<string> {
  const cache = cacheFolder()
  const name = `busybox-${keyOf(busyboxRecipe)}`
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const source = join(cache, `${name}.tar.bz2`)
  writeFileSync(source, await downloadBusybox())
  await run(['/bin/sh', busyboxRecipe, cache, name, source, base], { visible: true })
  return folder
}

/** The part of a cache entry's name that a change of its recipe changes. */
const keyOf = (file: string): string =>
  `${process.arch}-${createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)}`

async function downloadBusybox(): Promise<Buffer> {
  const mirror = debianMirror() || 'https://deb.debian.org/debian'
  const tried: string[] = []
  for (const url of [`${mirror}/pool/main/b/busybox/${busyboxSource.name}`, busyboxSource.elsewhere]) {
    try {
      const response = await fetch(url)
      const bytes = Buffer.from(await response.arrayBuffer())
      if (createHash('sha256').update(bytes).digest('hex') === busyboxSource.sha256) return bytes
      tried.push(`${url}: other bytes (status ${String(response.status)})`)
    } catch (error) {
      tried.push(`${url}: ${String(error)}`)
    }
  }
  throw new Error(`expected the source of busybox, found:\n${tried.join('\n')}`)
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
