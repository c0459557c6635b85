import * as z from 'zod'
import { directoryResource } from '../../resources/directory/directory.ts'
import { AbsolutePath } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const NAME = defineModule({
  name: 'NAME',
  summary: 'One line that says what a host has, without a full stop',
  description: `What it makes or mends, what it refuses, and what it leaves alone; in plain words, for operators. Say
what happens where something else stands in its place.`,
  args: z.strictObject({
    path: AbsolutePath.describe('What the argument is for'),
  }),
  examples: [
    `- name: Say what the host shall have
  NAME:
    path: /etc/example`,
  ],
  mayBeUnknown: [],
  resources: ({ path }) => [directoryResource({ path, owner: 'root', group: 'root', mode: 0o755 })],
})
