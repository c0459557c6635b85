import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A SUBSTITUTE for libselinux's `matchpathcon`, with its interface as documented: a tab between path and label,
 * `<<none>>` where the policy gives none, and a line on standard error, no row and exit status 1 for what it cannot
 * look up. The kernel of the tests has no SELinux; it stores and tells the attribute `security.selinux` all the same, so
 * that `chcon` and `stat -c %C` are the real ones. Refuses to be asked without a type: the real one would then look at
 * what stands at the path.
 */
export const matchpathcon = `#!/bin/sh
type=
while getopts m:n option; do
  case $option in m) type=$OPTARG ;; *) exit 1 ;; esac
done
shift $((OPTIND - 1))
status=0
for path do
  case $type:$path in
    *none) printf '%s\\t%s\\n' "$path" '<<none>>' ;;
    *broken) echo "matchpathcon($path) failed: Invalid argument" >&2; status=1 ;;
    file:*) printf '%s\\t%s\\n' "$path" system_u:object_r:etc_t:s0 ;;
    dir:*) printf '%s\\t%s\\n' "$path" system_u:object_r:var_lib_t:s0 ;;
    *) exit 1 ;;
  esac
done
exit "$status"
`

/** Lays the substitute and the real chcon into a folder for PATH; gives the folder. */
export function policyTools(base: string): string {
  const folder = join(base, 'policy-tools')
  mkdirSync(folder)
  writeFileSync(join(folder, 'matchpathcon'), matchpathcon)
  chmodSync(join(folder, 'matchpathcon'), 0o755)
  symlinkSync('/usr/bin/chcon', join(folder, 'chcon'))
  return folder
}

/** Shell that makes a host look as if SELinux enforced (`1`) or only warned (`0`), in its own mount namespace. */
export function activate(enforce: '0' | '1'): string {
  return [
    'mkdir -p /run/test-cgroup && mount --rbind /sys/fs/cgroup /run/test-cgroup',
    'mount -t tmpfs -o mode=755 tmpfs /sys/fs',
    'mkdir /sys/fs/selinux /sys/fs/cgroup',
    'mount --rbind /run/test-cgroup /sys/fs/cgroup && umount -l /run/test-cgroup',
    `printf ${enforce} >/sys/fs/selinux/enforce`,
  ].join('\n')
}
