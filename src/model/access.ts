import type { Place } from '../errors/place.ts'

/** What an actor does to an object. `create` is to make something in it, `replace` to put something else in its place. */
export const accessActions = [
  'connect',
  'read',
  'write',
  'traverse',
  'create',
  'replace',
  'execute',
  'signal',
] as const
export type Action = (typeof accessActions)[number]

/** The action as it stands before its object in a sentence. */
export const actionWords: Readonly<Record<Action, string>> = {
  connect: 'connect to',
  read: 'read',
  write: 'write to',
  traverse: 'pass through',
  create: 'make files in',
  replace: 'replace',
  execute: 'execute',
  signal: 'signal',
}

/** Where an actor's process is found: never by its name, which anybody may take. */
export type Running =
  | { readonly by: 'unit'; readonly unit: string }
  | {
      readonly by: 'pod'
      readonly namespace: string
      readonly name: string
      readonly container?: string
      /** Path of the manifest. */
      readonly manifest: string
    }

/** Who acts, as the matrix of one host says it. Accounts are names, or decimal numbers. */
export interface Actor {
  readonly name: string
  readonly description: string
  readonly running?: Running
  readonly user: string
  readonly group?: string
  /** All groups that it may be in, the primary one too. */
  readonly groups?: readonly string[]
  readonly capabilities: 'none' | 'any'
  readonly place: Place
}

/** What the matrix names before the host was looked at. */
export type Target =
  | { readonly is: 'path'; readonly path: string }
  /** Files that a YAML file on the host names at these keys. */
  | { readonly is: 'named'; readonly file: string; readonly keys: readonly string[] }
  /** All that stands in a directory and that nothing else in the matrix names. */
  | { readonly is: 'others'; readonly folder: string }
  | { readonly is: 'actor'; readonly name: string }

/** A line of the matrix before the host was looked at. */
export interface MatrixRule extends Omit<Rule, 'object'> {
  readonly target: Target
}

/** The access matrix of one host. */
export interface Matrix {
  readonly actors: ReadonlyMap<string, Actor>
  readonly rules: readonly MatrixRule[]
  readonly kmsSockets: readonly KmsSocket[]
  readonly leftBehind: readonly LeftBehind[]
  readonly outside: readonly Outside[]
}

/** A socket that must answer as a KMS v2 provider, from end to end. */
export interface KmsSocket {
  readonly path: string
  /** Names of actors. */
  readonly heldBy: string
  readonly usedBy: string
  /** Name, or decimal gid. */
  readonly group: string
  readonly mode: number
  /** Hosts whose sockets say the same here must report one key id. */
  readonly sameKeyIn?: string
  /** The provider's own program on the host, and its configuration. */
  readonly program?: string
  readonly configuration?: string
  /** Checks of its `doctor` that must have passed. */
  readonly doctor: readonly string[]
  readonly because: string
  readonly source: string
  readonly place: Place
}

/** One call and how long it took, as it was seen from here. */
export interface TimedCall {
  readonly call: string
  readonly milliseconds: number
}

/** How a socket was asked, and what it said of its key. */
export interface SocketProof {
  readonly path: string
  /** What connected on the host: `socat`, or the provider's own `probe`; absent where nothing did. */
  readonly through?: string
  readonly calls: readonly TimedCall[]
  /** base64url of the SHA-256 of the key id. */
  readonly keyIdHash?: string
  readonly sameKeyIn?: string
}

/** Who is judged by what it left: nothing of what kmsfleet puts somewhere on its way stays in these directories. */
export interface LeftBehind {
  readonly actor: string
  readonly folders: readonly string[]
  readonly because: string
  readonly source: string
  readonly place: Place
}

/** What no look at a host can prove, said with every report. */
export interface Outside {
  readonly actor: string
  readonly statement: string
  readonly source: string
}

/** Numbers that the kernel judges by; capabilities by their number in `linux/capability.h`. */
export interface ActingIdentity {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly capabilities: ReadonlySet<number>
}

