import { inspect } from 'node:util'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import type { Problem } from '../model/problem.ts'
import { styled, type Line } from './paint.ts'

/** One problem: its line, then what it is about, where it comes from and what to do, each where there is one. */
export function problemLines(problem: Problem, indent = ''): readonly Line[] {
  return [
    [indent, styled('bad', `error[${problem.code}]`), `: ${problem.message}`],
    ...(problem.subject === undefined ? [] : [[`${indent}  on the host: ${problem.subject}`]]),
    ...(problem.place === undefined ? [] : [[`${indent}  at ${showPlace(problem.place)}`]]),
    ...(problem.hint === undefined ? [] : [[`${indent}  hint: ${problem.hint}`]]),
  ]
}

/**
 * Anything thrown, for a person. A known error never shows a stack; its cause is shown where `verbose`. An unknown
 * one is a bug: always with its stack, and a request to report it.
 */
export function thrownLines(thrown: unknown, verbose: boolean): readonly Line[] {
  if (thrown instanceof KmsfleetErrors) return thrown.errors.flatMap((error) => thrownLines(error, verbose))
  if (thrown instanceof KmsfleetError) {
    const { code, message, place, hint } = thrown
    return [
      ...problemLines({
        code,
        message,
        ...(place === undefined ? {} : { place }),
        ...(hint === undefined ? {} : { hint }),
      }),
      ...(verbose && thrown.cause !== undefined ? causeLines(thrown.cause) : []),
    ]
  }
  return [
    [
      styled('bad', 'internal error'),
      ': kmsfleet met something it was not written for. Please report this text:',
    ],
    ...stackOf(thrown).map((line): Line => ['  ', line]),
  ]
}

function causeLines(cause: unknown): readonly Line[] {
  return stackOf(cause).map((line, index): Line => [index === 0 ? '  cause: ' : '    ', styled('dim', line)])
}

function stackOf(thrown: unknown): readonly string[] {
  const text =
    thrown instanceof Error ? (thrown.stack ?? `${thrown.name}: ${thrown.message}`) : inspect(thrown)
  return text.split('\n')
}
