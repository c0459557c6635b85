/** Errors that a host reported or caused. */
export const hostCodes = {
  'host.protocol': 'The host answered with bytes that are not a valid record stream.',
  'host.change-failed': 'A change could not be made on the host.',
  'host.conflict': 'Something on the host moved between the plan and the change.',
  'host.not-proved': 'After the changes the host still differs from what was asked for.',
} as const
