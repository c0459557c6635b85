import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { cacheFolder } from './base.ts'
import { run } from './process.ts'

/** A release of the stand-in provider, as it would be downloaded. */
export interface Bundle {
  readonly version: string
  /** `.../bao-kms-provider_<version>_systemd_linux_<amd64|arm64>.tar.gz` */
  readonly tarball: string
  /** `.../checksums.txt` beside it. */
  readonly checksums: string
  /** Of the tarball, in hex. */
  readonly sha256: string
}

const sources = join(import.meta.dirname, 'provider')
const texts = join(import.meta.dirname, 'release')
const license = join(import.meta.dirname, '../../LICENSE')
const architectures = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
])

/** Builds the stand-in and packs it in the release layout, once for each version and state of its sources. */
export async function makeRelease(version = 'v0.2.0'): Promise<Bundle> {
  const cache = cacheFolder()
  const folder = join(cache, `release-${version}-${sourceHash(version)}`)
  const architecture = architectures.get(process.arch) ?? process.arch
  const name = `bao-kms-provider_${version}_systemd_linux_${architecture}`
  const tarball = join(folder, `${name}.tar.gz`)
  if (!existsSync(folder)) {
    const building = mkdtempSync(join(cache, 'release-building-'))
    try {
      await pack(building, name, version)
      renameSync(building, folder)
    } catch (error) {
      // Another lab may have built the same meanwhile.
      if (!existsSync(folder)) throw error
    } finally {
      rmSync(building, { recursive: true, force: true })
    }
  }
  return { version, tarball, checksums: join(folder, 'checksums.txt'), sha256: sha256(readFileSync(tarball)) }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function sourceHash(version: string): string {
  const hash = createHash('sha256')
    .update(version)
    .update(readFileSync(import.meta.filename))
  for (const folder of [sources, texts]) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      if (entry.isFile()) hash.update(relative(import.meta.dirname, file)).update(readFileSync(file))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function pack(building: string, name: string, version: string): Promise<void> {
  const top = join(building, name)
  cpSync(texts, top, { recursive: true })
  cpSync(license, join(top, 'LICENSE'))
  mkdirSync(join(top, 'bin'))
  const program = join(top, 'bin', 'bao-kms-provider')
  const files = readdirSync(sources)
    .filter((file) => file.endsWith('.c'))
    .map((file) => join(sources, file))
  const flags = [
    '-Os',
    '-static',
    '-s',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-D_GNU_SOURCE',
    `-DVERSION="${version}"`,
  ]
  await run(['gcc', ...flags, '-o', program, ...files, '-lnghttp2'])

  // The umask of whoever packs must not show in the release.
  for (const entry of readdirSync(building, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    chmodSync(path, entry.isDirectory() || path === program ? 0o755 : 0o644)
  }
  const fixed = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=2026-01-01T00:00:00Z']
  const tarball = join(building, `${name}.tar.gz`)
  await run(['tar', '--create', '--gzip', ...fixed, `--file=${tarball}`, `--directory=${building}`, name])
  rmSync(top, { recursive: true })
  writeFileSync(join(building, 'checksums.txt'), `${sha256(readFileSync(tarball))}  ${name}.tar.gz\n`)
  chmodSync(building, 0o755)
}
