import type { Identity } from './identity.ts'
import type { PublicPart } from './expiry.ts'
import type { Payload } from './payload.ts'
import type { PodProcess, ProcessOf, Try } from './process.ts'

/**
 * The wire vocabulary: all that can be asked of a host and all that can be done to it. It is closed,
 * typed data; resource kinds emit it and never shell text. `shell/read` compiles atoms, `shell/write`
 * (imported by `converge/` only) compiles operations.
 */
export type ReadAtom =
  /** lstat of a path and of each of its ancestors. */
  | {
      readonly atom: 'path'
      readonly path: string
      /** Hash a regular file of at most this many bytes. */
      readonly digestUpTo?: number
      /** The digest is of a secret or stands at a secret's path: sealed as soon as it is decoded. */
      readonly sealed?: boolean
      /** Read a regular, world-readable file as text, at most this many bytes. */
      readonly textUpTo?: number
      /**
       * Read a regular file that root alone writes, whoever may read it, at most this many bytes: for who must judge or
       * keep what stands there. It is never shown.
       */
      readonly bytesUpTo?: number
      /**
       * Read what everybody may see of a credential that root alone writes, in whosever directory: when it expires. The
       * rest of it stays on the host.
       */
      readonly publicPart?: PublicPart
      /** Ask the package manager who owns it. */
      readonly package?: boolean
      /** Where SELinux is active: the label that it has, and that which the policy gives something of this type there. */
      readonly labelOf?: LabelledType
    }
  /**
   * The files of a folder whose names end so (all with an empty ending) and do not begin with a dot, each with its text: configuration that root
   * keeps on trusted ground, for judging it and never for showing it.
   */
  | { readonly atom: 'folder'; readonly path: string; readonly ending: string }
  /**
   * Two files of one folder, as one secret pair: read where both are regular files of one account's own, with no other
   * name, of 1 to `upTo` bytes of text each, and neither changed meanwhile. The folder may be that account's too.
   */
  | {
      readonly atom: 'pair'
      readonly folder: string
      readonly names: readonly [string, string]
      /** Account name, or decimal uid. */
      readonly owner: string
      readonly upTo: number
    }
  /** `name` is looked up in the name service too where local files do not have it. (Local accounts are always read whole.) */
  | { readonly atom: 'user'; readonly name: string }
  | { readonly atom: 'group'; readonly name: string }
  | { readonly atom: 'unit'; readonly unit: string }
  /**
   * Live processes, each as the kernel describes it before and after all else of the frame; with `about` what they were
   * started with, too, and what they have at the path `sees`.
   */
  | {
      readonly atom: 'process'
      readonly key: string
      readonly of: ProcessOf
      readonly about?: { readonly sees?: string }
    }
  /**
   * What the kernel says when a child with that identity tries these; as each process that the `process` atom of that key
   * finds, with its capabilities and in its mount namespace. Leaves no trace.
   */
  | {
      readonly atom: 'attempts'
      readonly key: string
      readonly as: Identity | { readonly by: 'process'; readonly key: string }
      readonly tries: readonly Try[]
    }
  /**
   * Does a process that the `process` atom of that key finds listen under this name, and which connections made to that
   * name has it?
   */
  | { readonly atom: 'held'; readonly key: string; readonly path: string; readonly process: string }
  /** What a program of the host prints that runs as a process which the `process` atom of that key finds, though in our mount namespace. */
  | {
      readonly atom: 'says'
      readonly key: string
      readonly process: string
      readonly argv: readonly string[]
      /** Seconds. */
      readonly within: number
    }
  /** Names in a directory, whoever owns it, of which at most `limit` are told. */
  | { readonly atom: 'entries'; readonly path: string; readonly limit: number }
  /** Answers as the argv's exit status: 0 yes, else no. The operator vouches that it changes nothing. */
  | { readonly atom: 'run'; readonly key: string; readonly argv: readonly string[] }
  /** Does the argv, run as an account that owns nothing, exit with 0 and print this word? */
  | { readonly atom: 'prints'; readonly key: string; readonly argv: readonly string[]; readonly word: string }
  /** Can this identity connect to the socket? Asked of the kernel without connecting; no tool needed. */
  | { readonly atom: 'reach'; readonly key: string; readonly socket: string; readonly as: Identity }
  /** Does something exist at the path? (A path atom tells more; this one can be waited for.) */
  | { readonly atom: 'exists'; readonly key: string; readonly path: string; readonly present: boolean }
  /** Does something else stand at the path than what had this token: was it made anew? */
  | { readonly atom: 'renewed'; readonly key: string; readonly path: string; readonly token: string }
  /**
   * Has a pod a process of some seconds' age, with this word among its arguments if one is given, that is none of those
   * that ran `before`?
   */
  | {
      readonly atom: 'started'
      readonly key: string
      readonly of: PodProcess
      /** As {@link processName} names them. */
      readonly before: readonly string[]
      readonly word?: string
    }
  /** Does a URL answer 200 (plain HTTP on a loopback address, or HTTPS, whose certificate is not looked at), and is it a process of the unit that listens there? */
  | { readonly atom: 'http'; readonly key: string; readonly url: string; readonly unit?: string }
  /** Does a process of the unit listen on the Unix socket? */
  | { readonly atom: 'listens'; readonly key: string; readonly path: string; readonly unit: string }

