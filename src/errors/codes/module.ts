/** Errors in what tasks ask for, found while planning. */
export const moduleCodes = {
  'module.arguments': 'A task gives a module arguments of the wrong form.',
  'module.conflict': 'Two tasks ask for the same resource in different ways.',
  'bundle.archive': 'A release tarball is damaged, too large, or has entries that are not safe to take.',
  'bundle.checksum': 'A release tarball is not the one that its checksums and the inventory name.',
  'bundle.signature':
    'A checksums file is not signed by whom the inventory names, or nothing is there to check it.',
  'bundle.member': 'A file that a bundle task declares is not in the tarball.',
} as const
