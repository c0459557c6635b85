/** Errors that a host reported or caused. */
export const hostCodes = {
  'host.protocol': 'The host answered with bytes that are not a valid record stream.',
  'host.change-failed': 'A change could not be made on the host.',
  'host.conflict': 'Something on the host moved between the plan and the change.',
  'host.not-proved': 'After the changes the host still differs from what was asked for.',
  'host.unmet': 'A check does not hold on the host, and nothing that the run may do makes it hold.',
  'host.unsendable': 'A value cannot be sent to a host, such as a path with a newline in it.',
  'host.no-shell': 'The shell on the host did not start as it should.',
  'host.shell-ended': 'The shell on the host ended in the middle of its work.',
  'host.deadline': 'The host did not finish in time.',
  'host.unreadable': 'Something on the host could not be read.',
} as const
