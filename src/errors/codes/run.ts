/** Errors of a run as a whole: usage, rails, state on the workstation. */
export const runCodes = {
  'run.usage': 'The command line is not understood.',
  'run.rail': 'A safety rail stopped the run.',
} as const
