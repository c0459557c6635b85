import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { suggestion } from '../document/suggest.ts'

/** The closed list of connection variables, all with the prefix `ansible_`. */
export const connectionVariables = [
  'ansible_host',
  'ansible_port',
  'ansible_user',
  'ansible_connection',
  'ansible_ssh_private_key_file',
  'ansible_ssh_known_hosts_file',
  'ansible_ssh_host_keys',
  'ansible_ssh_proxy_jump',
  'ansible_ssh_timeout',
  'ansible_become',
  'ansible_become_method',
  'ansible_become_user',
] as const

const known: ReadonlySet<string> = new Set(connectionVariables)

const program = 'it names a program or its arguments, which an inventory must not choose for the workstation'
const password = 'passwords do not belong in an inventory'

interface Refused {
  readonly pattern: RegExp
  readonly reason: string
  readonly hint: string
}

/** Names that Ansible knows and that are refused here, with the reason; the first match counts. */
const refused: readonly Refused[] = [
  {
    pattern: /^ansible_(ssh_|sftp_|scp_)?(common|extra)_args$|^ansible_ssh_args$|_extra_args$/,
    reason: program,
    hint: 'settings for ssh belong in ~/.ssh/config; a jump host has ansible_ssh_proxy_jump',
  },
  {
    pattern: /^ansible_(ssh|scp|sftp)_executable$|_executable$|^ansible_ssh_transfer_method$|^ansible_shell_/,
    reason: program,
    hint: 'remove it: hosts need nothing but sshd and a POSIX sh',
  },
  {
    pattern: /_interpreter(_|$)|^ansible_python/,
    reason: 'hosts need no interpreter',
    hint: 'remove it: no Python is needed on a host',
  },
  {
    pattern: /^ansible_(become|su|sudo)_(exe|flags|plugin)$/,
    reason: program,
    hint: 'remove it: sudo is called with constant arguments that a sudo rule can name',
  },
  {
    pattern: /^ansible_(become|sudo|su)_pass(word)?(_file)?$/,
    reason: password,
    hint: 'use --ask-become-pass or --become-password-file',
  },
  {
    pattern: /^ansible_(ssh_)?(pass|password)(_file)?$|_passphrase$/,
    reason: password,
    hint: 'use keys, --ask-pass or a password file',
  },
  {
    pattern: /^ansible_(ssh_)?(host_key_checking|ssh_host_key_checking|host_key_auto_add)$/,
    reason: 'host keys are always checked',
    hint: 'accept new keys with `kmsfleet trust`',
  },
  {
    pattern: /^ansible_(ssh_)?(control_path(_dir)?|pipelining|retries|use_tty)$/,
    reason: 'one connection and one channel serve a whole run',
    hint: 'remove it',
  },
]

/** Old or nearly right names, and what they are called here. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['ansible_ssh_host', 'ansible_host'],
  ['ansible_ssh_port', 'ansible_port'],
  ['ansible_ssh_user', 'ansible_user'],
  ['ansible_private_key_file', 'ansible_ssh_private_key_file'],
  ['ansible_timeout', 'ansible_ssh_timeout'],
  ['ansible_sudo', 'ansible_become'],
  ['ansible_sudo_user', 'ansible_become_user'],
  ['ansible_ssh_proxy_command', 'ansible_ssh_proxy_jump'],
])

/** Throws where a name with the prefix `ansible_` is not one of the closed list. Never shows a value. */
export function checkConnectionName(name: string, place: Place | undefined): void {
  if (known.has(name)) return
  const at = place === undefined ? {} : { place }
  const reason = refused.find((one) => one.pattern.test(name))
  if (reason !== undefined) {
    const message = `expected no \`${name}\`: ${reason.reason}`
    throw new KmsfleetError('inventory.refused', message, { ...at, hint: reason.hint })
  }
  const now = renamed.get(name)
  const hint = now === undefined ? suggestion(name, known) : `write \`${now}\``
  throw new KmsfleetError('inventory.connection', `expected a known connection variable, found \`${name}\``, {
    ...at,
    ...(hint === undefined ? {} : { hint }),
  })
}
