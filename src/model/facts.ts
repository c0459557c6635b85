import type { Claims } from './expiry.ts'
import type { Problem } from './problem.ts'
import type { EntriesState, HeldState, ProcessState, SaidState, TrialState } from './process.ts'
import type { Digest, Secret } from './secret.ts'
import type { Value } from './value.ts'

/**
 * What is known of one subject on a host. A predicted fact has no `token`: only what was observed can be
 * relied on by a guard.
 */
export type Fact<T> =
  | { readonly is: 'present'; readonly state: T; readonly token?: string }
  | { readonly is: 'absent' }
  | { readonly is: 'unreadable'; readonly problem: Problem }

export type FileType = 'file' | 'directory' | 'link' | 'socket' | 'fifo' | 'block' | 'character'

/** One path, as `lstat(2)` sees it. The token of its Fact is the raw stat row (see shell/read/stat.ts). */
export interface PathState {
  readonly type: FileType
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: Value<number>
  readonly gid: Value<number>
  readonly size: number
  readonly links: number
  /** Extra POSIX ACL entries (access or default). `unknown` where the host has no way to tell. */
  readonly acl: 'none' | 'present' | 'unknown'
  /** `getfacl`'s extra entries where the host has it and there are any. */
  readonly aclEntries?: readonly string[]
  /** All that `getfacl` prints, `user::rw-`, `mask::r--` and `default:other::---` among it; present together with `aclEntries`. */
  readonly aclWhole?: readonly string[]
  /** `st_dev`; absent where the path is only predicted. */
  readonly device?: string
  readonly inode?: string
  /** Seconds since the epoch. */
  readonly modified?: number
  /** Seconds since the epoch of the last change of content, name, owner or mode: nobody can set it back. */
  readonly changed?: number
  /** True where the immutable or append-only attribute is set; undefined where the host cannot tell. */
  readonly immutable?: boolean
  /** Mount the path is on is read-only. */
  readonly readOnlyMount?: boolean
  /** Of a regular file whose content was asked for. */
  readonly content?: Value<Digest> | { readonly known: false; readonly unreadable: string }
  /** Of a world-readable text file asked for with `text`, at most the bytes asked for. */
  readonly text?: string
  /** Of a UTF-8 file that root alone writes, asked for with `bytes`: for judging it, never for showing it. */
  readonly bytes?: Secret
  /** Seconds since the epoch, of a credential whose public part was asked for and could be read. */
  readonly expires?: number
  /** Of a token whose claims were asked for and could be read. */
  readonly claims?: Claims
  /** Of a symbolic link. */
  readonly target?: string
  /** Package that owns the path, where it was asked for; null where none does. */
  readonly package?: string | null
  /** SELinux label `user:role:type[:level]`, where it was asked for and could be read. */
  readonly label?: string
}

export interface GroupState {
  readonly gid: Value<number>
  /** Names in the group's own line; users whose primary gid it is are in `primaryOf`. */
  readonly members: readonly string[]
  readonly primaryOf: readonly string[]
  /** `nss`: known to the host's name service only, not to /etc/group. */
  readonly source: 'local' | 'nss'
}

export interface UserState {
  readonly uid: Value<number>
  readonly gid: Value<number>
  readonly gecos: string
  readonly home: string
  readonly shell: string
  /** `locked`: no password can match; `empty`: none is needed; `unknown`: not readable. */
  readonly password: 'locked' | 'set' | 'empty' | 'unknown'
  readonly source: 'local' | 'nss'
}

