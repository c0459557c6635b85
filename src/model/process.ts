import type { ActingIdentity, Action, Attempt } from './access.ts'
import type { PathState } from './facts.ts'

/** One thing to try. A signal goes to the processes that the `process` atom of that key finds. */
export type Try =
  | { readonly action: Exclude<Action, 'signal'>; readonly path: string }
  | { readonly action: 'signal'; readonly process: string }

/** Where a process is found: by what the service manager or the kubelet say of it, never by its name. */
export type ProcessOf = { readonly by: 'unit'; readonly unit: string } | PodProcess

/**
 * `name` as the API shows it, or that of a static pod's manifest, without the node that the kubelet appends. Without
 * `container`: all of the pod's but its sandbox.
 */
export interface PodProcess {
  readonly by: 'pod'
  readonly namespace: string
  readonly name: string
  readonly container?: string
}

/** What was asked of a process beside whom it is. */
export interface ProcessAbout {
  /** Seconds since the epoch by the host's clock, rounded down: its start. */
  readonly since: number
  /** What it was started with, as it says itself. A line break in an argument is a blank here. */
  readonly argv: readonly string[]
  /** Device and inode, `dev:ino`, of what it has at the path that was asked; absent where it has nothing there. */
  readonly sees?: string
}

/** `pid:ticks`: no other process of this boot is called so. */
export function processName({ pid, started }: Pick<ProcessState, 'pid' | 'started'>): string {
  return `${String(pid)}:${started}`
}

/** The four ids that a process has of each kind. */
export interface ProcessIds {
  readonly real: number
  readonly effective: number
  readonly saved: number
  readonly filesystem: number
}

/** One mount of a mount namespace, as mountinfo has it. */
export interface MountState {
  /** `st_dev` of its file system, decimal. */
  readonly device: string
  /** What of the file system is mounted. */
  readonly root: string
  readonly point: string
  readonly readOnly: boolean
}

/** The mount that a path lies on; of two at one point the later one is on top. */
export function mountOver(mounts: readonly MountState[], path: string): MountState | undefined {
  return mounts
    .filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
    .reduce<MountState | undefined>(
      (best, next) => (best !== undefined && best.point.length > next.point.length ? best : next),
      undefined,
    )
}

/** One live process, the same before and after all else of its frame was asked. */
export interface ProcessState {
  readonly pid: number
  /** Start time in clock ticks since boot, decimal; with the pid it names the process. */
  readonly started: string
  readonly uids: ProcessIds
  readonly gids: ProcessIds
  /** Supplementary groups, ascending as the kernel keeps them. */
  readonly groups: readonly number[]
  /** By their number in `linux/capability.h`. */
  readonly capabilities: {
    readonly effective: ReadonlySet<number>
    readonly permitted: ReadonlySet<number>
    readonly bounding: ReadonlySet<number>
    readonly ambient: ReadonlySet<number>
  }
  readonly noNewPrivileges: boolean
  /**
   * `initial`: that of our shell, whose ids are mapped to themselves; `ours`: that of our shell, which is no such;
   * `other`: ids and capabilities in it are not the host's.
   */
  readonly userNamespace: 'initial' | 'ours' | 'other'
  readonly mountNamespace: 'ours' | 'other'
  /** `dev:ino` of the running program, and its path as the kernel names it in the mount namespace of the process. */
  readonly exe: { readonly inode: string; readonly path: string }
  /** Its mounts, where its mount namespace is another; absent where they were too many to be sent. */
  readonly mounts?: readonly MountState[]
  /** Name of its container, where the kubelet's log links tell it. */
  readonly container?: string
  /** Where the atom asks for it. */
  readonly about?: ProcessAbout
}

/** What `lstat(2)` says in another mount namespace. */
export type SeenState = Pick<
  PathState,
  'type' | 'mode' | 'uid' | 'gid' | 'size' | 'links' | 'device' | 'inode'
>

/** What came of all tries of one `attempts` atom as one identity. */
export interface TrialState {
  /** The live process whose identity it was. */
  readonly pid?: number
  /** Who the process that tried was, as it said itself; absent where it said nothing. */
  readonly identity?: ActingIdentity
  /** The actor's other processes could have answered in its place. */
  readonly selfReported: boolean
  /** One for each try, in their order. */
  readonly attempts: readonly Attempt[]
  /**
   * What root saw in the mount namespace of the process, where that is another: each tried path and its ancestors but the
   * root directory. What is missing here is missing there.
   */
  readonly seen?: ReadonlyMap<string, SeenState>
}

/** Names in a directory. */
export interface EntriesState {
  /** As the directory gives them, without `.` and `..`; a byte that is no UTF-8 is U+FFFD. */
  readonly names: readonly string[]
  /** There are more than were asked for. */
  readonly more: boolean
}

/** Who listens under a name. */
export interface HeldState {
  readonly answer: 'yes' | 'no' | 'unknown'
  /** Why not, in words. */
  readonly detail: string
  /** Inodes of the connections that the processes have accepted. */
  readonly connections: readonly string[]
}

/** What a program said. */
export type SaidState =
  | { readonly is: 'said'; readonly status: number; readonly output: string }
  | { readonly is: 'not-run'; readonly detail: string }
