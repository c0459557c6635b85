import * as z from 'zod'
import { parseDocument } from '../../document/parse.ts'
import { KmsfleetErrors } from '../../errors/error.ts'
import type { Problem } from '../../model/problem.ts'
import type { World } from '../../model/resource.ts'
import { problem } from '../../resources/common/result.ts'

const Provider = z.looseObject({
  server: z.looseObject({ socketPath: z.string() }),
  transit: z.looseObject({ keyIdScope: z.looseObject({ providerName: z.string() }) }),
})

/** Why the provider's own configuration on the host contradicts a name and a socket; undefined where it agrees. */
export function disagreement(
  config: string,
  name: string,
  socket: string,
  world: World,
): Problem | undefined {
  const fact = world.path(config)
  if (fact.is === 'unreadable') return fact.problem
  if (fact.is === 'absent') return differs(config, 'the provider to be configured', 'nothing there')
  const { bytes, content } = fact.state
  // Written by this run once a value of it is known: it is looked at again then.
  if (content?.known === false && 'after' in content) return undefined
  if (bytes === undefined) return differs(config, 'a file that root alone can write', 'another')
  try {
    const { server, transit } = parseDocument(
      config,
      Buffer.from(bytes.reveal()).toString('utf8'),
      Provider,
    ).value
    const { providerName } = transit.keyIdScope
    if (providerName !== name) return differs(config, `providerName ${name}`, providerName)
    return server.socketPath === socket
      ? undefined
      : differs(config, `socketPath ${socket}`, server.socketPath)
  } catch (error) {
    if (error instanceof KmsfleetErrors)
      return differs(config, "the provider's configuration", 'something else')
    throw error
  }
}

function differs(path: string, expected: string, found: string): Problem {
  return problem(
    'resource.encryption',
    path,
    `expected ${expected} in ${path}, found ${found}`,
    'The API server and the provider must speak of the same name and the same socket.',
  )
}
