import type { TestAtom } from '../../model/wire.ts'

/**
 * The question whether a URL answers 200.
 *
 * @param unit whose process has to be the one that answers; its `unit` atom must be asked too
 */
export function httpTest(url: string, unit?: string): TestAtom {
  return unit === undefined
    ? { atom: 'http', key: `http:${url}`, url }
    : { atom: 'http', key: `http:${unit}:${url}`, url, unit }
}
