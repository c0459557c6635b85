import * as z from 'zod'
import { directoryResource } from '../../resources/directory/directory.ts'
import { AbsolutePath, Group, Mode, Owner } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const directory = defineModule({
  name: 'directory',
  summary: 'A directory with exact owner, group and mode',
  description: `Makes the directory, or mends its owner, group and mode; setuid, setgid and sticky bits that are not asked
for are cleared, and so are extra ACL entries. Its parent must exist or be made by an earlier task. Anything else that
stands at the path is refused, never removed. What lies in the directory is not touched.`,
  args: z.strictObject({ path: AbsolutePath, owner: Owner, group: Group, mode: Mode }),
  examples: [
    `- name: Configuration
  directory:
    path: /etc/openbao-kms
    owner: root
    group: root
    mode: "0755"`,
  ],
  mayBeUnknown: [],
  resources: (args) => [directoryResource(args)],
})
