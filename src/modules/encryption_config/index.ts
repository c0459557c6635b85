import * as z from 'zod'
import { yamlText } from '../../document/write.ts'
import type { Resource } from '../../model/resource.ts'
import { failure, problem, refused, success, type Result } from '../../resources/common/result.ts'
import { payloadOf } from '../../resources/file/content.ts'
import { rewriteResource, type OldContent, type Rewritten } from '../../resources/file/rewrite.ts'
import { AbsolutePath, Group, Mode, Owner, SocketPath } from '../arguments.ts'
import { defineModule, type ModuleContext } from '../define.ts'
import { Duration, Name } from '../provider_config/fields.ts'
import { disagreement } from './agreement.ts'
import { holdsKeys, readEncryption } from './document.ts'
import { loadedAtoms, loadedCheck, notLoaded, type RunBy } from './loaded.ts'
import { merge } from './merge.ts'

const Args = z.strictObject({
  stage: z
    .enum(['readers', 'writers'])
    .describe(
      '`readers`: the provider reads, what wrote before still writes; `writers`: the provider writes',
    ),
  provider: Name.describe('Name of the provider, as its own configuration has it'),
  socket: SocketPath.describe("The provider's socket"),
  provider_config: AbsolutePath.describe("The provider's configuration on the host: both must agree with it"),
  timeout: Duration.default('3s'),
  resources: z.array(Name).min(1).default(['secrets']).describe('What is encrypted'),
  apiserver_unit: z
    .string()
    .regex(/^[A-Za-z0-9:_.@-]{1,240}\.service$/, 'expected a full unit name such as "kube-apiserver.service"')
    .optional()
    .describe(
      'Unit of kube-apiserver, where it is one: `writers` is refused until it was started with the readers',
    ),
  apiserver_container: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      'expected the name of a container such as "kube-apiserver"',
    )
    .optional()
    .describe(
      'Container of kube-apiserver, where it is a static pod of kube-system that is called so too: `writers` is refused until its process runs with the readers',
    ),
  readers_loaded: z
    .literal(true)
    .optional()
    .describe(
      'Where it cannot be shown on the host: you have seen every API server of the cluster load the readers',
    ),
  loaded: z.literal(true).optional().describe('Check, too, that the API server runs with what is there'),
  dest: AbsolutePath,
  owner: Owner,
  group: Group,
  mode: Mode,
})
type Args = z.output<typeof Args>

export const encryptionConfig = defineModule({
  name: 'encryption_config',
  summary: 'Encryption configuration of kube-apiserver, in two stages',
  description: `First \`readers\` on every API server of a cluster, each restarted with it; then \`writers\`, one host at a
time. What stands in the file stays: no provider and no resource is ever taken out of it, a provider of the same name with
another endpoint is refused, and so is the way back from \`writers\` to \`readers\`. A file that holds keys is a secret.

\`writers\` needs the readers to be loaded on the host. A unit shows it by its start. Of a static pod it is shown by the live
process, found by its control group: it was told to use this very file, sees it, and was started after the file was last
changed. That one which reloads it by itself (\`--encryption-provider-config-automatic-reload\`) has done so cannot be shown:
a file that it refuses it drops, and goes on with what it had. Restart it, or say so once you have seen it, as for any other
API server.
That the other API servers of the cluster have loaded them too is the business of a play before: \`loaded: true\` on all of
them.`,
  args: Args.refine(
    ({ stage, readers_loaded, ...args }) =>
      stage === 'readers' || runByOf(args) !== undefined || readers_loaded === true,
    'expected `apiserver_unit`, `apiserver_container` or `readers_loaded: true` with `stage: writers`',
  )
    .refine(
      ({ loaded, ...args }) => loaded === undefined || runByOf(args) !== undefined,
      'expected `apiserver_unit` or `apiserver_container` with `loaded: true`',
    )
    .refine(
      ({ apiserver_unit, apiserver_container }) =>
        apiserver_unit === undefined || apiserver_container === undefined,
      'expected one of `apiserver_unit` and `apiserver_container`',
    ),
  examples: [
    `- name: API server reads what the provider wrote
  encryption_config:
    stage: readers
    provider: openbao-kms-workload-a
    socket: /run/openbao-kms/kms.sock
    provider_config: /etc/provider.yaml
    dest: /etc/encryption-config.yaml
    owner: root
    group: root
    mode: "0644"`,
  ],
  mayBeUnknown: [],
  resources: (args, context) => {
    const runBy = runByOf(args)
    const check = args.loaded === true && runBy !== undefined ? [loadedCheck(args.dest, runBy)] : []
    return [encryptionFile(args, runBy, context), ...check]
  },
})