/** A systemd unit as `systemctl show` and `/proc` describe it. */
export interface UnitState {
  readonly load: string
  readonly active: string
  readonly sub: string
  readonly result: string
  /** UnitFileState: enabled, disabled, static, ... */
  readonly enabled: string
  readonly needReload: boolean
  readonly conditionMet: boolean
  readonly mainPid: number
  readonly restarts: number
  readonly fragment: string
  readonly dropIns: readonly string[]
  readonly invocation: string
  /** Seconds since the epoch when it became active; 0 where it never did. */
  readonly since: number
  /** Device and inode of the running program, `dev:ino`; absent where nothing runs. */
  readonly runningExe?: string
  /** Path to SHA-256 of each file that our own last start of this invocation recorded. */
  readonly startedWith?: ReadonlyMap<string, string>
  /** Files of which an earlier run kept the version of before, and never saw the unit ready with the new one. */
  readonly kept?: readonly string[]
  /** User= of the unit as systemd read it; empty: root. Absent where only predicted. */
  readonly user?: string
  /** Supplementary gids of the main process; absent where nothing runs. */
  readonly groups?: readonly number[]
  /** Will be restarted, started or stopped by an earlier change of this run. */
  readonly pendingStart?: boolean
  /** Predicted only: SHA-256 (or `absent`) of each unit file that an earlier change's daemon-reload will have read. */
  readonly reloadedWith?: ReadonlyMap<string, string>
}

/**
 * The files of a folder by name, each with its text: `''` where it leads to /dev/null. Undefined where an earlier change
 * of this plan decides the text.
 */
export type FolderState = ReadonlyMap<string, string | undefined>

/** Key of a folder's fact, such as `/etc/tmpfiles.d/*.conf`. */
export function folderKey(path: string, ending: string): string {
  return `${path}/*${ending}`
}

/** Contents of two files that were read as one pair. */
export type PairState = readonly [Secret, Secret]

/** The answer to one test atom. */
export type TestState =
  | { readonly answer: 'yes' }
  | { readonly answer: 'no'; readonly detail: string }
  | { readonly answer: 'unknown'; readonly detail: string }

/** What the host itself is and has. */
export interface HostState {
  readonly kernel: string
  readonly machine: string
  readonly bootId: string
  readonly systemd: boolean
  readonly selinux: 'enforcing' | 'permissive' | 'absent'
  /** Types of labels that the SELinux policy leaves to administrators to set (`customizable_types`). */
  readonly customLabels: ReadonlySet<string>
  /** uid that the frame ran as; 0 is needed for changes. */
  readonly uid: number
  /** Programs of the closed list in shell/read that were found. */
  readonly tools: ReadonlySet<string>
  /** `ID` and `VERSION_ID` of os-release, such as `debian 12`. */
  readonly distribution: string
}

/** Everything one probe frame observed. Every lookup is total: what was not asked is undefined. */
export interface Snapshot {
  readonly host: HostState
  readonly paths: ReadonlyMap<string, Fact<PathState>>
  readonly users: ReadonlyMap<string, Fact<UserState>>
  readonly groups: ReadonlyMap<string, Fact<GroupState>>
  readonly units: ReadonlyMap<string, Fact<UnitState>>
  readonly tests: ReadonlyMap<string, TestState>
  /** By {@link folderKey}; a folder that does not exist has no files. */
  readonly folders: ReadonlyMap<string, Fact<FolderState>>
  /**
   * SELinux label that the host's policy gives a path, or `<<none>>` where it gives none. Only of paths whose own label,
   * where something is there, could be read too.
   */
  readonly policyLabels: ReadonlyMap<string, string>
  /** By the path of the first file. */
  readonly pairs: ReadonlyMap<string, Fact<PairState>>
  /** By the key of the atom; absent where nothing runs. */
  readonly processes: ReadonlyMap<string, Fact<readonly ProcessState[]>>
  /** By the key of the atom; one for each process that it was made as, else one. Absent where none runs. */
  readonly attempts: ReadonlyMap<string, Fact<readonly TrialState[]>>
  /** By the key of the atom. */
  readonly held: ReadonlyMap<string, HeldState>
  /** By the key of the atom. */
  readonly said: ReadonlyMap<string, SaidState>
  /** By path. */
  readonly entries: ReadonlyMap<string, Fact<EntriesState>>
  /** Handlers that an earlier change owes (ids). */
  readonly owed: ReadonlySet<string>
}
