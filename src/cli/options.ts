import { InvalidArgumentError, Option } from 'commander'
import type { Shard } from '../fleet/shard.ts'

export const formats = ['text', 'json', 'jsonl'] as const
export type Format = (typeof formats)[number]

/** How results are shown; every command has these. */
export interface ShowOptions {
  readonly color: boolean
  readonly verbose?: boolean
}

/** How hosts are found and reached. */
export interface ReachOptions extends ShowOptions {
  readonly inventory: readonly string[]
  readonly extraVars?: readonly string[]
  readonly connection: 'ssh' | 'local'
  readonly transport: 'auto' | 'ssh2' | 'openssh'
  readonly user?: string
  readonly privateKey?: string
  readonly become?: boolean
  readonly forks: number
  readonly askPass?: boolean
  readonly askBecomePass?: boolean
  readonly becomePasswordFile?: string
  /** Seconds. */
  readonly connectionTimeout: number
}

/** A run of a playbook. */
export interface RunOptions extends ReachOptions {
  readonly limit?: string
  readonly shard?: Shard
  readonly tags?: readonly string[]
  readonly skipTags?: readonly string[]
  readonly diff?: boolean
  readonly acceptNewIdentity?: readonly string[]
  readonly format: Format
}

export interface ConvergeOptions extends RunOptions {
  readonly yes?: boolean
  readonly openbaoTokenFile?: string
  /** False where `--no-verify` was given. */
  readonly verify: boolean
}

export interface PingOptions extends ReachOptions {
  readonly format: 'text' | 'json'
}

export interface VerifyOptions extends ReachOptions {
  readonly limit?: string
  readonly format: 'text' | 'json' | 'junit'
}

export interface WhyOptions extends ReachOptions {
  readonly limit?: string
  readonly playbook?: string
}

export interface TrustOptions extends ReachOptions {
  readonly fingerprints?: string
  readonly replace?: readonly string[]
}

export interface DocOptions extends ShowOptions {
  readonly playbookDir: string
}

export interface TrustProjectOptions extends ShowOptions {
  readonly digest?: string
}

export interface ValidateOptions extends ShowOptions {
  readonly inventory: readonly string[]
  readonly limit?: string
  readonly extraVars?: readonly string[]
}

export interface InventoryCommandOptions extends ShowOptions {
  readonly inventory: readonly string[]
  readonly extraVars?: readonly string[]
  readonly format: 'text' | 'json'
}

/** A whole number between two bounds, as an option's argument. */
function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(
      `expected a whole number from ${String(least)} to ${String(most)}, found "${text}".`,
    )
  }
}

