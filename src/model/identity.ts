/**
 * Who acts on a host: an account by name (uid, primary group and supplementary groups are looked up there
 * at that moment), or exact numbers.
 */
export type Identity =
  | { readonly by: 'account'; readonly user: string }
  | { readonly by: 'number'; readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
