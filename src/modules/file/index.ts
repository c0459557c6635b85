import * as z from 'zod'
import { fileResource } from '../../resources/file/file.ts'
import { AbsolutePath, Group, Mode, Owner } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const file = defineModule({
  name: 'file',
  summary: 'Exact owner, group and mode of a file that exists',
  description: `For a file whose content is somebody else's. It must exist. Where an account could write the file and
shall not any more, the task is refused: a descriptor that is still open would stay a writer, and only a new file ends
that (\`copy\`, \`template\`).`,
  args: z.strictObject({ path: AbsolutePath, owner: Owner, group: Group, mode: Mode }),
  examples: [
    `- name: Only root reads the shadow file
  file:
    path: /etc/shadow
    owner: root
    group: root
    mode: "0600"`,
  ],
  mayBeUnknown: [],
  resources: (args) => [fileResource(args)],
})
