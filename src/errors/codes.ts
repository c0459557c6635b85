import { accessCodes } from './codes/access.ts'
import { inventoryCodes } from './codes/inventory.ts'
import { playbookCodes } from './codes/playbook.ts'
import { hostCodes } from './codes/host.ts'
import { transportCodes } from './codes/transport.ts'
import { moduleCodes } from './codes/module.ts'
import { resourceCodes } from './codes/resource.ts'
import { runCodes } from './codes/run.ts'

/**
 * The one table of error codes: code to the sentence that the error reference prints for it.
 * Split by family only so that a family can be read on one page.
 */
export const errorCodes = {
  ...inventoryCodes,
  ...playbookCodes,
  ...moduleCodes,
  ...resourceCodes,
  ...transportCodes,
  ...hostCodes,
  ...runCodes,
  ...accessCodes,
} as const

export type ErrorCode = keyof typeof errorCodes
