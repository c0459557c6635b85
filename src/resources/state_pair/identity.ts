import type { World } from '../../model/resource.ts'
import { known, unknown, type Value } from '../../model/value.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { failure, problem, success, type Result } from '../common/result.ts'

/** Fields that decide a provider's identity, and their values. */
export type Identity = ReadonlyMap<string, string>

/** The provider's configuration, which decides its identity. */
export interface Configuration {
  readonly config: string
  /** The identity of a configuration, or a text that tells where it is wrong and quotes none of it. */
  readonly identityOf: (path: string, text: string) => Identity | string
}

const largest = 1_048_576

export function configurationAtom({ config }: Configuration): ReadAtom {
  return { atom: 'path', path: config, digestUpTo: largest, bytesUpTo: largest }
}

/** The identity that the configuration gives, or will give once an earlier change of this run has written it. */
export function ownIdentity({ config, identityOf }: Configuration, world: World): Result<Value<Identity>> {
  const fact = world.path(config)
  if (fact.is === 'unreadable') return failure(fact.problem)
  const bytes = fact.is === 'present' ? fact.state.bytes : undefined
  const content = fact.is === 'present' ? fact.state.content : undefined
  if (content !== undefined && 'after' in content) {
    return success(unknown({ after: content.after, field: content.field }))
  }
  const identity =
    bytes === undefined
      ? fact.is === 'absent'
        ? 'nothing'
        : 'one that others than root can write, or that is no text'
      : identityOf(config, Buffer.from(bytes.reveal()).toString('utf8'))
  if (typeof identity !== 'string') return success(known(identity))
  return failure(
    problem(
      'resource.identity',
      config,
      `expected the provider's configuration at ${config}, which says whose state it can have, found ${identity}`,
    ),
  )
}
