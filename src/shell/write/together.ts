import type { Parent, WireChange } from '../../model/wire.ts'
import type { Staging } from './staging.ts'

/** Most changes that wait for each other: the first was guarded some time before the last is begun. */
const most = 32

/** Where a change puts one new thing from its stage and does nothing else. */
function place(
  { ops, settles }: WireChange,
  staging: Staging,
): { readonly parent: Parent; readonly name: string } | undefined {
  const [op, ...more] = ops
  if (op === undefined || more.length > 0 || settles.length > 0) return undefined
  if (op.op !== 'directory-make' && op.op !== 'file-put') return undefined
  if (op.op === 'file-put' && (!('absent' in op.expect) || op.validate !== undefined)) return undefined
  if (staging.staged.some((item) => item.op === op && item.inside)) return undefined
  return op
}

/**
 * The changes in their order, each with those right behind it that put other new things into the same directory. Whether
 * these wait for each other is decided on the host, by who can write there.
 */
export function neighbours(
  changes: readonly WireChange[],
  staging: Staging,
): readonly (readonly WireChange[])[] {
  const rows: { readonly path: string | undefined; readonly names: Set<string>; changes: WireChange[] }[] = []
  for (const change of changes) {
    const put = place(change, staging)
    const last = rows.at(-1)
    const fits =
      put !== undefined &&
      last?.path === put.parent.path &&
      !last.names.has(put.name) &&
      last.changes.length < most
    if (fits) {
      last.names.add(put.name)
      last.changes.push(change)
    } else {
      rows.push({ path: put?.parent.path, names: new Set(put && [put.name]), changes: [change] })
    }
  }
  return rows.map((row) => row.changes)
}
