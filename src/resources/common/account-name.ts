/** Names that every shadow-utils, busybox and systemd takes for users and groups. */
export const accountNamePattern = /^[a-z_][a-z0-9_-]{0,31}$/

/** A uid or gid in decimal, without leading zeros. */
export const accountIdPattern = /^(0|[1-9][0-9]{0,9})$/

/** Largest uid or gid: the two above mean "none" to the kernel or to old programs. */
export const largestId = 4_294_967_293

/** Is an owner written as a number rather than as a name? */
export function isNumeric(owner: string): boolean {
  return accountIdPattern.test(owner)
}
