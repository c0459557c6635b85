import { AbsolutePath, defineModule, z } from 'kmsfleet'
import { checkedLink } from './checked-link.ts'

export const checked_link = defineModule({
  name: 'checked_link',
  summary: 'A symbolic link to something that exists',
  description: `Like \`link\`, but a target that is not on the host, and that no earlier task makes, is refused: a link
to nothing is never left behind.`,
  args: z.strictObject({
    path: AbsolutePath,
    target: AbsolutePath.describe('What the link leads to'),
  }),
  examples: [
    `- name: Folder of the release
  directory:
    path: /opt/release-1
    owner: root
    group: root
    mode: "0755"
- name: The current release
  checked_link:
    path: /opt/current
    target: /opt/release-1`,
  ],
  mayBeUnknown: [],
  resources: (args) => [checkedLink(args)],
})