/** One line of the access matrix on one host, all names resolved. */
export interface Rule {
  readonly actor: string
  readonly action: Action
  /** Absolute path, or for `signal` the name of another actor. */
  readonly object: string
  /** The class that the object was named by, such as `auth material`; absent where the matrix names the path. */
  readonly objectClass?: string
  readonly must: boolean
  /** Why, in one sentence for an operator. */
  readonly because: string
  /** Where the specification says so. */
  readonly source: string
  /** Where the matrix says so. */
  readonly place: Place
  /** Set where this host's shape cannot enforce it: the reason. */
  readonly notEnforceable?: string
}

/** What the kernel said to a try. */
export type Attempt =
  | { readonly is: 'granted' }
  /** `errno` as its name: EACCES, EPERM or EROFS. */
  | { readonly is: 'denied'; readonly errno: string }
  /** ENOENT or ENOTDIR. */
  | { readonly is: 'missing' }
  | { readonly is: 'unknown'; readonly detail: string }

/** One component of a path, or what decides about it. */
export interface Step {
  readonly path: string
  /** What is needed there: `search`, `read`, `write`, `write and search`, `execute`, ... */
  readonly needs: string
  readonly allowed: boolean
  /** What decided, in words: `group openbao-kms-socket (gid 998) has r-x`, `ACL entry user:kube-apiserver:r--`. */
  readonly decidedBy: string
  /** Owner, group, mode and ACL of the row, in words; empty where there is none. */
  readonly row: string
  /** The smallest change that turns this step around, to stand behind `if`: `kube-apiserver were in group kms`. */
  readonly otherwise?: string
}

/** What modes, ACLs, groups and capabilities say. */
export type Evaluation =
  | { readonly is: 'granted'; readonly steps: readonly Step[] }
  | { readonly is: 'denied'; readonly steps: readonly Step[] }
  | { readonly is: 'missing'; readonly steps: readonly Step[] }
  | { readonly is: 'unknown'; readonly because: string; readonly steps: readonly Step[] }

export type VerdictKind = 'pass' | 'violated' | 'unknown' | 'not-enforceable'

/** A rule and what came of it on one host. */
export interface Verdict {
  readonly rule: Rule
  readonly verdict: VerdictKind
  /** One line: what is wrong, or what keeps it from being known. Empty for a pass. */
  readonly finding: string
  readonly attempt: Attempt
  readonly evaluation: Evaluation
  /** The actor could have answered in place of the kernel. */
  readonly selfReported: boolean
  /** How the actor could give itself what it is denied: `it owns /x`. Absent where it could not. */
  readonly ownGrant?: string
}

/** Something that is proved of a host beside the matrix: who an actor is, that its socket answers, what was left behind. */
export interface Check {
  /** What it is about, such as `kube-apiserver` or a path. */
  readonly subject: string
  /** The actor as whom it was tried, where that is not the subject. */
  readonly actor?: string
  /** What should be so, as a sentence. */
  readonly expected: string
  readonly verdict: VerdictKind
  /** One line: what was found, where it is not so or not known. */
  readonly finding: string
  /** Where the specification says so. */
  readonly source: string
}

/** Who an actor was found to be on a host. */
export interface ActorFound {
  readonly name: string
  readonly description: string
  /** Where from: `bao-kms-provider.service, process 812`, or `account kube-apiserver, since nothing runs`. */
  readonly from: string
  readonly identity?: ActingIdentity
}

/** What a run's report says of the access proof of one host. */
export type AccessSummary =
  | {
      readonly is: 'verified'
      readonly counts: Readonly<Record<VerdictKind, number>>
      /** What is violated or unknown, a line each. */
      readonly findings: readonly {
        readonly text: string
        /** The actor is to be restarted by a play of its own, which may mend it: it is not held against the run. */
        readonly due: boolean
      }[]
    }
  /** It was not asked for, or could not be done: why. */
  | { readonly is: 'not-verified'; readonly because: string }

/** All that was found out about one host. */
export interface HostProof {
  readonly host: string
  readonly actors: readonly ActorFound[]
  readonly verdicts: readonly Verdict[]
  readonly checks: readonly Check[]
  readonly sockets: readonly SocketProof[]
  readonly outside: readonly Outside[]
  readonly cost: { readonly milliseconds: number; readonly roundTrips: number }
}
