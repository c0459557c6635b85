import type { WeakenedRead } from './guards.ts'

/** Starts a program as account `U` in the background, which is nobody else's; `pid`. */
const other = `U=$((100000 + $$))
as_other() {
  /usr/bin/setpriv --reuid "$U" --regid "$U" --clear-groups "$@" </dev/null >/dev/null 2>&1 &
  pid=$!
}`

/**
 * Guards of what asks as another identity. `thief` is the path of a program that everybody may run (test/access/hostile.c).
 * `runuser` comes with the only setpriv that can take an identity.
 */
export function accessGuardAttacks(thief: string): readonly WeakenedRead[] {
  return [
    {
      guard:
        'kf_as_exactly: a capability that the account lacks keeps it from taking descriptors of who tries',
      needs: 'runuser',
      find: 'kf_set=-all,+$kf_as_guard kf_free=yes',
      replace: 'kf_set=-all kf_free=yes',
      script: `${other}
mkdir "$base/thief"; chown "$U" "$base/thief"
as_other ${thief} "$base/thief/up" "$base/thief" steal
while [ ! -e "$base/thief/up" ]; do sleep 0.1; done
kf_try_child="sleep 1$NL$kf_try_child"
kf_trial_number 0 "$U" "$U" '' read /etc/passwd >"$base/said"
kill -9 "$pid"
grep -q 'control end' "$base/said" || exit 3
[ ! -e "$base/thief/STOLEN" ] || hit`,
    },
    {
      guard: 'kf_trial_process: a root of a user namespace of its own is not taken for one of the host',
      needs: 'runuser',
      find: 'if [ ! "/proc/$kf_of/ns/user" -ef /proc/self/ns/user ]; then',
      replace: 'if false; then',
      script: `${other}
as_other unshare -Ur sleep 1000
while [ "/proc/$pid/ns/user" -ef /proc/self/ns/user ] || ! grep -q '^CapEff:.*[1-9a-f]' "/proc/$pid/status"; do sleep 0.1; done
kf_ticks_of "$pid"; kf_lives="7 $pid $kf_x$NL"
kf_trial_process 0 7 read /etc/shadow >"$base/said"
kill -9 "$pid"
if grep -q '^0 granted' "$base/said"; then hit; fi`,
    },
    {
      guard: 'kf_enter_root: the process that was found, not one that got its number',
      find: ' && kf_ticks_of "$1" && [ "$kf_x" = "$2" ]; }',
      replace: '; }',
      script: `if (kf_enter_root "$$" 1); then hit; fi`,
    },
    {
      guard: 'kf_try_child: no FIFO is opened',
      once: true,
      find: 'if [ "$free" = yes ] && { [ -f "$p" ] || [ -d "$p" ]; }; then opens "<" "$p"',
      replace: 'if [ "$free" = yes ]; then opens "<" "$p"',
      script: `A mkfifo -m 666 "$D/fifo"
kf_limited() { shift; command timeout -s KILL 5 "$@"; }
kf_trial_number 0 5001 5001 '' read "$D/fifo" >"$base/said"
if grep -q 'exit status 137' "$base/said"; then hit; fi`,
    },
    {
      guard: 'kf_entries: the path that the kernel gives',
      find: '[ "$("$2" -P; echo .)" = "$1$3." ] || exit 40\nfind .',
      replace: 'find .',
      script: `swap "$D" "$base/home/to-outside"
kf_entries "$D" 4096 >"$base/said"
if grep -q open "$base/said"; then hit; fi`,
    },
    {
      guard: 'kf_entries: bytes of names',
      find: ' | head -c "$4" | tr',
      replace: ' | tr',
      script: `A /bin/sh -c 'cd "$1" && i=0 && while [ "$i" -lt 100 ]; do : >"a name that takes many bytes $i"; i=$((i + 1)); done' sh "$D"
[ "$(kf_entries "$D" 500 | wc -c)" -lt 1000 ] || hit`,
    },
  ]
}
