/**
 * Edits (insert, delete, replace, swap of neighbours) between two words, compared without case; stops
 * counting above `limit` and then returns `limit + 1`.
 */
export function editDistance(left: string, right: string, limit: number): number {
  const a = left.toLowerCase()
  const b = right.toLowerCase()
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1)
      }
      current.push(best)
    }
    if (Math.min(...current) > limit) return limit + 1
    beforeLast = last
    last = current
  }
  return Math.min(last[b.length] ?? 0, limit + 1)
}

/** Words longer than this are not compared: the cost grows with the square. */
const longestWord = 100

/** The known word that `word` was most likely meant to be; undefined where none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > longestWord) return undefined
  // A third of a word may be wrong, but at least one letter: `hots` is near `hosts`, `a` is near nothing long.
  const limit = Math.max(1, Math.floor(word.length / 3))
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(word, candidate, best === undefined ? limit : best.distance - 1)
    if (
      distance <= limit &&
      distance < candidate.length &&
      (best === undefined || distance < best.distance)
    ) {
      best = { word: candidate, distance }
    }
  }
  return best?.word
}

/** At most this many words are listed in a hint. */
const listed = 20

/** A hint for an unknown word: the near miss, else what is known where that is a short list. */
export function suggestion(word: string, known: Iterable<string>): string | undefined {
  const words = [...known]
  const near = nearest(word, words)
  if (near !== undefined) return `did you mean \`${near}\`?`
  if (words.length === 0 || words.length > listed) return undefined
  return `known here: ${words.sort().join(', ')}`
}
