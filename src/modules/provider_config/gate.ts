import type { Difference } from '../../model/resource.ts'
import { failure, problem, success, type Result } from '../../resources/common/result.ts'
import { difference } from '../../resources/common/show.ts'
import type { OldContent } from '../../resources/file/rewrite.ts'
import { fingerprintOf, identityChanges, readIdentity, type ConfigIdentity } from './identity.ts'

/**
 * Keeps a host's identity: what differs in it, or a refusal where it would change and nobody accepted that by name.
 *
 * @param accepted `--accept-new-identity` names the host
 */
export function identityGate(
  path: string,
  wanted: ConfigIdentity,
  old: OldContent,
  accepted: boolean,
): Result<readonly Difference[]> {
  if (old.is === 'absent') return success([])
  const found =
    old.is === 'text' ? readIdentity(path, old.text) : 'others than root can write it, or it is no text'
  if (typeof found === 'string') {
    return accepted
      ? success([difference('identity', 'unreadable', fingerprintOf(wanted))])
      : failure(unreadable(path, found))
  }
  const changes = identityChanges(found, wanted)
  if (changes.length === 0) return success([])
  if (!accepted) {
    const fields = changes.map(({ field, from, to }) => `${field} ${show(from)} -> ${show(to)}`).join(', ')
    return failure(
      problem(
        'resource.identity',
        path,
        `expected ${path} to keep the identity ${fingerprintOf(found)}, found that it would become ${fingerprintOf(wanted)}: ${fields}`,
        'What was encrypted under the old identity could not be read any more. Where that is meant, name each such host with --accept-new-identity.',
      ),
    )
  }
  return success([
    difference('identity', fingerprintOf(found), fingerprintOf(wanted)),
    ...changes.map(({ field, from, to }) => difference(field, show(from), show(to))),
  ])
}

function unreadable(path: string, why: string): ReturnType<typeof problem> {
  return problem(
    'resource.identity',
    path,
    `expected the provider's configuration at ${path}, whose identity must be kept, found one that cannot be read: ${why}`,
    'Look at the file on the host. Where it may be replaced whatever its identity was, name the host with --accept-new-identity.',
  )
}

/** An empty value is one too: the namespace may be. */
function show(value: string): string {
  return value === '' ? '(none)' : value
}
