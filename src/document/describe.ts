import { isDictionary } from './dictionary.ts'

/** Values of keys with such names are never shown: somebody may have put the secret itself there. */
const secretKey = /pass|secret|token|credential|private|\bpin\b/i

const longestShown = 60

/** What was found, in the words of an error message: `the text "x"`, `a list`, `nothing`. */
export function describeValue(value: unknown, key = ''): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (isDictionary(value)) return 'a dictionary'
  if (secretKey.test(key)) return typeof value === 'string' ? 'some text' : `a ${typeof value}`
  if (typeof value === 'string')
    return value === '' ? 'empty text' : `the text ${JSON.stringify(shorten(value))}`
  if (typeof value === 'number') return `the number ${String(value)}`
  if (typeof value === 'boolean') return String(value)
  return 'something else'
}

function shorten(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}
