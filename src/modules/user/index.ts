import * as z from 'zod'
import { absentUserResource } from '../../resources/user/absent.ts'
import { userResource } from '../../resources/user/user.ts'
import { AccountName, Gecos, Group, Pinned, PlainPath } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const user = defineModule({
  name: 'user',
  summary: 'A local account for a service: no password, no login',
  description: `Makes a user in \`/etc/passwd\` where there is none, with a locked password; its home directory is not
made. The primary group must exist or be made by an earlier task. A \`uid\` or primary group that differs from what is
there is refused, since files and processes would keep the old one. Further groups are the business of \`group\`.
With \`state: absent\` it is removed, and the group of its name if nobody else belongs to that; only where it is as it
would have been made with these arguments, with the id of a system account or the pinned one, and has no processes.
What it owns stays.`,
  args: z.strictObject({
    name: AccountName,
    state: z.enum(['present', 'absent']).default('present').describe('Is it to be there?'),
    uid: Pinned.describe('Pinned uid; if not said, the host chooses'),
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
    `- name: No account of the provider's earlier name
  user:
    name: openbao-kms-old
    gecos: OpenBao KMS provider
    home: /var/lib/openbao-kms
    state: absent`,
  ],
  mayBeUnknown: [],
  resources: ({ state, ...args }) => {
    const made = { ...args, group: args.group ?? args.name }
    return [state === 'present' ? userResource(made) : absentUserResource(made)]
  },
})
