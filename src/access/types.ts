import type { Place } from '../errors/place.ts'

/** What an actor does to an object. `replace` is to put another object in the place of this one; `create` is to make one in it. */
export const actions = [
  'connect',
  'read',
  'write',
  'traverse',
  'create',
  'replace',
  'execute',
  'signal',
] as const
export type Action = (typeof actions)[number]

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
  /** Owner, group, mode and ACL of the row, in words. */
  readonly row: string
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
}
