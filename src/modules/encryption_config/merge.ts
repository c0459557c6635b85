import type { Encryption, Entry, Kms, Provider } from './document.ts'

/** What kube-apiserver shall encrypt with. */
export interface Wanted {
  readonly stage: 'readers' | 'writers'
  readonly kms: Kms
  /** Such as `secrets`. */
  readonly resources: readonly string[]
}

/** The configuration as it shall be, or why it cannot be made of the one that is there. */
export type Merged =
  { readonly is: 'made'; readonly encryption: Encryption } | { readonly is: 'refused'; readonly why: string }

/** What counts for a resource of which nothing is said. */
const plain: Entry = { resources: [], providers: [{ identity: {} }] }

/** Does a pattern of an entry fit a resource? `*.` stands for the core group, `*.apps` for another, `*.*` for all. */
function covers(pattern: string, resource: string): boolean {
  if (pattern === resource || pattern === '*.*') return true
  const dot = resource.indexOf('.')
  return pattern.startsWith('*.') && pattern.slice(2) === (dot === -1 ? '' : resource.slice(dot + 1))
}

/**
 * Adds the provider to what is there, which stays: no provider and no resource is ever taken out, since what was
 * written with it could not be read any more. `readers` adds it behind what writes now; `writers` puts it first, and
 * only where it already stands as a reader.
 */
export function merge(old: Encryption | undefined, wanted: Wanted): Merged {
  const entries = old?.resources ?? []
  const touched = new Set(
    entries.filter(({ resources }) =>
      resources.some((one) => wanted.resources.some((resource) => covers(resource, one))),
    ),
  )
  // Of the entries that fit a resource the first counts, and one with a wildcard may stand before one with its name.
  const first = (resource: string): Entry | undefined =>
    entries.find(({ resources }) => resources.some((one) => covers(one, resource)))
  const uncovered = wanted.resources.filter(
    (resource) => first(resource)?.resources.includes(resource) !== true,
  )
  if (wanted.stage === 'writers' && uncovered.length > 0) return refused(notRead(uncovered, wanted))
  const made: Entry[] = []
  for (const entry of [...entries, undefined]) {
    const fresh = uncovered.filter((resource) => first(resource) === entry)
    const next = [
      // What could be read by a wildcard must be readable still.
      ...(fresh.length === 0 ? [] : [mergeEntry({ ...(entry ?? plain), resources: fresh }, wanted)]),
      ...(entry === undefined ? [] : [touched.has(entry) ? mergeEntry(entry, wanted) : entry]),
    ]
    for (const one of next) {
      if (typeof one === 'string') return refused(one)
      made.push(one)
    }
  }
  return {
    is: 'made',
    encryption: {
      ...(old ?? { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration' }),
      resources: made,
    },
  }
}

function mergeEntry(entry: Entry, wanted: Wanted): Entry | string {
  const at = entry.providers.findIndex(({ kms }) => kms?.name === wanted.kms.name)
  const found = entry.providers[at]?.kms
  if (found === undefined) {
    return wanted.stage === 'writers'
      ? notRead(entry.resources, wanted)
      : { ...entry, providers: [...entry.providers, { kms: wanted.kms }] }
  }
  if (found.endpoint !== wanted.kms.endpoint || (found.apiVersion ?? 'v1') !== wanted.kms.apiVersion) {
    return `the provider ${wanted.kms.name} stands there with ${found.apiVersion ?? 'v1'} at ${found.endpoint}; another one in its place would take a reader away`
  }
  if (wanted.stage === 'readers' && at === 0) {
    return `the provider ${wanted.kms.name} writes already; the stage \`readers\` would go back to writing without it`
  }
  const ours: Provider = { kms: { ...found, ...wanted.kms } }
  const others = entry.providers.filter((_, index) => index !== at)
  return {
    ...entry,
    providers:
      wanted.stage === 'writers'
        ? [ours, ...others]
        : entry.providers.map((one, index) => (index === at ? ours : one)),
  }
}

function notRead(resources: readonly string[], { kms }: Wanted): string {
  return `${kms.name} is no reader of ${resources.join(', ')} yet; the stage \`readers\` comes first, on every API server of the cluster`
}

function refused(why: string): Merged {
  return { is: 'refused', why }
}
