import * as z from 'zod'
import type { Identity } from '../model/identity.ts'
import { Secret } from '../model/secret.ts'
import { UnknownText, type Text } from '../model/text.ts'
import type { FileCheck, Readiness } from '../model/wire.ts'
import { accountIdPattern, accountNamePattern, largestId } from '../resources/common/account-name.ts'
import { modePattern, parseMode } from '../resources/common/mode.ts'

/* Argument schemas that modules share. A message names what is expected; whoever reports it adds what was found. */

/** Longest path that the kernel takes. */
const longestPath = 4096
const longestName = 255
/** `sun_path` without its final NUL. */
const longestSocket = 107

const control = /[\u0000-\u001f\u007f]/

function isAbsolutePath(path: string): boolean {
  if (!path.startsWith('/') || path.length > longestPath || control.test(path)) return false
  return path
    .slice(1)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= longestName)
}

/** `/a/b`: normal form only, so that one path has one spelling. */
export const AbsolutePath = z
  .string('expected an absolute path')
  .refine(
    isAbsolutePath,
    'expected an absolute path without `.`, `..`, `//`, a trailing slash or line breaks',
  )
  .describe('An absolute path in normal form')

/** An absolute path short enough for a Unix socket's address. */
export const SocketPath = AbsolutePath.refine(
  (path) => Buffer.byteLength(path) <= longestSocket,
  `expected the path of a socket, at most ${String(longestSocket)} bytes`,
)

/** A quoted octal mode, to its number. YAML 1.2 reads a bare `0644` as decimal 644: numbers are refused. */
export const Mode = z
  .string('expected a quoted octal mode such as "0750"')
  .regex(modePattern, 'expected a quoted octal mode such as "0750"')
  .transform(parseMode)
  .describe('Quoted octal mode, such as "0750" or "2750"; exact, with setuid, setgid and sticky bits')

/** A uid or gid. */
export const Id = z.int().min(0).max(largestId)

/** An id, or nothing: so that a variable can say that none is pinned. */
export const Pinned = Id.nullish().transform((id) => id ?? undefined)

const existingName = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/

/** An account that exists or is made by an earlier task: a name, or a number. To the name or the decimal number. */
export const Owner = z
  .union([
    z
      .string('expected a user name or a uid')
      .refine(
        (name) => existingName.test(name) || (accountIdPattern.test(name) && Number(name) <= largestId),
        'expected a user name or a uid',
      ),
    Id.transform(String),
  ])
  .describe('User name or uid')

/** Like {@link Owner}, for groups. */
export const Group = z
  .union([
    z
      .string('expected a group name or a gid')
      .refine(
        (name) => existingName.test(name) || (accountIdPattern.test(name) && Number(name) <= largestId),
        'expected a group name or a gid',
      ),
    Id.transform(String),
  ])
  .describe('Group name or gid')

/** Name of a user or group that a task makes. */
export const AccountName = z
  .string()
  .regex(accountNamePattern, 'expected an account name of lower-case letters, digits, `_` and `-`')
  .describe('Name of at most 32 lower-case letters, digits, `_` and `-`')

