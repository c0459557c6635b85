import { AbsolutePath, defineModule, fileResource, z, contentOf } from 'kmsfleet'

export const banner = defineModule({
  name: 'banner',
  summary: 'A text that is shown before a login',
  description: `Writes one line of text to a file that everybody may read, such as \`/etc/issue.net\`. It belongs to
root, and only root may write it.`,
  args: z.strictObject({
    text: z.string().min(1).describe('The text, without a line break at its end'),
    file: AbsolutePath.default('/etc/issue').describe('Where it stands'),
  }),
  examples: [
    `- name: Who looks after the host
  banner:
    text: Looked after by the platform team.`,
  ],
  mayBeUnknown: [],
  resources: ({ text, file }, context) => [
    fileResource({
      path: file,
      owner: 'root',
      group: 'root',
      mode: 0o644,
      content: contentOf(`${text}\n`, context),
    }),
  ],
})
