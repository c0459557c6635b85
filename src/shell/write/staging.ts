import type { Payload } from '../../model/payload.ts'
import type { Ownership, Parent, WireChange, WriteOp } from '../../model/wire.ts'
import { quote } from '../quote.ts'

/** What is made in a stage before the first change. */
export interface Staged {
  readonly change: number
  readonly op: WriteOp
  /** Shell word of the folder that it stands in, under its final name. */
  readonly folder: string
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link'
  readonly to?: Ownership
  readonly payload?: Payload
  /** Where it will stand. */
  readonly path: string
  /** It is made again inside its directory, which has no anchor. */
  readonly inside: boolean
  /** Staged things of one epoch, kind, owner, mode and label get them by one call, when the first of them is placed. */
  readonly dressing: string
}

/** All stages of one frame: one folder in each anchor. */
export interface Staging {
  /** Anchors in order; the shell variable of the stage in `anchors[i]` is `kf_s{i+1}`. */
  readonly anchors: readonly string[]
  readonly staged: readonly Staged[]
  /** Folders in stages that keep equal names apart, as shell words. */
  readonly buckets: readonly string[]
  /** The shell word of the stage for an operation in this directory. */
  stageOf(parent: Parent): string
  /**
   * Directories that this frame makes with root as their only writer, where later operations work, to the stage of
   * these. Where their parents turn out closed so are they, and on one mount with that stage.
   */
  readonly born: ReadonlyMap<string, string>
}

/** Where the payloads of directories without an anchor wait; every host has it and only root writes there. */
const fallbackAnchor = '/run'

export function join(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** `00640`: fewer than five digits do not clear set-user-id and set-group-id bits of a directory. */
export function modeWord(mode: number): string {
  return mode.toString(8).padStart(5, '0')
}

/** The mode that something is staged with: that which it will have, where a umask alone can give it. */
export function freshMode({ kind, to }: Staged): number {
  const most = kind === 'file' ? 0o666 : 0o777
  if (to !== undefined && (to.mode & ~most) === 0) return to.mode
  return most & 0o700
}

/** The umask under which things get this mode. */
export function umaskWord(mode: number): string {
  return (0o777 & ~mode).toString(8).padStart(4, '0')
}

/** `owner:group` as chown takes it; the many spellings of root are one. */
export function ownerWord(to: Ownership): string {
  const name = (text: string): string => (text === '0' ? 'root' : text)
  return `${name(to.owner)}:${name(to.group)}`
}

function rootWritesAlone({ owner, mode }: Ownership): boolean {
  return (owner === 'root' || owner === '0') && (mode & 0o022) === 0
}

/** Nobody but root can move the directory, since all its ancestors are trusted. */
export function isFirm(parent: Parent): boolean {
  return parent.anchor === parent.path || parent.anchor === directoryOf(parent.path)
}

const stagedKinds: Partial<Record<WriteOp['op'], Staged['kind']>> = {
  'file-put': 'file',
  'directory-make': 'directory',
  'link-put': 'link',
}

/** Works out what is staged where. */
export function planStaging(changes: readonly WireChange[]): Staging {
  const ops = changes.flatMap((change) => change.ops.map((op) => ({ change: change.id, op })))
  const made = new Map(
    ops.flatMap(({ op }) =>
      op.op === 'directory-make' ? [[join(op.parent.path, op.name), op.parent] as const] : [],
    ),
  )
  // a directory that this frame makes cannot hold a stage that exists before the first change
  const anchorOf = (parent: Parent): string | undefined => {
    const maker = parent.anchor === undefined ? undefined : made.get(parent.anchor)
    return maker === undefined ? parent.anchor : anchorOf(maker)
  }
  const anchors: string[] = []
  const stageOf = (parent: Parent): string => {
    const anchor = anchorOf(parent) ?? fallbackAnchor
    if (!anchors.includes(anchor)) anchors.push(anchor)
    return `$kf_s${String(anchors.indexOf(anchor) + 1)}`
  }
  const buckets = new Set<string>()
  const taken = new Map<string, number>()
  const staged: Staged[] = []
  let epoch = 0
  for (const { change, op } of ops) {
    // a command may change accounts: what it could change the meaning of is looked up after it
    if (op.op === 'command' || op.op === 'user-set' || op.op === 'user-remove') epoch += 1
    const kind = stagedKinds[op.op]
    if (kind === undefined || !('parent' in op)) {
      if (op.op === 'file-set') stageOf(op.parent)
      continue
    }
    const stage = stageOf(op.parent)
    const bucket = taken.get(`${stage}/${op.name}`) ?? 0
    taken.set(`${stage}/${op.name}`, bucket + 1)
    const folder = `"${stage}/${String(bucket)}"`
    buckets.add(folder)
    const to = 'to' in op ? op.to : undefined
    const inside = anchorOf(op.parent) === undefined
    staged.push({
      change,
      op,
      folder,
      name: op.name,
      kind,
      path: join(op.parent.path, op.name),
      inside,
      dressing:
        to === undefined ? '' : [epoch, kind, ownerWord(to), modeWord(to.mode), to.label ?? ''].join(' '),
      ...(to === undefined ? {} : { to }),
      ...(op.op === 'file-put' ? { payload: op.payload } : {}),
    })
  }
  const born = new Map<string, string>()
  for (const { op, path, folder, inside } of staged) {
    if (op.op !== 'directory-make' || inside || !rootWritesAlone(op.to)) continue
    if (!isFirm(op.parent) && !born.has(op.parent.path)) continue
    const within = ops
      .map((later) => later.op)
      .find((later) => 'parent' in later && later.parent.path === path)
    if (within === undefined || !('parent' in within)) continue
    const stage = stageOf(within.parent)
    if (anchorOf(within.parent) === op.parent.path || folder.startsWith(`"${stage}/`)) born.set(path, stage)
  }
  return { anchors, staged, buckets: [...buckets], stageOf, born }
}

/** Longest payload that travels in the script. */
const inlineLimit = 8192

/** A short text that is no secret can travel in the script, where it takes no program to write it. */
export function inlineText({ payload }: Staged): string | undefined {
  if (payload === undefined || payload.secret || payload.bytes.length > inlineLimit) return undefined
  const text = Buffer.from(payload.bytes).toString('latin1')
  // shells give other bytes meanings of their own
  return /^[\t\n -~]*$/.test(text) ? text : undefined
}

/** The shell word of what is staged. */
export function stagedWord(item: Staged): string {
  return `${item.folder}/${quote(item.name)}`
}
