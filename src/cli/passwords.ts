import { readRegularFile, showFailure } from '../document/read.ts'
import { KmsfleetError } from '../errors/error.ts'
import { Secret } from '../model/secret.ts'
import type { ReachOptions } from './options.ts'
import { askPassword } from './prompt.ts'

/** Passwords that hold for all hosts of a run. */
export interface Passwords {
  readonly login?: Secret
  readonly become?: Secret
}

const largestFile = 4096

/** Asks for and reads what the options say, once. */
export async function readPasswords(options: ReachOptions): Promise<Passwords> {
  const login =
    options.askPass === true ? await ask('login password', 'Use keys or an agent instead.') : undefined
  const become =
    options.becomePasswordFile !== undefined
      ? readPasswordFile(options.becomePasswordFile)
      : options.askBecomePass === true
        ? await ask('sudo password', 'Use --become-password-file instead.')
        : undefined
  return { ...(login === undefined ? {} : { login }), ...(become === undefined ? {} : { become }) }
}

async function ask(what: string, instead: string): Promise<Secret> {
  return new Secret(what, await askPassword(`${what}: `, `the ${what}`, instead))
}

/** A file of one line. It is refused where group or others have any access, as ssh refuses such keys. */
function readPasswordFile(file: string): Secret {
  const refuse = (found: string, hint: string): never => {
    throw new KmsfleetError('run.password-file', `expected a password in ${file}, ${found}`, { hint })
  }
  const read = readRegularFile(file, largestFile)
  if (read.is !== 'read') return refuse(showFailure(read, largestFile), 'Name a regular file of one line.')
  if ((read.stat.mode & 0o077) !== 0) {
    const mode = (read.stat.mode & 0o7777).toString(8).padStart(4, '0')
    return refuse(`found a file of mode ${mode} that others can reach`, `Run "chmod 600 ${file}".`)
  }
  const text = Buffer.from(read.bytes)
    .toString('latin1')
    .replace(/\r?\n$/, '')
  if (text === '') return refuse('found nothing in it', 'An empty password is never sent.')
  if (/[\r\n]/.test(text))
    return refuse('found several lines', 'The file must hold the password and nothing else.')
  return new Secret('sudo password', Buffer.from(text, 'latin1'))
}
