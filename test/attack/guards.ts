import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ShellUnderTest } from '../shell/local-shell.ts'
import { attackerId, makeScene, privateRun } from './scene.ts'

/** One attack, acted at the very moment that a guard watches over. */
export interface GuardAttack {
  readonly guard: string
  /** Runs with both preludes and `common` loaded; calls `hit` where the attack succeeded. */
  readonly script: string
  /** Tool that the host must have for the guard to come into play. */
  readonly needs?: string
}

/**
 * `A ARGV...` acts as the attacker. `once` is true the first time. A function named as a tool stands before the tool,
 * so that the attacker's move falls between two steps of the function under attack.
 */
const common = `
A() { PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/bin/setpriv --reuid ${String(attackerId)} --regid ${String(attackerId)} --clear-groups "$@" </dev/null; }
swap() { A /bin/sh -c 'mv "$1" "$1.t" && mv -T "$2" "$1" && mv -T "$1.t" "$2"' sh "$1" "$2"; }
once() { [ ! -e "$base/once" ] && : >"$base/once"; }
hit() { echo HIT; }
D=$base/home/place
I=$(stat -c %d:%i "$D")
kf_stage "$base" && kf_s1=$kf_s && kf_sane "$kf_s1" && mkdir "$kf_s1/0" || exit 3
echo ROOTS-SECRET >"$kf_s1/0/name"
`

const kept = `kf_dir=$base/run; mkdir -m 0700 "$kf_dir"`

/** The version of before of `target`, in a directory that is root's by then. */
const keepTarget = `chown 0:0 "$D"
kf_enter "$D" "$I" firm '' && kf_keep kf.service "$D/target" target "token $(kf_token "$D/target")"
[ -f "$D/.kmsfleet-kept/target" ] || exit 3
cd /`

