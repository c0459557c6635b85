import type { Resource } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { checkHealth, planCheck } from './check.ts'

/** A plain-HTTP URL on a loopback address of the host answers 200. */
export interface HttpDesired {
  readonly url: string
  /** Seconds to wait for it. */
  readonly within: number
}

export function httpCheck({ url, within }: HttpDesired): Resource {
  const test: TestAtom = { atom: 'http', key: `http:${url}`, url }
  return {
    id: `http:${url}`,
    sameness: JSON.stringify({ url, within }),
    atoms: [test],
    plan: (world) => planCheck('answers 200', test, within, world),
    health: (world) => checkHealth('answers 200', test, world),
  }
}
