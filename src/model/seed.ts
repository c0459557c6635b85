import type { PairState } from './facts.ts'
import type { Problem } from './problem.ts'

/** What a peer gives to a new host of its cluster. */
export interface Offer {
  /** Fields that decide the identity of the peer's provider, and their values. */
  readonly identity: ReadonlyMap<string, string>
  /** State and checkpoint of the provider. Absent in runs that only plan: they read no content. */
  readonly pair?: PairState
}

/** An offer, or why there is none. */
export type Offered =
  { readonly is: 'offer'; readonly offer: Offer } | { readonly is: 'refused'; readonly problem: Problem }

/**
 * The peer that gives a new host of a play what only a peer has. It is asked when a plan first wants it, and once more
 * right before that is written: it works on meanwhile, and what was read while a person thought is old.
 */
export interface Peer {
  readonly name: string
  /** Undefined until it was asked; that this was called says that it must be. */
  offered(): Offered | undefined
  /** A plan wants what it gives, and it was not asked yet. */
  readonly wanted: boolean
  /** It was asked, and the answer not forgotten. */
  readonly asked: boolean
  keep(offered: Offered): void
  /** The next plan that wants something asks anew. */
  forget(): void
}

/** The part that a host has where a play gives new hosts something of a peer: it gets, or it is the one that gives. */
export type Seeding =
  { readonly is: 'taker'; readonly peer: Peer } | { readonly is: 'giver'; readonly withContent: boolean }
