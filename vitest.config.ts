import { defineConfig } from 'vitest/config'

/**
 * `unit` needs nothing but Node and a POSIX sh; `lab` needs root and the lab's Debian packages.
 * `openbao` needs a server's program, which `npm run test:openbao` finds or builds; `kubernetes` needs the lab and
 * kube-apiserver, which `npm run test:kubernetes` builds.
 * Files are told apart by name: `*.test.ts`, `*.lab.test.ts`, `*.openbao.test.ts` and `*.kubernetes.test.ts`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{lab,openbao,kubernetes}.test.ts'],
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
          // Labs do not disturb each other, and mostly wait for systemd.
          maxWorkers: 2,
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
      {
        test: {
          name: 'kubernetes',
          include: ['test/**/*.kubernetes.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
