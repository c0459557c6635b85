import * as z from 'zod'
import { userResource } from '../../resources/user/user.ts'
import { AccountName, Gecos, Group, Id, PlainPath } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const user = defineModule({
  name: 'user',
  summary: 'A local account for a service: no password, no login',
  description: `Makes a user in \`/etc/passwd\` where there is none, with a locked password; its home directory is not
made. The primary group must exist or be made by an earlier task. A \`uid\` or primary group that differs from what is
there is refused, since files and processes would keep the old one. Further groups are the business of \`group\`.`,
  args: z.strictObject({
    name: AccountName,
    uid: Id.optional().describe('Pinned uid; if not said, the host chooses'),
    group: Group.optional().describe('Primary group; if not said, the one of the same name'),
    gecos: Gecos.default('').describe('Full name or purpose'),
    home: PlainPath.default('/').describe('Home directory; it is not made'),
    shell: PlainPath.default('/usr/sbin/nologin').describe('Login shell'),
    system: z.boolean().default(true).describe('Take the uid from the range of system accounts'),
  }),
  examples: [
    `- name: Group of the provider
  group:
    name: openbao-kms
- name: Account of the provider
  user:
    name: openbao-kms
    gecos: OpenBao KMS provider
    home: /var/lib/openbao-kms`,
  ],
  mayBeUnknown: [],
  resources: (args) => [userResource({ ...args, group: args.group ?? args.name })],
})
