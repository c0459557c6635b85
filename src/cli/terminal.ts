import { createOutput, wantsColor, type Output, type Redact } from '../report/output.ts'
import type { ShowOptions } from './options.ts'

/** The two sinks of a command: the result, and the conversation about it. */
export interface Terminal {
  readonly result: Output
  readonly conversation: Output
}

/** `redact` takes every known secret out of everything that is printed. */
export function openTerminal(options: ShowOptions, redact: Redact = (text) => text): Terminal {
  const sink = (stream: NodeJS.WriteStream): Output =>
    createOutput(stream, { color: wantsColor(stream, process.env, options.color), redact })
  return { result: sink(process.stdout), conversation: sink(process.stderr) }
}