/** One for each guard line of the write prelude. */
export const guardAttacks: readonly GuardAttack[] = [
  {
    guard: 'run-folder',
    script: `mkdir /run/kmsfleet; chmod 00755 /run/kmsfleet; chown ${String(attackerId)} /run/kmsfleet
if kf_lock me; then hit; fi`,
  },
  {
    guard: 'lock-dead',
    script: `sleep 100 & other=$!
kf_process "$other"
mkdir /run/kmsfleet; ln -s "$kf_x someone" /run/kmsfleet/lock
if kf_lock me; then hit; fi
kill "$other"`,
  },
  {
    guard: 'stop',
    script: `mkdir -p /run/kmsfleet/owed; echo r1 >/run/kmsfleet/stop; kf_stop=r1
if kf_start 1 >/dev/null; then hit; fi`,
  },
  {
    guard: 'payload',
    script: `printf abc | kf_take_in 5 "$kf_s1/0/f"
kf_sizes=$(stat -c %s "$kf_s1/0/f")$NL kf_sums=$(sha256sum "$kf_s1/0/f")$NL
kf_x=$(printf abcde | sha256sum)
if kf_verify "1 5 \${kf_x%% *}"; then hit; fi`,
  },
  {
    guard: 'parent-inode',
    script: `swap "$D" "$base/home/sibling"
kf_enter "$D" "$I" '' "$kf_s1" && kf_place "$kf_s1/0" name absent .
[ ! -e "$D/name" ] || hit`,
  },
  {
    guard: 'same-mount',
    script: `mkdir "$base/other"; chown ${String(attackerId)} "$base/other"; mount --bind "$base/other" "$D" || exit 3
kf_enter "$D" '' '' "$kf_s1" && kf_place "$kf_s1/0" name absent .
[ ! -e "$D/name" ] || hit`,
  },
  {
    guard: 'survey',
    script: `mv() { command mv "$@"; A /bin/sh -c 'echo mine >"$1.m" && mv "$1.m" "$1"' sh "$D/name"; }
kf_rows=$(stat -c '%d:%i %u %a' -- "$D")$NL kf_mounts=none
kf_surveyed "$D" "$I" "$kf_s1" parent
kf_enter "$D" "$I" firm "$kf_s1" && kf_place "$kf_s1/0" name absent . && hit`,
  },
  {
    guard: 'survey-mount',
    script: `mkdir "$base/other" "$base/roots"; chmod 00755 "$base/other"; mount --bind "$base/other" "$base/roots" || exit 3
kf_rows=$(stat -c '%d:%i %u %a' -- "$base/roots")$NL kf_mounts=$(cat /proc/self/mountinfo)
kf_surveyed "$base/roots" "\${kf_rows%% *}" "$kf_s1" parent
kf_enter "$base/roots" '' firm "$kf_s1" && kf_place "$kf_s1/0" name absent .
[ ! -e "$base/roots/name" ] || hit`,
  },
  {
    guard: 'born',
    script: `mkdir "$kf_s1/0/made"; chmod 00755 "$kf_s1/0/made"
kf_enter "$D" "$I" '' "$kf_s1" && kf_place "$kf_s1/0" made absent . && kf_born "$D/made" "$kf_s1"
A /bin/sh -c 'mv "$1" "$1.t" && ln -s "$2" "$1"' sh "$D/made" "$base/outside"
kf_enter "$D/made" '' '' "$kf_s1" && kf_place "$kf_s1/0" name absent .
[ ! -e "$base/outside/name" ] || hit`,
  },
  {
    guard: 'expect',
    script: `stat() { case $* in *"/0/name") A /bin/sh -c 'echo other >"$1"' sh "$D/name" ;; esac; command stat "$@"; }
kf_enter "$D" "$I" '' "$kf_s1" && kf_place "$kf_s1/0" name absent .
[ "$(cat "$D/name")" = other ] || hit`,
  },
  {
    guard: 'tamper',
    script: `mv() { command mv "$@"; A /bin/sh -c 'echo mine >"$1.m" && mv "$1.m" "$1"' sh "$D/name"; }
kf_enter "$D" "$I" '' "$kf_s1" && kf_place "$kf_s1/0" name absent . && hit`,
  },
  {
    guard: 'wait-closed',
    script: `mv() { command mv "$@"; A /bin/sh -c 'echo mine >"$1.m" && mv "$1.m" "$1"' sh "$D/name"; }
kf_enter "$D" "$I" '' "$kf_s1" && kf_wait "$kf_s1/0" name && kf_together && hit`,
  },
  {
    guard: 'wait-expect',
    script: `mkdir "$base/roots"; chmod 00755 "$base/roots"; echo other >"$base/roots/name"
kf_enter "$base/roots" '' firm "$kf_s1" && kf_wait "$kf_s1/0" name
kf_together
[ "$(cat "$base/roots/name")" = other ] || hit`,
  },
  {
    guard: 'stage-acl',
    script: `A setfacl -d -m u:6666:rwx "$D"
kf_inside_put "$D" "$I" name absent root:root 00640 "$kf_s1/0/name"
PATH=/usr/bin /usr/bin/setpriv --reuid 6666 --regid 6666 --clear-groups cat "$D/name" >/dev/null 2>&1 && hit`,
  },
  {
    guard: 'stage-empty',
    script: `mkdir "$D/roots"; chmod 00700 "$D/roots"; echo kept >"$D/roots/target"
before=$(stat -c '%y %i' "$D/roots") unharmed=
mktemp() { kf_y=$(command mktemp "$@"); swap "$D/\${kf_y#./}" "$D/roots"; echo "$kf_y"; }
kf_inside_put "$D" "$I" target absent root:root 00640 "$kf_s1/0/name"
for kf_x in "$D"/.kmsfleet.* "$D/roots"; do
  [ "$(stat -c '%y %i' "$kf_x")" != "$before" ] || unharmed=yes
done
[ -n "$unharmed" ] || hit`,
  },
  {
    guard: 'dirset-expect',
    script: `kf_has() { :; }
T=$(kf_token "$D")
swap "$D" "$base/home/sibling"
kf_dirset "$D" "token $T" ${String(attackerId)}:${String(attackerId)} 00755 00755 ''
[ "$(stat -c %u "$D")" = 0 ] || hit`,
  },
  {
    guard: 'between',
    script: `kf_has() { :; }
A chmod 0777 "$D"
T=$(kf_token "$D")
chown() { command chown "$@"; A /bin/sh -c ': >"$1"' sh "$D/planted" 2>/dev/null; }
kf_dirset "$D" "token $T" root:root 00755 00755 ''
[ ! -e "$D/planted" ] || hit`,
  },
  {
    guard: 'dirset-acl',
    needs: 'setfacl',
    script: `T=$(kf_token "$D")
chown() { A setfacl -m u:${String(attackerId)}:rwx "$D"; command chown "$@"; }
kf_dirset "$D" "token $T" root:root 00755 00775 ''
[ "$(stat -c %u "$D")" = 0 ] && A /bin/sh -c ': >"$1"' sh "$D/planted" 2>/dev/null && hit`,
  },
  {
    guard: 'dirset-bare',
    script: `kf_has() { case $1 in setfacl) return 1 ;; *) return 0 ;; esac; }
T=$(kf_token "$D")
chown() { A setfacl -m u:${String(attackerId)}:rwx "$D"; command chown "$@"; }
kf_dirset "$D" "token $T" root:root 00755 00775 ''
[ "$(stat -c %u "$D")" = 0 ] && A /bin/sh -c ': >"$1"' sh "$D/planted" 2>/dev/null && hit`,
  },
  {
    guard: 'fileset-expect',
    script: `kf_enter "$D" "$I" '' "$kf_s1"
T=$(kf_token ./target)
chmod 00600 ./target
kf_fileset "$kf_s1" target "token $T" root:root 00644 '' .
[ "$(stat -c %a ./target)" = 600 ] || hit`,
  },
  {
    guard: 'fileset-type',
    script: `kf_enter "$D" "$I" '' "$kf_s1"
kf_fileset "$kf_s1" to-target "token $(kf_token ./to-target)" root:root 00666 '' .
[ "$(stat -c %a "$base/outside/target")" = 600 ] || hit`,
  },
  {
    guard: 'fileset-links',
    script: `kf_enter "$D" "$I" '' "$kf_s1"
kf_fileset "$kf_s1" hard "token $(kf_token ./hard)" root:root 00622 '' .
[ "$(stat -c %a "$base/outside/open")" = 666 ] || hit`,
  },
  {
    guard: 'fileset-inode',
    script: `echo ROOTS-SECRET >"$D/second"
kf_enter "$D" "$I" '' "$kf_s1"
T=$(kf_token ./target)
rm() { if once; then swap "$D/target" "$D/second"; fi; command rm "$@"; }
kf_fileset "$kf_s1" target "token $T" root:root 00644 '' .
[ "$(stat -c %a ./target)" = 600 ] || hit`,
  },
  {
    guard: 'fileset-writer',
    script: `kf_enter "$D" "$I" '' "$kf_s1"
kf_fileset "$kf_s1" victim "token $(kf_token ./victim)" root:root 00640 '' .
[ "$(stat -c %u ./victim)" = ${String(attackerId)} ] || hit`,
  },
  {
    guard: 'remove-expect',
    script: `T=$(kf_token "$D/victim")
A /bin/sh -c 'echo other >"$1.m" && mv "$1.m" "$1"' sh "$D/victim"
kf_enter "$D" "$I" '' '' && kf_remove victim "token $T" rm -f
[ -e "$D/victim" ] || hit`,
  },
  {
    guard: 'keep-closed',
    script: `${kept}
rm() { A /bin/sh -c 'mv "$1/.kmsfleet-kept" "$1/t" && ln -s "$2" "$1/.kmsfleet-kept"' sh "$D" "$base/outside"; command rm "$@"; }
kf_enter "$D" "$I" firm '' && kf_keep kf.service "$D/target" target "token $(kf_token "$D/target")"
[ "$(stat -c %a "$base/outside/target")" = 600 ] || hit`,
  },
  {
    guard: 'keep-writer',
    script: `${kept}
chown 0:0 "$D"
kf_enter "$D" "$I" firm '' && kf_keep kf.service "$D/victim" victim "token $(kf_token "$D/victim")"
[ ! -e "$D/.kmsfleet-kept/victim" ] || hit`,
  },
  {
    guard: 'keep-expect',
    script: `${kept}
chown 0:0 "$D"
T=$(kf_token "$D/target")
echo other >"$D/target"
kf_enter "$D" "$I" firm '' && kf_keep kf.service "$D/target" target "token $T" && hit`,
  },
  {
    guard: 'keep-folder',
    script: `${kept}
A mkdir "$D/.kmsfleet-kept"
chown 0:0 "$D"
kf_enter "$D" "$I" firm '' && kf_keep kf.service "$D/target" target "token $(kf_token "$D/target")"
A /bin/sh -c 'rm -f "$1"' sh "$D/.kmsfleet-kept/target"
[ ! -s "$kf_dir/kept/kf.service" ] || hit`,
  },
  {
    guard: 'back-closed',
    script: `${kept}
mkdir "$D/roots"; chmod 00700 "$D/roots"; echo stays >"$D/roots/target"
${keepTarget}
chown ${String(attackerId)} "$D"; chown 0:0 "$base/home"
A /bin/sh -c 'mv "$1/.kmsfleet-kept" "$1/t" && mv "$1/roots" "$1/.kmsfleet-kept"' sh "$D"
kf_let_go kf.service
[ -e "$D/.kmsfleet-kept/target" ] || hit`,
  },
  {
    guard: 'back-above',
    script: `${kept}
${keepTarget}
mkdir -p "$base/home/roots/.kmsfleet-kept"; chmod 00755 "$base/home/roots"; chmod 00700 "$base/home/roots/.kmsfleet-kept"
echo stays >"$base/home/roots/.kmsfleet-kept/target"
swap "$D" "$base/home/roots"
kf_let_go kf.service
[ -e "$D/.kmsfleet-kept/target" ] || hit`,
  },
  {
    guard: 'back-folder',
    script: `${kept}
${keepTarget}
chown ${String(attackerId)} "$D"
A /bin/sh -c 'mv "$1/.kmsfleet-kept" "$1/t" && ln -s "$2" "$1/.kmsfleet-kept"' sh "$D" "$base/outside"
chown 0:0 "$D" "$base/home"
kf_let_go kf.service
[ -e "$base/outside/target" ] || hit`,
  },
]

