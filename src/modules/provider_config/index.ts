import * as z from 'zod'
import { contentOf } from '../../resources/file/content.ts'
import { rewriteResource } from '../../resources/file/rewrite.ts'
import { success } from '../../resources/common/result.ts'
import { AbsolutePath, Group, Mode, Owner, Validate } from '../arguments.ts'
import { defineModule } from '../define.ts'
import { identityGate } from './gate.ts'
import { identityOf } from './identity.ts'
import { socketGroupIssue } from './rules.ts'
import { ProviderConfig } from './schema.ts'
import { configText } from './text.ts'

const Args = z
  .strictObject({
    config: ProviderConfig.describe('The file as YAML, with the keys of the provider'),
    shape: z
      .enum(['systemd', 'static_pod'])
      .default('systemd')
      .describe('How the provider is run: a service names the socket group, a static pod gives its gid'),
    dest: AbsolutePath,
    owner: Owner,
    group: Group,
    mode: Mode,
    validate: Validate.optional(),
  })
  .superRefine(({ config, shape }, context) => {
    const issue = socketGroupIssue(config, shape)
    if (issue === undefined) return
    context.addIssue({ code: 'custom', path: ['config', ...issue.path], message: issue.message })
  })

export const providerConfig = defineModule({
  name: 'provider_config',
  summary: "The provider's config.yaml, checked before any contact",
  description: `All rules of the provider are checked on the workstation: required keys, types, ranges, what must agree
with what, keys that do not exist or no longer do. The file is written as \`copy\` writes one, in one order of keys, with
nothing in it that was not said.

The *identity* is kept: provider name, cluster id, transit mount id, key lineage id, instance id, namespace, transit mount
and key name decide how data in etcd can be read again. Where the file on the host has another one, or cannot be read, the
task is refused, unless \`--accept-new-identity\` names the host.`,
  args: Args,
  examples: [
    `- name: Configuration of the provider
  provider_config:
    dest: /etc/config.yaml
    owner: root
    group: root
    mode: "0640"
    config:
      configVersion: v1alpha1
      server:
        socketPath: /run/openbao-kms/kms.sock
        socketMode: "0660"
        socketGroup: openbao-kms-socket
      openbao:
        address: https://openbao.example.org:8200
        caCertFile: /etc/openbao-kms/tls/ca.crt
        tlsServerName: openbao.example.org
        instanceId: bao-prod-a
      auth:
        method: jwt
        jwt:
          mountPath: jwt
          role: kms-provider
          jwtFile: /var/lib/openbao-kms/identity.jwt
      transit:
        mountPath: transit
        keyName: k8s-workload-a-etcd
        keyIdScope:
          providerName: openbao-kms-workload-a
          clusterId: workload-a
          transitMountId: transit-prod-primary
          keyLineageId: 7d34fb7df15f4e4c95d6c2a50fe90d84`,
  ],
  mayBeUnknown: ['config'],
  resources: ({ config, dest, owner, group, mode, validate }, context) => {
    const content = contentOf(configText(config), context)
    const wanted = identityOf(config)
    const accepted = context.acceptsNewIdentity
    return [
      rewriteResource({
        path: dest,
        owner,
        group,
        mode,
        validate,
        secret: false,
        sameness: JSON.stringify({ config, dest, owner, group, mode, validate }),
        rewrite: (old) => {
          // The very file that is wanted needs no reading.
          const same =
            content.is === 'bytes' && old.is !== 'absent' && old.digest?.equals(content.payload.digest)
          const gate = same === true ? success([]) : identityGate(dest, wanted, old, accepted)
          return gate.ok ? success({ content, differences: gate.value }) : gate
        },
      }),
    ]
  },
})
