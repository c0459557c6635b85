/** Does a glob(7) pattern with braces, as tmpfiles.d has them, match the path? `*` and `?` do not match `/`. */
export function matchesPattern(pattern: string, path: string): boolean {
  return expandBraces(pattern).some((plain) => matchesParts(plain.split('/'), path.split('/')))
}

/** A recursive line also concerns all that lies below what its pattern matches. */
export function matchesAncestor(pattern: string, path: string): boolean {
  const depth = pattern === '/' ? 1 : pattern.split('/').length
  const parts = path.split('/')
  if (pattern === '/') return true
  return parts.length >= depth && matchesPattern(pattern, parts.slice(0, depth).join('/'))
}

function matchesParts(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length && pattern.every((part, index) => matchesPart(part, path[index] ?? ''))
  )
}

function matchesPart(pattern: string, name: string): boolean {
  // A leading dot must be written.
  if (name.startsWith('.') && !pattern.startsWith('.')) return false
  const source = pattern.replace(/\[!?\]?[^\]]*\]|\\.|[\s\S]/g, (piece) => {
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    if (piece.length > 2 && piece.startsWith('[')) {
      const inner = piece.slice(1, -1).replace(/\\/g, '\\\\').replace(/\]/g, '\\]')
      return `[${inner.startsWith('!') ? `^${inner.slice(1)}` : inner.replace(/^\^/, '\\^')}]`
    }
    return piece.replace(/^\\(?=.)/, '').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  })
  try {
    return new RegExp(`^${source}$`).test(name)
  } catch {
    // A range such as `[z-a]`, which matches nothing.
    return false
  }
}

/** `{a,b}` stands for both; a brace that does not end stands for itself. */
function expandBraces(pattern: string): readonly string[] {
  const [whole, before = '', inside = '', after = ''] = /^(.*)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? []
  if (whole === undefined || inside === '') return [pattern]
  return inside.split(',').flatMap((choice) => expandBraces(before + choice + after))
}