function runByOf({
  apiserver_unit: unit,
  apiserver_container: container,
}: Pick<Args, 'apiserver_unit' | 'apiserver_container'>): RunBy | undefined {
  if (unit !== undefined) return { by: 'unit', unit }
  return container === undefined ? undefined : { by: 'container', container }
}

function encryptionFile(args: Args, runBy: RunBy | undefined, context: ModuleContext): Resource {
  const { dest, owner, group, mode, stage, provider_config: config } = args
  const file = rewriteResource({
    path: dest,
    owner,
    group,
    mode,
    secret: true,
    sameness: JSON.stringify(args),
    rewrite: (old) => rewritten(args, old, context),
  })
  return {
    ...file,
    atoms: [
      ...file.atoms,
      { atom: 'path', path: config, digestUpTo: 1_048_576, bytesUpTo: 1_048_576 },
      ...(runBy === undefined ? [] : loadedAtoms(dest, runBy)),
    ],
    plan: (world) => {
      const contradiction = disagreement(config, args.provider, args.socket, world)
      if (contradiction !== undefined) return refused(contradiction)
      const planned = file.plan(world)
      if (planned.is !== 'change' || stage === 'readers') return planned
      const next = { ...planned, disruptive: true }
      const content = planned.differences.some(({ attribute }) => attribute === 'content')
      if (!content || runBy === undefined) return next
      const why = notLoaded(dest, runBy, world)
      return why === undefined ? next : refused(notShown(dest, why))
    },
  }
}

function rewritten(args: Args, old: OldContent, context: ModuleContext): Result<Rewritten> {
  const { dest, mode, stage, provider, socket, timeout, resources } = args
  if (old.is === 'unknown') {
    return failure(
      trouble(dest, 'a text that root alone can write', 'another, so that it cannot be told what to keep'),
    )
  }
  const before = old.is === 'text' ? readEncryption(dest, old.text) : undefined
  if (typeof before === 'string') return failure(trouble(dest, 'a configuration that can be kept', before))
  const kms = { apiVersion: 'v2', name: provider, endpoint: `unix://${socket}`, timeout }
  const merged = merge(before, { stage, kms, resources })
  if (merged.is === 'refused')
    return failure(trouble(dest, `the stage \`${stage}\` to be possible`, merged.why))
  const keys = holdsKeys(merged.encryption)
  if (keys && (mode & 0o007) !== 0) {
    return failure(trouble(dest, 'a mode that lets others do nothing, since keys stand in it', 'another'))
  }
  // Where nothing is to be changed its very bytes stay, comments and all.
  const same = old.is === 'text' && yamlText(before) === yamlText(merged.encryption)
  const text = same
    ? old.text
    : `# Managed by kmsfleet: providers and resources are added, never taken out.\n${yamlText(merged.encryption)}`
  return success({
    content: { is: 'bytes', payload: payloadOf(Buffer.from(text), keys, context) },
    differences: [],
  })
}

function trouble(path: string, expected: string, found: string): ReturnType<typeof problem> {
  return problem('resource.encryption', path, `expected ${expected} in ${path}, found: ${found}`)
}

function notShown(path: string, why: string): ReturnType<typeof problem> {
  return problem(
    'resource.encryption',
    path,
    `expected the readers in ${path} to be loaded, found: ${why}`,
    'Restart the API server. Where the host cannot show it, say `readers_loaded: true` instead of who runs it, once you have seen it.',
  )
}
