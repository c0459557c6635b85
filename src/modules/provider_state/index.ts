import * as z from 'zod'
import { payloadOf } from '../../resources/file/content.ts'
import type { RunBy } from '../../resources/state_pair/running.ts'
import { statePairResource } from '../../resources/state_pair/state-pair.ts'
import { AbsolutePath, exactlyOne, Group, LoopbackUrl, Mode, Owner, UnitName } from '../arguments.ts'
import { defineModule } from '../define.ts'
import { fingerprintOf, readIdentity } from '../provider_config/identity.ts'

const Args = z
  .strictObject({
    path: AbsolutePath.describe("The provider's state; its checkpoint stands beside it as `PATH.checkpoint`"),
    config: AbsolutePath.describe("The provider's configuration, which decides its identity"),
    owner: Owner,
    group: Group,
    mode: Mode,
    unit: UnitName.optional().describe('The unit that runs the provider'),
    pod: z
      .strictObject({
        manifest: AbsolutePath.describe('Manifest of the static pod'),
        live: LoopbackUrl.describe('Answers 200 as long as the process of the pod does'),
      })
      .optional()
      .describe('The static pod that runs the provider'),
  })
  .refine(...exactlyOne('unit', 'pod'))

export const providerState = defineModule({
  name: 'provider_state',
  summary: "The provider's state and its checkpoint on a new host, given once by a healthy peer",
  description: `In a play with \`seed_from\`. Where a host has neither file, both are written in one change, with what the
peer has: it must run and be ready, have the identity that the host's configuration gives, and files that are its
provider's own. They are read as one pair, which is secret: it passes through the memory of the run and nothing else.

Where both are there they are left as they are, whatever is in them. One without the other is refused, and so is a host
whose provider runs.`,
  args: Args,
  examples: [
    `- name: State of the provider
  provider_state:
    path: /var/lib/openbao-kms/state/key-registry.json
    config: /etc/openbao-kms/config.yaml
    owner: openbao-kms
    group: openbao-kms
    mode: "0640"
    unit: bao-kms-provider.service`,
  ],
  mayBeUnknown: [],
  resources: ({ path, config, owner, group, mode, unit, pod }, context) => [
    statePairResource({
      state: path,
      checkpoint: `${path}.checkpoint`,
      config,
      owner,
      group,
      mode,
      runBy: runByOf(unit, pod),
      seeding: context.seeding,
      identityOf: readIdentity,
      fingerprintOf,
      payloadOf: (secret) => payloadOf(secret.reveal(), true, context),
    }),
  ],
})

function runByOf(unit: string | undefined, pod: z.infer<typeof Args>['pod']): RunBy {
  return pod === undefined
    ? { by: 'unit', unit: unit ?? '' }
    : { by: 'manifest', path: pod.manifest, live: pod.live }
}
