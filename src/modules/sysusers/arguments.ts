import * as z from 'zod'
import { AccountName, BaseName, Gecos, Pinned, PlainPath } from '../arguments.ts'

const Groups = z.array(
  z.strictObject({
    name: AccountName,
    gid: Pinned.describe('Pinned gid; none: the host chooses'),
    exact: z
      .boolean()
      .default(false)
      .describe('Nobody belongs to it but `members` of this task and users whose primary group it is here'),
  }),
)

const Users = z.array(
  z.strictObject({
    name: AccountName,
    uid: Pinned.describe('Pinned uid; none: the host chooses'),
    group: AccountName.optional().describe('Primary group; if not said, the one of the same name'),
    gecos: Gecos.default(''),
    home: PlainPath.default('/'),
    shell: PlainPath.default('/usr/sbin/nologin'),
  }),
)

export const SysusersArgs = z.strictObject({
  name: BaseName.describe('Name of the file below /etc/sysusers.d, without `.conf`'),
  groups: Groups.default([]),
  users: Users.default([]),
  members: z.array(z.strictObject({ user: AccountName, group: AccountName })).default([]),
})

export type SysusersArgs = z.output<typeof SysusersArgs>
