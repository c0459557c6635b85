/** Powers over files and processes, by their numbers in `linux/capability.h`. */
export const capabilities = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
} as const

export type Capability = keyof typeof capabilities
