import * as z from 'zod'
import { yamlText } from '../../document/write.ts'
import { contentOf, type FileContent } from '../../resources/file/content.ts'
import { staticPodResource } from '../../resources/static_pod/static-pod.ts'
import { AbsolutePath, BaseName, Mode, Ready, SocketPath, Within } from '../arguments.ts'
import { defineModule, type ModuleContext } from '../define.ts'
import { Pod, unknownsIn } from './pod.ts'

/** Says in the manifest what the pod was started with: another mark is another pod. */
const markName = 'kmsfleet/restart-on'

export const staticPod = defineModule({
  name: 'static_pod',
  summary: "A static pod: its manifest in kubelet's folder, and the pod ready",
  description: `Puts the manifest into the folder that kubelet watches, as the last step of what it needs, by one rename:
kubelet never sees a part of it, since it is staged in a folder above, or, where the manifests are a mount of their own,
in one whose name begins with a dot, which kubelet passes over. Images must be given by digest, and host paths must exist.

The pod is started anew where its manifest or the content of a file of \`restart_on\` changes, and only there. It is then
waited for: first until \`socket\` was made anew, so that no answer of the old pod counts, then until \`ready\` holds. A
value that an earlier change must first produce, such as the gid of a group, may stand anywhere in \`pod\`.`,
  args: z.strictObject({
    name: BaseName.describe('Name of the manifest without `.yaml`'),
    pod: Pod,
    folder: AbsolutePath.default('/etc/kubernetes/manifests').describe('Folder that kubelet watches'),
    mode: Mode.default(0o600).describe('Of the manifest; "0600" if not said'),
    restart_on: z
      .array(AbsolutePath)
      .default([])
      .describe('Files that the pod reads when it starts; no secrets'),
    ready: Ready.optional(),
    socket: SocketPath.optional().describe('Socket that the pod makes anew whenever it starts'),
    within: Within(120),
  }),
  examples: [
    `- name: The pod of the provider
  static_pod:
    name: provider
    folder: /etc
    ready:
      http: http://127.0.0.1:8082/ready
    pod:
      apiVersion: v1
      kind: Pod
      metadata:
        name: provider
        namespace: kube-system
      spec:
        containers:
          - name: provider
            image: ghcr.io/org/provider@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef`,
  ],
  mayBeUnknown: ['pod'],
  resources: ({ name, pod, folder, mode, restart_on, ready, socket, within }, context) => [
    staticPodResource({
      path: `${folder}/${name}.yaml`,
      mode,
      manifest: (mark) => manifest(pod, mark, context),
      sameness: JSON.stringify(pod),
      restartOn: restart_on,
      ready: ready ?? { kind: 'active' },
      socket,
      within,
    }),
  ],
})

function manifest(pod: Pod, mark: string | undefined, context: ModuleContext): FileContent {
  const unknowns = unknownsIn(pod)
  if (unknowns.length > 0) return { is: 'unknown', origins: unknowns.flatMap(({ origins }) => origins) }
  const { annotations, ...metadata } = pod.metadata
  const marked = mark === undefined ? annotations : { ...annotations, [markName]: mark }
  const whole = { ...pod, metadata: marked === undefined ? metadata : { ...metadata, annotations: marked } }
  const text = `# Managed by kmsfleet: changes made here are undone.\n${yamlText(whole)}`
  return contentOf(text, context)
}
