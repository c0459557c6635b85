/** Errors of a run as a whole: usage, rails, state on the workstation. */
export const runCodes = {
  'run.usage': 'The command line is not understood.',
  'run.no-terminal': 'A question needs a terminal and there is none.',
  'run.password-file': 'The file that holds a password is missing, empty or open to others.',
  'run.interrupted': 'The operator broke the run off.',
  'run.locked': 'Another run writes to the host.',
  'run.rail': 'A safety rail stopped the run.',
  'run.state': 'The state folder of this workstation cannot be used, or a journal in it not be written.',
} as const
