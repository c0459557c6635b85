import * as z from 'zod'
import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import type { Payload } from '../../model/payload.ts'
import { Digest } from '../../model/secret.ts'
import { fileResource } from '../../resources/file/file.ts'
import { payloadOf } from '../../resources/file/content.ts'
import { nameOf } from '../../resources/common/paths.ts'
import { AbsolutePath, Group, LocalPath, Mode, Owner } from '../arguments.ts'
import { defineModule, type ModuleContext } from '../define.ts'
import { checksumOf } from './checksums.ts'
import { readTarball } from './tar.ts'

const Args = z.strictObject({
  src: LocalPath.describe('Release tarball on the workstation'),
  checksums: LocalPath.describe('Its checksums file, in the format of `sha256sum`'),
  sha256: z
    .string('expected the 64 hex digits of a SHA-256')
    .regex(/^[0-9a-f]{64}$/, 'expected the 64 lower-case hex digits of a SHA-256')
    .describe('SHA-256 of the tarball, from the inventory: checksums come from where the tarball comes from'),
  members: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('Path below the single top folder of the tarball'),
        dest: AbsolutePath,
        owner: Owner,
        group: Group,
        mode: Mode,
      }),
    )
    .min(1),
})

export const bundle = defineModule({
  name: 'bundle',
  summary: 'Files of a verified release tarball',
  description: `The tarball must be the one that exactly one row of \`checksums\` names and that \`sha256\` of the inventory
names. It is read on the workstation and refused whole where any entry is unsafe: a link or device, a name that is
absolute, leads upwards or occurs twice, too many or too large members. Only declared members that differ travel to a
host. A destination that a package of the host owns, or that is read-only, is refused before any change.`,
  args: Args,
  examples: [
    `- name: Provider binary and unit
  bundle:
    src: ./bao-kms-provider_v1_systemd_linux_amd64.tar.gz
    checksums: ./checksums.txt
    sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    members:
      - name: bin/bao-kms-provider
        dest: /usr/bin/bao-kms-provider
        owner: root
        group: root
        mode: "0755"`,
  ],
  mayBeUnknown: [],
  resources: (args, context) => {
    const payloads = readPayloads(args, context)
    return args.members.map(({ name, dest, owner, group, mode }) => {
      const payload = payloads.get(name)
      if (payload === undefined) throw missing(name, args.src, payloads.keys())
      return fileResource({
        path: dest,
        owner,
        group,
        mode,
        content: { is: 'bytes', payload },
        unpackaged: true,
      })
    })
  },
})

/** Payloads of all members by name, read and verified once for the whole run. */
function readPayloads(
  { src, checksums, sha256 }: z.output<typeof Args>,
  context: ModuleContext,
): ReadonlyMap<string, Payload> {
  return context.once(JSON.stringify(['bundle', src, checksums, sha256]), () => {
    const bytes = context.localFile(src)
    const found = Digest.of(bytes).reveal()
    const published = checksumOf(nameOf(src), context.localFile(checksums), checksums)
    if (found !== published) throw mismatch(src, `its row of ${checksums}`, published, found)
    if (found !== sha256) throw mismatch(src, '`sha256`', sha256, found)
    return new Map(
      readTarball(bytes, src).map((member) => [member.name, payloadOf(member.bytes, false, context)]),
    )
  })
}

function mismatch(src: string, by: string, expected: string, found: string): KmsfleetError {
  return new KmsfleetError(
    'bundle.checksum',
    `${src}: expected SHA-256 ${expected} by ${by}, found ${found}`,
    { hint: 'Fetch the release again; where it is still another, somebody exchanged it or the pin is old.' },
  )
}

function missing(name: string, src: string, known: Iterable<string>): KmsfleetError {
  const hint = suggestion(name, known)
  return new KmsfleetError(
    'bundle.member',
    `expected ${name} in ${src}, found no such file`,
    hint === undefined ? {} : { hint },
  )
}
