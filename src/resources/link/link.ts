import type { Planned, Resource, World } from '../../model/resource.ts'
import { known } from '../../model/value.ts'
import { cannotChange, expectOf } from '../common/guard.ts'
import { findParent } from '../common/parent.ts'
import { nameOf } from '../common/paths.ts'
import { refused } from '../common/result.ts'
import { difference, differencesOfNew } from '../common/show.ts'
import { wrongType } from '../common/type.ts'

/** A symbolic link with an exact target, which need not exist. */
export interface LinkDesired {
  readonly path: string
  /** Text of the link: absolute, or relative to the link's directory. */
  readonly target: string
}

export function linkResource(desired: LinkDesired): Resource {
  const { path, target } = desired
  return {
    id: `link:${path}`,
    subject: `path:${path}`,
    sameness: JSON.stringify({ path, target }),
    atoms: [{ atom: 'path', path }],
    plan: (world) => plan(desired, world),
  }
}

function plan({ path, target }: LinkDesired, world: World): Planned {
  const found = findParent(path, world)
  if (!found.ok) return refused(found.problem)
  const fact = world.path(path)
  if (fact.is === 'unreadable') return refused(fact.problem)
  const old = fact.is === 'present' ? fact.state : undefined
  if (old !== undefined && old.type !== 'link') return refused(wrongType(path, 'link', old))
  if (old?.target === target) return { is: 'same' }
  const hindrance = cannotChange(path, found.value.state, old)
  if (hindrance !== undefined) return refused(hindrance)
  return {
    is: 'change',
    differences:
      old === undefined
        ? differencesOfNew('link', [['target', target]])
        : [difference('target', old.target ?? 'unknown', target)],
    ops: [{ op: 'link-put', parent: found.value.parent, name: nameOf(path), expect: expectOf(fact), target }],
    effects: [
      {
        set: 'path',
        key: path,
        fact: {
          is: 'present',
          state: {
            type: 'link',
            mode: 0o777,
            uid: known(0),
            gid: known(0),
            size: Buffer.byteLength(target),
            links: 1,
            acl: 'none',
            target,
          },
        },
      },
    ],
    disruptive: false,
    provisional: false,
  }
}