/** Types of things whose SELinux label is an attribute; links have that which their folder hands down. */
export type LabelledType = 'file' | 'directory'

/** The atoms that are answered yes, no or unknown, and so can be waited for. */
export type TestAtom = Exclude<
  Extract<ReadAtom, { readonly key: string }>,
  { readonly atom: 'process' | 'attempts' | 'held' | 'says' }
>

/** What a change relied on, tested on the host in the instant before it acts. */
export type Expect =
  /** Raw stat row of the probe: type, mode, owner, size, device, inode, times. */
  | { readonly token: string }
  | { readonly absent: true }
  /** Made by an earlier change of the same stream; the host remembers its device and inode. */
  | { readonly madeHere: true }

/** Owner, group and mode of something that is made. Owners stay symbolic; the host looks ids up. */
export interface Ownership {
  /** Account name, or decimal uid. */
  readonly owner: string
  readonly group: string
  /** 0 to 0o7777; always sent as five octal digits. */
  readonly mode: number
  /** SELinux label; none is set where the host has no SELinux. Resource kinds work it out, no user gives it. */
  readonly label?: string
}

/** The directory an operation works in: pinned by name and, where it was probed, by device and inode. */
export interface Parent {
  readonly path: string
  /** `dev:ino` from the probe, or undefined where this run makes it. */
  readonly inode?: string
  /** Nearest trusted proper ancestor on the same mount, where files are staged. `undefined`: stage inside the directory itself. */
  readonly anchor?: string
}

/** How to know that a started unit is ready. */
export type Readiness =
  | { readonly kind: 'active' }
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'socket'; readonly path: string }

/** A program that must accept a file before it takes its place. */
export interface FileCheck {
  /** `{}` stands for the path of the staged file or, with `through`, of the copy. */
  readonly argv: readonly string[]
  readonly as?: Identity
  /**
   * A file that names the path which the staged file is for: what is checked is a copy of it that names the staged file
   * instead. It is read as the identity. The check is passed over where that file does not exist, or names no such path.
   */
  readonly through?: string
  /** The check is passed over where one of these paths does not exist. */
  readonly ifExist?: readonly string[]
  /**
   * Ids of single checks that may fail: of a program that ends with 4 and prints `{"checks": [{"id", "status"}, ...]}`
   * where some failed.
   */
  readonly excuse?: readonly string[]
}

