/** Errors between the workstation and a host's shell. */
export const transportCodes = {
  'transport.unreachable': 'No connection to the host could be made.',
} as const
