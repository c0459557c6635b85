import { randomBytes } from 'node:crypto'
import { KmsfleetError } from '../errors/error.ts'
import type { Become } from '../model/host.ts'
import type { Exit, RootCommand } from './channel.ts'
import type { StartWatch } from './program.ts'

/** What to start, and what to watch it with until it is heard of. */
export interface RootStart {
  readonly command: string
  readonly watch?: StartWatch
}

/** Plans how `command` becomes root. `isRoot`: the login is root already, `become` is then not needed. */
export function rootStart(host: string, become: Become, isRoot: boolean, command: RootCommand): RootStart {
  if (become.method === 'none' || isRoot) return { command: command.plain }
  // Seen in the host's process list; that is fine, it only has to differ from whatever else prints to stderr.
  const prompt = `kmsfleet-sudo-${randomBytes(12).toString('hex')}`
  return {
    // `env` and not `LC_ALL=C exec sudo`: csh and fish logins do not know that form.
    command: `exec /usr/bin/env LC_ALL=C sudo -S -p ${prompt} -- ${command.elevated}`,
    watch: sudoWatch(host, become, prompt),
  }
}

/**
 * Answers sudo's prompt once. A second prompt means that the password was wrong: whatever is sent then would be
 * read as another guess, so the channel ends there. A sudo without a password never prompts and gets none.
 */
export function sudoWatch(
  host: string,
  become: Extract<Become, { readonly method: 'sudo' }>,
  prompt: string,
): StartWatch {
  let seen = ''
  let prompts = 0
  return {
    onStderr(text) {
      seen = (seen + text).slice(-64 * 1024)
      const at = seen.indexOf(prompt)
      if (at < 0) return undefined
      seen = seen.slice(at + prompt.length)
      prompts += 1
      if (become.password === undefined) return { fail: passwordMissing(host) }
      if (prompts > 1 || seen.includes(prompt)) return { fail: passwordWrong(host) }
      return { send: Buffer.concat([become.password.reveal(), Buffer.from('\n')]) }
    },
    onEnd: (exit) => explainSudo(host, seen, prompts > 0, exit),
  }
}

const refusals: readonly { readonly says: RegExp; readonly found: string; readonly hint: string }[] = [
  {
    says: /is not in the sudoers file|is not allowed to (?:run sudo|execute)|may not run sudo/,
    found: 'the login is not allowed to run it',
    hint: 'Give the login a sudo rule for /usr/bin/env; docs/security.md says what such a rule means.',
  },
  {
    says: /must have a tty|no tty present/,
    found: 'requiretty is set',
    hint: 'Add "Defaults:LOGIN !requiretty" to sudoers; a terminal would corrupt the stream.',
  },
  {
    says: /sudo['’"]?: No such file or directory|sudo: (?:command )?not found|can't execute 'sudo'/,
    found: 'no sudo on the host',
    hint: 'Install sudo, or log in as root.',
  },
  {
    says: /a password is required|a terminal is required/,
    found: 'a password that could not be asked for',
    hint: 'Give --become-password-file, or a NOPASSWD rule.',
  },
]

/** Typed error for a sudo that ended before the program began; undefined where stderr does not tell. */
function explainSudo(host: string, stderr: string, prompted: boolean, exit: Exit): KmsfleetError | undefined {
  if (exit.code === 0) return undefined
  const refusal = refusals.find(({ says }) => says.test(stderr))
  if (refusal !== undefined) {
    return new KmsfleetError(
      'transport.sudo-refused',
      `${host}: expected sudo to run the command, found ${refusal.found}`,
      { hint: refusal.hint },
    )
  }
  if (prompted && /incorrect password|Sorry, try again/.test(stderr)) return passwordWrong(host)
  return undefined
}

function passwordMissing(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.sudo-password',
    `${host}: expected sudo to need no password, found that it asks for one and none is configured`,
    { hint: 'Use --ask-become-pass or --become-password-file, or give the login a NOPASSWD rule.' },
  )
}

function passwordWrong(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.sudo-password',
    `${host}: expected sudo to accept the password, found that it refused it`,
    { hint: 'Check the become password; it was tried once and nothing else was sent.' },
  )
}
