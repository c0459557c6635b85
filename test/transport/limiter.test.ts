import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLimiter } from '../../src/transport/limiter.ts'

const never = new AbortController().signal

test('never more than the limit for a key, every task runs once, keys do not hinder each other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ key: fc.constantFrom('a', 'b'), ticks: fc.nat({ max: 3 }), fails: fc.boolean() })),
      async (limit, tasks) => {
        const limiter = createLimiter(limit)
        const running = new Map<string, number>()
        let ran = 0
        const results = await Promise.allSettled(
          tasks.map(({ key, ticks, fails }) =>
            limiter.run(key, never, async () => {
              ran += 1
              const now = (running.get(key) ?? 0) + 1
              running.set(key, now)
              expect(now).toBeLessThanOrEqual(limit)
              for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
              running.set(key, now - 1 < 0 ? 0 : (running.get(key) ?? 1) - 1)
              if (fails) throw new Error('failed')
            }),
          ),
        )
        expect(ran).toBe(tasks.length)
        expect(results.map(({ status }) => status === 'rejected')).toEqual(tasks.map(({ fails }) => fails))
      },
    ),
  )
})

test('a task that waits is dropped when its signal fires, and takes no slot with it', async () => {
  const limiter = createLimiter(1)
  const abort = new AbortController()
  let release: () => void = () => undefined
  const first = limiter.run('a', never, () => new Promise<void>((resolve) => (release = resolve)))
  const second = limiter.run('a', abort.signal, () => Promise.resolve('ran'))
  const third = limiter.run('a', never, () => Promise.resolve('ran'))
  abort.abort()
  await expect(second).rejects.toThrow()
  release()
  await first
  await expect(third).resolves.toBe('ran')
})

test('a signal that fired already drops a task that would wait', async () => {
  const limiter = createLimiter(1)
  let release: () => void = () => undefined
  const first = limiter.run('a', never, () => new Promise<void>((resolve) => (release = resolve)))
  await expect(limiter.run('a', AbortSignal.abort(), () => Promise.resolve())).rejects.toThrow()
  release()
  await first
})
