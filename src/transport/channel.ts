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
  /** The last bytes of standard error, at most 256 KiB are ever taken. Raw host text. */
  stderrTail(): string
  /** Resolves when the bytes were accepted (awaits `drain`); rejects when the channel is gone. */
  write(bytes: Uint8Array): Promise<void>
  /** Closes the program's standard input. */
  end(): void
  readonly exited: Promise<Exit>
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** A host's connection. One for each host and run. */
export interface Connection extends AsyncDisposable {
  /**
   * Runs `command` (one constant string for the login shell) as root: as is where the login is root, else
   * through `become`. Resolves once the program is started; a sudo password is sent only after its prompt was seen.
   */
  execRoot(command: string, signal: AbortSignal): Promise<Channel>
}

/** Opens a connection: dials (retries with jitter before the handshake only), checks the host key strictly, logs in. */
export type Connect = (host: string, settings: ConnectionSettings, signal: AbortSignal) => Promise<Connection>
