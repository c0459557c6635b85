import * as z from 'zod'
import { hostShapeResource } from '../../resources/host_shape/host-shape.ts'
import { apiServerShapes } from '../../resources/host_shape/shape.ts'
import { AbsolutePath, Owner, UnitName } from '../arguments.ts'
import { defineModule } from '../define.ts'

export const hostShape = defineModule({
  name: 'host_shape',
  summary: 'How a host runs the provider and the API server, as declared',
  description: `Compares what is declared with what is found: the manifest of kube-apiserver and whom its pod runs as, a loaded
kube-apiserver.service and its \`User=\`, k3s.service, rke2-server.service; and whether the provider is already run in the
other way. A mismatch is refused before any change, with both stated. A host on which no API server is found is one that
is yet to become a control plane, and is not refused.`,
  args: z
    .strictObject({
      provider: z.enum(['systemd', 'static_pod']),
      api_server: z.enum(apiServerShapes),
      api_server_user: Owner.nullable().default(null).describe('Account that it runs as; none: root'),
      manifests: AbsolutePath.default('/etc/kubernetes/manifests').describe('Folder that kubelet watches'),
      provider_manifest: z
        .string()
        .default('bao-kms-provider.yaml')
        .describe("Name of the provider's manifest"),
      provider_unit: UnitName.default('bao-kms-provider.service'),
    })
    .refine(
      ({ api_server, api_server_user }) =>
        !['static_pod_root', 'k3s', 'rke2'].includes(api_server) || api_server_user === null,
      { error: 'expected none: in this shape kube-apiserver runs as root', path: ['api_server_user'] },
    )
    .refine(
      ({ api_server, api_server_user }) => api_server !== 'static_pod_user' || api_server_user !== null,
      {
        error: 'expected the account that the pod of kube-apiserver runs as',
        path: ['api_server_user'],
      },
    ),
  examples: [
    `- name: The host is what the inventory says
  host_shape:
    provider: systemd
    api_server: host_service
    api_server_user: kube-apiserver`,
  ],
  mayBeUnknown: [],
  resources: (args) => [
    hostShapeResource({
      provider: args.provider,
      apiServer: { shape: args.api_server, user: args.api_server_user ?? '' },
      manifests: args.manifests,
      providerManifest: args.provider_manifest,
      providerUnit: args.provider_unit,
    }),
  ],
})
