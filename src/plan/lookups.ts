import { KmsfleetError } from '../errors/error.ts'
import type { World } from '../model/resource.ts'
import type { HostLookups } from '../template/engine.ts'

/** What templates may ask a host, answered from a world. An account that is not in it is this host's trouble. */
export function worldLookups(world: Pick<World, 'group' | 'user'>): HostLookups {
  return {
    groupId: (name) => {
      const group = world.group(name)
      if (group.is === 'present') return group.state.gid
      throw missing('group', name)
    },
    userId: (name) => {
      const user = world.user(name)
      if (user.is === 'present') return user.state.uid
      throw missing('user', name)
    },
  }
}

function missing(kind: 'group' | 'user', name: string): KmsfleetError {
  return new KmsfleetError(
    'resource.unknown-account',
    `expected a ${kind} ${name} on the host or made by an earlier task, found none`,
  )
}
