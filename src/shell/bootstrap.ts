/**
 * The resident frame loop, one line of POSIX sh. No nonce and no secret stand in it, so argv shows nothing and a
 * sudoers rule can name it exactly. `!`, backslashes that a login shell may read, and newlines are kept out:
 * csh expands history even in quotes.
 *
 * A frame is a header line `NONCE LENGTH`, LENGTH bytes of script, then whatever the script reads. `read` is a
 * builtin because it alone takes no byte too many in every shell; `dd bs=LENGTH count=1 iflag=fullblock` is exact
 * too (`head -c` is not in busybox). A script that arrives short never runs: 98. End of input between frames: 0.
 */
const loop = [
  'umask 077',
  'ulimit -c 0',
  'printf "\\nKMSFLEET 1 BEGIN\\n"',
  'while kf_nonce= kf_length=; IFS=" " read -r kf_nonce kf_length; do' +
    ' s=$(dd bs="$kf_length" count=1 iflag=fullblock 2>/dev/null)',
  '[ "$kf_length" -gt 0 ] && [ "${#s}" -eq "$kf_length" ] || exit 98',
  'eval "$s"',
  'done',
  '[ -z "$kf_nonce" ] || exit 98',
  'exit 0',
].join('; ')

/** What the loop prints before it reads anything. It starts on a line of its own, whatever a login file printed. */
export const beginLine = '\nKMSFLEET 1 BEGIN\n'

/**
 * The program to run as root, exactly as a sudoers rule names it. The environment is emptied first: login files
 * may have exported LC_ALL, BASH_ENV or functions. TZ makes `systemctl` print times in UTC.
 */
export const rootCommand =
  '/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC0 ' + `/bin/sh -c '${loop}' kmsfleet`

/** The one constant string that a login shell of whatever make is given. */
export const bootstrapCommand = `exec ${rootCommand}`

/** Both, as a connection starts the one that its login needs. */
export const rootShell = { plain: bootstrapCommand, elevated: rootCommand } as const
