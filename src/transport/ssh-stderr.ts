import { PassThrough, type Readable } from 'node:stream'
import { farewell, loggedInLine } from './ssh-conversation.ts'

/** Bytes that `ssh` and a host's banner may say before the login. */
const conversationLimit = 256 * 1024

/** What comes on the one standard error of `ssh`, told apart. */
export interface SshStderr {
  /** What the program on the host writes. */
  readonly program: Readable
  /** What was said before the login, at most 256 KiB of it. */
  conversation(): string
}

/** Parts the standard error of a `ssh` with LogLevel VERBOSE. `loggedIn` is called once, before the program writes. */
export function partStderr(stderr: Readable, loggedIn: () => void): SshStderr {
  const program = new PassThrough()
  let conversation = ''
  let inside = false
  let held = ''

  const forward = (text: string): void => {
    held += text
    const at = held.lastIndexOf('Transferred: sent ')
    const keep = at >= 0 && held.length - at < 256 ? at : held.length
    program.write(held.slice(0, keep), 'latin1')
    held = held.slice(keep)
  }

  stderr.on('data', (chunk: Buffer) => {
    // latin1: one character a byte, so that a cut never splits one.
    const text = chunk.toString('latin1')
    if (inside) {
      forward(text)
      return
    }
    conversation = (conversation + text).slice(0, conversationLimit)
    const line = loggedInLine.exec(conversation)
    if (line === null) return
    const rest = conversation.slice(line.index + line[0].length)
    conversation = conversation.slice(0, line.index)
    inside = true
    loggedIn()
    forward(rest)
  })
  stderr.once('close', () => {
    program.end(held.replace(farewell, ''), 'latin1')
  })
  return { program, conversation: () => conversation }
}
