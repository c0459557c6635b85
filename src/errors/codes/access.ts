/** Errors of the access proof. */
export const accessCodes = {
  'access.matrix': 'The access matrix of a role or an inventory says something that cannot be.',
} as const
