# shellcheck shell=sh disable=SC2034,SC2154
# --- attributes ---

# kf_dirset PATH WHAT OWNER:GROUP BETWEEN MODE STRIP [LABEL]
kf_dirset() {
  # what is known of it, or of what is below it, may not be true afterwards
  kf_here='' kf_closed_ones=$NL
  at "$1" || { kf_moved "expected $1 to be a directory that no link leads to, found that it is not"; return 1; }
  kf_expect "$2" . || return 1 # guard:dirset-expect
  kf_can_strip "$6" || return 1
  kf_bare "$3" || return 1 # guard:dirset-bare
  kf_try mode chmod "$4" . || return 1 # guard:between
  kf_try owner chown -- "$3" . || return 1
  # its owner of before could set one until a moment ago
  kf_strip "$6" . || return 1 # guard:dirset-acl
  if [ "$4" != "$5" ]; then kf_try mode chmod "$5" . || return 1; fi
  kf_label "${7-}" .
}

# kf_can_strip STRIP
kf_can_strip() {
  [ -z "$1" ] || kf_has setfacl || kf_fail acl 'expected setfacl on the host to remove the ACL, found none; install the acl package'
}

# kf_kept OWNER:GROUP: is the owner that kf_row tells the one that is asked for?
kf_kept() {
  kf_x=$(id -u "${1%%:*}" 2>/dev/null) || kf_x=${1%%:*}
  kf_y=${kf_row#* }
  [ "${kf_y%% *}" = "$kf_x" ]
}

# kf_bare OWNER:GROUP: without setfacl nobody can tell what ACL the owner of before leaves behind
kf_bare() {
  if kf_has setfacl; then return 0; fi
  case $kf_row in ????\ 0\ *) return 0 ;; esac
  kf_kept "$1" || kf_fail acl 'expected setfacl on the host to take a directory from its owner without an ACL of his, found none; install the acl package'
}

# kf_strip STRIP PATH: kf_row is the row of before
kf_strip() {
  case $1$kf_row in
    strip*) ;;
    ????\ 0\ *) return 0 ;;
    *) kf_has setfacl || return 0 ;;
  esac
  kf_try acl setfacl -b -k -- "$2" || [ -z "$1" ]
}

# kf_fileset STAGE NAME WHAT OWNER:GROUP MODE STRIP FROM [LABEL]: of a regular file with one name in FROM (`.` or `..`). In a
# contested directory the name may be exchanged at any time, so the inode itself is caught in the stage by a hard
# link, which follows no link.
kf_fileset() {
  kf_expect "$3" "$7/$2" || return 1 # guard:fileset-expect
  kf_can_strip "$6" || return 1
  if [ -n "$kf_closed" ]; then
    kf_attributes "$1" "./$2" 1 "$kf_row" "$4" "$5" "$6" && kf_label "${8-}" "./$2"
    return
  fi
  rm -f "$1/x"
  kf_try link ln "$7/$2" "$1/x" || return 1
  kf_row=$(kf_token "$1/x")
  if kf_attributes "$1" "$1/x" 2 "$kf_row" "$4" "$5" "$6" "$3" && kf_label "${8-}" "$1/x"; then
    rm -f "$1/x"
  else
    rm -f "$1/x"
    return 1
  fi
}

# kf_attributes STAGE PATH LINKS ROW OWNER:GROUP MODE STRIP [WHAT]
kf_attributes() {
  set -f
  # shellcheck disable=SC2086
  set -- "$1" "$2" "$3" "$5" "$6" "$7" "${8-}" $4
  set +f
  # $8 mode in hex, $9 uid, ${10} gid, ${11} links, ${12} device, ${13} inode
  case $8 in 8*) ;; *) kf_fail type "expected a regular file, found something else"; return 1 ;; esac # guard:fileset-type
  [ "${11}" = "$3" ] || { kf_fail links "expected a file with one name, found that it has another"; return 1; } # guard:fileset-links
  case $7 in
    '') ;;
    made*) [ "$7" = "made ${12}:${13}" ] || { kf_moved 'expected the file that this run made, found another'; return 1; } ;;
    *) kf_caught "${12} ${13}" "${7#token }" || return 1 ;; # guard:fileset-inode
  esac
  # who could write may hold it open: no chown takes that away
  if [ "$9" != 0 ] || [ "$((0x$8 & 18))" != 0 ]; then kf_untrusted "$1" "$4" "$5" "$8" "$9" "${10}" || return 1; fi # guard:fileset-writer
  kf_try owner chown -- "$4" "$2" && kf_try mode chmod "$5" "$2" || return 1
  kf_row="$8 $9 "
  case $6$7 in ?*) kf_strip "$6" "$2" && kf_try mode chmod "$5" "$2" ;; esac
}

# kf_caught 'DEV INO' TOKEN
kf_caught() {
  kf_x=$1
  set -f
  # shellcheck disable=SC2086
  set -- $2
  set +f
  [ "$5 $6" = "$kf_x" ] || kf_moved 'expected the file that was probed, found another'
}

# kf_untrusted STAGE OWNER:GROUP MODE HEX UID GID: fine only where each who could write may still write afterwards.
# The octal mode is read by its digits: mksh takes no leading zero for octal.
kf_untrusted() {
  true >"$1/o"
  kf_try owner chown -- "$2" "$1/o" || return 1
  kf_x=$(stat -c %u:%g "$1/o")
  rm -f "$1/o"
  kf_y=
  case $3 in *[2367]?) kf_y=group$6 ;; esac
  case $3 in *[2367]) kf_y=${kf_y}other ;; esac
  if [ "$5" != 0 ] && [ "$5" != "${kf_x%:*}" ]; then
    :
  elif [ "$((0x$4 & 16))" != 0 ] && [ "${kf_y%other}" != "group${kf_x#*:}" ]; then
    :
  elif [ "$((0x$4 & 2))" = 0 ] || [ "${kf_y%other}" != "$kf_y" ]; then
    return 0
  fi
  kf_fail trust 'expected a file that only root could write, found one that others may still hold open for writing; it must be replaced, not re-owned'
}