function shard(text: string): Shard {
  const [, index = '', count = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const part = { index: Number(index), count: Number(count) }
  if (part.index >= 1 && part.index <= part.count) return part
  throw new InvalidArgumentError(`expected a part such as 2/8, found "${text}".`)
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

function collectCommas(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...value.split(',').filter((part) => part !== '')]
}

export const inventoryOption = (): Option =>
  new Option('-i, --inventory <file>', 'inventory of hosts, a file or a folder of files; may be repeated')
    .argParser(collect)
    .makeOptionMandatory()

export const extraVarsOption = (): Option =>
  new Option(
    '-e, --extra-vars <vars>',
    'variables that win over all others: NAME=VALUE, a YAML or JSON dictionary, or @FILE; may be repeated',
  ).argParser(collect)

export const limitOption = (): Option =>
  new Option(
    '-l, --limit <pattern>',
    'only hosts that match as well, such as "web:!web3", "cp-[01:10]", @FILE or @run:last:failed',
  )

export const showOptions = (): readonly Option[] => [
  new Option('--no-color', 'no colours, as with the environment variable NO_COLOR'),
  new Option('-v, --verbose', 'more of the conversation: places of tasks, causes of errors'),
]

export const reachOptions = (): readonly Option[] => [
  inventoryOption(),
  extraVarsOption(),
  new Option('--forks <n>', 'hosts that are worked on at once').argParser(wholeNumber(1, 1000)).default(50),
  new Option('-c, --connection <kind>', 'how hosts are reached; local is this machine itself')
    .choices(['ssh', 'local'])
    .default('ssh'),
  new Option(
    '--transport <client>',
    "what speaks SSH: the library, or the system's ssh; auto takes ssh where its configuration needs it",
  )
    .choices(['auto', 'ssh2', 'openssh'])
    .default('auto'),
  new Option('-u, --user <name>', 'login name, where the inventory gives none'),
  new Option('--private-key <file>', 'key to log in with, where the inventory gives none'),
  new Option('-b, --become', 'become root by sudo, where the inventory does not say'),
  new Option('-k, --ask-pass', 'ask once for the password of the login'),
  new Option('-K, --ask-become-pass', 'ask once for the sudo password'),
  new Option(
    '--become-password-file <file>',
    'file that holds the sudo password; others must not be able to read it',
  ).conflicts('askBecomePass'),
  new Option('--connection-timeout <seconds>', 'time that a connection may take to come up')
    .argParser(wholeNumber(1, 600))
    .default(10),
]

export const runOptions = (): readonly Option[] => [
  ...reachOptions(),
  limitOption(),
  new Option(
    '--shard <part>',
    'only part I of N, as I/N: clusters are dealt out and never divided, so that N runs may go at once',
  ).argParser(shard),
  new Option(
    '-t, --tags <tags>',
    'only tasks with one of these tags (comma separated), and those tagged "always"',
  ).argParser(collectCommas),
  new Option('--skip-tags <tags>', 'no tasks with one of these tags (comma separated)').argParser(
    collectCommas,
  ),
  new Option(
    '--accept-new-identity <hosts>',
    'hosts (comma separated) whose provider gets another identity: what was encrypted before cannot be read there any more',
  ).argParser(collectCommas),
  new Option('--diff', 'show how the text of files changes, where everybody may read them'),
  new Option('--format <format>', 'form of the result on standard output').choices(formats).default('text'),
]

export const yesOption = (): Option =>
  new Option('-y, --yes', 'do not ask: each host goes from its plan to its changes at once')

export const noVerifyOption = (): Option =>
  new Option('--no-verify', 'do not verify at the end who can do what on the hosts that were changed')

export const tokenFileOption = (): Option =>
  new Option(
    '--openbao-token-file <file>',
    'file that holds the token for OpenBao; without it BAO_TOKEN, VAULT_TOKEN or the last login count',
  )

export const documentFormatOption = (): Option =>
  new Option('--format <format>', 'form of the result on standard output')
    .choices(['text', 'json'])
    .default('text')

export const verifyOptions = (): readonly Option[] => [
  ...reachOptions(),
  limitOption(),
  new Option('--format <format>', 'form of the result on standard output')
    .choices(['text', 'json', 'junit'])
    .default('text'),
]

export const whyOptions = (): readonly Option[] => [
  ...reachOptions(),
  limitOption(),
  new Option(
    '--playbook <file>',
    'playbook whose roles say who the actors are; without it the rollout that comes with kmsfleet',
  ),
]

export const trustOptions = (): readonly Option[] => [
  new Option(
    '--fingerprints <file>',
    'accept keys by this list instead of asking; each line is a host and SHA256:...',
  ),
  new Option('--replace <host>', 'also accept another key for this host; may be repeated').argParser(collect),
]

export const digestOption = (): Option =>
  new Option(
    '--digest <sha256>',
    'trust the project without asking, if its code has exactly this digest (for CI)',
  ).argParser((text) => {
    if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase()
    throw new InvalidArgumentError('expected 64 hexadecimal digits.')
  })

export const playbookDirOption = (): Option =>
  new Option('--playbook-dir <folder>', 'folder of playbooks, whose own modules stand in modules/').default(
    '.',
  )
