import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'

/** Where this workstation keeps journals and which projects it trusts: `$KMSFLEET_STATE_DIR`, else `$XDG_STATE_HOME/kmsfleet`, else `~/.local/state/kmsfleet`. */
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

/** Makes a folder for us alone, or checks that it is one: another user's could be swapped beneath us. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  if (!found.isDirectory()) {
    throw new KmsfleetError(
      'run.state',
      `expected the state folder ${path} to be a directory, found another thing`,
      {
        hint: 'a symbolic link is refused here: name the real folder with KMSFLEET_STATE_DIR',
      },
    )
  }
  const self = process.getuid?.()
  if (self !== undefined && found.uid !== self) {
    throw new KmsfleetError(
      'run.state',
      `expected the state folder ${path} to belong to uid ${String(self)}, found uid ${String(found.uid)}`,
    )
  }
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
}
