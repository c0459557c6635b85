import type { Fact, GroupState, UserState } from '../../model/facts.ts'
import { known } from '../../model/value.ts'
import type { Questions } from './atoms.ts'
import type { SmallFiles } from './decode-host.ts'
import type { Section } from './section.ts'

/** An id as the kernel has it. */
function id(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined
}

type Source = UserState['source']
type Password = UserState['password']

/** The password field of /etc/passwd, where /etc/shadow says nothing. */
function passwordOf(field: string, shadow: string | undefined): Password {
  if (shadow === 'locked' || shadow === 'set' || shadow === 'empty') return shadow
  if (field === '') return 'empty'
  if (field.startsWith('*') || field.startsWith('!')) return 'locked'
  return field === 'x' ? 'unknown' : 'set'
}

function userOf(
  line: string,
  source: Source,
  shadow: ReadonlyMap<string, string>,
): [string, Fact<UserState>] | undefined {
  const [name = '', password = '', uidText, gidText, gecos = '', home = '', shell = ''] = line.split(':')
  const uid = id(uidText)
  const gid = id(gidText)
  if (name === '' || uid === undefined || gid === undefined) return undefined
  const state: UserState = {
    uid: known(uid),
    gid: known(gid),
    gecos,
    home,
    shell,
    password: passwordOf(password, shadow.get(name)),
    source,
  }
  return [name, { is: 'present', state, token: line }]
}

function groupOf(
  line: string,
  source: Source,
  primaries: ReadonlyMap<number, readonly string[]>,
): [string, Fact<GroupState>] | undefined {
  const [name = '', , gidText, members = ''] = line.split(':')
  const gid = id(gidText)
  if (name === '' || gid === undefined) return undefined
  const state: GroupState = {
    gid: known(gid),
    members: members.split(',').filter((member) => member !== ''),
    primaryOf: primaries.get(gid) ?? [],
    source,
  }
  return [name, { is: 'present', state, token: line }]
}

/** Names of the users by their primary gid. */
function primaryMembers(users: ReadonlyMap<string, Fact<UserState>>): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>()
  for (const [name, user] of users) {
    if (user.is !== 'present' || !user.state.gid.known) continue
    const { value } = user.state.gid
    const known = found.get(value)
    if (known === undefined) found.set(value, [name])
    else known.push(name)
  }
  return found
}

function collect<T>(
  local: readonly string[] | undefined,
  remote: readonly string[][],
  asked: readonly string[],
  what: 'user' | 'group',
  parse: (line: string, source: Source) => [string, Fact<T>] | undefined,
): ReadonlyMap<string, Fact<T>> {
  const facts = new Map<string, Fact<T>>()
  const unreadable = (message: string, subject: string): Fact<T> => ({
    is: 'unreadable',
    problem: { code: 'host.unreadable', message, subject },
  })
  for (const line of local ?? []) {
    const parsed = parse(line, 'local')
    // the first line of a name decides, as in the C library
    if (parsed !== undefined && !facts.has(parsed[0])) facts.set(...parsed)
  }
  for (const [, name = '', line = ''] of remote) {
    const parsed = line === '!' ? undefined : parse(line, 'nss')
    facts.set(
      name,
      parsed?.[1] ??
        unreadable(
          `expected the name service to answer for ${what} ${name}, found no valid answer in 5 s`,
          name,
        ),
    )
  }
  for (const name of asked) {
    if (facts.has(name)) continue
    const file = what === 'user' ? '/etc/passwd' : '/etc/group'
    facts.set(
      name,
      local === undefined ? unreadable(`expected lines in ${file}, found none`, file) : { is: 'absent' },
    )
  }
  return facts
}

/** All local accounts, and those of the name service that were asked for. Tokens are the raw lines. */
export function decodeAccounts(
  questions: Questions,
  section: Section,
  files: SmallFiles,
): {
  readonly users: ReadonlyMap<string, Fact<UserState>>
  readonly groups: ReadonlyMap<string, Fact<GroupState>>
} {
  const shadow = new Map(section.all('shadow'))
  const remote = (base: string): readonly string[][] => section.all('nss').filter(([of]) => of === base)
  const users = collect(files.get('/etc/passwd'), remote('passwd'), questions.users, 'user', (line, source) =>
    userOf(line, source, shadow),
  )
  const primaries = primaryMembers(users)
  const groups = collect(
    files.get('/etc/group'),
    remote('group'),
    questions.groups,
    'group',
    (line, source) => groupOf(line, source, primaries),
  )
  return { users, groups }
}
