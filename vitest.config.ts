import { defineConfig } from 'vitest/config'

/**
 * `unit` needs nothing but Node and a POSIX sh; `lab` needs root and the lab's Debian packages.
 * Files are told apart by name: `*.test.ts` and `*.lab.test.ts`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.lab.test.ts'],
          testTimeout: 60_000,
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
    ],
  },
})
