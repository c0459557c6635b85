import type { ConnectionSettings } from '../model/host.ts'

/** How a remote program ended. A lost connection is an error thrown by `stdout`, never an Exit. */
export interface Exit {
  readonly code: number | undefined
  readonly signal: string | undefined
}

/** A running remote (or local) program: bytes in, bytes out. */
export interface Channel extends AsyncDisposable {
  /** Ends when the program ends; throws a KmsfleetError `transport.*` when the connection is lost. Consumed once. */
  readonly stdout: AsyncIterable<Uint8Array>
  /** The last bytes of standard error; a program that writes more than 256 KiB of it is cut off. Raw host text. */
  stderrTail(): string
  /**
   * Resolves when the bytes were accepted (awaits `drain`); rejects when the channel is gone. The first call says
   * that the program was heard of: from then on no password prompt is answered. The bytes must not change afterwards.
   */
  write(bytes: Uint8Array): Promise<void>
  /** Closes the program's standard input. */
  end(): void
  /** Rejects with what `stdout` throws when the connection is lost. */
  readonly exited: Promise<Exit>
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** One constant program in the two forms that it is started in; both are text for the login shell. */
export interface RootCommand {
  /** Where the login is root: `exec /usr/bin/env -i …`. */
  readonly plain: string
  /** What follows `sudo … --`: the same words without `exec`, so that a sudo rule can name them exactly. */
  readonly elevated: string
}

/** A host's connection. One for each host and run. */
export interface Connection extends AsyncDisposable {
  /**
   * Runs `command` as root: as is where the login is root, else through `become`. Resolves once the program (or
   * sudo) is started; a sudo password is sent only after its prompt was seen, and a failure of sudo is thrown by
   * the channel's `stdout`. `signal` gives up the start, not the running program.
   */
  execRoot(command: RootCommand, signal: AbortSignal): Promise<Channel>
}

/** Opens a connection: dials (retries with jitter before the handshake only), checks the host key strictly, logs in. */
export type Connect = (host: string, settings: ConnectionSettings, signal: AbortSignal) => Promise<Connection>
