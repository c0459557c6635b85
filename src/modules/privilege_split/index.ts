import * as z from 'zod'
import { splitResource } from '../../resources/split/split.ts'
import { Group, Owner } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const privilegeSplit = defineModule({
  name: 'privilege_split',
  summary: 'Who reaches the socket cannot read credentials, whatever the accounts are called',
  description: `The rule that names may change and that must hold still: credentials are read by one group, the socket is reached
by another, and neither is the API server's own. Equal names are refused before any host is contacted. On the host it is
refused, before any change, where the two groups have one gid, where the API server's account has the provider's uid, one
of the two as its primary group, or belongs to the group that reads credentials. A number in place of a name is a static
pod's: no account of the host may have it.`,
  args: z
    .strictObject({
      provider: Owner.describe('Account of the provider, or the uid of its pod'),
      credentials: Group.describe('Group that reads credentials, or the gid of the pod'),
      socket: Group.describe('Group that reaches the socket'),
      api_server: Owner.nullable()
        .default(null)
        .describe('Account that kube-apiserver runs as; none where it is root, which no group keeps out'),
    })
    .refine(({ credentials, socket }) => credentials !== socket, {
      error: 'expected another group than that of `credentials`: who reaches the socket could read them',
      path: ['socket'],
    })
    .refine(({ provider, api_server }) => provider !== api_server, {
      error: "expected another account than the provider's: the API server could read credentials",
      path: ['api_server'],
    })
    .refine(({ credentials, socket, api_server }) => api_server !== credentials && api_server !== socket, {
      error:
        'expected an account whose primary group is not one of the two, found the name of one: useradd gives a user the group of its name',
      path: ['api_server'],
    }),
  examples: [
    `- name: Sockets and credentials are kept apart
  privilege_split:
    provider: openbao-kms
    credentials: openbao-kms
    socket: openbao-kms-socket
    api_server: kube-apiserver`,
  ],
  mayBeUnknown: [],
  resources: ({ provider, credentials, socket, api_server }) => [
    splitResource({ provider, credentials, socket, apiServer: api_server ?? undefined }),
  ],
})
