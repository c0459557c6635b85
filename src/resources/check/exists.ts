import type { Resource } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { planCheck } from './check.ts'

/** Something exists at a path, or nothing does. */
export interface ExistsDesired {
  readonly path: string
  readonly present: boolean
  /** Seconds to wait for it. */
  readonly within: number
}

export function existsCheck({ path, present, within }: ExistsDesired): Resource {
  const key = `${present ? 'exists' : 'gone'}:${path}`
  const test: TestAtom = { atom: 'exists', key, path, present }
  return {
    id: `wait:${key}`,
    sameness: JSON.stringify({ path, present, within }),
    atoms: [test],
    plan: (world) => planCheck(present ? 'exists' : 'gone', test, within, world),
  }
}
