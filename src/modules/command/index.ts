import * as z from 'zod'
import { commandResource, type CommandGuard } from '../../resources/command/command.ts'
import { AbsolutePath, Argv, As, exactlyOne, Within } from '../arguments.ts'
import { defineModule } from '../define.ts'

const Args = z
  .strictObject({
    argv: Argv,
    creates: AbsolutePath.optional().describe('It runs only where this path does not exist, and makes it'),
    removes: AbsolutePath.optional().describe('It runs only where this path exists, and removes it'),
    unless: Argv.optional().describe('It runs only where this exits with another status than 0'),
    always: z.literal(true).optional().describe('It runs each time, outside proof and drift'),
    as: As.optional(),
    within: Within(300),
  })
  .refine(...exactlyOne('creates', 'removes', 'unless', 'always'))

export const command = defineModule({
  name: 'command',
  summary: 'A program run with an argument list, where it still has to',
  description: `There is no shell: an argument is one string of the list. Exactly one of \`creates\`, \`removes\`, \`unless\`
and \`always\` says whether it has to run. \`unless\` runs in plans too, so it must change nothing. Never put a secret into
an argument: everybody on the host can read it there.`,
  args: Args,
  examples: [
    `- name: A key pair of the host's own
  command:
    argv: [ssh-keygen, -q, -t, ed25519, -N, "", -f, /etc/probe_key]
    creates: /etc/probe_key`,
    `- name: Time is kept
  command:
    argv: [timedatectl, set-ntp, "true"]
    unless: [sh, -c, 'test "$(timedatectl show -P NTP)" = yes']`,
  ],
  mayBeUnknown: [],
  resources: (args, context) => [
    commandResource({
      key: context.task.id,
      argv: args.argv,
      as: args.as,
      within: args.within,
      guard: guardOf(args),
    }),
  ],
})

function guardOf({ creates, removes, unless }: z.output<typeof Args>): CommandGuard {
  if (creates !== undefined) return { by: 'creates', path: creates }
  if (removes !== undefined) return { by: 'removes', path: removes }
  return unless === undefined ? { by: 'always' } : { by: 'unless', argv: unless }
}
