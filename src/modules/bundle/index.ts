import * as z from 'zod'
import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import type { Payload } from '../../model/payload.ts'
import type { Resource } from '../../model/resource.ts'
import { Digest } from '../../model/secret.ts'
import { fileResource } from '../../resources/file/file.ts'
import { payloadOf } from '../../resources/file/content.ts'
import { nameOf } from '../../resources/common/paths.ts'
import {
  architectureOfName,
  architectures,
  ForArchitecture,
  perMachine,
  type Architecture,
} from '../architecture.ts'
import { AbsolutePath, Group, LocalPath, Mode, Owner, Sha256, Validate } from '../arguments.ts'
import { defineModule, type ModuleContext } from '../define.ts'
import { checksumOf } from './checksums.ts'
import { readTarball } from './tar.ts'

const Args = z
  .strictObject({
    src: ForArchitecture(LocalPath).describe(
      'Release tarball on the workstation, or one for each architecture',
    ),
    checksums: LocalPath.describe('Its checksums file, in the format of `sha256sum`'),
    sha256: ForArchitecture(Sha256).describe(
      'SHA-256 of the tarball, in the same form as `src`, from the inventory: checksums come from where the tarball comes from',
    ),
    signature: z
      .union(
        [
          z.literal('none'),
          z.strictObject({
            bundle: LocalPath.describe('Signature of `checksums`, as cosign writes it with `--bundle`'),
            identity: z.string().min(1).describe('Who must have signed: the identity of the certificate'),
            issuer: z.string().min(1).describe('Who vouches for that identity: a URL'),
          }),
        ],
        'expected `none`, or a dictionary of bundle, identity and issuer',
      )
      .describe('Who signed `checksums`; `none`: that is not verified, and every report says so'),
    members: z
      .array(
        z.strictObject({
          name: z.string().min(1).describe('Path below the single top folder of the tarball'),
          dest: AbsolutePath,
          owner: Owner,
          group: Group,
          mode: Mode,
          validate: Validate.optional(),
        }),
      )
      .min(1),
  })
  .refine(sameForm, 'expected `src` and `sha256` for the same architectures')

export const bundle = defineModule({
  name: 'bundle',
  summary: 'Files of a verified release tarball',
  description: `The tarball must be the one that exactly one row of \`checksums\` names and that \`sha256\` of the inventory
names; where \`signature\` says by whom, cosign must find \`checksums\` signed. It is read on the workstation and refused whole where any entry is unsafe: a link or device, a name that is
absolute, leads upwards or occurs twice, too many or too large members. Only declared members that differ travel to a
host. A destination that a package of the host owns, or that is read-only, is refused before any change.`,
  args: Args,
  examples: [
    `- name: Provider binary and unit
  bundle:
    src: ./bao-kms-provider_v1_systemd_linux_amd64.tar.gz
    checksums: ./checksums.txt
    sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    signature: none
    members:
      - name: bin/bao-kms-provider
        dest: /usr/bin/bao-kms-provider
        owner: root
        group: root
        mode: "0755"`,
  ],
  mayBeUnknown: [],
  resources: (args, context) => {
    const checksums = context.localFile(args.checksums)
    verifyChecksums(args, checksums, context)
    const releases = releasesOf(args).map(({ architecture, src, sha256 }) => ({
      architecture,
      src,
      payloads: readPayloads(src, sha256, args.checksums, context),
    }))
    return args.members.flatMap(({ name, dest, owner, group, mode, validate }) => {
      const variants = releases.map(({ architecture, src, payloads }) => {
        const payload = payloads.get(name)
        if (payload === undefined) throw missing(name, src, payloads.keys())
        const content = { is: 'bytes', payload } as const
        const resource = fileResource({
          path: dest,
          owner,
          group,
          mode,
          validate,
          content,
          unpackaged: true,
        })
        return [architecture, remarked(resource, args)] as const
      })
      const [only] = variants
      if (only?.[0] === undefined) return only === undefined ? [] : [only[1]]
      const resource = perMachine('`src`', new Map(variants.flatMap(known)))
      return resource === undefined ? [] : [resource]
    })
  },
})

type Args = z.output<typeof Args>

type PerArchitecture = string | Readonly<Partial<Record<Architecture, string | undefined>>>

/** One tarball and its pin; for all hosts where neither the arguments nor its name tell an architecture. */
interface Release {
  readonly architecture: Architecture | undefined
  readonly src: string
  readonly sha256: string
}

function releasesOf({ src, sha256 }: Args): readonly Release[] {
  if (typeof src === 'string' && typeof sha256 === 'string') {
    return [{ architecture: architectureOfName(nameOf(src)), src, sha256 }]
  }
  return architectures.flatMap((architecture) => {
    const path = typeof src === 'string' ? undefined : src[architecture]
    const pin = typeof sha256 === 'string' ? undefined : sha256[architecture]
    return path === undefined || pin === undefined ? [] : [{ architecture, src: path, sha256: pin }]
  })
}

/** `src` and `sha256` speak of the same architectures, or both of none. */
function sameForm({
  src,
  sha256,
}: {
  readonly src: PerArchitecture
  readonly sha256: PerArchitecture
}): boolean {
  const keys = (value: PerArchitecture): string =>
    typeof value === 'string'
      ? 'all'
      : architectures.filter((architecture) => value[architecture] !== undefined).join(' ')
  return keys(src) === keys(sha256) && keys(src) !== ''
}

function known<T>([architecture, value]: readonly [Architecture | undefined, T]): readonly (readonly [
  Architecture,
  T,
])[] {
  return architecture === undefined ? [] : [[architecture, value]]
}

function verifyChecksums({ checksums, signature }: Args, blob: Uint8Array, context: ModuleContext): void {
  if (signature === 'none') return
  context.once(JSON.stringify(['signature', checksums, signature]), () => {
    const { bundle, identity, issuer } = signature
    context.verifySignature({ blob, name: checksums, bundle: context.localFile(bundle), identity, issuer })
    return true
  })
}

function remarked(resource: Resource, { checksums, signature }: Args): Resource {
  if (signature !== 'none') return resource
  return { ...resource, remark: `${checksums}: its signature was not verified (signature: none)` }
}

/** Payloads of all members by name, read and verified once for the whole run. */
function readPayloads(
  src: string,
  sha256: string,
  checksums: string,
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
