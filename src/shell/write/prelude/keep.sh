# shellcheck shell=sh disable=SC2034,SC2154
# --- versions of before ---
# What a running unit runs with is kept, when another takes its place, until the unit was seen ready with that: as a hard
# link in a root-only folder beside it, so that what comes back is the very inode, by one rename(2). kf_dir/kept/UNIT
# names them, a path a line; it is written first. What is named there already is older, and the one that is known to be
# good. Only closed directories take part: in any other somebody could exchange what is kept.

# kf_keep UNIT PATH NAME WHAT: of a file in the directory that is entered, which is as expected. kf_what: what to expect
# of it then, since a further name shows in its row.
kf_keep() {
  kf_what=$4
  [ -n "$kf_closed" ] || return 0 # guard:keep-closed
  [ -f "./$3" ] && [ ! -L "./$3" ] || return 0
  # what others could write is not known to be good, and is not started again
  kf_closes ". $(stat -c '%u %a' "./$3")" || return 0 # guard:keep-writer
  kf_expect "$4" "./$3" || return 1 # guard:keep-expect
  if kf_named "$1" "$2" && [ -f "./.kmsfleet-kept/$3" ]; then return 0; fi
  [ -d "$kf_dir/kept" ] || kf_try keep mkdir "$kf_dir/kept" || return 1
  [ -d ./.kmsfleet-kept ] || kf_try keep mkdir -m 0700 ./.kmsfleet-kept || return 1
  kf_kept_folder || { kf_fail keep "expected ${2%/*}/.kmsfleet-kept to be a folder of root's with mode 0700, found another owner or mode"; return 1; } # guard:keep-folder
  if ! kf_named "$1" "$2" && ! kf_text "$2$NL" >>"$kf_dir/kept/$1"; then
    kf_fail keep "cannot write $kf_dir/kept/$1"
    return 1
  fi
  rm -f "./.kmsfleet-kept/$3"
  kf_try keep ln "./$3" "./.kmsfleet-kept/$3" || return 1
  kf_what="token $(kf_token "./$3")"
}

kf_kept_folder() {
  # of a link these are its own; the set-group-id bit of the directory above is handed down
  case $(stat -c '%u %f' ./.kmsfleet-kept) in '0 41c0' | '0 45c0') return 0 ;; *) return 1 ;; esac
}

# kf_named UNIT PATH: is it kept for that unit?
kf_named() {
  [ -f "$kf_dir/kept/$1" ] || return 1
  while IFS= read -r kf_x; do
    if [ "$kf_x" = "$2" ]; then return 0; fi
  done <"$kf_dir/kept/$1"
  return 1
}

# kf_back_in DIR: enters a directory in which something was kept, if still only root can change what stands in it, or
# which directory that is: since it was kept, any above may have become another's
kf_back_in() {
  kf_here=
  at "$1" 2>/dev/null || return 1
  kf_rooted "$1" || return 1 # guard:back-closed
  kf_kept_folder || return 1 # guard:back-folder
}

# kf_rooted DIR: does root alone write in the directory that is entered, and in all above it?
kf_rooted() {
  kf_x=${1%/*}
  set -- .
  while [ -n "$kf_x" ]; do set -- "$@" "$kf_x" && kf_x=${kf_x%/*}; done # guard:back-above
  kf_rows=$(stat -c '%d:%i %u %a' / "$@") || return 1
  while [ -n "$kf_rows" ]; do
    kf_closes "${kf_rows%%"$NL"*}" || return 1
    case $kf_rows in *"$NL"*) kf_rows=${kf_rows#*"$NL"} ;; *) kf_rows= ;; esac
  done
}

# kf_let_go UNIT
kf_let_go() {
  [ -f "$kf_dir/kept/$1" ] || return 0
  while IFS= read -r kf_p; do
    kf_x=${kf_p%/*}
    kf_back_in "${kf_x:-/}" || continue
    rm -f "./.kmsfleet-kept/${kf_p##*/}"
    rmdir ./.kmsfleet-kept 2>/dev/null
  done <"$kf_dir/kept/$1"
  cd /
  rm -f "$kf_dir/kept/$1"
}

# kf_restore PATH: what was kept takes its place again
kf_restore() {
  kf_x=${1%/*}
  kf_back_in "${kf_x:-/}" || return 1
  set -- "${1##*/}"
  [ -f "./.kmsfleet-kept/$1" ] || return 1
  # a run may have died before the new version took its place
  # shellcheck disable=SC3013
  if [ ! "./.kmsfleet-kept/$1" -ef "./$1" ]; then mv -f "./.kmsfleet-kept/$1" ./ || return 1; fi
  rm -f "./.kmsfleet-kept/$1"
  rmdir ./.kmsfleet-kept 2>/dev/null
  sync . 2>/dev/null || :
}

# kf_roll_back UNIT VERB WITHIN READY ARGUMENT ADDRESSES FILE...: kf_step and kf_detail say why the start failed. Fails itself,
# having said whether the versions of before are back and the unit runs with them.
kf_roll_back() {
  kf_reason=$kf_detail kf_reason_step=$kf_step kf_back='' kf_lost=''
  if [ ! -f "$kf_dir/kept/$1" ]; then
    [ "$2" = start ] || kf_detail="$kf_reason; not rolled back: nothing of before was kept"
    return 1
  fi
  while IFS= read -r kf_p; do
    if kf_restore "$kf_p"; then kf_back="$kf_back $kf_p"; else kf_lost="$kf_lost $kf_p"; fi
  done <"$kf_dir/kept/$1"
  cd /
  rm -f "$kf_dir/kept/$1"
  if [ -z "$kf_back" ]; then
    kf_detail="$kf_reason; not rolled back:$kf_lost"
    return 1
  fi
  kf_says=''
  if kf_systemctl daemon-reload && { timeout -s KILL 60 systemctl --no-ask-password reset-failed -- "$1" >/dev/null 2>&1 || :; } && {
    kf_x=$1
    shift 2
    kf_unit_run "$kf_x" restart "$@"
  }; then
    kf_reason="$kf_reason; rolled back: the version of before is back at$kf_back, and the unit is ready with it"
  else
    kf_reason="$kf_reason; rolled back, but the unit is not ready with the version of before either, which is back at$kf_back: $kf_detail"
  fi
  [ -z "$kf_lost" ] || kf_reason="$kf_reason; not rolled back:$kf_lost"
  kf_fail "$kf_reason_step" "$kf_reason"
}
