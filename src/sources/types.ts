import type { Place } from '../errors/place.ts'

/**
 * Where a secret's bytes come from. In a playbook each text may be a template over the operator's own variables; a
 * source that is read has them filled in, and its files named by absolute paths.
 */
export type SecretSource = FileSource | OpenbaoSource | ExecSource

export interface FileSource {
  readonly from: 'file'
  readonly path: string
}

/** One field of a secret of a KV engine. What is not given is taken from the environment, as `bao` does. */
export interface OpenbaoSource extends OpenbaoPlace {
  readonly from: 'openbao'
  readonly mount: string
  /** Below the mount, without `data/`. */
  readonly path: string
  readonly field: string
  readonly engine: 'kv-v1' | 'kv-v2'
  /** Decimal; undefined or empty: the newest. */
  readonly version?: string | undefined
  /** Seconds that one request may take. */
  readonly timeout: number
}

/** Which server is asked, and how it is told from another. */
export interface OpenbaoPlace {
  readonly address?: string | undefined
  readonly namespace?: string | undefined
  readonly caFile?: string | undefined
  readonly serverName?: string | undefined
  readonly clientCertificate?: string | undefined
  readonly clientKey?: string | undefined
}

/** What a program of the workstation prints. */
export interface ExecSource {
  readonly from: 'exec'
  readonly argv: readonly string[]
  /** Variables of the operator's environment that the program gets beside the usual few. */
  readonly environment: readonly string[]
  /** Seconds that it may take. */
  readonly timeout: number
}

/** A secret as a host of a play needs it. */
export interface WantedSecret {
  readonly name: string
  readonly source: SecretSource
  readonly place: Place
}

/** What the operator lends to the sources of a run. */
export interface SourceOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** File with the token for OpenBao; undefined: the environment's token, or that of the last login. */
  readonly tokenFile?: string
  /**
   * Throws unless the operator trusts the project of this file. Asked before a program that a play names is started,
   * and before a server that a play names gets the operator's token.
   */
  readonly requireTrust: (file: string) => void
}

/** A source of the same text is read once, whatever it is called. */
export function sourceKey(source: SecretSource): string {
  return JSON.stringify(source)
}
