import { openSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { ReadStream, WriteStream } from 'node:tty'
import { KmsfleetError } from '../errors/error.ts'

/** The terminal itself, whatever standard input and output are. */
interface Tty extends Disposable {
  readonly input: ReadStream
  readonly output: WriteStream
}

function openTty(purpose: string, instead: string): Tty {
  try {
    const input = new ReadStream(openSync('/dev/tty', 'r'))
    const output = new WriteStream(openSync('/dev/tty', 'w'))
    return {
      input,
      output,
      [Symbol.dispose]() {
        input.destroy()
        output.destroy()
      },
    }
  } catch (error) {
    throw new KmsfleetError('run.no-terminal', `expected a terminal to ask for ${purpose}, found none`, {
      hint: instead,
      cause: error,
    })
  }
}

/** Asks for a line of text; undefined where the signal ends the question or the input is closed. */
export async function askLine(
  question: string,
  purpose: string,
  instead: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  using tty = openTty(purpose, instead)
  const lines = createInterface({ input: tty.input, output: tty.output, terminal: false })
  const closed = new Promise<undefined>((resolve) => {
    lines.once('close', () => {
      resolve(undefined)
    })
  })
  try {
    return await Promise.race([lines.question(question, { signal }), closed])
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  } finally {
    lines.close()
  }
}

const key = {
  interrupt: 0x03,
  endOfInput: 0x04,
  backspace: 0x08,
  newline: 0x0a,
  enter: 0x0d,
  clear: 0x15,
  delete: 0x7f,
}

/** Longest password that is taken, in bytes. */
const longest = 4096

/** Asks for a password without echo; gives its bytes as they were typed. Throws `run.interrupted` on Ctrl-C. */
export async function askPassword(question: string, purpose: string, instead: string): Promise<Uint8Array> {
  using tty = openTty(purpose, instead)
  tty.input.setRawMode(true)
  tty.output.write(question)
  const typed: number[] = []
  try {
    // The stream must outlive the loop: its echo is switched on again below.
    for await (const chunk of tty.input.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) continue
      for (const byte of chunk) {
        switch (byte) {
          case key.interrupt:
            throw new KmsfleetError('run.interrupted', `expected ${purpose}, found Ctrl-C`)
          case key.enter:
          case key.newline:
          case key.endOfInput:
            return Uint8Array.from(typed)
          case key.clear:
            typed.length = 0
            break
          case key.backspace:
          case key.delete:
            eraseCharacter(typed)
            break
          default:
            if (typed.length < longest) typed.push(byte)
        }
      }
    }
    return Uint8Array.from(typed)
  } finally {
    tty.input.setRawMode(false)
    tty.output.write('\n')
  }
}

/** Takes off one UTF-8 character: its continuation bytes (10xxxxxx) and the byte before them. */
function eraseCharacter(typed: number[]): void {
  let byte = typed.pop()
  while (byte !== undefined && (byte & 0xc0) === 0x80) byte = typed.pop()
}
