import { UnknownText } from '../../model/text.ts'
import { nanoseconds } from './fields.ts'
import type { ProviderConfig } from './schema.ts'

/** How the provider is run: what decides how it names the socket group. */
export type Shape = 'systemd' | 'static_pod'

/** Something that is wrong between values: which of them is at fault, and why. */
export interface RelationIssue {
  readonly path: readonly string[]
  readonly message: string
}

/** Rules between values, with the provider's defaults in place of what is left out. */
export function relationIssues(config: ProviderConfig): readonly RelationIssue[] {
  return [...addresses(config), ...tokens(config), ...credentials(config), ...probes(config), ...logs(config)]
}

/** A static pod has no group names; a service that is given a number would outlive a renumbered group unseen. */
export function socketGroupIssue(config: ProviderConfig, shape: Shape): RelationIssue | undefined {
  const { socketGroup } = config.server
  if (socketGroup instanceof UnknownText) return undefined
  const numeric = /^\d+$/.test(socketGroup)
  if (numeric === (shape === 'static_pod')) return undefined
  return {
    path: ['server', 'socketGroup'],
    message: numeric
      ? `expected the name of the socket group for a systemd service, found the gid ${socketGroup}`
      : `expected the gid of the socket group for a static pod, whose image knows no group names, found ${socketGroup}`,
  }
}

function addresses({ server }: ProviderConfig): readonly RelationIssue[] {
  const { metricsAddress = '127.0.0.1:8081', healthAddress = '127.0.0.1:8082' } = server
  if (metricsAddress !== healthAddress) return []
  const path = ['server', server.healthAddress === undefined ? 'metricsAddress' : 'healthAddress']
  return [
    { path, message: `expected different metrics and health addresses, found ${healthAddress} for both` },
  ]
}

function tokens({ auth }: ProviderConfig): readonly RelationIssue[] {
  const { loginBeforeTokenExpiry = '5m', tokenRenewalIncrement = '1h' } = auth
  if (nanoseconds(tokenRenewalIncrement) > nanoseconds(loginBeforeTokenExpiry)) return []
  return [
    {
      path: [
        'auth',
        auth.tokenRenewalIncrement === undefined ? 'loginBeforeTokenExpiry' : 'tokenRenewalIncrement',
      ],
      message: `expected tokenRenewalIncrement to exceed loginBeforeTokenExpiry, found ${tokenRenewalIncrement} and ${loginBeforeTokenExpiry}`,
    },
  ]
}

function credentials({ auth }: ProviderConfig): readonly RelationIssue[] {
  if (auth.method === 'cert') {
    return auth.cert === undefined ? [missing(['auth', 'cert'], 'method cert')] : []
  }
  if (auth.jwt === undefined) return [missing(['auth', 'jwt'], 'method jwt')]
  const { source = 'file', jwtFile, oauth2, expectedIssuer, expectedAudience } = auth.jwt
  const at = (key: string): readonly string[] => ['auth', 'jwt', key]
  const issues =
    source === 'file'
      ? [
          jwtFile === undefined ? missing(at('jwtFile'), 'source file') : undefined,
          oauth2 === undefined ? undefined : unwanted(at('oauth2'), 'source file'),
        ]
      : [
          oauth2 === undefined ? missing(at('oauth2'), 'source oauth2') : undefined,
          jwtFile === undefined ? undefined : unwanted(at('jwtFile'), 'source oauth2'),
          expectedIssuer === undefined ? missing(at('expectedIssuer'), 'source oauth2') : undefined,
          (expectedAudience ?? []).length === 0
            ? missing(at('expectedAudience'), 'source oauth2')
            : undefined,
        ]
  return issues.filter((issue) => issue !== undefined)
}

function missing(path: readonly string[], where: string): RelationIssue {
  return { path, message: `expected \`${path.join('.')}\` with ${where}, found nothing` }
}

function unwanted(path: readonly string[], where: string): RelationIssue {
  return { path, message: `expected no \`${path.join('.')}\` with ${where}, found one` }
}

function probes({ status }: ProviderConfig): readonly RelationIssue[] {
  const { probeInterval = '30s', statusMaxStaleness = '2m' } = status ?? {}
  if (nanoseconds(probeInterval) < nanoseconds(statusMaxStaleness)) return []
  return [
    {
      path: ['status', status?.probeInterval === undefined ? 'statusMaxStaleness' : 'probeInterval'],
      message: `expected probeInterval to be shorter than statusMaxStaleness, found ${probeInterval} and ${statusMaxStaleness}`,
    },
  ]
}

function logs({ logging }: ProviderConfig): readonly RelationIssue[] {
  const { enabled = false, ttl = '15m' } = logging?.debugCorrelation ?? {}
  const issues: RelationIssue[] = []
  if (enabled && logging?.level !== 'debug') {
    issues.push({
      path: ['logging', 'debugCorrelation', 'enabled'],
      message: `expected \`logging.level: debug\` with debugCorrelation, found ${logging?.level ?? 'info'}`,
    })
  }
  if (nanoseconds(ttl) > nanoseconds('1h')) {
    issues.push({
      path: ['logging', 'debugCorrelation', 'ttl'],
      message: `expected a ttl of at most 1h, found ${ttl}`,
    })
  }
  return issues
}
