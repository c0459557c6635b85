import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './process.ts'
import type { Bundle } from './release.ts'

/** Where the files of a release go when a package brings them. */
const places: readonly (readonly [file: string, folder: string])[] = [
  ['bin/bao-kms-provider', 'usr/bin'],
  ['systemd/bao-kms-provider.service', 'usr/lib/systemd/system'],
  ['sysusers.d/openbao-kms.conf', 'usr/lib/sysusers.d'],
  ['tmpfiles.d/openbao-kms.conf', 'usr/lib/tmpfiles.d'],
]

/** What the provider's own packages do once they are unpacked: accounts, directories, and no service is started. */
const afterwards = `#!/bin/sh
set -e
systemd-sysusers
systemd-tmpfiles --create
systemctl daemon-reload
`

/** Packs a release as a Debian package, and gives its path: a folder of its own below the folder of temporary files. */
export async function makePackage({ tarball, version }: Bundle): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-package-'))
  const [unpacked, root] = [join(folder, 'unpacked'), join(folder, 'root')]
  for (const path of [unpacked, join(root, 'DEBIAN')]) mkdirSync(path, { recursive: true })
  await run(['tar', '-xzf', tarball, '-C', unpacked, '--strip-components=1'])
  for (const [file, place] of places) {
    mkdirSync(join(root, place), { recursive: true })
    renameSync(join(unpacked, file), join(root, place, file.slice(file.lastIndexOf('/') + 1)))
  }
  const architecture = (await run(['dpkg', '--print-architecture'])).trim()
  writeFileSync(
    join(root, 'DEBIAN/control'),
    `Package: bao-kms-provider\nVersion: ${version.slice(1)}\nArchitecture: ${architecture}\nMaintainer: Lab <lab@lab.invalid>\nDescription: Stand-in for the provider\n`,
  )
  writeFileSync(join(root, 'DEBIAN/postinst'), afterwards, { mode: 0o755 })
  const made = join(folder, 'bao-kms-provider.deb')
  await run(['dpkg-deb', '--root-owner-group', '--build', root, made])
  for (const path of [unpacked, root]) rmSync(path, { recursive: true })
  return made
}
