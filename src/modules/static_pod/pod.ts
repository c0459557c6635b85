import * as z from 'zod'
import { UnknownText } from '../../model/text.ts'

/** What the manifest of a static pod must be, whatever else it says. Parts may be unknown until the run knows them. */

const unknown = z.instanceof(UnknownText)

const Image = z
  .string('expected an image by digest')
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}$/,
    'expected an image by digest and no tag, such as "ghcr.io/org/name@sha256:" and 64 hex digits,',
  )

const Container = z.looseObject({
  name: z.string(),
  image: Image,
  securityContext: z
    .looseObject({
      privileged: z.literal(false, 'expected a container that is not privileged').optional(),
    })
    .optional(),
})

const Volume = z.looseObject({
  name: z.string(),
  hostPath: z
    .looseObject({
      path: z.string(),
      type: z.enum(
        ['Directory', 'File', 'Socket', 'CharDevice', 'BlockDevice'],
        'expected `type: Directory`, `File` or `Socket`: kubelet would make what is missing as root:root 0755',
      ),
    })
    .optional(),
  configMap: z.never('expected a host path: a static pod has no ConfigMaps').optional(),
  secret: z.never('expected a host path: a static pod has no Secrets').optional(),
  projected: z.never('expected a host path: a static pod has no service account').optional(),
})

export const Pod = z
  .looseObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Pod'),
    metadata: z.looseObject({
      name: z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'expected the name of a pod'),
      namespace: z.string().optional(),
      annotations: z.record(z.string(), z.union([z.string(), unknown])).optional(),
    }),
    spec: z.looseObject({
      containers: z.array(Container).min(1),
      initContainers: z.array(Container).optional(),
      volumes: z.array(Volume).optional(),
    }),
  })
  .describe('The manifest as YAML: images by digest, host paths that must exist')

export type Pod = z.output<typeof Pod>

/** Origins of all parts of a tree that are not known yet. */
export function unknownsIn(tree: unknown): readonly UnknownText[] {
  if (tree instanceof UnknownText) return [tree]
  if (typeof tree !== 'object' || tree === null) return []
  return Object.values(tree).flatMap(unknownsIn)
}
