/** What a login may need, where the operator has it. */
const names = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'XDG_RUNTIME_DIR'],
  ...['KRB5CCNAME', 'KRB5_CONFIG', 'KRB5_CLIENT_KTNAME'],
]

/**
 * The environment of the programs of OpenSSH, and so of a `ProxyCommand` and a `Match exec` of the operator's: what a
 * login may need; no token, no LD_PRELOAD.
 *
 * @param agentSocket `SSH_AUTH_SOCK`; undefined where no agent is to be asked
 */
export function sshEnvironment(agentSocket: string | undefined): Readonly<Record<string, string>> {
  const taken = names.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(taken),
    ...(agentSocket === undefined ? {} : { SSH_AUTH_SOCK: agentSocket }),
    // A ProxyCommand that is made here is quoted for this shell; messages are told apart by their English text.
    SHELL: '/bin/sh',
    LC_ALL: 'C',
  }
}
