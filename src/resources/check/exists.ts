import type { Resource, World } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { checkHealth, planCheck } from './check.ts'

/** Something exists at a path, whatever it is; or nothing does. */
export interface ExistsDesired {
  readonly path: string
  readonly present: boolean
  /** Seconds to wait for it. */
  readonly within: number
}

export function existsCheck({ path, present, within }: ExistsDesired): Resource {
  const what = present ? 'exists' : 'gone'
  const test: TestAtom = { atom: 'exists', key: `${what}:${path}`, path, present }
  return {
    id: `${what}:${path}`,
    sameness: JSON.stringify({ path, within }),
    atoms: [test],
    plan: (world) => planCheck(what, test, within, world),
    // That something is gone is an end, not a service.
    ...(present ? { health: (world: World) => checkHealth(what, test, world) } : {}),
  }
}
