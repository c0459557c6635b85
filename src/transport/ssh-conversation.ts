import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { AttemptError, unreachable } from './dial.ts'
import { target } from './failures.ts'
import { jumpFailed } from './jump.ts'
import { knownHostsName } from './known-hosts.ts'

/** What `ssh` says when it is logged in; it needs LogLevel VERBOSE for that. */
export const loggedInLine = /^Authenticated to [^\r\n]*\r?\n/m

/** What `ssh` says last at that level. */
export const farewell =
  /Transferred: sent \d+, received \d+ bytes, in [\d.]+ seconds\r?\nBytes per second: sent [\d.]+, received [\d.]+\r?\n/

/** Why `ssh` ended before it was logged in, from its stderr (`LC_ALL=C`). Some of the text may be the host's. */
export function explainSsh(host: string, settings: ConnectionSettings, stderr: string): AttemptError {
  const { jump } = settings
  if (jump !== undefined && behindJump.test(stderr)) {
    const { error, again } = explainSsh(target(jump), jump, stderr.replaceAll(behindJump, ''))
    return new AttemptError(jumpFailed(host, jump, error.message, error), again)
  }
  const found = stderr
    .split(/\r?\n/)
    .map((line) => line.trim().replace(/^ssh: /, ''))
    .find((line) => line !== '')
  const known = explanations.find(({ says }) => says.test(stderr))
  if (known !== undefined) return known.explain(host, settings, stderr, found ?? '')
  return new AttemptError(unreachable(host, settings, found ?? 'that ssh ended without a word'), false)
}

/** What `ssh` itself says where what carries it ended; what went wrong there stands before it. */
const behindJump = /^(?:kex_exchange_identification: .*|.* UNKNOWN port 65535|stdio forwarding failed)\r?\n/gm

/** What `ssh` says of a connection that broke later on; undefined where it says nothing. */
export function explainLoss(stderr: string): string | undefined {
  const says =
    /^(?:Timeout, server .* not responding|Connection (?:to .* )?(?:closed|reset) by .*|client_loop: .*|Read from remote host .*|Received disconnect from .*)$/
  return stderr
    .split(/\r?\n/)
    .reverse()
    .find((line) => says.test(line))
}

interface Explanation {
  readonly says: RegExp
  /** `found`: the first line of `stderr`. */
  explain(host: string, settings: ConnectionSettings, stderr: string, found: string): AttemptError
}

const keyName = ({ address, port }: ConnectionSettings): string => knownHostsName(address, port)

const lineWith = (text: string, word: string): string =>
  text.split(/\r?\n/).find((line) => line.includes(word)) ?? word

/** The first that matches counts. */
const explanations: readonly Explanation[] = [
  {
    says: /REVOKED HOST KEY|was revoked/,
    explain: (host, settings, stderr) =>
      final(
        'transport.host-key-revoked',
        `${host}: expected a valid host key of ${keyName(settings)}, found: ${lineWith(stderr, 'revoked')}`,
        'Give the host a new key; a revoked key is never accepted.',
      ),
  },
  {
    says: /HOST IDENTIFICATION HAS CHANGED|has changed and you have requested strict/,
    explain: (host, settings, stderr) => {
      const presented = /SHA256:[A-Za-z0-9+/]{43}/.exec(stderr)?.[0] ?? 'another'
      const record = /^Offending .* in (.*?)\r?$/m.exec(stderr)?.[1]
      return final(
        'transport.host-key-changed',
        `${host}: expected the host key of ${keyName(settings)} on record` +
          `${record === undefined ? '' : ` (${record})`}, found ${presented}`,
        `Someone may be in between. If the host was reinstalled, check the fingerprint on its console, then run "kmsfleet trust --replace ${host}".`,
      )
    },
  },
  {
    says: /^Host key verification failed|host key is known for/m,
    explain: (host, settings, _stderr, found) =>
      final(
        'transport.host-key-unknown',
        `${host}: expected a known host key of ${keyName(settings)}, found: ${found}`,
        `Check the fingerprint on the host's console and accept it with "kmsfleet trust".`,
      ),
  },
  {
    says: /Permission denied \(|Too many authentication failures|No more authentication methods/,
    explain: (host, settings, stderr, found) => {
      const denied = lineWith(stderr, 'denied')
      return final(
        'transport.auth-failed',
        `${host}: expected a login as ${target(settings)}, found: ${denied.endsWith(found) ? found : `${found}; ${denied}`}`,
        'ssh asks for nothing here: the key must be unencrypted or in an agent (ssh-add -l), a certificate still valid.',
      )
    },
  },
  {
    says: /Bad configuration option|terminating, \d+ bad configuration|Bad owner or permissions|unsupported option/i,
    explain: (host, _settings, _stderr, found) =>
      final(
        'transport.ssh-config',
        `${host}: expected a configuration that ssh understands, found: ${found}`,
        'Mend the file that it names.',
      ),
  },
  {
    says: /Unable to negotiate with/,
    explain: (host, settings, _stderr, found) =>
      final(
        'transport.handshake',
        `${host}: expected an SSH 2 server with current algorithms at ${target(settings)}, found: ${found}`,
        'SHA-1 host keys are refused; update the SSH server or its configuration.',
      ),
  },
  {
    says: /timed out during banner exchange/,
    explain: (host, settings) => new AttemptError(tooSlow(host, settings), true),
  },
  {
    says: /Connection refused|Connection timed out|No route to host|Network is unreachable|Temporary failure in name|kex_exchange_identification|Connection (?:closed|reset) by|Connection reset/,
    explain: (host, settings, _stderr, found) => new AttemptError(unreachable(host, settings, found), true),
  },
]

/** For a host that keeps `ssh` waiting before it is logged in. */
export function tooSlow(host: string, settings: ConnectionSettings): KmsfleetError {
  return new KmsfleetError(
    'transport.timeout',
    `${host}: expected ${target(settings)} to finish handshake and login in time, found it still waiting`,
    { hint: 'Check the load of the host and, for a slow login, its name service and PAM.' },
  )
}

function final(
  code:
    | 'transport.host-key-revoked'
    | 'transport.host-key-changed'
    | 'transport.host-key-unknown'
    | 'transport.auth-failed'
    | 'transport.ssh-config'
    | 'transport.handshake',
  message: string,
  hint: string,
): AttemptError {
  return new AttemptError(new KmsfleetError(code, message, { hint }), false)
}
