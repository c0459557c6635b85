import * as z from 'zod'
import { UnknownText } from '../../model/text.ts'
import { accountIdPattern } from '../../resources/common/account-name.ts'
import {
  Duration,
  Endpoint,
  File,
  KeyName,
  Name,
  OpenBaoUrl,
  orNone,
  RelativePath,
  removed,
  Socket,
  TokenUrl,
} from './fields.ts'
import { relationIssues } from './rules.ts'

/**
 * The file `config.yaml` of the provider, `configVersion: v1alpha1`. The order of keys is that of the file that is
 * written. What it leaves out is the provider's default, and left out of the file too.
 */

/** A name, or a gid: as text, as the number that a template gives, or one that a change of this run must first make. */
export const SocketGroup = z
  .union([
    z
      .string('expected a group name, or a gid')
      .refine(
        (text) => /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(text) || accountIdPattern.test(text),
        'expected a group name, or a gid',
      ),
    z.int('expected a group name, or a gid').min(0).transform(String),
    z.instanceof(UnknownText, { error: 'expected a group name, or a gid' }),
  ])
  .describe('Name of the socket group; for a static pod its gid, such as `{{ host.group(NAME).gid }}`')

const server = z.strictObject({
  socketPath: Socket,
  socketMode: z
    .string('expected "0660", quoted')
    .regex(/^0660$/, 'expected "0660": the socket group connects, which takes write, and nobody else')
    .describe('"0660"'),
  socketGroup: SocketGroup,
  metricsAddress: Endpoint.optional().describe('127.0.0.1:8081 where it is not said'),
  healthAddress: Endpoint.optional().describe('127.0.0.1:8082 where it is not said'),
  adminAddress: removed('server', 'adminAddress', '`server.metricsAddress` and `server.healthAddress`'),
  unsafeDebugEndpoints: removed('server', 'unsafeDebugEndpoints'),
})

const openbao = z.strictObject({
  address: OpenBaoUrl,
  namespace: z.union([z.literal(''), RelativePath]).optional(),
  caCertFile: File,
  tlsServerName: Name,
  instanceId: Name,
  timeout: Duration.optional(),
})

const oauth2 = z.strictObject({
  tokenUrl: TokenUrl,
  clientId: Name,
  authMethod: z.enum(['client_secret_basic', 'client_secret_post']),
  clientSecretFile: File,
  caCertFile: orNone(File),
  scopes: z.array(Name).optional(),
  audience: orNone(Name),
  resources: z.array(Name).optional(),
})

const jwt = z.strictObject({
  source: z.enum(['file', 'oauth2']).optional(),
  mountPath: RelativePath,
  role: Name,
  jwtFile: File.optional().describe('Needed for `file`, and only there'),
  minRemainingTtl: Duration.optional(),
  clockSkewLeeway: Duration.optional(),
  expectedIssuer: orNone(Name),
  expectedAudience: z.array(Name).optional(),
  expectedSubject: orNone(Name),
  oauth2: oauth2.optional().describe('Needed for `oauth2`, and only there'),
})

const pkcs11 = z.strictObject({
  certificateFile: File,
  modulePath: File,
  tokenLabel: Name,
  keyLabel: Name,
  pinFile: File,
  maxSessions: z.int().min(2).optional(),
})

const cert = z.strictObject({
  mountPath: RelativePath,
  name: orNone(Name),
  source: z.literal('pkcs11'),
  minRemainingTtl: Duration.optional(),
  clockSkewLeeway: Duration.optional(),
  pkcs11,
})

const auth = z.strictObject({
  method: z.enum(['jwt', 'cert']),
  loginBeforeTokenExpiry: Duration.optional(),
  tokenRenewalIncrement: Duration.optional(),
  loginTimeout: orNone(Duration),
  jwt: jwt.optional(),
  cert: cert.optional(),
  jwtFile: removed('auth', 'jwtFile', '`auth.jwt.jwtFile`'),
  role: removed('auth', 'role', '`auth.jwt.role`'),
  mountPath: removed('auth', 'mountPath', '`auth.jwt.mountPath`'),
  tokenStorage: removed('auth', 'tokenStorage'),
})

const transit = z.strictObject({
  mountPath: RelativePath,
  keyName: KeyName,
  keyIdScope: z.strictObject({
    providerName: Name,
    clusterId: Name,
    transitMountId: Name,
    keyLineageId: Name,
  }),
  useAssociatedData: removed('transit', 'useAssociatedData'),
})

const logging = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  format: z.enum(['json', 'text']).optional(),
  logOpenBaoRequestIDs: z.boolean().optional(),
  debugCorrelation: z
    .strictObject({
      enabled: z.boolean().optional(),
      ttl: Duration.optional(),
      incidentId: z.string().max(64).optional(),
    })
    .optional(),
  redactOpenBaoPaths: removed('logging', 'redactOpenBaoPaths'),
})

export const ProviderConfig = z
  .strictObject({
    configVersion: z.literal('v1alpha1'),
    server,
    openbao,
    auth,
    transit,
    bootstrap: z
      .strictObject({ graceTimeout: Duration.optional(), retryInterval: Duration.optional() })
      .optional(),
    status: z
      .strictObject({
        probeInterval: Duration.optional(),
        deepProbeInterval: Duration.optional(),
        statusMaxStaleness: Duration.optional(),
      })
      .optional(),
    state: z.strictObject({ path: File.optional() }).optional(),
    rotation: z
      .strictObject({
        mode: z.literal('observed').optional(),
        activationDelay: Duration.optional(),
        requireStableObservationCount: z.int().min(1).optional(),
        rejectVersionRollback: z.boolean().optional(),
      })
      .optional(),
    logging: logging.optional(),
    unsafeDebugEndpoints: removed('', 'unsafeDebugEndpoints'),
    performance: removed('', 'performance'),
  })
  .superRefine((config, context) => {
    for (const { path, message } of relationIssues(config)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })

export type ProviderConfig = z.output<typeof ProviderConfig>
