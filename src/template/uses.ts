import type { Region } from './regions.ts'
import { templateWords } from './words.ts'
import type { Token } from './tokens.ts'

/** A use of a variable in a template: `name`, `name.key`, `name['key']`, `name[0]`, as far as it is written out. */
export interface Use {
  readonly root: string
  readonly steps: readonly (string | number)[]
  /** Offset in the template. */
  readonly offset: number
  /** `is defined` or `default` follows: the variable may be undefined. */
  readonly guarded: boolean
  /** Called as a function. */
  readonly called: boolean
}

/** A use and the offset behind it. */
export interface Found {
  readonly use: Use
  readonly end: number
}

/** Adds the names that a statement binds itself (`set`, `for`, `macro`, `with`). */
export function bindLocals(region: Region, locals: Set<string>): void {
  const { tag, tokens } = region
  if (tag === undefined) return
  const add = (until: (token: Token, index: number) => boolean): void => {
    for (const [index, token] of tokens.entries()) {
      if (index === 0) continue
      if (until(token, index)) return
      if (token.kind === 'name') locals.add(token.text)
    }
  }
  if (tag === 'for') add((token) => token.text === 'in')
  if (tag === 'set') add((token) => token.text === '=' || token.text === '|')
  if (tag === 'macro' || tag === 'import' || tag === 'from') add(() => false)
  if (tag === 'call' && tokens[1]?.text === '(') add((token) => token.text === ')')
  if (tag === 'with') {
    for (const [index, token] of tokens.entries()) {
      if (token.kind === 'name' && tokens[index + 1]?.text === '=') locals.add(token.text)
    }
  }
}

/** The uses of variables in one region, in order; names that the template binds are none. */
export function findUses(region: Region, locals: ReadonlySet<string>): readonly Found[] {
  const { tag, tokens } = region
  if (tag !== undefined && (tag.startsWith('end') || tag === 'block')) return []
  const found: Found[] = []
  const first = tag === undefined ? 0 : tag === 'filter' ? 2 : 1
  for (let index = first; index < tokens.length; index += 1) {
    const token = tokens[index]
    if (token?.kind !== 'name' || templateWords.has(token.text) || locals.has(token.text)) continue
    const before = tokens[index - 1]?.text
    const isTest = before === 'is' || (before === 'not' && tokens[index - 2]?.text === 'is')
    if (before === '.' || before === '|' || isTest || tokens[index + 1]?.text === '=') continue
    const chain = readChain(tokens, index)
    const use = {
      root: token.text,
      steps: chain.steps,
      offset: token.start,
      guarded: isGuarded(tokens, chain.next),
      called: tokens[chain.next]?.text === '(',
    }
    found.push({ use, end: tokens[chain.next - 1]?.end ?? token.end })
    index = chain.next - 1
  }
  return found
}

function readChain(tokens: readonly Token[], root: number): { steps: (string | number)[]; next: number } {
  const steps: (string | number)[] = []
  let next = root + 1
  for (;;) {
    const [mark, key, close] = tokens.slice(next, next + 3)
    if (mark?.text === '.' && (key?.kind === 'name' || key?.kind === 'number')) {
      // `name.key(`: a method of the value.
      if (close?.text === '(') break
      steps.push(key.kind === 'number' ? Number(key.text) : key.text)
      next += 2
    } else if (
      mark?.text === '[' &&
      close?.text === ']' &&
      key?.kind === 'string' &&
      !key.text.includes('\\')
    ) {
      steps.push(key.text.slice(1, -1))
      next += 3
    } else if (
      mark?.text === '[' &&
      close?.text === ']' &&
      key?.kind === 'number' &&
      /^\d+$/.test(key.text)
    ) {
      steps.push(Number(key.text))
      next += 3
    } else break
  }
  return { steps, next }
}

function isGuarded(tokens: readonly Token[], next: number): boolean {
  const [first, second, third] = tokens.slice(next, next + 3).map((token) => token.text)
  if (first === '|') return second === 'default' || second === 'd'
  if (first !== 'is') return false
  const test = second === 'not' ? third : second
  return test === 'defined' || test === 'undefined'
}
