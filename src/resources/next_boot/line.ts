import { splitWords } from '../common/words.ts'

/** One line of a tmpfiles.d(5) file that systemd would take, its path expanded and in normal form. */
export interface TmpfilesLine {
  /** `path:line` of the file that it stands in. */
  readonly place: string
  /** One letter, such as `d`. */
  readonly type: string
  readonly path: string
  readonly mode?: { readonly bits: number; readonly masked: boolean; readonly onlyNew: boolean }
  readonly user?: Account
  readonly group?: Account
}

/** A name, or a decimal number. */
export interface Account {
  readonly name: string
  /** A leading `:`: only for what the line itself makes. */
  readonly onlyNew: boolean
}

/** Types that make what stands at their path. */
const makers = 'dDvqQfFpLcbC'
/** Types that adjust whatever their pattern matches. */
const adjusters = 'wexXrRzZtTaAhHm'

export const makesDirectory = (type: string): boolean => 'dDvqQ'.includes(type)
export const isMaker = (type: string): boolean => makers.includes(type)
/** Own what stands at their path: of these only the first line for a path counts. */
export const isOwner = (type: string): boolean => isMaker(type) || 'wexXrR'.includes(type)

/** Specifiers of system services that have one value on every host. */
const specifiers: ReadonlyMap<string, string> = new Map([
  ['%', '%'],
  ['t', '/run'],
  ['S', '/var/lib'],
  ['C', '/var/cache'],
  ['L', '/var/log'],
  ['T', '/tmp'],
  ['V', '/var/tmp'],
  ['h', '/root'],
  ['u', 'root'],
  ['g', 'root'],
  ['U', '0'],
  ['G', '0'],
])

/**
 * Reads a line; undefined for comments and for what systemd refuses or what cannot concern a fixed path, such as a
 * path with the machine's id in it.
 */
export function readLine(text: string, place: string): TmpfilesLine | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.startsWith('#')) return undefined
  const words = splitWords(trimmed)
  const [action = '', written = '', mode = '-', user = '-', group = '-'] = words ?? []
  const type = action.slice(0, 1)
  if (type === '' || !(makers + adjusters).includes(type) || !hasKnownModifiers(action.slice(1)))
    return undefined
  const path = expand(written)
  if (path === undefined) return undefined
  const bits = modeOf(mode)
  if (bits === 'invalid') return undefined
  return {
    place,
    type,
    path,
    ...(bits === undefined ? {} : { mode: bits }),
    ...withAccount('user', user),
    ...withAccount('group', group),
  }
}

/** Each modifier at most once; all of them hold at boot. `$` purges, which a boot does not. */
function hasKnownModifiers(modifiers: string): boolean {
  return /^[!+\-=~^$?]*$/.test(modifiers) && new Set(modifiers).size === modifiers.length
}

function expand(written: string): string | undefined {
  const letters = [...written.matchAll(/%(.?)/g)].map(([, letter = '']) => letter)
  if (!letters.every((letter) => specifiers.has(letter))) return undefined
  const path = written.replace(/%(.)/g, (_, letter: string) => specifiers.get(letter) ?? '')
  if (!path.startsWith('/')) return undefined
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const simple = `/${parts.join('/')}`
  return simple.startsWith('/var/run/') ? simple.slice('/var'.length) : simple
}

function modeOf(text: string): TmpfilesLine['mode'] | 'invalid' {
  if (text === '-' || text === '') return undefined
  const [, prefix = '', digits = ''] = /^([~:]*)([0-7]{1,5})$/.exec(text) ?? []
  const bits = Number.parseInt(digits, 8)
  if (digits === '' || bits > 0o7777) return 'invalid'
  return { bits, masked: prefix.includes('~'), onlyNew: prefix.includes(':') }
}

function withAccount(
  key: 'user' | 'group',
  text: string,
): Readonly<Partial<Record<'user' | 'group', Account>>> {
  if (text === '-' || text === '') return {}
  const onlyNew = text.startsWith(':')
  return { [key]: { name: onlyNew ? text.slice(1) : text, onlyNew } }
}
