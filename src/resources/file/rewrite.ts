import type { Difference, Planned, Resource, World } from '../../model/resource.ts'
import type { Digest } from '../../model/secret.ts'
import type { FileCheck, Ownership } from '../../model/wire.ts'
import { checkerAtoms } from '../common/identity.ts'
import { ownerAtoms } from '../common/owner.ts'
import { failure, refused, success, type Result } from '../common/result.ts'
import { wrongType } from '../common/type.ts'
import type { FileContent } from './content.ts'
import { fileResource } from './file.ts'

/** What stands at a path before it is written, for who must judge or keep it. */
export type OldContent =
  | { readonly is: 'absent' }
  | { readonly is: 'text'; readonly text: string; readonly digest: Digest }
  /** Not UTF-8, too large, or writable by others than root, so that it says nothing of what root put there. */
  | { readonly is: 'unknown'; readonly digest?: Digest }

/** What shall stand there, and what else differs by it: attributes that the content's digest does not tell. */
export interface Rewritten {
  readonly content: FileContent
  readonly differences: readonly Difference[]
}

/** A file whose new content hangs on, or is judged by, what stands there. */
export interface RewriteDesired extends Ownership {
  readonly path: string
  readonly validate?: readonly FileCheck[] | undefined
  /** The content may hold secrets: it is compared by sealed digests and never shown. */
  readonly secret: boolean
  /** Equal for equal {@link RewriteDesired.rewrite}. */
  readonly sameness: string
  /** Pure. A problem refuses the file. */
  readonly rewrite: (old: OldContent) => Result<Rewritten>
}

/** Largest old file that is read. */
const largest = 1_048_576

export function rewriteResource(desired: RewriteDesired): Resource {
  const { path, validate, secret } = desired
  return {
    id: `file:${path}`,
    subject: `path:${path}`,
    sameness: desired.sameness,
    atoms: [
      {
        atom: 'path',
        path,
        labelOf: 'file',
        digestUpTo: largest,
        bytesUpTo: largest,
        ...(secret ? { sealed: true } : {}),
      },
      ...ownerAtoms(desired),
      ...checkerAtoms(validate),
    ],
    plan: (world) => plan(desired, world),
  }
}

function plan({ path, owner, group, mode, validate, rewrite }: RewriteDesired, world: World): Planned {
  const old = oldContent(path, world)
  if (!old.ok) return refused(old.problem)
  const rewritten = rewrite(old.value)
  if (!rewritten.ok) return refused(rewritten.problem)
  const { content, differences } = rewritten.value
  const planned = fileResource({ path, owner, group, mode, validate, content }).plan(world)
  return planned.is === 'change'
    ? { ...planned, differences: [...planned.differences, ...differences] }
    : planned
}

function oldContent(path: string, world: World): Result<OldContent> {
  const fact = world.path(path)
  if (fact.is === 'unreadable') return failure(fact.problem)
  if (fact.is === 'absent') return success({ is: 'absent' })
  if (fact.state.type !== 'file') return failure(wrongType(path, 'file', fact.state))
  const { bytes, content } = fact.state
  const digest = content?.known === true ? content.value : undefined
  if (digest === undefined) return success({ is: 'unknown' })
  if (bytes === undefined) return success({ is: 'unknown', digest })
  return success({ is: 'text', text: Buffer.from(bytes.reveal()).toString('utf8'), digest })
}
