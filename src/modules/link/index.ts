import * as z from 'zod'
import { linkResource } from '../../resources/link/link.ts'
import { AbsolutePath } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const link = defineModule({
  name: 'link',
  summary: 'A symbolic link with an exact target',
  description: `Makes the link, or points it elsewhere in one rename. The target need not exist. A file or directory that
stands at the path is refused, never removed.`,
  args: z.strictObject({
    path: AbsolutePath,
    target: z
      .string()
      .min(1)
      .max(4095)

      .regex(/^[^\u0000-\u001f\u007f]+$/, 'expected text without line breaks')
      .describe("What the link says: an absolute path, or one relative to the link's directory"),
  }),
  examples: [
    `- name: The current release
  link:
    path: /opt/current
    target: /opt/release-1`,
  ],
  mayBeUnknown: [],
  resources: (args) => [linkResource(args)],
})
