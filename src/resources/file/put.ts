import type { PathState } from '../../model/facts.ts'
import type { Payload } from '../../model/payload.ts'
import type { Difference, Effect, Planned, World } from '../../model/resource.ts'
import { Secret } from '../../model/secret.ts'
import { known } from '../../model/value.ts'
import type { FileCheck, WriteOp } from '../../model/wire.ts'
import { expectOf } from '../common/guard.ts'
import { labelled } from '../common/mended.ts'
import { showMode } from '../common/mode.ts'
import { differencesOfNew } from '../common/show.ts'
import { contested } from '../common/trust.ts'
import { textOf, type FileContent } from './content.ts'
import { showContent, unknownContent } from './difference.ts'
import { mend, type Place } from './mend.ts'
import { lostWriter } from './writers.ts'

/** A new file, or new content, in one rename; or only a new owner and mode where that is safe in place. */
export function put(
  place: Place,
  changed: readonly Difference[],
  content: FileContent,
  validate: readonly FileCheck[] | undefined,
  world: World,
): Planned {
  const { path, old } = place
  if (content.is === 'bytes' && old !== undefined && !needsNewInode(place, old, changed, world)) {
    return mend(place, changed, content)
  }
  const differences = old === undefined ? differencesOfNewFile(place, content) : changed
  return {
    is: 'change',
    differences,
    ops: content.is === 'bytes' ? [filePut(place, content.payload, validate)] : [],
    effects: [effect(path, place, content)],
    disruptive: false,
    provisional: content.is === 'unknown',
  }
}

/**
 * In a contested directory, and of a file with other names or former writers, the inode cannot be mended
 * safely; the bytes are at hand, so it is replaced.
 */
function needsNewInode(
  { path, to, ids }: Place,
  old: PathState,
  changed: readonly Difference[],
  world: World,
): boolean {
  return (
    changed.some(({ attribute }) => attribute === 'content') ||
    old.links > 1 ||
    lostWriter(old, ids, to.mode) !== undefined ||
    contested(path, world)
  )
}

function filePut(
  { parent, name, fact, to }: Place,
  payload: Payload,
  validate: readonly FileCheck[] | undefined,
): WriteOp {
  return {
    op: 'file-put',
    parent,
    name,
    expect: expectOf(fact),
    payload,
    to,
    ...(validate === undefined ? {} : { validate }),
  }
}

function differencesOfNewFile({ to }: Place, content: FileContent): readonly Difference[] {
  const text = content.is === 'bytes' ? textOf(content.payload) : undefined
  return differencesOfNew('file', [
    ['content', showContent(content)],
    ['owner', to.owner],
    ['group', to.group],
    ['mode', showMode(to.mode)],
    ...(to.label === undefined ? [] : [['label', to.label] as const]),
  ]).map((one) =>
    one.attribute === 'content' && text !== undefined ? { ...one, text: { from: '', to: text } } : one,
  )
}

/** Without device, inode and time: other bytes will stand here (see replacedHere). */
function effect(path: string, { to, ids }: Place, content: FileContent): Effect {
  const common = {
    type: 'file',
    mode: to.mode,
    ...ids,
    links: 1,
    acl: 'none',
    ...labelled(to.label),
  } as const
  switch (content.is) {
    case 'bytes': {
      const { bytes, digest } = content.payload
      // A later play of a run that only plans may judge by it what it would write.
      const predicted = { ...common, size: bytes.length, content: known(digest) }
      return predict(path, { ...predicted, bytes: new Secret(path, bytes) })
    }
    case 'unknown':
      return predict(path, { ...common, size: 0, content: unknownContent(content) })
    case 'unopened':
      return predict(path, { ...common, size: 0 })
  }
}

function predict(key: string, state: PathState): Effect {
  return { set: 'path', key, fact: { is: 'present', state } }
}
