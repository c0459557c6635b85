/** A name split around one of its numbers. */
interface Split {
  readonly before: string
  readonly digits: string
  readonly after: string
}

function splits(name: string): readonly Split[] {
  return [...name.matchAll(/\d+/g)].map((match) => ({
    before: name.slice(0, match.index),
    digits: match[0],
    after: name.slice(match.index + match[0].length),
  }))
}

/** Does `next` follow `split` in a count: same text around, one more, and the same width where zeros lead? */
function follows(split: Split, next: Split): boolean {
  if (split.before !== next.before || split.after !== next.after) return false
  const padded = split.digits.startsWith('0') || next.digits.startsWith('0')
  if (padded && split.digits.length !== next.digits.length) return false
  return BigInt(next.digits) === BigInt(split.digits) + 1n
}

/** Index, among the numbers in the name, of the one that counts up from `name` to `next`. */
function counting(name: string, next: string): number | undefined {
  const others = splits(next)
  const found = splits(name).findIndex((split, index) => {
    const other = others[index]
    return other !== undefined && follows(split, other)
  })
  return found === -1 ? undefined : found
}

const natural = new Intl.Collator('en', { numeric: true })

/**
 * Host names in natural order with runs of three or more compressed: `h1–h58, h60`. Both ends are whole names, so
 * that each can be copied.
 */
export function compressNames(names: readonly string[]): string {
  const sorted = [...names].sort(natural.compare)
  const parts: string[] = []
  let at = 0
  while (at < sorted.length) {
    const end = runEnd(sorted, at)
    const run = sorted.slice(at, end + 1)
    parts.push(run.length < 3 ? run.join(', ') : `${run[0] ?? ''}–${run.at(-1) ?? ''}`)
    at = end + 1
  }
  return parts.join(', ')
}

/** Index of the last name of the run that begins at `start`. */
function runEnd(sorted: readonly string[], start: number): number {
  let end = start
  let number: number | undefined
  for (;;) {
    const [name, next] = [sorted[end], sorted[end + 1]]
    if (name === undefined || next === undefined) return end
    const found = counting(name, next)
    if (found === undefined || (number !== undefined && found !== number)) return end
    number = found
    end += 1
  }
}

/** `h1–h58 (58 hosts)`; a single host is its name alone. */
export function hostList(names: readonly string[]): string {
  if (names.length === 0) return 'no host'
  const list = compressNames(names)
  return names.length < 3 ? list : `${list} (${String(names.length)} hosts)`
}
