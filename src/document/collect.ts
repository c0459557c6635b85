import { byPlace } from './issues.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'

/**
 * Runs one independent part of a check: its known errors are added to `errors` and undefined is returned,
 * so that a user sees all errors of all files at once. Anything else is a bug and is thrown on.
 */
export function collect<T>(errors: KmsfleetError[], check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (error instanceof KmsfleetError) errors.push(error)
    else if (error instanceof KmsfleetErrors) errors.push(...error.errors)
    else throw error
    return undefined
  }
}

/** Throws what was collected, if anything was: file by file in the order of the lines, the same error once. */
export function throwCollected(errors: readonly KmsfleetError[]): void {
  const seen = new Set<string>()
  const unique = errors.filter((error) => {
    const key = JSON.stringify([error.message, error.place])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
  if (unique.length === 0) return
  const files = [...new Set(unique.map((error) => error.place?.file))]
  throw new KmsfleetErrors(
    files.flatMap((file) => unique.filter((error) => error.place?.file === file).sort(byPlace)),
  )
}