/** Guards of the read prelude that writes stand on too: the text that makes the guard, and what takes it away. */
export interface WeakenedRead extends GuardAttack {
  /** It waits for a deadline in a program that is /bin/sh in every shell: once is enough. */
  readonly once?: true
  readonly find: string
  readonly replace: string
}

/** What `kf_paths` knows of a file in the attacker's directory when it asks for the sums. */
const leaf = `set -f
IFS=$NL
kf_fast='' kf_guarded='' kf_slow='' kf_leaves="5 $D/target$NL" kf_leaf_rows="$(stat -c "$kf_format" "$D/target")$NL"`

/** `public NAME FLAGS`: what is shown of a credential in the attacker's directory. */
const publicPart = `public() { kf_limited 5 /bin/sh -c "$kf_public_child" sh "$D/" "$1" "$2" "$kf_pwd" "$NL" </dev/null; }`

/** A server of anybody's at port P; `listen OWNER` starts one and waits until it listens, `asked` asks as the product does. */
const atPort = `P=$((20000 + $$ % 20000))
where="00000000:$(printf %04X "$P") 00000000000000000000000000000000:$(printf %04X "$P")"
serve='echo $$ >"$1"; exec busybox nc -l -p "$2"'
listen() {
  rm -f "$base/flag/pid"
  "$@" /bin/sh -c "$serve" sh "$base/flag/pid" "$P" >/dev/null 2>&1 &
  for kf_x in 1 2 3 4 5 6 7 8 9; do sleep 0.1; kf_at_port "$where"; [ -z "$kf_inodes" ] || break; done
  [ -n "$kf_inodes" ] || exit 3
}
asked() { kf_test_unit_http kms.service "http://127.0.0.1:$P/ready" "$where"; }`

