import * as z from 'zod'
import { absentResource } from '../../resources/absent/absent.ts'
import { AbsolutePath } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const absent = defineModule({
  name: 'absent',
  summary: 'Nothing at a path',
  description: `Removes a file, link, socket, FIFO or empty directory. A directory with entries is refused: nothing is
ever removed recursively. A file that a package owns is refused: the package manager removes it.`,
  args: z.strictObject({ path: AbsolutePath }),
  examples: [
    `- name: No leftover of the static-pod model
  absent:
    path: /etc/tmpfiles.d/openbao-kms-static-pod.conf`,
  ],
  mayBeUnknown: [],
  resources: (args) => [absentResource(args)],
})
