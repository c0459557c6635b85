import { randomBytes } from 'node:crypto'
import { Duplex, Readable, Writable } from 'node:stream'
import { KmsfleetError } from '../errors/error.ts'
import type { ActingIdentity } from '../model/access.ts'
import type { Channel } from '../transport/channel.ts'
import { beginLine } from './bootstrap.ts'
import { hostInput, type HostInput } from './host-input.ts'
import { quote } from './quote.ts'
import { checkPath } from './read/atoms.ts'
import { echoOf, guardOf, isWanted } from './read/decode-trials.ts'
import { accessPrelude, bridgePrelude, processPrelude, readPrelude } from './read/prelude.ts'
import { frameHead, preambleLimit, startDeadlineMs, writeSlices } from './session.ts'

/** As whom to connect: a live process, or numbers. */
export type BridgeAs =
  | { readonly by: 'process'; readonly pid: number; readonly started: string }
  | ({ readonly by: 'number' } & Pick<ActingIdentity, 'uid' | 'gid' | 'groups'>)

export interface BridgeRequest {
  readonly socket: string
  /** `DEV:INO` of what must stand there. */
  readonly inode: string
  readonly as: BridgeAs
}

/** A connection to a Unix socket of a host, made there by one of its own programs; or why there is none. */
export type Bridge =
  | {
      readonly is: 'open'
      /** The program. */
      readonly through: string
      readonly stream: Duplex
    }
  | { readonly is: 'no-program' }
  | { readonly is: 'refused'; readonly detail: string }

/** Bytes that may come before the socket's own. */
const headLimit = 16 * 1024

/** Milliseconds until it is known whether there is a bridge. */
const headDeadlineMs = 30_000

/**
 * Connects to a socket on the host as somebody, over a channel that runs the bootstrap's loop and is used for nothing
 * else. The program ends with the channel, and by itself after 30 s. Throws KmsfleetError `host.*` and `transport.*`.
 */
export async function openBridge(
  channel: Channel,
  request: BridgeRequest,
  signal: AbortSignal,
): Promise<Bridge> {
  const input = hostInput(channel)
  await input.skipPast(beginLine, preambleLimit, startDeadlineMs, signal)
  const nonce = randomBytes(16).toString('hex')
  await writeSlices(channel, [frameHead(nonce, bridgeScript(nonce, request))])
  const { head, rest } = await headOf(input, nonce, signal)
  const said = head.split('\n').filter((line) => line !== '')
  const word = (key: string): string | undefined =>
    said.findLast((line) => line.startsWith(`${key} `))?.slice(key.length + 1)
  const refused = word('refused')
  if (refused === 'no program') return { is: 'no-program' }
  if (refused !== undefined) return { is: 'refused', detail: refused }
  const identity = echoOf(said)
  if (identity === undefined || !isWanted(identity, word('want') ?? '', guardOf(word('how') ?? ''))) {
    return { is: 'refused', detail: 'it was made as somebody else' }
  }
  return { is: 'open', through: word('through') ?? '', stream: streamOf(channel, input, rest) }
}

/**
 * The shell's own input is taken away before anything else: what is sent later holds bytes that the socket's side chose,
 * and a shell that read on would run them as root.
 */
function bridgeScript(nonce: string, { socket, inode, as }: BridgeRequest): string {
  const who =
    as.by === 'process'
      ? [String(as.pid), as.started, '', '', '', '0']
      : ['', '', String(as.uid), String(as.gid), as.groups.join(','), '0']
  const words = [nonce, ...who, inode, checkPath(socket)].map(quote)
  return [
    'exec 8<&0 </dev/null',
    readPrelude,
    processPrelude,
    accessPrelude,
    bridgePrelude,
    `kf_bridge ${words.join(' ')}`,
    'exit 0',
  ].join('\n')
}

/** What comes before the line that is the nonce, and what of the socket came with it. */
async function headOf(
  input: HostInput,
  nonce: string,
  signal: AbortSignal,
): Promise<{ readonly head: string; readonly rest: Uint8Array }> {
  const mark = `${nonce}\n`
  const deadline = input.deadline(headDeadlineMs, signal)
  let seen = Buffer.alloc(0)
  try {
    for (;;) {
      seen = Buffer.concat([seen, await deadline.race(input.next())])
      const at = seen.indexOf(mark)
      if (at !== -1) {
        return { head: seen.subarray(0, at).toString('utf8'), rest: seen.subarray(at + mark.length) }
      }
      if (seen.length > headLimit) {
        throw new KmsfleetError('host.protocol', 'expected a bridge to a socket, found other bytes', {
          hint: 'the host is hostile, or its tools print what no known version prints',
        })
      }
    }
  } finally {
    deadline.clear()
  }
}

function streamOf(channel: Channel, input: HostInput, first: Uint8Array): Duplex {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (first.length > 0) yield first
    try {
      for (;;) yield await input.next()
    } catch (error) {
      if (!(error instanceof KmsfleetError) || error.code !== 'host.shell-ended') throw error
    }
  }
  const writable = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      // whoever gave it may use its memory again
      channel.write(Buffer.from(chunk)).then(() => {
        done()
      }, done)
    },
    destroy(error, done) {
      channel.end()
      done(error)
    },
  })
  return Duplex.from({ readable: Readable.from(bytes(), { objectMode: false }), writable })
}