/** `pair NAME UID`: a file in the attacker's directory, read as both of a pair; nothing is waited for. */
const pair = `pair() {
  kf_limited 5 /bin/sh -c "sleep() { :; }$NL$kf_pair_child" sh "$D" "$1" "$1" "$2" 4096 "$kf_format" "$kf_pwd" "$NL" </dev/null
}`

export const readGuardAttacks: readonly WeakenedRead[] = [
  {
    guard: 'kf_own: the process that holds the socket',
    needs: 'busybox',
    find: 'if kf_held "$1" "$kf_i"; then',
    replace: 'if :; then',
    script: `${atPort}
kf_test_http() { kf_answer=yes kf_detail=''; }
listen A
kf_main=$$; asked
kill "$(cat "$base/flag/pid")"
[ "$kf_answer" != yes ] || hit`,
  },
  {
    guard: 'kf_test_unit_http: who listens once it has answered',
    needs: 'busybox',
    find: '[ "$kf_answer" = yes ] || return 0\n  kf_at_port "$3"',
    replace: 'return 0',
    script: `${atPort}
kf_test_http() { kill "$kf_main"; while [ -n "$kf_inodes" ]; do kf_at_port "$where"; done; listen A; kf_answer=yes kf_detail=''; }
listen env
kf_main=$(cat "$base/flag/pid"); asked
kill "$(cat "$base/flag/pid")"
[ "$kf_answer" != yes ] || hit`,
  },
  {
    guard: 'at: the path that the kernel gives',
    find: '[ "$("$kf_pwd" -P; echo .)" = "$1$NL." ]',
    replace: ':',
    script: `swap "$D" "$base/home/to-outside"
kf_enter "$D" '' '' "$kf_s1" && kf_place "$kf_s1/0" name absent .
[ ! -e "$base/outside/name" ] || hit`,
  },
  {
    guard: 'at: device and inode',
    find: '[ -z "${2-}" ] || [ "$(stat -c %d:%i .)" = "$2" ]',
    replace: ':',
    script: `swap "$D" "$base/home/sibling"
if at "$D" "$I"; then hit; fi`,
  },
  {
    guard: 'kf_digest: the path that the kernel gives',
    find: '[ "$("$4" -P; echo .)" = "$1$5." ]',
    replace: ':',
    script: `swap "$D" "$base/home/to-outside"
kf_x=$(sha256sum <"$base/outside/target")
[ "$(kf_digest "$D" target 4096)" != "\${kf_x%% *}" ] || hit`,
  },
  {
    guard: 'kf_digest: size',
    find: '[ "${a##*:}" -le "$3" ] || exit 44',
    replace: ':',
    script: `if kf_digest "$D" target 2 >/dev/null; then hit; fi`,
  },
  {
    guard: 'kf_digest: no FIFO is opened',
    once: true,
    find: '= "$1$5." ] || exit 40\n[ -f "./$2" ] && [ ! -L "./$2" ] || exit 41',
    replace: '= "$1$5." ] || exit 40',
    script: `A mkfifo "$D/fifo"
kf_digest "$D" fifo 4096
[ "$?" != 137 ] || hit`,
  },
  {
    guard: 'kf_sums: what was opened has the row that stat gave',
    find: '[ "$(eval "stat -L -c \\"\\$format\\" $files $fds")" = "$rows" ] || exit 43',
    replace: ':',
    script: `${leaf}
swap "$D/target" "$D/hard"
kf_sums >"$base/sums"
kf_x=$(sha256sum <"$base/outside/open")
if grep -q "\${kf_x%% *}" "$base/sums"; then hit; fi`,
  },
  {
    guard: 'kf_sums: no FIFO is opened',
    once: true,
    find: '[ -f "$1" ] && [ ! -L "$1" ] || exit 41',
    replace: ':',
    script: `${leaf}
A mkfifo "$D/fifo"
swap "$D/target" "$D/fifo"
kf_limited() { shift; command timeout -s KILL 5 "$@"; [ "$?" != 137 ] || : >"$base/stalled"; }
kf_sums >"$base/sums"
[ ! -e "$base/stalled" ] || hit`,
  },
  {
    guard: 'kf_public: the path that the kernel gives',
    find: '[ "$("$4" -P; echo .)" = "$d$5." ]',
    replace: ':',
    script: `${publicPart}
swap "$D" "$base/home/to-outside"
case $(public target c) in *eyJvdXRzaWRl*) hit ;; esac`,
  },
  {
    guard: 'kf_public: no FIFO is opened',
    once: true,
    find: '= "$d$5." ] || exit 40\n[ -f "./$2" ] && [ ! -L "./$2" ] || exit 41',
    replace: '= "$d$5." ] || exit 40',
    script: `${publicPart}
A mkfifo "$D/fifo"
public fifo c
[ "$?" != 137 ] || hit`,
  },
  {
    guard: 'kf_public: owner of what was opened',
    find: 'case $m in *:0:8???) ;; *) exit 43 ;; esac',
    replace: ':',
    script: `${publicPart}
A /bin/sh -c 'echo eyJtaW5l.eyJtaW5l.x >"$1"' sh "$D/victim"
case $(public victim c) in *eyJtaW5l*) hit ;; esac`,
  },
  {
    guard: 'kf_public: who else writes what was opened',
    find: '[ "$((0x${m##*:} & 18))" = 0 ] || exit 44',
    replace: ':',
    script: `${publicPart}
A /bin/sh -c 'echo eyJtaW5l.eyJtaW5l.x >"$1"' sh "$D/hard"
case $(public hard c) in *eyJtaW5l*) hit ;; esac`,
  },
  {
    guard: 'kf_public: nothing from a key on',
    find: '/PRIVATE/q;',
    replace: '',
    script: `${publicPart}
printf '%s\\n' '-----BEGIN CERTIFICATE-----' cut '-----BEGIN PRIVATE KEY-----' ROOTS-SECRET '-----END PRIVATE KEY-----' >"$D/target"
case $(public target x) in *ROOTS-SECRET*) hit ;; esac`,
  },
  {
    guard: 'kf_pair: the path that the kernel gives',
    once: true,
    find: '[ "$("$7" -P; echo .)" = "$1$8." ]',
    replace: ':',
    script: `${pair}
swap "$D" "$base/home/to-outside"
case $(pair target 0) in *ROOTS-SECRET*) hit ;; esac`,
  },
  {
    guard: 'kf_pair: no FIFO is opened',
    once: true,
    find: 'for f in "$2" "$3"; do [ -f "./$f" ] && [ ! -L "./$f" ] || exit 41; done\n',
    replace: '',
    script: `${pair}
A mkfifo "$D/fifo"
pair fifo 5001
[ "$?" != 137 ] || hit`,
  },
  {
    guard: 'kf_pair: owner of what was opened',
    once: true,
    find: '" $uid 1") ;;',
    replace: '" "*) ;;',
    script: `${pair}
case $(pair target 5001) in *HERE*) hit ;; esac`,
  },
  {
    guard: 'kf_pair: further names of what was opened',
    once: true,
    find: '" $uid 1") ;;',
    replace: '" $uid "*) ;;',
    script: `${pair}
case $(pair hard 0) in *everybody*) hit ;; esac`,
  },
  {
    guard: 'kf_pair: size of what was opened',
    once: true,
    find: '[ "$7" -le "$most" ]',
    replace: ':',
    script: `${pair}
A dd if=/dev/zero bs=5000 count=1 of="$D/victim" 2>/dev/null
if pair victim 5001 >/dev/null; then hit; fi`,
  },
]

/** Runs one attack in its own scene and mount namespace; true where it scored a hit. */
export function strikes(
  shell: ShellUnderTest,
  sources: { readonly read: string; readonly write: string },
  script: string,
): boolean {
  using scene = makeScene()
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-guard-'))
  try {
    const path = join(folder, 'script.sh')
    writeFileSync(path, [sources.read, sources.write, common, script, 'echo RAN'].join('\n'))
    const ended = spawnSync(
      'unshare',
      privateRun.concat([
        '/usr/bin/env',
        '-i',
        `PATH=${shell.path}`,
        `base=${scene.base}`,
        'LC_ALL=C',
        shell.sh,
        path,
      ]),
      { encoding: 'latin1', cwd: '/', timeout: 50_000 },
    )
    if (!ended.stdout.includes('RAN')) {
      throw new Error(`the attack did not run to its end: ${ended.stdout}${ended.stderr}`)
    }
    return ended.stdout.includes('HIT')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
