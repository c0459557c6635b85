import * as z from 'zod'
import type { Resource } from '../../model/resource.ts'
import { existsCheck } from '../../resources/check/exists.ts'
import { httpCheck } from '../../resources/check/http.ts'
import { reachResource } from '../../resources/check/reach.ts'
import { AbsolutePath, As, exactlyOne, LoopbackUrl, SocketPath, UnitName, Within } from '../arguments.ts'
import { defineModule } from '../define.ts'

const Args = z
  .strictObject({
    socket: z
      .strictObject({ path: SocketPath, as: As })
      .optional()
      .describe('A Unix socket that this identity can connect to, with its groups'),
    path: AbsolutePath.optional().describe('A path where something exists'),
    gone: AbsolutePath.optional().describe('A path where nothing exists any more'),
    http: LoopbackUrl.optional().describe('A URL that answers 200'),
    unit: UnitName.optional().describe(
      'With `http`: only the answer of a process of this unit counts. If not said, that of anybody does',
    ),
    within: Within(60),
  })
  .refine(...exactlyOne('socket', 'path', 'gone', 'http'))
  .refine(({ http, unit }) => unit === undefined || http !== undefined, 'expected `unit` with `http` only')

export const waitFor = defineModule({
  name: 'wait_for',
  summary: 'Waits until a socket, a path or a URL answers, or a path is gone',
  description: `A check, not a state: behind changes it is pending, otherwise it is a difference where it is not met. A
converge waits for it at most \`within\` seconds. A socket is tried as the identity that shall reach it, without any tool
on the host and without a connection being made. Any local user may listen at a port that nobody has, and answer 200:
name the \`unit\` where a service is meant.`,
  args: Args,
  examples: [
    `- name: The API server reaches the provider
  wait_for:
    socket:
      path: /run/openbao-kms/kms.sock
      as: root
    within: 30`,
    `- name: The provider says that it is ready
  wait_for:
    http: http://127.0.0.1:8082/ready
    unit: bao-kms-provider.service`,
  ],
  mayBeUnknown: [],
  resources: check,
})

function check({ socket, path, gone, http, unit, within }: z.output<typeof Args>): readonly Resource[] {
  if (socket !== undefined) return [reachResource({ socket: socket.path, as: socket.as, within })]
  if (path !== undefined) return [existsCheck({ path, present: true, within })]
  if (gone !== undefined) return [existsCheck({ path: gone, present: false, within })]
  return http === undefined ? [] : [httpCheck({ url: http, unit, within })]
}
