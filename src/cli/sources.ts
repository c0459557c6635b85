import { requireTrustedProject } from '../project/trust.ts'
import type { SourceOptions } from '../sources/types.ts'
import type { ConvergeOptions } from './options.ts'

/** What the operator lends to the secret sources of a run. */
export function sourceOptions({ openbaoTokenFile }: ConvergeOptions): SourceOptions {
  const trusted = new Set<string>()
  return {
    environment: process.env,
    ...(openbaoTokenFile === undefined ? {} : { tokenFile: openbaoTokenFile }),
    requireTrust(file) {
      if (trusted.has(file)) return
      // Reads all code of the project: once for all of its secrets.
      requireTrustedProject([file])
      trusted.add(file)
    },
  }
}
