import * as z from 'zod'
import { AbsolutePath, SocketPath } from '../arguments.ts'

/* What single values of the provider's configuration must look like. A message names what is expected. */

const control = /[\u0000-\u001f\u007f]/

/** Text that is there, on one line. */
export const Name = z
  .string()
  .refine(
    (text) => text !== '' && text === text.trim() && !control.test(text),
    'expected text on one line, without blanks at its ends',
  )

export const File = AbsolutePath

const runtimeFolders = ['/run/openbao-kms/', '/var/run/openbao-kms/']

/** The provider binds nowhere else. */
export const Socket = SocketPath.refine(
  (path) => runtimeFolders.some((folder) => path.startsWith(folder)),
  'expected the path of a socket below /run/openbao-kms',
)

const hostAndPort = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([1-9][0-9]{0,4})$/

export const Endpoint = z
  .string()
  .refine(
    (text) => Number(hostAndPort.exec(text)?.[1] ?? 65_536) <= 65_535,
    'expected an address as host:port',
  )

/** A URL whose parts would say who logs in, or be lost, are left out. */
function httpsUrl(refused: readonly ('credentials' | 'query' | 'fragment')[]): z.ZodType<string> {
  const words = `expected an https URL without ${refused.join(', ')}`
  return z.string().refine((text) => {
    if (!/^https:\/\/[^\s]+$/.test(text) || !URL.canParse(text)) return false
    const { hostname, username, password } = new URL(text)
    return (
      hostname !== '' &&
      !(
        refused.includes('credentials') &&
        (username + password !== '' || /^https:\/\/[^/?#]*@/.test(text))
      ) &&
      !(refused.includes('query') && text.includes('?')) &&
      !(refused.includes('fragment') && text.includes('#'))
    )
  }, words)
}

export const OpenBaoUrl = httpsUrl(['credentials', 'query', 'fragment'])
export const TokenUrl = httpsUrl(['credentials', 'fragment'])

/** Where something is mounted in OpenBao: no leading `/`, nothing that another spelling could stand for. */
export const RelativePath = Name.refine(
  (path) =>
    !path.includes('%') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
  'expected a relative path without leading or trailing `/`, `%` and dot segments',
)

export const KeyName = Name.refine((name) => !/[/%]/.test(name), 'expected a name without `/` and `%`')

/** Nanoseconds of the units that Go's durations have. */
const units: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
])
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g
const duration = /^(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/

/** As Go writes them: `1h30m`, `500ms`, `0`. */
export const Duration = z
  .string('expected a duration such as "30s" or "1h30m"')
  .regex(duration, 'expected a duration such as "30s" or "1h30m"')

/** Nanoseconds of a text that {@link Duration} accepts. */
export function nanoseconds(text: string): number {
  return [...text.matchAll(part)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (units.get(unit ?? '') ?? 0),
    0,
  )
}

/** Text that may be left out; an empty one says nothing, so that a template with an empty default leaves it out too. */
export function orNone<T extends z.ZodType<string>>(
  text: T,
): z.ZodOptional<z.ZodUnion<readonly [T, z.ZodPipe<z.ZodLiteral<''>, z.ZodTransform<undefined, ''>>]>> {
  return z.union([text, z.literal('').transform(() => undefined)]).optional()
}

/**
 * A key that older providers had. Left in the schema so that it is told by name, and what took its place.
 *
 * @param section where it stands
 */
export function removed(section: string, key: string, instead?: string): z.ZodOptional<z.ZodNever> {
  const found = `found \`${section}${section === '' ? '' : '.'}${key}\`, which the provider no longer knows`
  return z
    .never(
      instead === undefined
        ? `expected no such key, ${found}: leave it out`
        : `expected ${instead}, ${found}`,
    )
    .optional()
}
