import { defineConfig } from 'vitest/config'

/**
 * `unit` needs nothing but Node and a POSIX sh; `lab` needs root and the lab's Debian packages.
 * `openbao` needs a server's program, which `npm run test:openbao` finds or builds.
 * Files are told apart by name: `*.test.ts`, `*.lab.test.ts` and `*.openbao.test.ts`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.lab.test.ts', 'test/**/*.openbao.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/**/*.lab.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'openbao',
          include: ['test/**/*.openbao.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
