import type { SysusersArgs } from './arguments.ts'

/** The sysusers.d(5) file; the schemas leave nothing that would need quoting but the gecos. */
export function sysusersText({ groups, users, members }: SysusersArgs): string {
  const lines = [
    '# Managed by kmsfleet: changes made here are undone.',
    ...groups.map(({ name, gid }) => `g ${name} ${gid === undefined ? '-' : String(gid)}`),
    ...users.map(({ name, uid, group, gecos, home, shell }) => {
      const number = uid === undefined ? '-' : String(uid)
      // `u` makes a group of its own name unless another one is named.
      const id = group === undefined || group === name ? number : `${number}:${group}`
      return `u ${name} ${id} ${gecos === '' ? '-' : `"${gecos}"`} ${home} ${shell}`
    }),
    ...members.map(({ user, group }) => `m ${user} ${group}`),
  ]
  return `${lines.join('\n')}\n`
}
