import { homedir } from 'node:os'
import { join } from 'node:path'
import { readRegularFile, showFailure } from '../../document/read.ts'
import { KmsfleetError } from '../../errors/error.ts'
import type { Place } from '../../errors/place.ts'
import { Secret } from '../../model/secret.ts'
import { readSecretFile } from '../file.ts'
import type { OpenbaoPlace, SourceOptions } from '../types.ts'

/** A server to ask, and what it takes to be let in. */
export interface OpenbaoSettings {
  readonly address: URL
  readonly namespace: string | undefined
  readonly token: Secret
  /** PEM; undefined: the authorities that Node trusts. */
  readonly ca: Uint8Array | undefined
  /** The name that the server's certificate must have; undefined: that of the address. */
  readonly serverName: string | undefined
  readonly client: { readonly certificate: Uint8Array; readonly key: Secret } | undefined
}

const largestPem = 1024 * 1024
const largestToken = 4096

type Environment = SourceOptions['environment']

/**
 * Settings of a source: what the play gives, else what the environment says under the names that `bao` and `vault`
 * know. The token is the operator's, so a play chooses where it goes only in a project that the operator trusts.
 */
export function openbaoSettings(given: OpenbaoPlace, options: SourceOptions, place: Place): OpenbaoSettings {
  const { environment } = options
  refuseSkipVerify(environment, place)
  const told: OpenbaoPlace = {
    address: variable(environment, 'ADDR'),
    caFile: variable(environment, 'CACERT'),
    serverName: variable(environment, 'TLS_SERVER_NAME'),
  }
  const chosen = { ...told, ...withoutEmpty(given) }
  if (
    chosen.address !== told.address ||
    chosen.caFile !== told.caFile ||
    chosen.serverName !== told.serverName
  ) {
    options.requireTrust(place.file)
  }
  return {
    address: serverOf(chosen.address, place),
    namespace: chosen.namespace ?? variable(environment, 'NAMESPACE'),
    token: readToken(options, place),
    ca: chosen.caFile === undefined ? undefined : readPem(chosen.caFile, 'CA certificates', place),
    serverName: chosen.serverName,
    client: clientOf(chosen, environment, place),
  }
}

/** `BAO_X` wins over `VAULT_X`, as with `bao`; an empty variable is none. */
function variable(environment: Environment, name: string): string | undefined {
  return [`BAO_${name}`, `VAULT_${name}`].map((key) => environment[key]).find((value) => value)
}

function withoutEmpty(given: OpenbaoPlace): OpenbaoPlace {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== ''))
}

function refuseSkipVerify(environment: Environment, place: Place): void {
  const set = ['BAO_SKIP_VERIFY', 'VAULT_SKIP_VERIFY'].find((name) => environment[name])
  if (set === undefined) return
  throw new KmsfleetError(
    'openbao.settings',
    `expected ${set} to be unset, found it set: the token would go to whoever answers`,
    { place, hint: `unset ${set}, and name the authority of the server in BAO_CACERT` },
  )
}

function serverOf(address: string | undefined, place: Place): URL {
  const hint = 'set BAO_ADDR, such as https://openbao.example:8200'
  if (address === undefined) {
    throw new KmsfleetError('openbao.settings', 'expected the address of OpenBao, found none', {
      place,
      hint,
    })
  }
  const url = URL.canParse(address) ? new URL(address) : undefined
  // Nothing but scheme, host and port: a path or a user in it would be mistaken for a setting.
  if (url?.href !== `${url?.origin ?? ''}/` || !/^https?:$/.test(url.protocol)) {
    throw new KmsfleetError(
      'openbao.settings',
      'expected the address of OpenBao as https://HOST:PORT, found another form',
      { place, hint },
    )
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new KmsfleetError(
      'openbao.settings',
      `expected https for OpenBao, found ${url.origin}: the token would travel in the clear`,
      { place, hint: 'plain http is taken for loopback addresses only' },
    )
  }
  return url
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** From the file that an option names, else the environment, else where `bao login` leaves it. */
function readToken({ tokenFile, environment }: SourceOptions, place: Place): Secret {
  if (tokenFile !== undefined) return checkToken(readSecretFile(tokenFile, 'OpenBao token', place), place)
  const token = variable(environment, 'TOKEN')
  if (token !== undefined) return checkToken(new Secret('OpenBao token', Buffer.from(token)), place)
  const login = join(environment['HOME'] ?? homedir(), '.vault-token')
  if (readRegularFile(login, largestToken).is !== 'missing') {
    return checkToken(readSecretFile(login, 'OpenBao token', place), place)
  }
  throw new KmsfleetError('openbao.settings', 'expected a token for OpenBao, found none', {
    place,
    hint: `name a file with --openbao-token-file, set BAO_TOKEN, or run "bao login", which leaves one in ${login}`,
  })
}

/** A token becomes a header: one line of visible characters. */
function checkToken(secret: Secret, place: Place): Secret {
  const token = Buffer.from(secret.reveal()).toString('latin1').trim()
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return new Secret(secret.label, Buffer.from(token, 'latin1'))
  throw new KmsfleetError(
    'openbao.settings',
    'expected a token for OpenBao of one word, found other characters',
    { place },
  )
}

function clientOf(chosen: OpenbaoPlace, environment: Environment, place: Place): OpenbaoSettings['client'] {
  const certificate = chosen.clientCertificate ?? variable(environment, 'CLIENT_CERT')
  const key = chosen.clientKey ?? variable(environment, 'CLIENT_KEY')
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    const found = certificate === undefined ? 'only a key' : 'only a certificate'
    throw new KmsfleetError(
      'openbao.settings',
      `expected both a certificate and a key for the connection to OpenBao, found ${found}`,
      { place, hint: 'set BAO_CLIENT_CERT and BAO_CLIENT_KEY' },
    )
  }
  return {
    certificate: readPem(certificate, 'client certificate', place),
    key: readSecretFile(key, 'key of the client certificate', place),
  }
}

function readPem(path: string, what: string, place: Place): Uint8Array {
  const read = readRegularFile(path, largestPem)
  if (read.is !== 'read') throw noPem(path, what, showFailure(read, largestPem), place)
  if (Buffer.from(read.bytes).includes('-----BEGIN CERTIFICATE-----')) return read.bytes
  throw noPem(path, what, 'found no PEM certificate in it', place)
}

function noPem(path: string, what: string, found: string, place: Place): KmsfleetError {
  return new KmsfleetError('openbao.settings', `expected the ${what} for OpenBao in ${path}, ${found}`, {
    place,
  })
}
