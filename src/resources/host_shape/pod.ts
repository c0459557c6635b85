import { parseDocument } from '../../document/parse.ts'
import { KmsfleetError, KmsfleetErrors } from '../../errors/error.ts'
import * as z from 'zod'

const Security = z.looseObject({ runAsUser: z.int().min(0).optional() }).optional()

const Pod = z.looseObject({
  kind: z.literal('Pod'),
  spec: z.looseObject({
    securityContext: Security,
    containers: z.array(z.looseObject({ securityContext: Security })).min(1),
  }),
})

/** Whom the first container of a pod's manifest runs as; undefined where the text is no pod. */
export function parsePod(text: string): { readonly runAsUser?: number } | undefined {
  try {
    const { spec } = parseDocument('manifest', text, Pod).value
    const user = spec.containers[0]?.securityContext?.runAsUser ?? spec.securityContext?.runAsUser
    return user === undefined ? {} : { runAsUser: user }
  } catch (error) {
    if (error instanceof KmsfleetError || error instanceof KmsfleetErrors) return undefined
    throw error
  }
}
