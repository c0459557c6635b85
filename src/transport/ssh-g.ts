import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import { messageOf, systemCode } from './failures.ts'
import { createLimiter } from './limiter.ts'
import { sshEnvironment } from './ssh-environment.ts'

/** `ssh -G` processes at a time, and the time one may take (a `Match exec` of the user's runs in it). */
const processes = 8
const timeoutMs = 10_000

/** Keywords of ssh_config that change anything here. A configuration without them needs no `ssh -G` for each host. */
const keywordsThatMatter =
  /^\s*(?:hostname|port|user|identityfile|identitiesonly|identityagent|proxyjump|proxycommand|certificatefile|pkcs11provider|preferredauthentications|(?:user|global)knownhostsfile|match|canonical\w+)\b/im

/** Keyword to its values, as `ssh -G` prints them. */
export type Answer = ReadonlyMap<string, readonly string[]>

/** Asks `ssh -G`. */
export interface SshG {
  /** What ssh's configuration says of an address; nothing where there is no ssh client, or no configuration. */
  lookUp(host: string, question: Question, signal: AbortSignal): Promise<Answer>
}

export interface Question {
  readonly address: string
  /** Where given, `Match user` sees it. */
  readonly user: string | undefined
  readonly port: number | undefined
}

export interface SshConfigOptions {
  /** `ssh -F`; by default the user's and the system's configuration. */
  readonly file?: string
  readonly home?: string
}

/** One asker for a run: answers are remembered, and at most eight processes run at once. */
export function createSshG(options: SshConfigOptions): SshG {
  const home = options.home ?? homedir()
  const limiter = createLimiter(processes)
  const answers = new Map<string, Promise<Answer>>()
  let matters: Promise<boolean> | undefined

  return {
    async lookUp(host, { address, user, port }, signal) {
      matters ??= options.file === undefined ? configurationMatters(home) : Promise.resolve(true)
      if (!(await matters)) return new Map()
      if (address.startsWith('-')) {
        throw new KmsfleetError(
          'transport.ssh-config',
          `${host}: expected the name of a host, found "${address}", which reads as an option`,
          { hint: 'Names begin with a letter or a digit.' },
        )
      }
      const login = user === undefined ? [] : ['-l', user]
      const at = port === undefined ? [] : ['-p', String(port)]
      const arguments_ = [...login, ...at, '--', address]
      const key = arguments_.join('\0')
      const answer =
        answers.get(key) ?? limiter.run('ssh', signal, () => sshG(host, arguments_, signal, options.file))
      answers.set(key, answer)
      return answer
    },
  }
}

function sshG(
  host: string,
  arguments_: readonly string[],
  signal: AbortSignal,
  file: string | undefined,
): Promise<Answer> {
  const all = ['-G', ...(file === undefined ? [] : ['-F', file]), ...arguments_]
  return new Promise((resolve, reject) => {
    const env = sshEnvironment(process.env['SSH_AUTH_SOCK'])
    execFile('ssh', all, { env, timeout: timeoutMs, signal, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(parseSshG(stdout))
        return
      }
      // No OpenSSH client: its configuration is of no account then.
      if (systemCode(error) === 'ENOENT') {
        resolve(new Map())
        return
      }
      const found = stderr.split('\n').find((line) => line.trim() !== '') ?? messageOf(error)
      reject(
        new KmsfleetError(
          'transport.ssh-config',
          `${host}: expected "ssh -G" to read ssh's configuration, found: ${found.trim()}`,
          { hint: 'Mend the file that it names.', cause: error },
        ),
      )
    })
  })
}

function parseSshG(text: string): Answer {
  const answer = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space <= 0) continue
    const key = line.slice(0, space)
    const values = answer.get(key) ?? []
    values.push(line.slice(space + 1))
    answer.set(key, values)
  }
  return answer
}

/** Does any configuration file have a keyword that matters, or include a file that is not looked at here? */
async function configurationMatters(home: string): Promise<boolean> {
  const folder = '/etc/ssh/ssh_config.d'
  const names = await readdir(folder).catch(() => [])
  const files = ['/etc/ssh/ssh_config', ...names.map((name) => join(folder, name)), join(home, '.ssh/config')]
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))
  return texts.some((text) => {
    const rest = text.replaceAll(/^\s*include\s+\/etc\/ssh\/ssh_config\.d\/\*\.conf\s*$/gim, '')
    return keywordsThatMatter.test(rest) || /^\s*include\b/im.test(rest)
  })
}
