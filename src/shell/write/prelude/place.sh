# shellcheck shell=sh disable=SC2034,SC2154
# --- directories ---

# kf_closes 'DEV:INO UID MODE': does root alone write in a directory of this row?
kf_closes() {
  case ${1#* } in 0\ *[2367] | 0\ *[2367]?) return 1 ;; 0\ *) return 0 ;; *) return 1 ;; esac
}

# kf_surveyed DIR DEV:INO STAGE WHERE: of a firm directory whose row is the first of kf_rows, is it closed and on the
# mount of its stage? WHERE is `parent` for a stage in the parent of DIR. kf_mounts: this process' mountinfo. Of one that is not
# kf_enter finds out the rest.
kf_surveyed() {
  kf_row=${kf_rows%%"$NL"*} kf_rows=${kf_rows#*"$NL"}
  [ "${kf_row%% *}" = "$2" ] && kf_closes "$kf_row" || return 0 # guard:survey
  # a mount point is on another mount than the stage in its parent
  case $4$kf_mounts in parent | parent*" $1 "*) return 0 ;; esac # guard:survey-mount
  kf_closed_ones=$kf_closed_ones$1\ $3$NL
}

# kf_born DIR STAGE: DIR was just put, or waits to be, with root as its only writer, into the directory that is entered. Where that is
# closed so is DIR, and it is on the same mount as STAGE, which is that of DIR itself or in the directory that is entered.
kf_born() {
  [ -n "$kf_closed" ] || return 0 # guard:born
  kf_closed_ones=$kf_closed_ones$1\ $2$NL kf_unsynced=$kf_unsynced$1$NL
}

# kf_enter DIR DEV:INO FIRM STAGE: makes DIR the working directory, pinned. A closed one that was entered or surveyed
# before is still the same. DEV:INO may be empty. STAGE, if any, is proven to be on the same mount: there mv is one
# rename(2), across mounts it would copy, and follow what the owner of DIR puts in its way.
kf_enter() {
  kf_closed='' kf_firm=$3
  case $kf_closed_ones in
    *"$NL$1 $4$NL"*)
      kf_closed=yes
      if [ "$kf_here" = "$1 $4" ]; then return 0; fi
      if cd -P "$1" 2>/dev/null; then kf_here="$1 $4"; return 0; fi
      kf_closed=
      ;;
  esac
  if [ "$3$kf_here" = "firm$1 $4" ]; then return 0; fi
  kf_here=
  # where nobody can exchange the path, the device and inode tell all
  if [ "$3" = firm ] && [ -n "$2" ]; then cd -P "$1"; else at "$1"; fi 2>/dev/null || { kf_moved "expected $1 to be a directory that no link leads to, found that it is not"; return 1; }
  kf_row=$(stat -c '%d:%i %u %a' .)
  [ -z "$2" ] || [ "${kf_row%% *}" = "$2" ] || { kf_moved "expected the directory $1 that was probed, found another"; return 1; } # guard:parent-inode
  if [ -n "$4" ]; then kf_mounted "$4" || return 1; fi # guard:same-mount
  if [ "$3" = firm ] && kf_closes "$kf_row"; then kf_closed=yes kf_closed_ones=$kf_closed_ones$1\ $4$NL; fi
  kf_here="$1 $4"
}

kf_mounted() {
  kf_x=./.kmsfleet.p.${1##*.}
  if ! kf_try mount ln "$1/.b" "$kf_x"; then
    kf_detail="expected the folder and its stage ${1%/*} on one writable mount, found: $kf_detail"
    return 1
  fi
  rm -f "$kf_x"
}

# kf_expect WHAT PATH: `absent`, `made DEV:INO` (by this stream), or `token TOKEN` (of the probe). kf_row: the token.
kf_expect() {
  kf_row=
  case $1 in
    absent)
      if [ -e "$2" ] || [ -L "$2" ]; then
        kf_moved "expected nothing at $2, found that something was put there since the probe"
        return 1
      fi
      ;;
    made*)
      kf_row=$(kf_token "$2" 2>/dev/null)
      [ "$(stat -c %d:%i "$2" 2>/dev/null)" = "${1#made }" ] || { kf_moved "expected $2 as this run made it, found another"; return 1; }
      ;;
    token*)
      kf_row=$(kf_token "$2" 2>/dev/null)
      [ "$kf_row" = "${1#token }" ] || { kf_moved "expected $2 as it was probed, found it changed"; return 1; }
      ;;
  esac
}

# kf_place STAGED NAME WHAT TO: puts STAGED/NAME into the pinned directory TO (`.` or `..`). `mv x TO/` renames over
# a link to a directory; `mv x TO/NAME` would go through it.
kf_place() {
  if [ -z "$kf_closed" ]; then
    kf_placed=$(stat -c %d:%i:%h "$1/$2")
    set -- "$1" "$2" "$3" "$4" "$kf_placed"
  fi
  kf_expect "$3" "$4/$2" || return 1 # guard:expect
  kf_try place mv -f "$1/$2" "$4/" || return 1
  [ -n "$kf_closed" ] || [ "$(stat -c %d:%i:%h "$4/$2" 2>/dev/null)" = "$5" ] || { kf_fail tampered "expected at $2 what was just put there, found another"; return 1; } # guard:tamper
  [ -n "$kf_closed$kf_firm" ] || sync "$4" 2>/dev/null || :
}
# --- links and removal ---

# kf_link STAGED NAME WHAT TARGET: a new one in a closed directory needs no stage, for nothing of it is ever unfinished;
# but where that is of another group the link may get it
kf_link() {
  # shellcheck disable=SC3067
  if [ "$kf_closed$3" = yesabsent ] && [ -G . ]; then
    kf_expect absent "./$2" && kf_try place ln -s "$4" "./$2"
    return
  fi
  kf_try stage ln -s "$4" "$1/$2" && kf_place "$1" "$2" "$3" .
}

# kf_remove NAME WHAT PROGRAM...: rm -f or rmdir; unlink(2) follows nothing
kf_remove() {
  kf_expect "$2" "./$1" || return 1 # guard:remove-expect
  kf_x=./$1
  shift 2
  kf_try remove "$@" "$kf_x" || return 1
  [ -n "$kf_closed$kf_firm" ] || sync . 2>/dev/null || :
}
