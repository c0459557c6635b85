import type { Resource } from '../../model/resource.ts'
import { groupResource } from '../../resources/group/group.ts'
import { membershipResource } from '../../resources/group/membership.ts'
import { userResource } from '../../resources/user/user.ts'
import { defineModule } from '../define.ts'
import { vendorConfig } from '../vendor-config.ts'
import { SysusersArgs } from './arguments.ts'
import { sysusersText } from './text.ts'

const folder = '/etc/sysusers.d'

export const sysusers = defineModule({
  name: 'sysusers',
  summary: 'System users and groups, as a sysusers.d file and as accounts',
  description: `Writes \`/etc/sysusers.d/NAME.conf\`, so that a host which is rebuilt makes the same accounts, and makes
each group, user and membership now. Hosts without systemd get the accounts only, by \`groupadd\` and \`useradd\`
or by busybox's \`addgroup\` and \`adduser\`. No file is written where a package's of that name says all of it; one that is
needed must have a line for every account and membership of the package's, which no longer counts then.
The rules of \`group\` and \`user\` hold: nothing is renumbered, accounts of the name service are refused.`,
  args: SysusersArgs,
  examples: [
    `- name: Identities of the provider
  sysusers:
    name: openbao-kms
    groups:
      - name: openbao-kms
      - name: openbao-kms-socket
    users:
      - name: openbao-kms
        gecos: OpenBao KMS provider
        home: /var/lib/openbao-kms
    members:
      - user: openbao-kms
        group: openbao-kms-socket`,
  ],
  mayBeUnknown: [],
  resources: (args, context) => {
    const text = sysusersText(args)
    return [
      ...vendorConfig(
        'systemd-sysusers',
        folder,
        {
          kind: 'sysusers.d',
          name: `${args.name}.conf`,
          text,
          ending: `${args.name}.conf`,
          // A membership is about both of its names, an account about its own.
          subject: ([type = '', name = '', group = '']) =>
            type === 'm' ? `m ${name} ${group}` : `${type.slice(0, 1)} ${name}`,
          normal: (word) => word,
        },
        context,
      ),
      ...accounts(args),
    ]
  },
})

/** Groups first, since users need them; memberships last, since they need both. */
function accounts({ groups, users, members }: SysusersArgs): readonly Resource[] {
  const joined = new Set([...members.map(({ group }) => group), ...groups.filter(isExact).map(nameOf)])
  return [
    ...groups.map(({ name, gid }) => groupResource({ name, gid, system: true })),
    ...users.map((user) => userResource({ ...user, group: user.group ?? user.name, system: true })),
    ...[...joined].map((group) => {
      const exact = groups.some((one) => one.name === group && one.exact)
      const primary = exact ? users.filter((user) => (user.group ?? user.name) === group).map(nameOf) : []
      const listed = members.filter((member) => member.group === group).map(({ user }) => user)
      return membershipResource({ group, members: [...listed, ...primary], exact })
    }),
  ]
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

function isExact({ exact }: { readonly exact: boolean }): boolean {
  return exact
}
