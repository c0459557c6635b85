import { type PublicPart, showTime } from '../../model/expiry.ts'
import type { PathState } from '../../model/facts.ts'
import type { Difference, Effect, Planned, Resource, World } from '../../model/resource.ts'
import { known } from '../../model/value.ts'
import { problem, refused } from '../common/result.ts'
import type { FileContent } from '../file/content.ts'
import { showContent } from '../file/difference.ts'
import { fileResource, type FileDesired } from '../file/file.ts'

/** A file whose content is a credential. */
export interface CredentialDesired extends FileDesired {
  /** Undefined: the content is not ours, and the file must exist. */
  readonly content?: FileContent | undefined
  /**
   * Leave what is there alone unless it expires before this time (seconds since the epoch). Undefined: what is there
   * must have our content.
   */
  readonly keptUntil?: number | undefined
  /** Which part of it tells when it expires. */
  readonly publicPart?: PublicPart | undefined
  /** When our content expires, in seconds since the epoch. */
  readonly expires?: number | undefined
}

/** A credential: a file that is never replaced by one that expires earlier. */
export function credentialResource(desired: CredentialDesired): Resource {
  const { path, keptUntil, publicPart, expires } = desired
  const file = fileResource(desired)
  // Who neither writes by it nor is kept from writing by it need not know when the old one expires.
  const asksExpiry = publicPart !== undefined && (keptUntil !== undefined || expires !== undefined)
  const { notCompared, ...rest } = file
  return {
    ...rest,
    sameness: JSON.stringify([file.sameness, keptUntil !== undefined, publicPart]),
    atoms: asksExpiry ? [...file.atoms, { atom: 'path', path, publicPart }] : file.atoms,
    ...(notCompared === undefined || keptUntil !== undefined ? {} : { notCompared }),
    plan: (world) => foretold(desired, plan(desired, file, world)),
  }
}

function plan(desired: CredentialDesired, file: Resource, world: World): Planned {
  const { path, keptUntil, content } = desired
  const fact = world.path(path)
  const old = fact.is === 'present' && fact.state.type === 'file' ? fact.state : undefined
  if (old === undefined || content === undefined) return file.plan(world)
  if (keptUntil !== undefined) {
    return isKept(desired, old, keptUntil)
      ? fileResource({ ...desired, content: undefined }).plan(world)
      : replaced(desired, file.plan(world), content, old)
  }
  return managed(desired, file.plan(world), old)
}

/** Only root's own file tells anything: others might have put it there to keep the seed away. */
function isKept({ publicPart }: CredentialDesired, old: PathState, until: number): boolean {
  const rootOwned = !old.uid.known || old.uid.value === 0
  if (!rootOwned || (old.mode & 0o022) !== 0) return false
  return publicPart === undefined || (old.expires !== undefined && old.expires > until)
}

/** A run that opens no source can still tell that a seed will be written. */
function replaced(
  desired: CredentialDesired,
  planned: Planned,
  content: FileContent,
  old: PathState,
): Planned {
  const shown = withExpiry(planned, desired, old)
  if (content.is !== 'unopened' || shown.is === 'refused') return shown
  const difference: Difference = {
    attribute: 'content',
    from: known(old.expires === undefined ? '(secret)' : `expires ${showTime(old.expires)}`),
    to: showContent(content),
  }
  const differences = [difference, ...(shown.is === 'change' ? shown.differences : [])]
  // This run cannot write it, and never gets so far.
  return { is: 'change', differences, ops: [], effects: [], disruptive: false, provisional: false }
}

function managed(desired: CredentialDesired, planned: Planned, old: PathState): Planned {
  const { path, expires } = desired
  const rewrites =
    planned.is === 'change' && planned.differences.some(({ attribute }) => attribute === 'content')
  if (!rewrites) return planned
  if (expires !== undefined && old.expires !== undefined && old.expires > expires) {
    return refused(
      problem(
        'resource.newer-credential',
        path,
        `expected ${path} to expire no later than ${showTime(expires)}, found a credential that is valid until ${showTime(old.expires)}`,
        'Get a newer one for its source, or remove the one on the host if it is to be given up.',
      ),
    )
  }
  return withExpiry(planned, desired, old)
}

/** Whatever is planned after this change knows when the new credential expires. */
function foretold({ path, expires }: CredentialDesired, planned: Planned): Planned {
  if (planned.is !== 'change' || expires === undefined) return planned
  const effects = planned.effects.map((effect): Effect => {
    if (effect.set !== 'path' || effect.key !== path || effect.fact.is !== 'present') return effect
    return { ...effect, fact: { ...effect.fact, state: { ...effect.fact.state, expires } } }
  })
  return { ...planned, effects }
}

function withExpiry(planned: Planned, { expires }: CredentialDesired, old: PathState): Planned {
  if (planned.is !== 'change' || expires === undefined || old.expires === undefined) return planned
  if (expires === old.expires) return planned
  const difference: Difference = {
    attribute: 'expires',
    from: known(showTime(old.expires)),
    to: known(showTime(expires)),
  }
  return { ...planned, differences: [...planned.differences, difference] }
}
