import * as z from 'zod'
import { apiServerPodResource } from '../../resources/api_server_pod/api-server-pod.ts'
import { AbsolutePath, Group, Within } from '../arguments.ts'
import { defineModule } from '../define.ts'

const socketDirectory = AbsolutePath.refine(
  (path) => path.split('/').length > 2,
  'expected a directory of its own, such as /run/openbao-kms',
)
const encryptionConfig = AbsolutePath.refine(
  (path) => path.split('/').length > 3,
  'expected a file in a directory of its own, such as /etc/kubernetes/openbao-kms/encryption-config.yaml',
)

export const apiserverPod = defineModule({
  name: 'apiserver_pod',
  summary: "What kube-apiserver's own static pod needs to reach the provider",
  description: `Looks at the manifest that kubelet runs kube-apiserver from: is the directory of the socket mounted, has the pod
the socket's group where it is not root, does it see its encryption configuration and is it told to use it? What is missing
is put into the manifest: whole lines, and every other byte stays. It is staged outside of what kubelet reads and put in
place by one rename; kubelet then starts kube-apiserver anew, so say \`due\` unless the play is meant to do that. The task
waits for the new process, found by its control group, and then for what kubelet itself asks of it (\`livenessProbe\`), where
the host has curl.

What stands there and is another (a mount of the socket itself, another encryption configuration) is told and left to you,
and so is a manifest that is written so that lines cannot be added. A host without the manifest is told too. kubeadm makes
the manifest anew when it upgrades: put the same into its configuration. rke2 does so at each start: with
\`written_by: rke2\` nothing is edited, and what is missing is told as the keys of /etc/rancher/rke2/config.yaml.`,
  args: z.strictObject({
    manifest: AbsolutePath.default('/etc/kubernetes/manifests/kube-apiserver.yaml'),
    socket_directory: socketDirectory.describe("Directory of the provider's socket; mounted as a whole"),
    group: Group.nullable()
      .default(null)
      .describe("The socket's group, whose gid the pod needs; none where kube-apiserver is root"),
    encryption_config: encryptionConfig
      .nullable()
      .default(null)
      .describe(
        'Its encryption configuration on the host; none: neither its mount nor its flag is looked at',
      ),
    written_by: z
      .literal('rke2')
      .nullable()
      .default(null)
      .describe(
        'Who writes the manifest anew at each start: what is missing is told as keys of its configuration',
      ),
    within: Within(120),
  }),
  examples: [
    `- name: The API server's pod reaches the socket
  apiserver_pod:
    socket_directory: /run/openbao-kms
    group: openbao-kms-socket
    encryption_config: /etc/kubernetes/openbao-kms/encryption-config.yaml`,
  ],
  mayBeUnknown: [],
  resources: (args, context) => [
    apiServerPodResource(
      {
        manifest: args.manifest,
        socketDirectory: args.socket_directory,
        group: args.group ?? undefined,
        encryption: args.encryption_config ?? undefined,
        writtenBy: args.written_by ?? undefined,
        within: args.within,
      },
      context,
    ),
  ],
})
