import * as z from 'zod'
import type { Resource } from '../model/resource.ts'
import { problem, refused } from '../resources/common/result.ts'

/** As releases name the machines that they are built for. */
export const architectures = ['amd64', 'arm64'] as const
export type Architecture = (typeof architectures)[number]

/** What `uname -m` says of them. */
const machines: ReadonlyMap<string, Architecture> = new Map([
  ['x86_64', 'amd64'],
  ['amd64', 'amd64'],
  ['aarch64', 'arm64'],
  ['arm64', 'arm64'],
])

/** One value for all hosts, or one for each architecture: `{ amd64: ..., arm64: ... }`. */
export function ForArchitecture<T extends z.ZodType>(
  value: T,
): z.ZodUnion<[T, z.ZodObject<Record<Architecture, z.ZodOptional<T>>, z.core.$strict>]> {
  return z.union([value, z.strictObject({ amd64: value.optional(), arm64: value.optional() })])
}

/** The architecture that the name of a release artifact speaks of, if it does. */
export function architectureOfName(name: string): Architecture | undefined {
  return architectures.find((architecture) => new RegExp(`[_-]${architecture}\\b`).test(name))
}

/**
 * The resource for the host's machine; refused on a host of another one. All are of one id.
 *
 * @param subject what there is one of for each architecture, for messages
 */
export function perMachine(
  subject: string,
  variants: ReadonlyMap<Architecture, Resource>,
): Resource | undefined {
  const [first] = variants.values()
  if (first === undefined) return undefined
  return {
    ...first,
    sameness: JSON.stringify([...variants].map(([architecture, { sameness }]) => [architecture, sameness])),
    atoms: [...variants.values()].flatMap(({ atoms }) => atoms),
    plan: (world) => {
      const architecture = machines.get(world.host.machine)
      const variant = architecture === undefined ? undefined : variants.get(architecture)
      return (
        variant?.plan(world) ??
        refused(
          problem(
            'resource.machine',
            first.id,
            `expected ${subject} for ${world.host.machine}, found one for ${[...variants.keys()].join(' and ')} only`,
            'Give one for each architecture of the fleet.',
          ),
        )
      )
    },
  }
}
