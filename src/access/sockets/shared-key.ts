import type { Check, HostProof } from '../../model/access.ts'

/** Characters of a hash that tell keys apart for a reader. */
const prefix = 12

/** Do the sockets of one cluster report one key id? By host; a cluster of which one host was asked has nothing to compare. */
export function sharedKeyChecks(proofs: readonly HostProof[]): ReadonlyMap<string, readonly Check[]> {
  const clusters = new Map<
    string,
    { readonly host: string; readonly path: string; readonly hash: string }[]
  >()
  for (const { host, sockets } of proofs) {
    for (const { path, sameKeyIn, keyIdHash: hash } of sockets) {
      if (sameKeyIn === undefined || hash === undefined) continue
      clusters.set(sameKeyIn, [...(clusters.get(sameKeyIn) ?? []), { host, path, hash }])
    }
  }
  const checks = new Map<string, Check[]>()
  for (const [cluster, members] of clusters) {
    if (members.length < 2) continue
    const hashes = [...new Set(members.map(({ hash }) => hash))]
    const groups = hashes.map((hash) => {
      const hosts = members.filter((each) => each.hash === hash).map(({ host }) => host)
      return `${hash.slice(0, prefix)}… on ${hosts.join(', ')}`
    })
    for (const { host, path } of members) {
      const check: Check = {
        subject: path,
        expected: `all hosts of ${cluster} report one key id`,
        verdict: hashes.length === 1 ? 'pass' : 'violated',
        finding: hashes.length === 1 ? '' : `found ${groups.join('; ')}`,
        source: 'What one API server encrypts, every other of its cluster must decrypt',
      }
      checks.set(host, [...(checks.get(host) ?? []), check])
    }
  }
  return checks
}