/** Account fields that go into /etc/passwd and sysusers.d alike. */
export const Gecos = z
  .string()
  .max(200)

  .regex(/^[^:"\\%\u0000-\u001f\u007f]*$/, 'expected text without `:`, quotes, `\\`, `%` and line breaks')

/** A path that can stand in /etc/passwd, sysusers.d and tmpfiles.d without quoting. */
export const PlainPath = z
  .string('expected an absolute path')
  .refine(
    (path) => path === '/' || (isAbsolutePath(path) && /^[A-Za-z0-9/._+@-]+$/.test(path)),
    'expected an absolute path of letters, digits and `. _ + @ -`',
  )

/** Bytes of a file: text, a secret, or text that is known only later in the run. */
export const Content = z
  .union(
    [z.string(), z.instanceof(Secret), z.instanceof(UnknownText), z.number().transform(String)],
    'expected text or a secret',
  )
  .transform((content): Text => content)
  .describe('Text, or one bare `{{ name }}` of a secret')

/** A path on the workstation. */
export const LocalPath = z.string().min(1).max(longestPath)

export const Sha256 = z
  .string('expected the 64 lower-case hex digits of a SHA-256')
  .regex(/^[0-9a-f]{64}$/, 'expected the 64 lower-case hex digits of a SHA-256')

/** A program and its arguments, no shell. */
export const Argv = z
  .array(
    z
      .string('expected text: each argument is one string of the list')
      .refine((word) => !word.includes('\0'), 'expected text without NUL'),
  )
  .min(1)
  .refine(([program]) => program !== undefined && program !== '', 'expected a program as the first argument')
  .describe('Program and arguments as a list; no shell reads them')

/** Seconds that something may take. */
export function Within(usual: number): z.ZodDefault<z.ZodInt> {
  return z
    .int()
    .min(1)
    .max(3600)
    .default(usual)
    .describe(`Seconds it may take, ${String(usual)} if not said`)
}

/** Who acts: an account of the host, or exact numbers. */
export const As = z
  .union([
    z
      .string('expected a user name, or `uid`, `gid` and `groups`')
      .regex(existingName, 'expected a user name, or `uid`, `gid` and `groups`')
      .transform((user): Identity => ({ by: 'account', user })),
    z
      .strictObject({ uid: Id, gid: Id, groups: z.array(Id).max(64).default([]) })
      .transform((ids): Identity => ({ by: 'number', ...ids })),
  ])
  .describe('User name (with the groups it has on the host), or `uid`, `gid` and `groups` as numbers')

/** A check of a staged file; `{}` stands for its path. */
const Check = z
  .strictObject({
    argv: Argv.refine((argv) => argv.includes('{}'), 'expected `{}` as one argument, for the staged file'),
    as: As.optional(),
    through: AbsolutePath.optional().describe(
      'A file that names `dest`: `{}` is then a copy of it that names the new file instead. It is read as `as`; where it does not exist, or names no such path, this check is passed over',
    ),
    if_exist: z
      .array(AbsolutePath)
      .default([])
      .describe('This check is passed over where one of these paths does not exist'),
    excuse: z
      .array(z.string().regex(/^[a-z0-9_.]{1,100}$/, 'expected the id of a check, such as "openbao.tls"'))
      .default([])
      .describe(
        'Ids of single checks that may fail, of a program that ends with 4 and reports them as the `doctor` of the provider does',
      ),
  })
  .refine(({ through, as }) => through === undefined || as !== undefined, {
    path: ['through'],
    error: 'expected `as` beside `through`: the file is read as who checks it',
  })
  .transform(({ argv, as, through, if_exist: ifExist, excuse }): FileCheck => ({
    argv,
    ...(as === undefined ? {} : { as }),
    ...(through === undefined ? {} : { through }),
    ...(ifExist.length === 0 ? {} : { ifExist }),
    ...(excuse.length === 0 ? {} : { excuse }),
  }))

/** One check of a staged file, or several in turn. */
export const Validate = z
  .union([Check.transform((check): readonly FileCheck[] => [check]), z.array(Check)])
  .describe(
    'Program, or several in turn, run on the new file before it takes its place; a failure leaves the old one',
  )

/** Plain HTTP on a loopback address. */
export const LoopbackUrl = z
  .string()
  .regex(
    /^http:\/\/(127(?:\.[0-9]{1,3}){3}|localhost|\[::1\])(:[1-9][0-9]{0,4})?(\/[A-Za-z0-9/._~?=&%+-]*)?$/,
    'expected a plain-HTTP URL on a loopback address, such as "http://127.0.0.1:8082/ready"',
  )
  .describe('Plain-HTTP URL on a loopback address')

/** A systemd unit with its type. */
export const UnitName = z
  .string()
  .regex(
    /^[A-Za-z0-9:_.@-]{1,240}\.(service|socket|timer|target|path|mount)$/,
    'expected a full unit name such as "bao-kms-provider.service"',
  )
  .describe('Full name, such as `bao-kms-provider.service`')

/** Exactly one of these keys is given. */
export function exactlyOne<K extends string>(
  ...keys: readonly K[]
): [(args: Partial<Record<K, unknown>>) => boolean, string] {
  return [
    (args) => keys.filter((key) => args[key] !== undefined).length === 1,
    `expected exactly one of ${keys.map((key) => `\`${key}\``).join(', ')}`,
  ]
}

/** How to know that something which was started is ready. */
export const Ready = z
  .strictObject({ http: LoopbackUrl.optional(), socket: SocketPath.optional() })
  .refine(...exactlyOne('http', 'socket'))
  .transform(({ http, socket }): Readiness =>
    http !== undefined
      ? { kind: 'http', url: http }
      : socket !== undefined
        ? { kind: 'socket', path: socket }
        : { kind: 'active' },
  )
  .describe(
    'How to know that it is ready: `http` (a URL that answers 200) or `socket` (a Unix socket where the unit listens). If not said: it is active',
  )

/** Name of a drop-in file without its suffix. */
export const BaseName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'expected a file name of lower-case letters, digits and `. _ -`')
