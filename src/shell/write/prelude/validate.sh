# shellcheck shell=sh disable=SC2034,SC2154
# --- validation of a staged file ---

# kf_valid ARGV...: as root, on the file in the stage
kf_valid() {
  kf_run 60 4096 "$@"
  [ "$kf_status" = 0 ] || kf_fail validate "expected the check to accept the file, found exit status $kf_status: $kf_out"
}

# kf_valid_as ANCHOR STAGED NAME ARGV...: as kf_uid, kf_gid, kf_groups. The stage holds more than this file and is
# for root alone, so the file goes through a folder of its own, which members of that identity's own group may only
# pass through, and only while the check runs. ARGV: the path is kf_staged.
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

kf_valid_as() {
  kf_as_seconds=60
  kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- "$@"
  [ "$kf_status" = 0 ] || kf_fail validate "expected the check to accept the file as uid $kf_uid, found exit status $kf_status: $kf_out"
}
