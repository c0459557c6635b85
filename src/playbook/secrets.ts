import * as z from 'zod'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { SecretSource } from '../sources/types.ts'
import type { SecretReference } from './types.ts'
import { hasTemplate } from '../template/scan.ts'
import { checkPlaybookVariable } from './variable-sets.ts'

const Text = z.string().min(1)
/** Says where the operator's token goes: what `trust-project` shows is so, whatever the inventory says. */
const PlainText = Text.refine(
  (text) => !hasTemplate(text),
  'expected plain text (where it differs between runs, leave it out and set BAO_ADDR and its like),',
)
const Seconds = z.int().min(1).max(600).default(30)
/** A number, or a template that gives one. */
const Version = z.union([z.int().min(1).transform(String), z.string()], 'expected a version number')

const Openbao = z
  .strictObject({
    mount: Text,
    path: Text,
    field: Text,
    engine: z.enum(['kv-v1', 'kv-v2']).default('kv-v2'),
    version: Version.optional(),
    namespace: Text.optional(),
    address: PlainText.optional(),
    ca_file: PlainText.optional(),
    server_name: PlainText.optional(),
    client_certificate: Text.optional(),
    client_key: Text.optional(),
    timeout: Seconds,
  })
  .refine(
    ({ engine, version }) => engine === 'kv-v2' || version === undefined,
    'expected no `version`: only kv-v2 keeps versions',
  )

const Exec = z.strictObject({
  argv: z
    .array(z.string('expected text: each argument is one string of the list'))
    .min(1)
    // What `trust-project` shows is what runs, whatever the inventory says.
    .refine(([program = '']) => program !== '' && !hasTemplate(program), 'expected a plain program first'),
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'))
    .default([]),
  timeout: Seconds,
})

/** One secret of a play: exactly one source. */
const Source = z
  .strictObject({ file: Text.optional(), openbao: Openbao.optional(), exec: Exec.optional() })
  .refine(
    (written) => Object.values(written).filter((source) => source !== undefined).length === 1,
    'expected exactly one of `file`, `openbao`, `exec`',
  )
type Source = z.infer<typeof Source>

/** `secrets:` of a play, by name. */
export const Secrets = z.record(z.string(), Source).nullable()

/** The secrets of a play with their places; the part is the play's. */
export function readSecretReferences(
  secrets: z.infer<typeof Secrets>,
  part: KeyLocated,
  vars: ReadonlyMap<string, unknown>,
  errors: KmsfleetError[],
): readonly SecretReference[] {
  return Object.entries(secrets ?? {}).flatMap(([name, written]) => {
    const place = part.keyPlace(['secrets', name])
    collect(errors, () => {
      checkPlaybookVariable(name, place)
    })
    if (vars.has(name)) {
      const message = `expected different names, found a variable and a secret \`${name}\``
      errors.push(new KmsfleetError('playbook.duplicate', message, { place }))
    }
    const source = sourceOf(written)
    if (source === undefined) return []
    return [{ name, source, place: part.place(['secrets', name, source.from]) }]
  })
}

function sourceOf({ file, openbao, exec }: Source): SecretSource | undefined {
  if (file !== undefined) return { from: 'file', path: file }
  if (exec !== undefined) return { from: 'exec', ...exec }
  if (openbao === undefined) return undefined
  const { ca_file, server_name, client_certificate, client_key, ...same } = openbao
  return {
    from: 'openbao',
    ...same,
    caFile: ca_file,
    serverName: server_name,
    clientCertificate: client_certificate,
    clientKey: client_key,
  }
}
