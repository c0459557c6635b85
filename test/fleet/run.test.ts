import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createClusterGates } from '../../src/fleet/clusters.ts'
import { batchesOf, runFleet, type FleetOptions, type JobEnd } from '../../src/fleet/run.ts'
import type { Host } from '../../src/inventory/types.ts'
import type { RunEventBody } from '../../src/model/event.ts'

function hosts(count: number): Host[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `h${String(index)}`,
    cluster: `c${String(index % 3)}`,
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

function options(changed: Partial<FleetOptions> = {}): FleetOptions {
  return { concurrency: 4, serial: [], anyErrorsFatal: false, stop: new AbortController().signal, ...changed }
}

/** Gives way as often as asked, so that jobs interleave in every order without a clock. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve()
}

describe('batches', () => {
  test.each<[number, FleetOptions['serial'], number[]]>([
    [5, [], [5]],
    [5, [2], [2, 2, 1]],
    [10, [1, '30%', '100%'], [1, 3, 6]],
    [10, [1, 2], [1, 2, 2, 2, 2, 1]],
    [5, ['1%'], [1, 1, 1, 1, 1]],
    [7, ['50%'], [3, 3, 1]],
    [0, [3], []],
  ])('%i hosts by %j', (count, serial, sizes) => {
    expect(batchesOf(hosts(count), serial).map((batch) => batch.length)).toEqual(sizes)
  })
})

describe('rails', () => {
  async function outcomes(
    count: number,
    failing: readonly number[],
    changed: Partial<FleetOptions>,
  ): Promise<string> {
    const events: RunEventBody[] = []
    const job = async (host: Host): Promise<JobEnd> => {
      await turns(1)
      return { outcome: failing.includes(Number(host.name.slice(1))) ? 'failed' : 'ok' }
    }
    const ends = await runFleet(hosts(count), options({ concurrency: 1, ...changed }), job, (event) =>
      events.push(event),
    )
    const rails = events.filter((event) => event.type === 'rail').length
    return `${[...ends.values()].map((end) => (end.outcome === 'not-run' ? '-' : end.outcome.slice(0, 1))).join('')} ${String(rails)}`
  }

  test.each<[string, number, number[], Partial<FleetOptions>, string]>([
    ['no budget: a failed host stops only itself', 4, [1], {}, 'ofoo 0'],
    ['the budget may be met', 4, [0], { maxFailPercentage: 25 }, 'fooo 0'],
    ['one more than the budget stops', 4, [0, 1], { maxFailPercentage: 25 }, 'ff-- 1'],
    ['a budget of nothing', 4, [1], { maxFailPercentage: 0 }, 'of-- 1'],
    ['the budget is of each batch', 10, [0, 3], { maxFailPercentage: 10, serial: [2] }, 'f--------- 1'],
    ['each batch has it anew', 8, [0, 5], { maxFailPercentage: 25, serial: [4] }, 'foooofoo 0'],
    ['a batch over it, a fleet within', 8, [0, 1], { maxFailPercentage: 25, serial: [4] }, 'ff------ 1'],
    ['any_errors_fatal', 4, [0], { anyErrorsFatal: true }, 'f--- 1'],
    ['a batch that failed whole', 4, [0, 1], { serial: [2] }, 'ff-- 1'],
    ['a canary that failed', 4, [0], { serial: [1, '100%'] }, 'f--- 1'],
    ['the last batch stops nothing', 2, [0, 1], {}, 'ff 0'],
  ])('%s', async (_name, count, failing, changed, expected) => {
    expect(await outcomes(count, failing, changed)).toBe(expected)
  })

  test('a batch of which nobody succeeds stops the play, also where its others waited in vain for the first', async () => {
    const job = (host: Host): Promise<JobEnd> =>
      Promise.resolve({ outcome: host.name === 'h0' ? 'failed' : 'not-run' })
    const started: string[] = []
    const rails: string[] = []
    await runFleet(
      hosts(4),
      options({ serial: [2] }),
      (host) => {
        started.push(host.name)
        return job(host)
      },
      (event) => {
        if (event.type === 'rail') rails.push(event.problem.message)
      },
    )
    expect(started).toEqual(['h0', 'h1'])
    expect(rails).toEqual(['expected a host of the batch to succeed, found that none of 2 did'])
  })

  test('stop lets running hosts end and starts no other', async () => {
    const controller = new AbortController()
    const ends = await runFleet(
      hosts(6),
      options({ concurrency: 2, stop: controller.signal }),
      async () => {
        await turns(3)
        controller.abort()
        return { outcome: 'ok' }
      },
      () => undefined,
    )
    expect([...ends.values()].map((end) => end.outcome)).toEqual([
      'ok',
      'ok',
      'not-run',
      'not-run',
      'not-run',
      'not-run',
    ])
  })

  test('a job that rejects is thrown after the others ended', async () => {
    let ended = 0
    const run = runFleet(
      hosts(9),
      options({ concurrency: 3 }),
      async (host) => {
        if (host.name === 'h0') throw new Error('a bug')
        await turns(5)
        ended += 1
        return { outcome: 'ok' }
      },
      () => undefined,
    )
    await expect(run).rejects.toThrow('a bug')
    expect(ended).toBe(2)
  })
})

describe('laws', () => {
  test('concurrency, order, budget and totality hold for every fleet', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          jobs: fc.array(fc.record({ fails: fc.boolean(), length: fc.nat(6) }), { maxLength: 40 }),
          concurrency: fc.integer({ min: 1, max: 8 }),
          serial: fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 3 }),
          budget: fc.option(fc.nat(100), { nil: undefined }),
        }),
        async ({ jobs, concurrency, serial, budget }) => {
          const fleet = hosts(jobs.length)
          let running = 0
          let most = 0
          let railed = false
          const started: string[] = []
          const ends = await runFleet(
            fleet,
            options({ concurrency, serial, ...(budget === undefined ? {} : { maxFailPercentage: budget }) }),
            async (host) => {
              expect(railed).toBe(false)
              started.push(host.name)
              running += 1
              most = Math.max(most, running)
              const job = jobs[Number(host.name.slice(1))]
              await turns(job?.length ?? 0)
              running -= 1
              if (job?.fails !== true) return { outcome: 'ok' }
              return { outcome: 'unreachable' }
            },
            (event) => {
              railed ||= event.type === 'rail'
            },
          )
          for (const batch of batchesOf(fleet, serial)) {
            const failed = batch.filter(({ name }) => ends.get(name)?.outcome === 'unreachable').length
            const allowed = ((budget ?? 100) * batch.length) / 100
            if (failed > allowed) expect(railed).toBe(true)
            // Only what was running already may still fail when the budget goes.
            expect(failed).toBeLessThanOrEqual(Math.floor(allowed) + concurrency)
          }
          expect(most).toBeLessThanOrEqual(concurrency)
          expect(running).toBe(0)
          expect(started).toEqual(fleet.slice(0, started.length).map((host) => host.name))
          expect([...ends.keys()]).toEqual(fleet.map((host) => host.name))
          expect([...ends.values()].filter((end) => end.outcome !== 'not-run').length).toBe(started.length)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('never two at once in a cluster, in order, and none after one failed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ cluster: fc.nat(3), fails: fc.nat(9), length: fc.nat(5) }), { maxLength: 60 }),
        async (works) => {
          const gates = createClusterGates()
          const inside = new Map<number, number>()
          const done = new Map<number, number[]>()
          const brokenBy = new Map<number, number>()
          const results = await Promise.allSettled(
            works.map(({ cluster, fails, length }, index) =>
              gates.disrupt(`c${String(cluster)}`, `h${String(index)}`, async () => {
                expect(inside.get(cluster) ?? 0).toBe(0)
                expect(brokenBy.has(cluster)).toBe(false)
                inside.set(cluster, 1)
                await turns(length)
                inside.set(cluster, 0)
                done.set(cluster, [...(done.get(cluster) ?? []), index])
                if (fails === 0) {
                  brokenBy.set(cluster, index)
                  throw new Error('broke')
                }
              }),
            ),
          )
          for (const indexes of done.values()) expect(indexes).toEqual([...indexes].sort((a, b) => a - b))
          for (const [index, work] of works.entries()) {
            const first = brokenBy.get(work.cluster)
            const result = results[index]
            if (first === undefined || index < first) expect(result?.status).toBe('fulfilled')
            else
              expect(String(result?.status === 'rejected' ? result.reason : '')).toContain(
                index === first ? 'broke' : `found that h${String(first)} did: broke`,
              )
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('5,000 hosts in one process', async () => {
    const fleet = hosts(5000)
    const gates = createClusterGates()
    let running = 0
    let most = 0
    const ends = await runFleet(
      fleet,
      options({ concurrency: 50, serial: [1, '10%', '100%'] }),
      async (host) => {
        running += 1
        most = Math.max(most, running)
        await turns(3)
        await gates.disrupt(host.cluster, host.name, () => turns(2))
        running -= 1
        return { outcome: 'changed' }
      },
      () => undefined,
    )
    expect(most).toBe(50)
    expect([...ends.values()].every((end) => end.outcome === 'changed')).toBe(true)
    expect(ends.size).toBe(5000)
  })
})

test('a tripped gate lets nobody through and names the host', async () => {
  const gates = createClusterGates()
  gates.trip('blue', 'h1', { code: 'run.rail', message: 'not ready after 60 s' })
  await expect(gates.disrupt('blue', 'h2', () => Promise.resolve(1))).rejects.toMatchObject({
    code: 'run.rail',
    message:
      'expected no host of cluster blue to have failed before a disruptive change of another, found that h1 did: not ready after 60 s',
  })
  expect(await gates.disrupt('green', 'h3', () => Promise.resolve(1))).toBe(1)
})
