import { KmsfleetError } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import type { Snapshot } from '../model/facts.ts'
import type { ReadAtom } from '../model/wire.ts'
import { rootShell } from '../shell/bootstrap.ts'
import { compileRead } from '../shell/read/compile.ts'
import { openSession } from '../shell/session.ts'
import type { Channel, Connect } from '../transport/channel.ts'

/** A host that is only read from. */
export interface Reader extends AsyncDisposable {
  ask(atoms: readonly ReadAtom[]): Promise<Snapshot>
  /** Another root shell over the same connection. */
  openChannel(): Promise<Channel>
  readonly roundTrips: number
}

/** Connects and waits for the root shell. Throws KmsfleetError `transport.*` or `host.*`. */
export async function openReader(host: Host, connect: Connect, signal: AbortSignal): Promise<Reader> {
  const connection = await connect(host.name, host.connection, signal)
  try {
    const session = await openSession(await connection.execRoot(rootShell, signal), signal)
    return {
      async ask(atoms) {
        for await (const message of session.send(compileRead(atoms), signal)) {
          if (message.is === 'snapshot') return message.snapshot
        }
        throw new KmsfleetError('host.protocol', 'expected a probe section at the end of a frame, found none')
      },
      openChannel: () => connection.execRoot(rootShell, signal),
      get roundTrips() {
        return session.roundTrips
      },
      async [Symbol.asyncDispose]() {
        await session[Symbol.asyncDispose]()
        await connection[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}
