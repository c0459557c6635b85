import type { PathState } from '../../model/facts.ts'
import type { Payload } from '../../model/payload.ts'
import type { Difference } from '../../model/resource.ts'
import { known, unknown, type Value } from '../../model/value.ts'
import { sameValue } from '../common/compare.ts'
import { textOf, type FileContent } from './content.ts'

/** How the content differs from that of a file that exists; none where it is the same or not compared. */
export function contentDifferences(content: FileContent, old: PathState | undefined): readonly Difference[] {
  if (old === undefined || content.is === 'unopened') return []
  if (content.is === 'unknown') return isPredicted(content, old) ? [] : [difference(content, old)]
  return holds(content.payload, old) ? [] : [difference(content, old)]
}

/** The content of a file that does not exist yet, for its difference from `absent`. */
export function showContent(content: FileContent): Value<string> {
  switch (content.is) {
    case 'bytes':
      return known(content.payload.secret ? '(secret)' : String(content.payload.digest))
    case 'unopened':
      return known(`secret ${content.label}`)
    case 'unknown':
      return unknownContent(content)
  }
}

/** Of text that hangs on several values the first is named: one is enough to say when it will be known. */
export function unknownContent(content: Extract<FileContent, { is: 'unknown' }>): Value<never> {
  const [first] = content.origins
  return unknown(first ?? { after: 'an earlier change', field: 'result' })
}

function holds(payload: Payload, old: PathState): boolean {
  return (
    old.size === payload.bytes.length &&
    old.content?.known === true &&
    old.content.value.equals(payload.digest)
  )
}

function isPredicted(content: Extract<FileContent, { is: 'unknown' }>, old: PathState): boolean {
  const now = old.content
  return now !== undefined && 'after' in now && sameValue(now, unknownContent(content))
}

function difference(content: FileContent, old: PathState): Difference {
  if (content.is === 'bytes' && content.payload.secret) {
    return { attribute: 'content', from: known('(secret)'), to: known('changed (secret)') }
  }
  const text = texts(content, old)
  return {
    attribute: 'content',
    from: known(showOld(old)),
    to: showContent(content),
    ...(text === undefined ? {} : { text }),
  }
}

function texts(content: FileContent, old: PathState): Difference['text'] {
  const to = content.is === 'bytes' ? textOf(content.payload) : undefined
  const worldReadable = (old.mode & 0o004) !== 0
  return old.text === undefined || to === undefined || !worldReadable ? undefined : { from: old.text, to }
}

function showOld(old: PathState): string {
  const content = old.content
  if (content === undefined) return `${String(old.size)} bytes`
  if (content.known) return String(content.value)
  return 'unreadable' in content ? `unreadable (${content.unreadable})` : `(known after ${content.after})`
}
