import type { Actor, Check } from '../../model/access.ts'
import { folderKey, type Snapshot } from '../../model/facts.ts'
import { checked, doubtOf, isNumber, type Looked, providerOf, unique, weighed } from './common.ts'

/** Are the accounts of the model nobody else's, and is the provider's one that nobody can log in as? */
export function accountChecks(looked: Looked): readonly Check[] {
  const provider = providerOf(looked.matrix)
  if (provider === undefined) return []
  const { user, group } = provider
  const named = unique(
    [...looked.matrix.actors.values()].flatMap((actor) => [
      ...(actor.group === undefined ? [] : [actor.group]),
      ...(actor.groups ?? []),
    ]),
  ).filter((name) => !isNumber(name))
  return [
    ...(group === undefined || isNumber(group) ? [] : [readersCheck(looked, provider, group)]),
    ...named.map((name) => oneNameCheck(looked, name)),
    ...(isNumber(user) ? [] : [oneUserCheck(looked, user), loginCheck(looked, user)]),
  ]
}

/** Whoever is in the provider's group reads all of its credentials, by the group file or by a primary group. */
function readersCheck({ snapshot, accounts }: Looked, provider: Actor, group: string): Check {
  const gid = accounts.gid(group)
  const fact = snapshot.groups.get(group)
  const members = fact?.is === 'present' ? fact.state.members : []
  const primaries = [...snapshot.users].flatMap(([name, user]) =>
    user.is === 'present' && user.state.gid.known && user.state.gid.value === gid ? [name] : [],
  )
  const others = unique([...members, ...primaries]).filter((name) => name !== provider.user)
  return checked(
    'Identities, only the provider is in its group',
    group,
    `nobody but ${provider.user} is in it`,
    others.map(
      (name) =>
        `${name} is${members.includes(name) ? '' : ', by its primary group'}, and reads all credentials of the provider`,
    ),
  )
}

/** To the kernel two names of one number are one group. */
function oneNameCheck({ snapshot, accounts }: Looked, group: string): Check {
  const gid = accounts.gid(group)
  const twins = [...snapshot.groups].flatMap(([name, fact]) =>
    name !== group && fact.is === 'present' && fact.state.gid.known && fact.state.gid.value === gid
      ? [name]
      : [],
  )
  return checked(
    'Identities, two groups that are not the same',
    group,
    'its gid is no other group’s',
    twins.map((name) => `${name} has gid ${String(gid)} too: to the kernel they are one`),
  )
}

function oneUserCheck({ snapshot, accounts }: Looked, user: string): Check {
  const uid = accounts.uid(user)
  const twins = [...snapshot.users].flatMap(([name, fact]) =>
    name !== user && fact.is === 'present' && fact.state.uid.known && fact.state.uid.value === uid
      ? [name]
      : [],
  )
  return checked(
    'Identities, the provider has a user of its own',
    user,
    'its uid is no other user’s',
    twins.map((name) => `${name} has uid ${String(uid)} too: to the kernel they are one`),
  )
}

/** Where sudo's rules are, beside which LDAP may have others. */
export const sudoRules = { file: '/etc/sudoers', folder: '/etc/sudoers.d' } as const

function loginCheck({ snapshot, accounts }: Looked, user: string): Check {
  const source = 'Selected model, a system account without a login'
  const expected = 'nobody can log in as it, and it can become nobody else'
  const fact = snapshot.users.get(user)
  const state = fact?.is === 'present' ? fact.state : undefined
  const home = state === undefined ? undefined : snapshot.entries.get(state.home)
  const groups = (accounts.groupsOf(user)?.all ?? []).flatMap((gid) => accounts.groupName(gid) ?? [])
  const rules = sudoRulesOf(snapshot)
  const findings = [
    ...(state === undefined || /\/(nologin|false)$/.test(state.shell) ? [] : [`its shell is ${state.shell}`]),
    ...(state?.password === 'set' || state?.password === 'empty'
      ? [`it has ${state.password === 'set' ? 'a password' : 'an empty password'}`]
      : []),
    ...(home?.is === 'present' && home.state.names.includes('.ssh')
      ? [`${state?.home ?? ''}/.ssh is there: a key in it may let somebody in`]
      : []),
    ...rulesFor([user, ...groups.map((name) => `%${name}`)], rules.texts).map(
      (place) => `sudo has a rule for it at ${place}`,
    ),
  ]
  return weighed(source, user, expected, { findings, doubts: rules.doubts })
}

type NamedText = readonly [path: string, text: string]

/** The files of sudo's rules, none where there is no sudo, and why some are not known. */
function sudoRulesOf(snapshot: Snapshot): {
  readonly texts: readonly NamedText[]
  readonly doubts: readonly string[]
} {
  const file = snapshot.paths.get(sudoRules.file)
  const bytes = file?.is === 'present' ? file.state.bytes : undefined
  const doubt =
    file?.is === 'present' && bytes === undefined
      ? `${sudoRules.file} cannot be read, or others than root can write it`
      : doubtOf(snapshot, sudoRules.file)
  const folder = snapshot.folders.get(folderKey(sudoRules.folder, ''))
  return {
    texts: [
      ...(bytes === undefined
        ? []
        : [[sudoRules.file, Buffer.from(bytes.reveal()).toString('utf8')] as const]),
      ...(folder?.is === 'present'
        ? [...folder.state].map(([name, text]): NamedText => [`${sudoRules.folder}/${name}`, text ?? ''])
        : []),
    ],
    doubts: [
      ...(doubt === undefined ? [] : [doubt]),
      ...(folder === undefined ? [`${sudoRules.folder} was not looked at`] : []),
      ...(folder?.is === 'unreadable' ? [folder.problem.message] : []),
    ],
  }
}

/** Places of the lines that name one of these, or everybody. */
function rulesFor(names: readonly string[], texts: readonly NamedText[]): readonly string[] {
  return texts.flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => {
      const words = line.replace(/#(?![0-9]).*$/, '').split(/[\s,=]+/)
      const first = words.find((word) => word !== '')
      const said = first === 'ALL' || words.some((word) => names.includes(word))
      return said && first?.startsWith('Defaults') !== true ? [`${path}:${String(index + 1)}`] : []
    }),
  )
}
