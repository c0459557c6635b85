import { inspect } from 'node:util'
import { KmsfleetError, KmsfleetErrors } from '../../src/errors/error.ts'
import type { Secret } from '../../src/model/secret.ts'
import { readSecrets } from '../../src/sources/read.ts'
import { sourceKey, type SecretSource, type SourceOptions } from '../../src/sources/types.ts'

export const place = { file: 'site.yml', line: 3, column: 5 }

export interface Reading {
  /** Texts of the secrets in the order of the sources. */
  readonly texts: readonly (string | undefined)[]
  /** `code message | hint` of each error. */
  readonly problems: readonly string[]
  /** Everything that an error holds, its causes and hidden fields too. */
  readonly inside: string
  /** Secrets that sinks were told of. */
  readonly told: readonly Secret[]
}

/** Reads sources as a run does. */
export async function read(
  sources: readonly SecretSource[],
  options: Partial<SourceOptions> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Reading> {
  const told: Secret[] = []
  const wanted = sources.map((source, index) => ({ name: `secret_${String(index)}`, source, place }))
  try {
    const secrets = await readSecrets(wanted, {
      options: { environment: {}, requireTrust: () => undefined, ...options },
      folder: '/',
      onSecret: (secret) => told.push(secret),
      signal,
    })
    const texts = sources.map((source) => {
      const secret = secrets.get(sourceKey(source))
      return secret === undefined ? undefined : Buffer.from(secret.reveal()).toString()
    })
    return { texts, problems: [], inside: '', told }
  } catch (error) {
    if (!(error instanceof KmsfleetErrors)) throw error
    return {
      texts: [],
      problems: error.errors.map(show),
      inside: inspect(error, { depth: 20, showHidden: true }) + String(error.stack),
      told,
    }
  }
}

function show({ code, message, hint }: KmsfleetError): string {
  return `${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`
}
