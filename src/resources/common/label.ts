import type { PathState } from '../../model/facts.ts'
import type { World } from '../../model/resource.ts'
import { failure, problem, success, type Result } from './result.ts'

/**
 * The SELinux label that something at the path shall have: undefined where that is nobody's business. Policy tools leave
 * alone what differs in its user, and types that the policy leaves to administrators; so does this, and a file that
 * takes another's place gets that label too. A host that enforces and does not tell labels is refused: what it would
 * do with a wrong one cannot be foreseen.
 *
 * @param old what stands at the path now
 */
export function labelFor(path: string, old: PathState | undefined, world: World): Result<string | undefined> {
  const { selinux, tools, customLabels } = world.host
  if (selinux === 'absent') return success(undefined)
  const given = world.policyLabel(path)
  if (given === undefined || !tools.has('chcon')) {
    return selinux === 'permissive' ? success(undefined) : failure(untold(path))
  }
  const now = old?.label
  if (given === '<<none>>') return success(now)
  const settled =
    now !== undefined && (customLabels.has(typeOf(now)) || withoutUser(now) === withoutUser(given))
  return success(settled ? now : given)
}

function untold(path: string): ReturnType<typeof problem> {
  return problem(
    'resource.label',
    path,
    `expected an enforcing host to tell the SELinux label of ${path} and that which its policy gives, found that it does not`,
    'Install matchpathcon (libselinux-utils on Red Hat, selinux-utils on Debian), and GNU coreutils for stat and chcon.',
  )
}

function withoutUser(label: string): string {
  return label.slice(label.indexOf(':') + 1)
}

function typeOf(label: string): string {
  return label.split(':')[2] ?? ''
}