export type WriteOp =
  | { readonly op: 'group-add'; readonly name: string; readonly gid?: number; readonly system: boolean }
  | {
      readonly op: 'group-members'
      readonly name: string
      readonly add: readonly string[]
      readonly remove: readonly string[]
    }
  | {
      readonly op: 'user-add'
      readonly name: string
      readonly uid?: number
      readonly group: string
      readonly gecos: string
      readonly home: string
      readonly shell: string
      readonly system: boolean
    }
  | {
      readonly op: 'user-set'
      readonly name: string
      readonly gecos?: string
      readonly home?: string
      readonly shell?: string
      readonly group?: string
      readonly lock?: true
    }
  /** Refused where it has processes, or another uid by then. What it owns, its home too, stays. */
  | { readonly op: 'user-remove'; readonly name: string; readonly uid: number }
  /** Refused where it is a user's primary group, or has another gid by then. One that is gone is as it shall be. */
  | { readonly op: 'group-remove'; readonly name: string; readonly gid: number }
  | { readonly op: 'directory-make'; readonly parent: Parent; readonly name: string; readonly to: Ownership }
  | {
      readonly op: 'directory-set'
      readonly path: string
      readonly expect: Expect
      readonly to: Ownership
      /** Old mode AND new mode: what it carries while the owner changes. */
      readonly between: number
      readonly stripAcl: boolean
    }
  | {
      readonly op: 'file-put'
      readonly parent: Parent
      readonly name: string
      readonly expect: Expect
      readonly payload: Payload
      readonly to: Ownership
      /** Run in turn on the staged file before it takes its place. */
      readonly validate?: readonly FileCheck[]
      /** Unit that runs with what stands there now: that version is kept until the unit is ready with the new one. */
      readonly keepFor?: string
    }
  | {
      readonly op: 'file-set'
      readonly parent: Parent
      readonly name: string
      readonly expect: Expect
      readonly to: Ownership
      readonly stripAcl: boolean
    }
  | {
      readonly op: 'link-put'
      readonly parent: Parent
      readonly name: string
      readonly expect: Expect
      readonly target: string
    }
  /** Removes a file, link, socket or FIFO, or an empty directory. Never recursive. */
  | {
      readonly op: 'remove'
      readonly parent: Parent
      readonly name: string
      readonly expect: Expect
      readonly directory: boolean
    }
  | { readonly op: 'daemon-reload' }
  | { readonly op: 'unit-enable'; readonly unit: string; readonly enable: boolean }
  | {
      readonly op: 'unit-run'
      readonly unit: string
      readonly verb: 'start' | 'stop' | 'restart' | 'reload'
      readonly ready: Readiness
      /** Seconds that readiness may take. */
      readonly within: number
      /** Files whose SHA-256 is recorded as what this start was made with. */
      readonly record: readonly string[]
      /** Files that the unit runs with, its program and definition too: a failed restart brings their kept versions back. */
      readonly runsWith: readonly string[]
    }
  /** Polls a test until it is answered yes, at most `within` seconds; else the change fails with the last detail. */
  | { readonly op: 'await'; readonly test: TestAtom; readonly within: number }
  | {
      readonly op: 'command'
      readonly argv: readonly string[]
      readonly as?: Identity
      /** It is done whatever its exit status is, and reports that. */
      readonly anyStatus?: true
      readonly within: number
    }

/** One change as the write compiler takes it: reported, guarded and stoppable as one. */
export interface WireChange {
  /** Small integer, unique in the frame. */
  readonly id: number
  /** For the host's syslog: resource id, no values. */
  readonly label: string
  readonly ops: readonly WriteOp[]
  /** Handler ids recorded as owed before the first op. */
  readonly owes: readonly string[]
  /** Handler ids cleared after the last op. */
  readonly settles: readonly string[]
}

/** What a host says of one change while a write frame runs. */
export type ChangeReport =
  | { readonly change: number; readonly says: 'doing' }
  | { readonly change: number; readonly says: 'done'; readonly output?: string; readonly status?: number }
  | { readonly change: number; readonly says: 'stopped' }
  /** Something moved underneath: nothing was done. */
  | { readonly change: number; readonly says: 'conflict'; readonly detail: string }
  | { readonly change: number; readonly says: 'failed'; readonly step: string; readonly detail: string }
