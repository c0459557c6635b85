import * as z from 'zod'
import { unitResource } from '../../resources/unit/unit.ts'
import { AbsolutePath, Group, Ready, UnitName, Within } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const unit = defineModule({
  name: 'unit',
  summary: 'A systemd unit: running and ready, enabled',
  description: `Started means ready: the \`ready\` check passes and the unit is not being restarted over and over, within
\`within\` seconds. An answer counts only where it is a process of the unit itself that listens there, before and after:
any local user may listen at a port that is free while a unit restarts. A running unit is restarted where that is needed, and only there: its program (\`exe\`) is another file
than the one that runs, a file of \`restart_on\` has other content than at the last start, or its unit file changed. A mended
owner or mode never restarts anything. \`restarted\` and \`reloaded\` act each time and are meant for handlers.`,
  args: z
    .strictObject({
      name: UnitName,
      state: z.enum(['started', 'stopped', 'restarted', 'reloaded']).optional(),
      enabled: z.boolean().optional().describe('Started at boot'),
      ready: Ready.optional(),
      within: Within(60),
      restart_on: z.array(AbsolutePath).default([]).describe('Files that the unit reads when it starts'),
      exe: AbsolutePath.optional().describe("The unit's program"),
      groups: z
        .array(Group)
        .default([])
        .describe(
          'Groups that its process must have; a process gets those of its account when it is started',
        ),
    })
    .refine(({ state, enabled }) => state !== undefined || enabled !== undefined, {
      error: 'expected `state` or `enabled` or both',
    }),
  examples: [
    `- name: The provider runs and answers
  unit:
    name: bao-kms-provider.service
    state: started
    enabled: true
    exe: /usr/bin/bao-kms-provider
    ready:
      http: http://127.0.0.1:8082/ready
    restart_on:
      - /etc/openbao-kms/config.yaml`,
  ],
  mayBeUnknown: [],
  resources: ({ name, state, enabled, ready, within, restart_on, exe, groups }) => [
    unitResource({
      unit: name,
      state,
      enabled,
      ready: ready ?? { kind: 'active' },
      within,
      restartOn: restart_on,
      exe,
      groups,
    }),
  ],
})
