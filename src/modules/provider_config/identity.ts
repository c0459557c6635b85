import { createHash } from 'node:crypto'
import * as z from 'zod'
import { parseDocument, wrongLines } from '../../document/parse.ts'
import { KmsfleetErrors } from '../../errors/error.ts'
import type { ProviderConfig } from './schema.ts'

/**
 * The values that decide what the provider's key ids are. Other values than those that something was encrypted under
 * make it unreadable. None of them is secret.
 */
const Identity = z.looseObject({
  openbao: z.looseObject({ instanceId: z.string(), namespace: z.string().default('') }),
  transit: z.looseObject({
    mountPath: z.string(),
    keyName: z.string(),
    keyIdScope: z.looseObject({
      providerName: z.string(),
      clusterId: z.string(),
      transitMountId: z.string(),
      keyLineageId: z.string(),
    }),
  }),
})

/** Path of a value in the configuration to the value, in the order of the fingerprint. */
export type ConfigIdentity = ReadonlyMap<string, string>

export function identityOf(config: ProviderConfig): ConfigIdentity {
  const { openbao, transit } = config
  return identity({ ...openbao, namespace: openbao.namespace ?? '' }, transit)
}

function identity(
  openbao: { readonly instanceId: string; readonly namespace: string },
  { keyIdScope, mountPath, keyName }: ProviderConfig['transit'] | z.output<typeof Identity>['transit'],
): ConfigIdentity {
  return new Map([
    ['transit.keyIdScope.providerName', keyIdScope.providerName],
    ['transit.keyIdScope.clusterId', keyIdScope.clusterId],
    ['openbao.instanceId', openbao.instanceId],
    ['openbao.namespace', openbao.namespace],
    ['transit.keyIdScope.transitMountId', keyIdScope.transitMountId],
    ['transit.keyIdScope.keyLineageId', keyIdScope.keyLineageId],
    ['transit.mountPath', mountPath],
    ['transit.keyName', keyName],
  ])
}

/** The identity of a configuration that stands on a host, or a text that tells where it is wrong and quotes none of it. */
export function readIdentity(path: string, text: string): ConfigIdentity | string {
  try {
    const { openbao, transit } = parseDocument(path, text, Identity).value
    return identity(openbao, transit)
  } catch (error) {
    if (error instanceof KmsfleetErrors)
      return `it is no configuration of the provider (${wrongLines(error)})`
    throw error
  }
}

/** Names of the fields in the text that is hashed, in its order. */
const hashedNames = [
  'provider_name',
  'cluster_id',
  'openbao_instance_id',
  'openbao_namespace',
  'transit_mount_id',
  'key_lineage_id',
  'transit_mount_path',
  'transit_key_name',
] as const

/** `cfg1.` and 43 characters: what the provider's `config` prints as `identityFingerprint`. */
export function fingerprintOf(values: ConfigIdentity): string {
  const fields = [...values.values()].flatMap((value, index): [string, string][] => {
    const name = hashedNames[index] ?? ''
    return name === 'openbao_namespace' && value === '' ? [] : [[name, value]]
  })
  const hashed = goJson(
    Object.fromEntries([['domain', 'openbao-kubernetes-kms/config-identity/v1'], ...fields]),
  )
  return `cfg1.${createHash('sha256').update(hashed, 'utf8').digest('base64url')}`
}

/** JSON as Go's encoder writes it: it also escapes what HTML and JavaScript would take for their own. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** One field that differs. */
export interface IdentityChange {
  readonly field: string
  readonly from: string
  readonly to: string
}

export function identityChanges(from: ConfigIdentity, to: ConfigIdentity): readonly IdentityChange[] {
  return [...to].flatMap(([field, value]) => {
    const before = from.get(field) ?? ''
    return before === value ? [] : [{ field, from: before, to: value }]
  })
}
