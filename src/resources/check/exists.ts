import type { Resource } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { planCheck } from './check.ts'

/** Something exists at a path, whatever it is. */
export interface ExistsDesired {
  readonly path: string
  /** Seconds to wait for it. */
  readonly within: number
}

export function existsCheck({ path, within }: ExistsDesired): Resource {
  const test: TestAtom = { atom: 'exists', key: `exists:${path}`, path, present: true }
  return {
    id: `exists:${path}`,
    sameness: JSON.stringify({ path, within }),
    atoms: [test],
    plan: (world) => planCheck('exists', test, within, world),
  }
}
