import { isIPv6 } from 'node:net'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'

/** Names that one written name may stand for. */
export const rangeLimit = 10_000

const bracket = /\[([^[\]]*)\]/
const numeric = /^(\d{1,9}):(\d{1,9})(?::(\d{1,9}))?$/
const alphabetic = /^([a-z]):([a-z])(?::(\d{1,9}))?$|^([A-Z]):([A-Z])(?::(\d{1,9}))?$/

/**
 * All names that `h[1:60]`, `h[01:50]` (padded), `h[1:9:2]` (stride) and `h[a:f]` stand for, both ends
 * included; several ranges in one name multiply. A name without a range stands for itself.
 */
export function expandRange(written: string, place?: Place): readonly string[] {
  let names = ['']
  let rest = written
  for (;;) {
    const match = bracket.exec(rest)
    if (match === null) return names.map((name) => name + rest)
    const before = rest.slice(0, match.index)
    const elements = expandBracket(match[1] ?? '', written, place)
    if (names.length * elements.length > rangeLimit) {
      throw rangeError(written, `at most ${String(rangeLimit)} hosts`, 'more', place)
    }
    names = names.flatMap((name) => elements.map((element) => name + before + element))
    rest = rest.slice(match.index + match[0].length)
  }
}

export function hasRange(written: string): boolean {
  return written.includes('[')
}

function rangeError(
  written: string,
  expected: string,
  found: string,
  place?: Place,
  hint?: string,
): KmsfleetError {
  return new KmsfleetError('inventory.range', `expected ${expected} for \`${written}\`, found ${found}`, {
    ...(place === undefined ? {} : { place }),
    ...(hint === undefined ? {} : { hint }),
  })
}

function expandBracket(inside: string, written: string, place?: Place): readonly string[] {
  // `[fe80::1]` is an address in brackets, whatever it looks like.
  if (isIPv6(inside)) {
    throw rangeError(
      written,
      'a host range',
      'an IPv6 address in brackets',
      place,
      'write the address without brackets',
    )
  }
  const numbers = numeric.exec(inside)
  if (numbers !== null) return numberRange(numbers, written, place)
  const letters = alphabetic.exec(inside)
  if (letters !== null) {
    const [, lowFrom, lowTo, lowStep, highFrom, highTo, highStep] = letters
    const codes = steps(
      (lowFrom ?? highFrom ?? '').charCodeAt(0),
      (lowTo ?? highTo ?? '').charCodeAt(0),
      lowStep ?? highStep,
      written,
      place,
    )
    return codes.map((code) => String.fromCharCode(code))
  }
  throw rangeError(written, 'a range such as [1:9], [01:50:2] or [a:f]', `[${inside}]`, place)
}

function numberRange(match: RegExpExecArray, written: string, place?: Place): readonly string[] {
  const [, from = '', to = '', step] = match
  const padded = (from.startsWith('0') && from.length > 1) || (to.startsWith('0') && to.length > 1)
  if (padded && from.length !== to.length) {
    throw rangeError(written, 'both ends of a padded range equally long', `${from} and ${to}`, place)
  }
  const width = padded ? from.length : 0
  return steps(Number(from), Number(to), step, written, place).map((number) =>
    String(number).padStart(width, '0'),
  )
}

function steps(
  from: number,
  to: number,
  step: string | undefined,
  written: string,
  place?: Place,
): readonly number[] {
  const stride = step === undefined ? 1 : Number(step)
  if (stride < 1) throw rangeError(written, 'a stride of at least 1', String(stride), place)
  if (to < from)
    throw rangeError(written, 'a range that ends after its start', 'one that ends before it', place)
  const count = Math.floor((to - from) / stride) + 1
  if (count > rangeLimit)
    throw rangeError(written, `at most ${String(rangeLimit)} hosts`, String(count), place)
  return Array.from({ length: count }, (_, index) => from + index * stride)
}
