import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { throwCollected } from '../document/collect.ts'
import type { Secret } from '../model/secret.ts'
import { readProgram } from './exec.ts'
import { readSecretFile } from './file.ts'
import { createOpenbaoReader, type OpenbaoReader } from './openbao/client.ts'
import { sourceKey, type SourceOptions, type WantedSecret } from './types.ts'

/** Sources that are read at once: a server and a password agent serve others too. */
const concurrency = 8

export interface ReadRequest {
  readonly options: SourceOptions
  /** Programs run here: the playbook's folder. */
  readonly folder: string
  /** Told of each secret as soon as it is known, so that sinks can redact it. */
  readonly onSecret: (secret: Secret) => void
  /** Ends what is under way and starts nothing new. */
  readonly signal: AbortSignal
}

/**
 * Reads every source once, however many hosts share it, a few at a time, and gives secrets by {@link sourceKey}. Each
 * read has a time limit of its own. Throws KmsfleetErrors with all that cannot be read.
 */
export async function readSecrets(
  wanted: Iterable<WantedSecret>,
  request: ReadRequest,
): Promise<ReadonlyMap<string, Secret>> {
  const left = new Map([...wanted].map((each) => [sourceKey(each.source), each])).entries()
  const secrets = new Map<string, Secret>()
  const errors: KmsfleetError[] = []
  using openbao = createOpenbaoReader(request.options, request.onSecret)

  async function work(): Promise<void> {
    for (const [key, each] of left) {
      if (request.signal.aborted) {
        errors.push(
          new KmsfleetError('run.interrupted', 'expected to read all secrets, found the run interrupted'),
        )
        return
      }
      try {
        const secret = await readSecret(each, request, openbao)
        secrets.set(key, secret)
        request.onSecret(secret)
      } catch (error) {
        if (error instanceof KmsfleetError) errors.push(error)
        else if (error instanceof KmsfleetErrors) errors.push(...error.errors)
        else throw error
      }
    }
  }

  // The iterator is shared: each takes the next one that is left.
  await Promise.all(Array.from({ length: concurrency }, work))
  throwCollected(errors)
  return secrets
}

async function readSecret(
  { name, source, place }: WantedSecret,
  { options, folder, signal }: ReadRequest,
  openbao: OpenbaoReader,
): Promise<Secret> {
  switch (source.from) {
    case 'file':
      return readSecretFile(source.path, name, place)
    case 'openbao':
      return await openbao.read({ name, source, place }, signal)
    case 'exec':
      return await readProgram({ name, source, place }, options, folder, signal)
  }
}
