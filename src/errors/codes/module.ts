/** Errors in what tasks ask for, found while planning. */
export const moduleCodes = {
  'module.arguments': 'A task gives a module arguments of the wrong form.',
  'module.conflict': 'Two tasks ask for the same resource in different ways.',
} as const
