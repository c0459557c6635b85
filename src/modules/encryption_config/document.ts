import * as z from 'zod'
import { parseDocument, wrongLines } from '../../document/parse.ts'
import { KmsfleetErrors } from '../../errors/error.ts'

/** kube-apiserver's EncryptionConfiguration, as far as it matters here; what else stands in it is kept as it is. */

const Kms = z.looseObject({
  apiVersion: z.string().optional(),
  name: z.string(),
  endpoint: z.string(),
  timeout: z.string().optional(),
})
/** One key: how it encrypts. */
const Provider = z.looseObject({ kms: Kms.optional() })
const Entry = z.looseObject({ resources: z.array(z.string()).min(1), providers: z.array(Provider).min(1) })
const Encryption = z.looseObject({
  apiVersion: z.literal('apiserver.config.k8s.io/v1'),
  kind: z.literal('EncryptionConfiguration'),
  resources: z.array(Entry),
})

export type Kms = z.output<typeof Kms>
export type Provider = z.output<typeof Provider>
export type Entry = z.output<typeof Entry>
export type Encryption = z.output<typeof Encryption>

/** The configuration in a text, or what is wrong with it. What it says of a value is left out: it may be a key. */
export function readEncryption(path: string, text: string): Encryption | string {
  try {
    return parseDocument(path, text, Encryption).value
  } catch (error) {
    if (!(error instanceof KmsfleetErrors)) throw error
    return `it is no EncryptionConfiguration (${wrongLines(error)})`
  }
}

const withKeys = ['aescbc', 'aesgcm', 'secretbox']

/** Do keys stand in it? Then it is a secret as a whole. */
export function holdsKeys({ resources }: Encryption): boolean {
  return resources.some(({ providers }) => providers.some((one) => withKeys.some((key) => key in one)))
}
