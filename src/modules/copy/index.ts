import * as z from 'zod'
import { contentOf } from '../../resources/file/content.ts'
import { fileResource } from '../../resources/file/file.ts'
import { AbsolutePath, Content, exactlyOne, Group, LocalPath, Mode, Owner, Validate } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const copy = defineModule({
  name: 'copy',
  summary: 'A file with exact content, owner, group and mode',
  description: `The content is given inline, or is a file of the role's \`files/\`. It is staged out of reach of others,
checked, given owner and mode, run through \`validate\` and renamed into place: nothing partial and nothing with a wider
mode is ever seen at the path. A secret is one bare \`{{ name }}\`; it is never shown, and an empty one is never written.`,
  args: z
    .strictObject({
      dest: AbsolutePath,
      content: Content.optional(),
      src: LocalPath.optional().describe('Path below `files/`'),
      owner: Owner,
      group: Group,
      mode: Mode,
      validate: Validate.optional(),
    })
    .refine(...exactlyOne('content', 'src')),
  examples: [
    `- name: A file from text
  copy:
    dest: /etc/motd
    content: "Managed by kmsfleet.\\n"
    owner: root
    group: root
    mode: "0644"`,
    `- name: A sudo rule that is checked before it counts
  copy:
    dest: /etc/ops.rule
    content: "ops ALL=(root) NOPASSWD: /usr/bin/true\\n"
    owner: root
    group: root
    mode: "0440"
    validate:
      argv: [visudo, -cf, "{}"]`,
  ],
  mayBeUnknown: ['content'],
  resources: ({ dest, content, src, owner, group, mode, validate }, context) => [
    fileResource({
      path: dest,
      owner,
      group,
      mode,
      validate,
      content:
        src === undefined ? contentOf(content ?? '', context) : { is: 'bytes', payload: context.file(src) },
    }),
  ],
})
