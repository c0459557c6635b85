import fc from 'fast-check'
import type { ActingIdentity } from '../../../src/model/access.ts'
import { identity } from './rows.ts'

/** Few ids, so that owners, members and strangers all come about. */
const uids = [0, 5001, 5002, 5003]
const gids = [0, 5001, 5002, 5003]

/** One inode to be made: owners, mode, and the whole access ACL where it has one. */
export interface Made {
  readonly uid: number
  readonly gid: number
  readonly mode: number
  readonly acl: readonly string[]
}

export type ObjectType = 'file' | 'directory' | 'socket' | 'fifo'

/** Directories from the top down, what stands in the last, and by which name it is asked for. */
export interface Layout {
  readonly directories: readonly Made[]
  readonly object: Made
  readonly type: ObjectType
  /** `object`: a link beside the top directory to the object; `way`: to the top directory; `inside`: beside the object. */
  readonly link: 'none' | 'object' | 'way' | 'inside'
  /** What the immutable attribute is put on. */
  readonly immutable: 'none' | 'object' | 'parent'
  readonly who: readonly ActingIdentity[]
}

const bits = fc.constantFrom(7, 7, 6, 5, 5, 4, 3, 2, 1, 0)
const way = fc.constantFrom(7, 7, 7, 5, 5, 5, 5, 1, 1, 3, 4, 6, 0)

const show = (digit: number): string =>
  `${digit & 4 ? 'r' : '-'}${digit & 2 ? 'w' : '-'}${digit & 1 ? 'x' : '-'}`

function made(digit: fc.Arbitrary<number>, sticky: fc.Arbitrary<boolean>): fc.Arbitrary<Made> {
  const named = fc.uniqueArray(
    fc.record({ of: fc.constantFrom('user', 'group'), id: fc.constantFrom(...uids), bits: digit }),
    { maxLength: 4, selector: ({ of, id }) => `${of}${String(id)}` },
  )
  return fc
    .record({
      uid: fc.constantFrom(...uids),
      gid: fc.constantFrom(...gids),
      digits: fc.tuple(digit, digit, digit),
      sticky,
      mask: digit,
      named: fc.oneof(
        { weight: 3, arbitrary: named.map((all) => all.slice(all.length)) },
        { weight: 2, arbitrary: named },
      ),
    })
    .map(({ uid, gid, digits: [owner, group, other], sticky: isSticky, mask, named: entries }) => {
      const lines = [
        `user::${show(owner)}`,
        ...entries
          .filter(({ of }) => of === 'user')
          .map((each) => `user:${String(each.id)}:${show(each.bits)}`),
        `group::${show(group)}`,
        ...entries
          .filter(({ of }) => of === 'group')
          .map((each) => `group:${String(each.id)}:${show(each.bits)}`),
        ...(entries.length === 0 ? [] : [`mask::${show(mask)}`]),
        `other::${show(other)}`,
      ]
      const middle = entries.length === 0 ? group : mask
      return { uid, gid, mode: (isSticky ? 0o1000 : 0) | (owner << 6) | (middle << 3) | other, acl: lines }
    })
}

/** Real powers over files, one of no use, and all of root's. */
const powers = fc.constantFrom([], [], [], [], [1], [2], [3], [2, 3], [1, 3], [13], [1, 2, 3, 5])

export const identities: fc.Arbitrary<ActingIdentity> = fc
  .record({
    uid: fc.constantFrom(...uids, 5001, 5002, 5003),
    gid: fc.constantFrom(...gids),
    groups: fc.uniqueArray(fc.constantFrom(...gids), { maxLength: 3 }),
    capabilities: powers,
  })
  .map(({ uid, gid, groups, capabilities }) => ({ ...identity(uid, [...groups].sort(), capabilities), gid }))

/** Root's and closed, so that a link in it is followed. */
const closed: Made = { uid: 0, gid: 0, mode: 0o755, acl: ['user::rwx', 'group::r-x', 'other::r-x'] }

/** `pool`: few identities, because each costs the kernel's program a process. */
export function layoutsFor(pool: readonly ActingIdentity[]): fc.Arbitrary<Layout> {
  return (
    fc
      .record({
        directories: fc.array(
          fc.oneof(
            { weight: 4, arbitrary: made(way, fc.boolean()) },
            { weight: 1, arbitrary: fc.constant(closed) },
          ),
          { minLength: 1, maxLength: 3 },
        ),
        object: made(bits, fc.boolean()),
        type: fc.constantFrom<ObjectType>('file', 'file', 'directory', 'socket', 'socket', 'fifo'),
        link: fc.oneof(
          { weight: 16, arbitrary: fc.constant('none' as const) },
          { weight: 3, arbitrary: fc.constantFrom('object' as const, 'way' as const) },
          { weight: 1, arbitrary: fc.constant('inside' as const) },
        ),
        immutable: fc.oneof(
          { weight: 30, arbitrary: fc.constant('none' as const) },
          { weight: 1, arbitrary: fc.constantFrom('object' as const, 'parent' as const) },
        ),
        who: fc.array(fc.constantFrom(...pool), { minLength: 5, maxLength: 5 }),
      })
      // chattr opens what it changes, which neither a socket nor a FIFO allows
      .map((layout) =>
        layout.immutable === 'object' && (layout.type === 'socket' || layout.type === 'fifo')
          ? { ...layout, immutable: 'none' }
          : layout,
      )
  )
}
