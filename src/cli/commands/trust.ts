import { readText } from '../../document/parse.ts'
import { KmsfleetError, KmsfleetErrors } from '../../errors/error.ts'
import { exitCode } from '../../model/outcome.ts'
import type { Output } from '../../report/output.ts'
import { styled, type Line } from '../../report/paint.ts'
import { thrownLines } from '../../report/problem.ts'
import { count } from '../../report/words.ts'
import { createConnector } from '../../transport/connect.ts'
import { target } from '../../transport/failures.ts'
import { createKnownHostsFiles } from '../../transport/host-keys.ts'
import { writeKnownHosts, type KnownHost } from '../../transport/known-hosts-file.ts'
import type { ScannedKey } from '../../transport/scan.ts'
import type { NamedHost } from '../../transport/ssh.ts'
import {
  parseFingerprints,
  planTrust,
  trustEdits,
  type Fingerprint,
  type TrustDecision,
} from '../../transport/trust.ts'
import type { TrustOptions } from '../options.ts'
import { readPasswords } from '../passwords.ts'
import { askLine } from '../prompt.ts'
import { chooseHosts, loadReachedInventory, openReach } from '../reach.ts'
import { watchSignals } from '../signals.ts'
import { openTerminal } from '../terminal.ts'

/** What holds for every round of one `trust`. */
interface Trusting {
  readonly output: Output
  readonly fingerprints: readonly Fingerprint[] | undefined
  readonly replace: ReadonlySet<string>
  readonly signal: AbortSignal
}

/**
 * `kmsfleet trust`: shows the keys of hosts that are not known yet and puts them into known_hosts, by a person's answer
 * or by a list of fingerprints. Jump hosts come first: the way to the others leads through them.
 */
export async function trust(pattern: string | undefined, options: TrustOptions): Promise<number> {
  const { result: output, conversation } = openTerminal(options)
  const { inventory } = loadReachedInventory(options, await readPasswords(options))
  const chosen = chooseHosts(inventory, pattern)
  const replace = new Set(options.replace)
  const stranger = [...replace].find((name) => !chosen.some((host) => host.name === name))
  if (stranger !== undefined) {
    throw new KmsfleetError('run.usage', `expected --replace to name one of the hosts, found ${stranger}`)
  }
  using signals = watchSignals((text) => {
    conversation.print([styled('warn', text)])
  })
  await using reach = openReach(inventory, options.inventory, (ask) => ask())
  const hosts = (await reach.settingsOf(chosen, signals.stop)).filter(
    ({ connection }) => connection.kind === 'ssh' && connection.hostKeys.length === 0,
  )
  const { fingerprints } = options
  const trusting: Trusting = {
    output,
    replace,
    signal: signals.stop,
    fingerprints:
      fingerprints === undefined
        ? undefined
        : parseFingerprints(readText(fingerprints, 'run.usage'), fingerprints),
  }
  for (const each of rounds(hosts)) {
    const code = await round(each, trusting)
    if (code !== exitCode.ok) return code
  }
  return exitCode.ok
}

/** Hosts by how far away they are: the jump hosts that lead to others come before them. */
function rounds(hosts: readonly NamedHost[]): readonly (readonly NamedHost[])[] {
  const jumps = hosts.flatMap(({ connection: { jump } }) =>
    jump === undefined ? [] : [{ name: target(jump), connection: jump }],
  )
  const apart = [...new Map(jumps.map((jump) => [jump.name, jump])).values()]
  return jumps.length === 0 ? [hosts] : [...rounds(apart), hosts]
}

/** Scans, decides, asks and writes for hosts that are reached in the same way. */
async function round(hosts: readonly NamedHost[], trusting: Trusting): Promise<number> {
  const { output, signal } = trusting
  // A connector of its own: each reads known_hosts once, and the round before has changed it.
  await using connector = createConnector(agentOf(process.env))
  const scans = await Promise.all(
    hosts.map(async (host) => {
      try {
        return { host, keys: await connector.scanHostKeys(host.name, host.connection, signal) }
      } catch (error) {
        return { host, error }
      }
    }),
  )
  if (signal.aborted) return exitCode.interrupted
  const errors = scans.flatMap((scan) => ('error' in scan ? [scan.error] : []))
  output.print(...errors.flatMap((error) => thrownLines(error, false)))

  const scanned = scans.flatMap((scan) => ('keys' in scan ? [{ host: scan.host, keys: scan.keys }] : []))
  const decided = await Promise.all(byFile(scanned).map((group) => decide(group, trusting)))
  const refused = decided.flatMap(({ decisions }) =>
    decisions.flatMap((decision) => (decision.is === 'refused' ? [decision.error] : [])),
  )
  if (refused.length > 0) {
    output.print(...thrownLines(new KmsfleetErrors(refused), false))
    output.print([styled('bad', 'nothing was accepted')])
    return exitCode.rail
  }
  for (const { file, decisions } of decided) {
    const code = await accept(file, decisions, trusting)
    if (code !== exitCode.ok) return code
  }
  return errors.length > 0 ? exitCode.unreachable : exitCode.ok
}

