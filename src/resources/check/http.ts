import type { Resource } from '../../model/resource.ts'
import { httpTest } from '../common/http-test.ts'
import { checkHealth, planCheck } from './check.ts'

/** A plain-HTTP URL on a loopback address of the host answers 200. */
export interface HttpDesired {
  readonly url: string
  /** Whose process must be the one that answers; undefined: anybody's answer counts. */
  readonly unit?: string | undefined
  /** Seconds to wait for it. */
  readonly within: number
}

export function httpCheck({ url, unit, within }: HttpDesired): Resource {
  const test = httpTest(url, unit)
  const attribute = unit === undefined ? 'answers 200' : `${unit} answers 200`
  return {
    id: unit === undefined ? `http:${url}` : `http:${unit}:${url}`,
    sameness: JSON.stringify({ url, unit, within }),
    atoms: unit === undefined ? [test] : [{ atom: 'unit', unit }, test],
    plan: (world) => planCheck(attribute, test, within, world),
    health: (world) => checkHealth(attribute, test, world),
  }
}
