import type { ProcessState } from './process.ts'
import type { Place } from '../errors/place.ts'
import type {
  Fact,
  FolderState,
  GroupState,
  HostState,
  PairState,
  PathState,
  TestState,
  UnitState,
  UserState,
} from './facts.ts'
import type { Problem } from './problem.ts'
import type { Offered } from './seed.ts'
import type { Origin, Value } from './value.ts'
import type { ReadAtom, WriteOp } from './wire.ts'

/** `kind:key`, such as `directory:/run/openbao-kms`. Also the run journal's key: keep it stable. */
export type ResourceId = `${string}:${string}`

/** Where a resource or a change comes from. */
export interface TaskRef {
  /** Unique within the play, stable from run to run: `role/3` or `play/12`, plus `[i]` of a loop. */
  readonly id: string
  readonly name: string
  readonly place: Place
}

/** One attribute that differs, in words an operator reads. Never holds a secret. */
export interface Difference {
  readonly attribute: string
  readonly from: Value<string>
  readonly to: Value<string>
  /** Whole texts of a file, for `--diff`; only of what was world-readable before and is not secret now. */
  readonly text?: { readonly from: string; readonly to: string }
}

/** Observed state, overlaid by what earlier changes of this plan will have done. */
export interface World {
  readonly host: HostState
  path(path: string): Fact<PathState>
  user(name: string): Fact<UserState>
  group(name: string): Fact<GroupState>
  unit(unit: string): Fact<UnitState>
  /** Live processes, by the key of the atom that asks for them; absent: none. */
  processes(key: string): Fact<readonly ProcessState[]>
  /** Files of a folder, as a folder atom asks for them. */
  folder(path: string, ending: string): Fact<FolderState>
  /** SELinux label that the host's policy gives the path, `<<none>>` where it gives none; undefined where it is not known. */
  policyLabel(path: string): string | undefined
  /** Two files that were read as a pair, by the path of the first. */
  pair(path: string): Fact<PairState>
  /** Undefined where no frame has asked yet. */
  test(key: string): TestState | undefined
  /** All users and groups by name, predicted ones included: for `who has this id?`. */
  users(): ReadonlyMap<string, Fact<UserState>>
  groups(): ReadonlyMap<string, Fact<GroupState>>
  /** Did an earlier change of this plan act on the subject, such as `path:/etc/x` or `group:y`? */
  changed(subject: Subject): boolean
  /** Paths strictly below a folder that an earlier change of this plan acted on. */
  changedBelow(folder: string): readonly string[]
  /** Did any earlier change of this plan act at all? */
  readonly anyChange: boolean
}

/** What effects and `changed` speak of; several resource kinds share the subject `path`. */
export type Subject = `path:${string}` | `user:${string}` | `group:${string}` | `unit:${string}`

/** What a change will have done to the world. */
export type Effect =
  | { readonly set: 'path'; readonly key: string; readonly fact: Fact<PathState> }
  | { readonly set: 'user'; readonly key: string; readonly fact: Fact<UserState> }
  | { readonly set: 'group'; readonly key: string; readonly fact: Fact<GroupState> }
  | { readonly set: 'unit'; readonly key: string; readonly fact: Fact<UnitState> }
  | { readonly set: 'test'; readonly key: string; readonly state: TestState }
  /** What stands at the path, and below it, is known only once the change was made. */
  | { readonly set: 'unsure'; readonly key: string; readonly origin: Origin }

/** What a kind answers when its resource is compared with the world. */
export type Planned =
  /** `remark`: what a reader of the plan must know of what was found. */
  | { readonly is: 'same'; readonly remark?: string }
  | {
      readonly is: 'change'
      readonly differences: readonly Difference[]
      readonly ops: readonly WriteOp[]
      readonly effects: readonly Effect[]
      /** Interrupts a running service: serialised per cluster. */
      readonly disruptive: boolean
      /** Its bytes or ids are not known yet: `ops` is empty and it ends the stage before it. */
      readonly provisional: boolean
      /** It was run and is run again, since its `until` does not hold; `delay` is in seconds. */
      readonly again?: { readonly delay: number }
    }
  /** A check that is not met now; `ops` waits for it (one `await` operation). */
  | { readonly is: 'unmet'; readonly differences: readonly Difference[]; readonly ops: readonly WriteOp[] }
  /** A check that cannot be judged before earlier changes of this plan were made. */
  | {
      readonly is: 'pending'
      readonly ops: readonly WriteOp[]
      /** Values that decide it; what comes after it waits for them too. */
      readonly after?: readonly Origin[]
    }
  | { readonly is: 'refused'; readonly problem: Problem }

/**
 * One thing a host has or shall have. Made by the functions in resources/, one folder a kind; the
 * desired state lives in the closures, so that the engine needs to know no kind.
 */
export interface Resource {
  readonly id: ResourceId
  /** The subject it manages; two resources on one subject must agree. */
  readonly subject?: Subject
  /** Two resources with the same id are one if this is equal (JSON of the desired state, secrets as digests). */
  readonly sameness: string
  readonly atoms: readonly ReadAtom[]
  /** Asks for an act, not a state (a restart, a command that says `always`): outside proof and drift. */
  readonly transient?: true
  /** Path whose content this run does not compare, because no secret source was opened. */
  readonly notCompared?: string
  /** What a reader of the plan must know of it, whatever its state, such as that a signature was not checked. */
  readonly remark?: string
  plan(world: World): Planned
  /**
   * Of a service or a check: what keeps it from doing its work now, whatever is to be changed; none where it is
   * well. Asked of a world that predicts nothing. `not-here` where the service was never installed.
   */
  health?(world: World): readonly Difference[] | 'not-here'
  /** Of the host that gives: what a new host gets of it. Asked of a world that predicts nothing. */
  offer?(world: World): Offered
}
