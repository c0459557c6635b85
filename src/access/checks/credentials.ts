import type { Check } from '../../model/access.ts'
import { showTime, type PublicPart } from '../../model/expiry.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { hostDocument, valueAt } from '../host-document.ts'
import { checked, doubted, type Looked, objects, pathsOf } from './common.ts'

/** Seconds before its end in which the provider no longer takes a token (`auth.jwt.minRemainingTtl`). */
const margin = 120

/** Seconds that clocks may differ (`auth.jwt.clockSkewLeeway`). */
const leeway = 30

const parts: readonly (readonly [ending: string, part: PublicPart])[] = [
  ['.jwt', 'claims'],
  ['.pem', 'certificates'],
]

function partOf(path: string): PublicPart | undefined {
  return parts.find(([ending]) => path.endsWith(ending))?.[1]
}

/** Asks for the part of credentials that everybody may see; the rest of them stays on the host. */
export function credentialAtoms(matrix: Looked['matrix']): readonly ReadAtom[] {
  return pathsOf(matrix, objects.authMaterial).flatMap((path): readonly ReadAtom[] => {
    const publicPart = partOf(path)
    return publicPart === undefined ? [] : [{ atom: 'path', path, publicPart }]
  })
}

/** Can the provider still log in with what it has, by what everybody may see of it? @param now seconds since the epoch */
export function credentialChecks(looked: Looked, now: number): readonly Check[] {
  return pathsOf(looked.matrix, objects.authMaterial).flatMap((path) => {
    const part = partOf(path)
    const fact = looked.snapshot.paths.get(path)
    // That it is missing is told by who must read it.
    if (part === undefined || fact?.is !== 'present' || fact.state.type !== 'file') return []
    const { expires, claims } = fact.state
    const source = 'Access matrix, bao-kms-provider process, usable auth material'
    const expected = 'the provider can log in with it for now'
    if (part === 'claims' && claims === undefined) {
      return [doubted(source, path, expected, 'it is no token, or others than root can write it')]
    }
    const findings = [
      ...(expires !== undefined && expires < now + margin
        ? [`it ${expires < now ? 'expired' : 'expires'} ${showTime(expires)}`]
        : []),
      ...(claims?.nbf !== undefined && claims.nbf > now + leeway
        ? [`it is not valid before ${showTime(claims.nbf)}: a clock may be wrong`]
        : []),
      ...(part === 'claims' ? claimFindings(looked, path) : []),
    ]
    return [checked(source, path, expected, findings)]
  })
}

/** What the configuration on the host expects of the token beside it. */
function claimFindings({ matrix, snapshot }: Looked, path: string): readonly string[] {
  const fact = snapshot.paths.get(path)
  const claims = fact?.is === 'present' ? fact.state.claims : undefined
  const [file] = pathsOf(matrix, objects.configuration)
  const document = file === undefined ? undefined : hostDocument(file, snapshot)
  // That the configuration cannot be read has a check of its own.
  if (claims === undefined || document?.is !== 'found') return []
  const wanted = (key: string): unknown => valueAt(document.value, `auth.jwt.${key}`)
  const texts = ([key, claim, found]: readonly [string, string, string | undefined]): readonly string[] => {
    const value = wanted(key)
    return typeof value === 'string' && value !== '' && value !== found
      ? [`its ${claim} is ${found ?? 'missing'}, the provider expects ${value}`]
      : []
  }
  const audience = wanted('expectedAudience')
  const audiences = Array.isArray(audience) ? audience.map(String) : []
  return [
    ...texts(['expectedIssuer', 'issuer', claims.iss]),
    ...texts(['expectedSubject', 'subject', claims.sub]),
    ...(audiences.length > 0 && !audiences.some((each) => claims.aud?.includes(each) === true)
      ? [
          `its audience is ${claims.aud?.join(', ') ?? 'missing'}, the provider expects ${audiences.join(', ')}`,
        ]
      : []),
  ]
}
