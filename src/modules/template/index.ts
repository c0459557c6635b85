import * as z from 'zod'
import { contentOf } from '../../resources/file/content.ts'
import { fileResource } from '../../resources/file/file.ts'
import { AbsolutePath, Group, LocalPath, Mode, Owner, Validate } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const template = defineModule({
  name: 'template',
  summary: 'A file rendered from a Jinja2 template, with exact owner, group and mode',
  description: `Like \`copy\`, with the content rendered from a file of the role's \`templates/\`. An undefined variable is
an error. What hangs on a value that an earlier change must first produce, such as the gid of a group that is yet to be
made, is planned as \`known after\` that change and written in the stage after it.`,
  args: z.strictObject({
    dest: AbsolutePath,
    src: LocalPath.describe('Path below `templates/`'),
    owner: Owner,
    group: Group,
    mode: Mode,
    validate: Validate.optional(),
  }),
  examples: [
    `- name: Configuration of the provider
  template:
    dest: /etc/config.yaml
    src: config.yaml.j2
    owner: root
    group: root
    mode: "0640"`,
  ],
  mayBeUnknown: [],
  resources: ({ dest, src, owner, group, mode, validate }, context) => [
    fileResource({
      path: dest,
      owner,
      group,
      mode,
      validate,
      content: contentOf(context.template(src), context),
    }),
  ],
})
