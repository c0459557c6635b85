import { createRedactor, type Redactor } from '../model/redact.ts'
import type { Secret } from '../model/secret.ts'

/** A redactor that learns: secrets become known while a run is prepared, after its sinks were made. */
export interface Redaction {
  readonly redact: Redactor
  readonly add: (secret: Secret) => void
}

export function createRedaction(): Redaction {
  const secrets: Secret[] = []
  let current: Redactor | undefined
  return {
    redact: (text) => {
      current ??= createRedactor(secrets)
      return current(text)
    },
    add(secret) {
      secrets.push(secret)
      // Made anew when it is next needed, not once for each of many secrets.
      current = undefined
    },
  }
}
