import { expect, test } from 'vitest'
import type * as z from 'zod'
import { Secret } from '../../src/model/secret.ts'
import { UnknownText } from '../../src/model/text.ts'
import { modules } from '../../src/modules/registry.ts'

const owned = { owner: 'root', group: 'root', mode: '0644' }
const dir = { ...owned, path: '/etc/x' }

function messages(name: string, args: unknown): readonly string[] {
  const result = modules.get(name)?.args.safeParse(args)
  if (result === undefined) throw new Error(`no module ${name}`)
  return result.success ? [] : result.error.issues.flatMap(messagesOf)
}

/** Of a union, those of the form that was meant: there only something within is wrong. */
function messagesOf(issue: z.core.$ZodIssue): readonly string[] {
  const meant =
    issue.code === 'invalid_union'
      ? issue.errors.find((branch) => branch.every(({ path }) => path.length > 0))
      : undefined
  return meant === undefined ? [issue.message] : meant.flatMap(messagesOf)
}

const path = 'expected an absolute path without `.`, `..`, `//`, a trailing slash or line breaks'
const mode = 'expected a quoted octal mode such as "0750"'

test.each<[module: string, args: unknown, expected: readonly string[]]>([
  ['directory', dir, []],
  ['directory', { ...dir, mode: 644 }, [mode]],
  ['directory', { ...dir, mode: '0o750' }, [mode]],
  ['directory', { ...dir, mode: '999' }, [mode]],
  ['directory', { ...dir, mode: 'u=rwx' }, [mode]],
  ['directory', { ...dir, owner: 65532, group: '65532' }, []],
  ['directory', { ...dir, path: 'etc/x' }, [path]],
  ['directory', { ...dir, path: '/etc/../x' }, [path]],
  ['directory', { ...dir, path: '/etc//x' }, [path]],
  ['directory', { ...dir, path: '/etc/x/' }, [path]],
  ['directory', { ...dir, path: '/etc/./x' }, [path]],
  ['directory', { ...dir, path: '/etc/x\ny' }, [path]],
  ['directory', { ...dir, path: `/${'n'.repeat(256)}` }, [path]],
  ['directory', { ...dir, path: '/' }, [path]],
  ['copy', { ...owned, dest: '/etc/x', content: 'x' }, []],
  ['copy', { ...owned, dest: '/etc/x', content: new Secret('s', Buffer.from('x')) }, []],
  ['copy', { ...owned, dest: '/etc/x', content: new UnknownText([{ after: 'group:x', field: 'gid' }]) }, []],
  ['copy', { ...owned, dest: '/etc/x' }, ['expected exactly one of `content`, `src`']],
  [
    'copy',
    { ...owned, dest: '/etc/x', content: 'x', src: 'y' },
    ['expected exactly one of `content`, `src`'],
  ],
  [
    'copy',
    {
      ...owned,
      dest: '/etc/x',
      content: 'x',
      validate: [{ argv: ['true', '{}'] }, { argv: ['true', '{}'], through: '/etc/y' }],
    },
    ['expected `as` beside `through`: the file is read as who checks it'],
  ],
  [
    'copy',
    { ...owned, dest: '/etc/x', content: 'x', validate: { argv: ['true'] } },
    ['expected `{}` as one argument, for the staged file'],
  ],
  [
    'group',
    { name: 'kms', exact: true },
    ['expected `members` beside `exact: true`; an empty list removes everybody'],
  ],
  ['group', { name: 'Kms' }, ['expected an account name of lower-case letters, digits, `_` and `-`']],
  ['user', { name: 'kms', gecos: 'a:b' }, ['expected text without `:`, quotes, `\\`, `%` and line breaks']],
  [
    'user',
    { name: 'kms', home: '/home/my dir' },
    ['expected an absolute path of letters, digits and `. _ + @ -`'],
  ],
  [
    'unit',
    { name: 'kms', state: 'started' },
    ['expected a full unit name such as "bao-kms-provider.service"'],
  ],
  ['unit', { name: 'kms.service' }, ['expected `state` or `enabled` or both']],
  [
    'unit',
    { name: 'kms.service', state: 'started', ready: { http: 'http://10.0.0.1/' } },
    ['expected a plain-HTTP URL on a loopback address, such as "http://127.0.0.1:8082/ready"'],
  ],
  ['command', { argv: ['x'], creates: '/x' }, []],
  ['command', { argv: ['x'] }, ['expected exactly one of `creates`, `removes`, `unless`, `always`']],
  [
    'command',
    { argv: ['x'], creates: '/x', always: true },
    ['expected exactly one of `creates`, `removes`, `unless`, `always`'],
  ],
  [
    'command',
    { argv: [new Secret('s', Buffer.from('x'))], always: true },
    ['expected text: each argument is one string of the list'],
  ],
  [
    'wait_for',
    { path: '/x', http: 'http://localhost/' },
    ['expected exactly one of `socket`, `path`, `gone`, `http`'],
  ],
  [
    'wait_for',
    { socket: { path: `/${'s'.repeat(107)}`, as: 'root' } },
    ['expected the path of a socket, at most 107 bytes'],
  ],
  ['wait_for', { socket: { path: '/run/s', as: { uid: 1, gid: 1 } } }, []],
  ['wait_for', { http: 'http://localhost/', unit: 'x.service' }, []],
  ['wait_for', { path: '/x', unit: 'x.service' }, ['expected `unit` with `http` only']],
  ['assert', { that: [] }, ['Too small: expected array to have >=1 items']],
])('%s %o', (name, args, expected) => {
  expect(messages(name, args)).toEqual(expected)
})

test.each([...modules.keys()])('%s refuses arguments that it does not know', (name) => {
  const result = modules.get(name)?.args.safeParse({ nonsense: 1 })
  expect(result?.error?.issues.map(({ code }) => code)).toContain('unrecognized_keys')
})