function agentOf(environment: NodeJS.ProcessEnv): { readonly agentSocket?: string } {
  const socket = environment['SSH_AUTH_SOCK']
  return socket === undefined ? {} : { agentSocket: socket }
}

/** Hosts whose keys are kept in the same known_hosts file. */
interface FileGroup {
  readonly file: string
  readonly files: readonly string[]
  readonly keys: readonly ScannedKey[]
}

function byFile(
  scanned: readonly { readonly host: NamedHost; readonly keys: readonly ScannedKey[] }[],
): readonly FileGroup[] {
  const groups = new Map<string, FileGroup>()
  for (const { host, keys } of scanned) {
    const files = host.connection.knownHostsFiles
    const [file] = files
    if (file === undefined) {
      throw new KmsfleetError(
        'transport.known-hosts',
        `expected a known_hosts file for ${host.name}, found none`,
      )
    }
    const key = files.join('\0')
    const before = groups.get(key)
    groups.set(key, { file, files, keys: [...(before?.keys ?? []), ...keys] })
  }
  return [...groups.values()]
}

async function decide(
  { file, files, keys }: FileGroup,
  { fingerprints, replace }: Trusting,
): Promise<{ readonly file: string; readonly decisions: readonly TrustDecision[] }> {
  const known = await createKnownHostsFiles().read(files)
  const decisions = planTrust({
    scanned: keys,
    known,
    file,
    replace,
    ...(fingerprints === undefined ? {} : { fingerprints }),
  })
  return { file, decisions }
}

async function accept(
  file: string,
  decisions: readonly TrustDecision[],
  trusting: Trusting,
): Promise<number> {
  const { output } = trusting
  output.print(...decisions.map(decisionLine))
  const edits = trustEdits(decisions)
  const [additions, removals] = [once(edits.additions), once(edits.removals)]
  if (additions.length === 0) {
    output.print([`${file}: nothing to add`])
    return exitCode.ok
  }
  const doubtful = decisions.some((each) => (each.is === 'add' || each.is === 'replace') && !each.vouched)
  if (doubtful && !(await agreed(additions.length, trusting.signal))) {
    output.print([`${file}: nothing was accepted`])
    return trusting.signal.aborted ? exitCode.interrupted : exitCode.rail
  }
  await writeKnownHosts(file, additions, removals)
  const removed = removals.length === 0 ? '' : `, removed ${count(removals.length, 'key')}`
  output.print([`${file}: added ${count(additions.length, 'key')}${removed}`])
  return exitCode.ok
}

/** Two names of the inventory may stand for one address. */
function once(keys: readonly KnownHost[]): readonly KnownHost[] {
  return [...new Map(keys.map((each) => [`${each.name} ${each.key.base64}`, each])).values()]
}

async function agreed(keys: number, signal: AbortSignal): Promise<boolean> {
  const answer = await askLine(
    `Compare these fingerprints with those on the hosts' own consoles.\nAccept ${count(keys, 'key')}? Only 'yes' is accepted: `,
    'an answer about host keys',
    'Give a list of fingerprints: --fingerprints FILE.',
    signal,
  )
  return answer === 'yes'
}

function decisionLine(decision: TrustDecision): Line {
  const { host, name, key, fingerprint } = decision.scanned
  const what = `${host} (${name})  ${key.type} ${fingerprint}`
  switch (decision.is) {
    case 'add':
      return [styled('add', `+ ${what}`), decision.vouched ? '  listed' : '']
    case 'replace':
      return [styled('change', `~ ${what}`), `  replaces ${count(decision.removes.length, 'key')} on record`]
    case 'known':
      return [styled('dim', `  ${what}  known`)]
    case 'unlisted':
      return [styled('dim', `  ${what}  not listed, stays unknown`)]
    case 'refused':
      return [styled('bad', `x ${what}`)]
  }
}
