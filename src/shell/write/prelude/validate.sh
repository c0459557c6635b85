# shellcheck shell=sh disable=SC2034,SC2154
# --- validation of a staged file ---

kf_exist() {
  for kf_x do
    [ -e "$kf_x" ] || return 1
  done
}

# kf_valid EXCUSED ARGV...: as root, on the file in the stage
kf_valid() {
  kf_excused=$1
  shift
  kf_run 60 65536 "$@"
  kf_judge ''
}

# kf_hand_over ANCHOR STAGE NAME: to kf_uid, kf_gid, kf_groups. The stage holds more than this file and is for root
# alone, so the file goes through a folder of its own, which members of that identity's own group may only pass through,
# and only while the check runs. Its path is kf_staged.
kf_hand_over() {
  kf_try validate mktemp -d "${1%/}/.kmsfleet.XXXXXXXX" || return 1
  kf_hand=$kf_detail
  kf_sane "$kf_hand" || return 1
  rm -f "$kf_hand/.a" "$kf_hand/.b"
  kf_try validate mv -f "$2/$3" "$kf_hand/" || return 1
  kf_try validate chown "0:$kf_gid" "$kf_hand" && kf_try validate chmod 00710 "$kf_hand" || return 1
  kf_staged=$kf_hand/$3
}

kf_hand_back() {
  kf_try validate chmod 00700 "$kf_hand" && kf_try validate mv -f "$kf_hand/$2" "$1/" || return 1
  rm -rf "$kf_hand"
  kf_hand=
}

# kf_through FILE PATH: what was handed over is for PATH; kf_staged becomes a copy of FILE that names it in place of PATH,
# or empty where FILE names no PATH. FILE is read as the identity, which so sees nothing that it could not see before.
kf_through() {
  kf_as_seconds=60
  kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- cat -- "$1"
  if [ "$kf_status" != 0 ]; then kf_fail validate "expected uid $kf_uid to read $1, found exit status $kf_status: $kf_out"; return 1; fi
  kf_x=$kf_staged kf_staged='' kf_y=''
  while :; do
    case $kf_out in
      *"$2"*) kf_y=$kf_y${kf_out%%"$2"*}$kf_x kf_out=${kf_out#*"$2"} kf_staged=$kf_hand/.through ;;
      *) break ;;
    esac
  done
  [ -n "$kf_staged" ] || return 0
  kf_text "$kf_y$kf_out" >"$kf_staged" || { kf_fail validate "cannot write $kf_staged"; return 1; }
  kf_try validate chown "0:$kf_gid" "$kf_staged" && kf_try validate chmod 00640 "$kf_staged"
}

# kf_valid_as EXCUSED ARGV...: as kf_uid, kf_gid, kf_groups
kf_valid_as() {
  kf_excused=$1
  shift
  kf_as_seconds=60
  kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- "$@"
  kf_judge " as uid $kf_uid"
}

# kf_judge WHO: kf_status and kf_out of a program. Where it reports single checks, those that are not excused are told,
# and it is accepted where there are others only; a report that was cut short excuses nothing.
kf_judge() {
  [ "$kf_status" = 0 ] && return 0
  if [ "$kf_status" = 4 ]; then
    kf_reported
    if [ -n "$kf_y" ]; then
      kf_unexcused
      if [ -z "$kf_z" ] && [ "${#kf_out}" -lt 65536 ]; then return 0; fi
      [ -z "$kf_z" ] || kf_out=$kf_z
    fi
  fi
  kf_out=$(kf_text "$kf_out" | head -c 4096)
  kf_fail validate "expected the check to accept the file$1, found exit status $kf_status: $kf_out"
}

# kf_reported: kf_y has a line `ID MESSAGE` of each failed check in kf_out, `?` where it tells no id. In JSON a quote
# within a text has a backslash before it, so that no message can pass for a key; a brace in one only cuts a check in two.
kf_reported() {
  kf_out=${kf_out%"$NL"}
  kf_y=$(kf_text "$kf_out" | tr '{\n\t' '\n  ' | sed -n '/"status" *: *"fail"/{
s/.*"id" *: *"\([a-z0-9_.]*\)".*"message" *: *"\([^"]*\).*/\1 \2/p
t
s/.*"id" *: *"\([a-z0-9_.]*\)".*/\1 /p
t
s/.*/? /p
}')
}

# kf_unexcused: those of kf_y that kf_excused does not name are kf_z, on one line
kf_unexcused() {
  kf_z='' kf_y=$kf_y$NL
  while [ -n "$kf_y" ]; do
    kf_x=${kf_y%%"$NL"*} kf_y=${kf_y#*"$NL"}
    case " $kf_excused " in
      *" ${kf_x%% *} "*) ;;
      *) kf_z="$kf_z${kf_z:+; }${kf_x%% *} (${kf_x#* })" ;;
    esac
  done
}
