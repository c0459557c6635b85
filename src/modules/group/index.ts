import * as z from 'zod'
import { absentGroupResource } from '../../resources/group/absent.ts'
import { groupResource } from '../../resources/group/group.ts'
import { membershipResource } from '../../resources/group/membership.ts'
import { AccountName, Pinned } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const group = defineModule({
  name: 'group',
  summary: 'A local group and who belongs to it',
  description: `Makes a group in \`/etc/group\` where there is none. A \`gid\` that differs from what is there, or that
another group has, is refused: ids are never renumbered. \`members\` are users that at least belong to it; with
\`exact: true\` nobody else does, and users whose primary group it is count as members. Members must exist or be made
by an earlier task, so give them in a task after the one that makes them. With \`state: absent\` it is removed; not where
it is a user's primary group, or has neither the id of a system group nor the pinned one.`,
  args: z
    .strictObject({
      name: AccountName,
      state: z.enum(['present', 'absent']).default('present').describe('Is it to be there?'),
      gid: Pinned.describe('Pinned gid; if not said, the host chooses'),
      system: z.boolean().default(true).describe('Take the gid from the range of system accounts'),
      members: z.array(AccountName).optional().describe('Users that belong to it'),
      exact: z.boolean().default(false).describe('Nobody but `members` belongs to it'),
    })
    .refine(({ exact, members }) => !exact || members !== undefined, {
      error: 'expected `members` beside `exact: true`; an empty list removes everybody',
      path: ['exact'],
    })
    .refine(({ state, members }) => state === 'present' || members === undefined, {
      error: 'expected no `members` beside `state: absent`: they go with the group',
      path: ['members'],
    }),
  examples: [
    `- name: Socket group
  group:
    name: openbao-kms-socket`,
    `- name: Only the provider and the API server reach the socket
  group:
    name: openbao-kms-socket
    members: [openbao-kms, kube-apiserver]
    exact: true`,
  ],
  mayBeUnknown: [],
  resources: ({ name, state, gid, system, members, exact }) =>
    state === 'absent'
      ? [absentGroupResource({ name, gid, system })]
      : [
          groupResource({ name, gid, system }),
          ...(members === undefined ? [] : [membershipResource({ group: name, members, exact })]),
        ],
})
