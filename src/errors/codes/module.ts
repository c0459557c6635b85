/** Errors in what tasks ask for, found while planning. */
export const moduleCodes = {
  'module.arguments': 'A task gives a module arguments of the wrong form.',
  'module.conflict': 'Two tasks ask for the same resource in different ways.',
  'credential.form': 'A credential is not of the kind that its task says.',
  'credential.expired': 'A credential expired, is about to, or is not valid yet.',
  'credential.claims': 'A token has another issuer, audience or subject than its task expects.',
  'bundle.archive': 'A release tarball is damaged, too large, or has entries that are not safe to take.',
  'bundle.checksum': 'A release tarball is not the one that its checksums and the inventory name.',
  'bundle.signature':
    'A checksums file is not signed by whom the inventory names, or nothing is there to check it.',
  'bundle.member': 'A file that a bundle task declares is not in the tarball.',
} as const
