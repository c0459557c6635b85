import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runFleet, type FleetOptions, type JobEnd } from '../../src/fleet/run.ts'
import { shardOf } from '../../src/fleet/shard.ts'
import type { Host } from '../../src/inventory/types.ts'
import type { RunEventBody } from '../../src/model/event.ts'
import type { Problem } from '../../src/model/problem.ts'
import { inOrder, orders } from '../../src/playbook/order.ts'

function hosts(...names: readonly string[]): Host[] {
  return names.map((name) => ({
    name,
    cluster: name.slice(0, 1),
    groups: [],
    variables: new Map(),
    explicit: new Set(),
    connection: {
      kind: 'local',
      address: 'localhost',
      port: 22,
      user: 'root',
      identityFiles: [],
      agent: false,
      hostKeys: [],
      knownHostsFiles: [],
      connectTimeoutMs: 1000,
      become: { method: 'none' },
    },
  }))
}

const fallen: Problem = { code: 'run.rail', message: 'fallen' }

/** What happened, in order: batches, pauses, gates with their hosts, rails; then the outcomes. */
async function told(
  ends: Readonly<Record<string, JobEnd['outcome']>>,
  options: Partial<FleetOptions>,
  gates: Readonly<Record<string, Problem>> = {},
): Promise<readonly string[]> {
  const said: string[] = []
  const take = (event: RunEventBody): void => {
    if (event.type === 'batch-started') said.push(`batch ${event.hosts.join()}`)
    if (event.type === 'paused') said.push(`pause ${String(event.seconds)}`)
    if (event.type === 'rail') said.push(`rail ${event.problem.message}`)
  }
  const result = await runFleet(
    hosts(...Object.keys(ends)),
    {
      concurrency: 2,
      serial: [2],
      anyErrorsFatal: false,
      stop: new AbortController().signal,
      gate: (changed) => {
        const names = changed.map(({ name }) => name).join()
        said.push(`gate ${names}`)
        return Promise.resolve(gates[names])
      },
      ...options,
    },
    (host) => Promise.resolve({ outcome: ends[host.name] ?? 'ok' }),
    take,
  )
  return [...said, [...result.values()].map(({ outcome }) => outcome).join()]
}

describe('between two batches', () => {
  test('the gate asks for the hosts that were changed, and only where some were', async () => {
    const ends = { a1: 'changed', a2: 'ok', a3: 'ok', a4: 'ok', a5: 'changed' } as const
    expect(await told(ends, {})).toEqual([
      ...['batch a1,a2', 'gate a1', 'batch a3,a4', 'batch a5'],
      'changed,ok,ok,ok,changed',
    ])
  })

  test('a gate that does not open stops the play, and says why', async () => {
    const ends = { a1: 'changed', a2: 'changed', a3: 'changed' } as const
    expect(await told(ends, {}, { 'a1,a2': fallen })).toEqual([
      ...['batch a1,a2', 'gate a1,a2', 'rail fallen'],
      'changed,changed,not-run',
    ])
  })

  test('a batch that failed whole needs no gate', async () => {
    expect(await told({ a1: 'failed', a2: 'unreachable', a3: 'ok' }, {})).toEqual([
      'batch a1,a2',
      'rail expected a host of the batch to succeed, found that none of 2 did',
      'failed,unreachable,not-run',
    ])
  })

  test('an interruption ends the pause at once: no gate, no further batch', async () => {
    const controller = new AbortController()
    const ends = { a1: 'changed', a2: 'ok', a3: 'ok' } as const
    const run = told(ends, { pause: 86_400, stop: controller.signal })
    // The jobs are promises that are fulfilled already: after a turn of the event loop the play is at its pause.
    await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    expect(await run).toEqual(['batch a1,a2', 'pause 86400', 'changed,ok,not-run'])
  })

  test('a batch that changed nothing is not paused for', async () => {
    expect(await told({ a1: 'ok', a2: 'ok', a3: 'ok' }, { pause: 86_400 })).toEqual([
      ...['batch a1,a2', 'batch a3'],
      'ok,ok,ok',
    ])
  })
})

test('a budget that holds in each batch holds over the play', async () => {
  const outcome = fc.constantFrom<JobEnd['outcome']>('ok', 'failed', 'unreachable')
  await fc.assert(
    fc.asyncProperty(
      fc.array(outcome, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 99 }),
      async (ends, serial, maxFailPercentage) => {
        const all = hosts(...ends.map((_, index) => `h${String(index)}`))
        const options = { concurrency: 1, serial: [serial], maxFailPercentage, anyErrorsFatal: false }
        const result = await runFleet(
          all,
          { ...options, stop: new AbortController().signal },
          ({ name }) => Promise.resolve({ outcome: ends[Number(name.slice(1))] ?? 'ok' }),
          () => undefined,
        )
        const bad = [...result.values()].filter(({ outcome: end }) => /failed|unreachable/.test(end)).length
        // The one that went over it is the last that was worked on.
        expect((bad - 1) * 100).toBeLessThanOrEqual(maxFailPercentage * all.length)
      },
    ),
  )
})

test.each([
  ['inventory', 'b10,a,b9'],
  ['reverse_inventory', 'b9,a,b10'],
  ['sorted', 'a,b10,b9'],
  ['reverse_sorted', 'b9,b10,a'],
  ['shuffle', 'b9,a,b10'],
] as const)('order %s', (order, expected) => {
  let drawn = 3
  const random = (): number => (drawn -= 1) / 3
  expect(
    inOrder(hosts('b10', 'a', 'b9'), order, random)
      .map(({ name }) => name)
      .join(),
  ).toBe(expected)
  expect(orders).toContain(order)
})

describe('shards', () => {
  test.each([
    [1, 2, 'a1,a2,c1'],
    [2, 2, 'b1,d1,d2'],
    [1, 1, 'a1,b1,a2,c1,d1,d2'],
    [5, 5, ''],
  ])('%i/%i', (index, count, expected) => {
    const part = shardOf(hosts('a1', 'b1', 'a2', 'c1', 'd1', 'd2'), { index, count })
    expect(part.map(({ name }) => name).join()).toBe(expected)
  })

  test('every host is in exactly one, and no cluster in two', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f') }),
        ),
        fc.integer({ min: 1, max: 9 }),
        (names, count) => {
          const all = hosts(...names)
          const parts = Array.from({ length: count }, (_, at) => shardOf(all, { index: at + 1, count }))
          expect(
            parts
              .flat()
              .map(({ name }) => name)
              .sort(),
          ).toEqual([...names].sort())
          const clusters = parts.flatMap((part) => [...new Set(part.map(({ cluster }) => cluster))])
          expect(new Set(clusters).size).toBe(clusters.length)
        },
      ),
    )
  })
})
