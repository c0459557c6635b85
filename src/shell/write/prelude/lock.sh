# shellcheck shell=sh disable=SC2034,SC2154
# --- the lock ---
# A symbolic link: made atomically, its target tells who holds it, and no descriptor that a child could inherit and
# outlive us with. It is ours as long as the resident shell lives: pid, start time and boot id name that process.

# kf_process PID: sets kf_x to `PID START BOOT` of a process, kf_z to its state. One that has ended stays in /proc as a
# zombie until its parent collects it, which the first process of a small system may do late or never.
kf_process() {
  { read -r kf_x <"/proc/$1/stat" && read -r kf_y </proc/sys/kernel/random/boot_id; } 2>/dev/null || return 1
  set -f
  # shellcheck disable=SC2086
  set -- "$1" ${kf_x##*) }
  set +f
  kf_x="$1 ${21} $kf_y" kf_z=$2
}

kf_ours() {
  [ -e "$kf_dir" ] || mkdir "$kf_dir" "$kf_dir/owed" "$kf_dir/started" 2>/dev/null
  if [ -L "$kf_dir" ] || [ ! -d "$kf_dir" ]; then
    kf_fail state "expected $kf_dir to be a folder, found something else"
    return 1
  fi
  case $(stat -c '%u %f' "$kf_dir") in '0 41c0') ;; *) kf_fail state "expected $kf_dir to be a folder of root's with mode 0700, found another owner or mode"; return 1 ;; esac # guard:run-folder
  if [ ! -d "$kf_dir/owed" ] || [ ! -d "$kf_dir/started" ]; then kf_try state mkdir -p "$kf_dir/owed" "$kf_dir/started"; fi
}

# kf_take NAME: takes NAME in kf_dir for kf_me. One whose holder is dead is removed only by who holds `bury` of that
# holder, and only if it still is that holder's: two who found it dead cannot remove each other's.
kf_take() {
  kf_tries=0
  while ! ln -s "$kf_me" "$kf_dir/$1" 2>/dev/null; do
    kf_holder=$(readlink "$kf_dir/$1") || kf_holder=
    case $kf_holder in
      "$kf_self "*) return 0 ;;
      '')
        kf_tries=$((kf_tries + 1))
        [ "$kf_tries" -lt 10 ] || return 1
        continue
        ;;
    esac
    if ! kf_dead "$kf_holder"; then return 1; fi # guard:lock-dead
    set -- "$1" "$kf_holder" "$kf_y"
    kf_take "bury.$3" || return 1
    [ "$(readlink "$kf_dir/$1")" != "$2" ] || rm -f "$kf_dir/$1"
    rm -f "$kf_dir/bury.$3"
    kf_tries=0
  done
}

# kf_dead 'PID START BOOT ...': is it proven that this process is gone? Sets kf_y to a name for it.
kf_dead() {
  set -f
  # shellcheck disable=SC2086
  set -- $1
  set +f
  kf_process self || return 1
  [ "$3" = "$kf_y" ] || { kf_y=$1.$2; return 0; }
  [ -d "/proc/$1" ] || { kf_y=$1.$2; return 0; }
  kf_process "$1" || return 1
  case $kf_z in Z | X) ;; *) [ "$kf_x" != "$1 $2 $3" ] || return 1 ;; esac
  kf_y=$1.$2
}

# kf_lock WHO
kf_lock() {
  kf_process "$$" || { kf_fail state 'expected /proc to tell about processes, found that it does not'; return 1; }
  kf_self=$kf_x kf_me="$kf_x $1"
  kf_ours || return 1
  kf_take lock && return 0
  if [ -z "$kf_holder" ]; then
    kf_fail lock "expected room for a lock in $kf_dir, found that nothing can be made there"
    return 1
  fi
  kf_x=${kf_holder#* * * }
  kf_fail lock "expected to be the only writer, found ${kf_x:-another} (process ${kf_holder%% *})"
}
