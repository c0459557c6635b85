/** Bounds of a release tarball: a real one is a tenth of this, and a hostile one gets no further. */
export const limits = {
  /** Bytes of the tarball as it lies on the workstation. */
  compressed: 256 * 1024 * 1024,
  /** Bytes after decompression, headers included. */
  expanded: 512 * 1024 * 1024,
  /** Bytes of one member. */
  member: 256 * 1024 * 1024,
  /** Headers of any kind. */
  entries: 4096,
  /** Bytes of a name, or of an extended header. */
  name: 4096,
  /** Bytes of checksums.txt. */
  checksums: 1024 * 1024,
} as const
