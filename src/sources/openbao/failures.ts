import * as z from 'zod'
import { KmsfleetError } from '../../errors/error.ts'
import type { ErrorCode } from '../../errors/codes.ts'
import type { Place } from '../../errors/place.ts'
import type { OpenbaoSource } from '../types.ts'
import type { OpenbaoSettings } from './settings.ts'
import { Redirected, TooLong } from './transport.ts'

/** What a request was about, for messages. */
export interface Asked {
  readonly source: OpenbaoSource
  readonly settings: OpenbaoSettings
  readonly place: Place
}

/** How node-vault tells that the server answered with a status of failure. */
const Answered = z.object({
  response: z.object({ statusCode: z.int(), body: z.unknown() }),
})

const Errors = z.object({ errors: z.array(z.string()) })

/** A version that was deleted or destroyed is answered as missing, with its metadata. */
const Deleted = z.object({
  data: z.object({
    metadata: z.object({ version: z.int(), destroyed: z.boolean(), deletion_time: z.string() }),
  }),
})

/** Errors of certificates as Node names them. */
const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REVOKED',
])

/**
 * One error for whatever a request threw. Its message is made here of known parts: an error of the client may hold
 * the request with its token, so that none becomes a cause.
 */
export function failureOf(error: unknown, asked: Asked, signal: AbortSignal): KmsfleetError {
  const { settings, source } = asked
  const server = settings.address.origin
  const answered = Answered.safeParse(error)
  if (answered.success) return answerFailure(answered.data.response, asked)
  if (error instanceof Redirected) {
    return fail(
      'openbao.redirect',
      asked,
      `expected ${server} to answer, found that it leads to ${plain(error.origin)}`,
      'the token is sent to no other server; name the one that answers in BAO_ADDR',
    )
  }
  if (error instanceof TooLong) {
    return fail(
      'openbao.unavailable',
      asked,
      `expected an answer of ${server} with one secret, found one that does not end`,
    )
  }
  if (signal.aborted) {
    return fail('run.interrupted', asked, `expected an answer of ${server}, found the run interrupted`)
  }
  const code = codeOf(error)
  if (code === 'TimeoutError' || code === 'ABORT_ERR') {
    return fail(
      'openbao.unavailable',
      asked,
      `expected an answer of ${server} within ${String(source.timeout)} s, found none`,
      'look whether the server is up; `timeout` of the secret says how long is waited',
    )
  }
  if (untrusted.has(code)) {
    return fail(
      'openbao.tls',
      asked,
      `expected a certificate of ${server} from a trusted authority, found ${code}`,
      `name the authority in BAO_CACERT (now: ${settings.ca === undefined ? 'those that Node trusts' : 'the file that was given'})`,
    )
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return fail(
      'openbao.tls',
      asked,
      `expected the certificate of ${server} to be for ${settings.serverName ?? settings.address.hostname}, found another name`,
      'name the server as its certificate does, in BAO_ADDR or BAO_TLS_SERVER_NAME',
    )
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return fail(
      'openbao.tls',
      asked,
      `expected the certificate of ${server} to be valid now, found ${code}`,
      'renew it, or mend the clock of this workstation',
    )
  }
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_') || code === 'EPROTO') {
    return fail(
      'openbao.tls',
      asked,
      `expected a TLS connection to ${server}, found ${code}`,
      'where the server asks for client certificates, set BAO_CLIENT_CERT and BAO_CLIENT_KEY',
    )
  }
  return fail(
    'openbao.unavailable',
    asked,
    `expected a connection to ${server}, found ${code}`,
    'look whether the server is up and BAO_ADDR is right',
  )
}

function answerFailure(
  response: { readonly statusCode: number; readonly body: unknown },
  asked: Asked,
): KmsfleetError {
  const { settings, source } = asked
  const { statusCode, body } = response
  const server = settings.address.origin
  const where = pathOf(source, settings)
  const said = serverWords(body, settings)
  switch (statusCode) {
    case 400:
      return fail(
        'openbao.denied',
        asked,
        `expected ${server} to take the request for ${where}, found status 400${said}`,
      )
    case 403:
      return fail(
        'openbao.denied',
        asked,
        `expected leave to read ${where} of ${server}, found status 403${said}`,
        'look at the policies and the expiry of the token ("bao token lookup")',
      )
    case 404:
      return missing(body, asked, where)
    case 429:
    case 472:
    case 473:
      return fail(
        'openbao.unavailable',
        asked,
        `expected ${server} to serve ${where}, found status ${String(statusCode)}${said}`,
        'the server is busy or a standby; try again, or name the active one in BAO_ADDR',
      )
    case 503:
      return fail(
        'openbao.unavailable',
        asked,
        `expected ${server} to be unsealed, found status 503${said}`,
        'unseal it ("bao status"), or wait for its maintenance to end',
      )
    default:
      return fail(
        'openbao.unavailable',
        asked,
        `expected ${server} to answer with ${where}, found status ${String(statusCode)}${said}`,
      )
  }
}

function missing(body: unknown, asked: Asked, where: string): KmsfleetError {
  const deleted = Deleted.safeParse(body)
  if (deleted.success) {
    const { version, destroyed } = deleted.data.data.metadata
    return fail(
      'openbao.missing',
      asked,
      `expected a secret at ${where}, found that version ${String(version)} was ${destroyed ? 'destroyed' : 'deleted'}`,
      destroyed ? 'write it anew' : 'see "bao kv undelete"',
    )
  }
  return fail(
    'openbao.missing',
    asked,
    `expected a secret at ${where}, found none (status 404)`,
    `check mount, path, namespace and \`engine\` (here ${asked.source.engine})`,
  )
}

/** Says that a secret was there, but not as the source asks for it. */
export function unfit(asked: Asked, found: string, hint?: string): KmsfleetError {
  const where = pathOf(asked.source, asked.settings)
  return fail(
    'openbao.missing',
    asked,
    `expected a text in field \`${asked.source.field}\` of ${where}, found ${found}`,
    hint,
  )
}

function fail(code: ErrorCode, { place }: Asked, message: string, hint?: string): KmsfleetError {
  return new KmsfleetError(code, message, { place, ...(hint === undefined ? {} : { hint }) })
}

function pathOf({ mount, path, version }: OpenbaoSource, { namespace }: OpenbaoSettings): string {
  const inside = namespace === undefined ? '' : ` in namespace ${namespace}`
  return `${mount}/${path}${version === undefined ? '' : ` version ${version}`}${inside}`
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown failure'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** The server's own words: another's text, of which little is shown, and no token even if it sends it back. */
function serverWords(body: unknown, { token }: OpenbaoSettings): string {
  const errors = Errors.safeParse(body)
  const [first] = errors.success ? errors.data.errors : []
  if (first === undefined) return ''
  const known = Buffer.from(token.reveal()).toString('latin1')
  return ` (${plain(first.replaceAll(known, '[token]'))})`
}

function plain(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 160)
}
