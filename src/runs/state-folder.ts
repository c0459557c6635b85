import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'

/** Where this workstation keeps journals: `$KMSFLEET_STATE_DIR`, else `$XDG_STATE_HOME/kmsfleet`, else `~/.local/state/kmsfleet`. */
export function stateFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home: string = homedir(),
): string {
  const own = environment['KMSFLEET_STATE_DIR']
  if (own !== undefined && own !== '') {
    if (isAbsolute(own)) return own
    throw new KmsfleetError('run.state', `expected an absolute path in KMSFLEET_STATE_DIR, found \`${own}\``)
  }
  // A relative XDG_STATE_HOME is to be ignored (XDG Base Directory Specification).
  const xdg = environment['XDG_STATE_HOME'] ?? ''
  return isAbsolute(xdg) ? join(xdg, 'kmsfleet') : join(home, '.local', 'state', 'kmsfleet')
}
