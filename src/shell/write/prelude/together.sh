# shellcheck shell=sh disable=SC2034,SC2154
# --- neighbours ---
# New things that go into one directory one after the other: where it is closed they wait for each other and are put
# there by one program. Each is a change of its own still: begun, guarded and reported, and none is begun after a stop
# or after one that failed.

kf_waiting='' kf_waits=' ' kf_labels=''

# kf_wait STAGED NAME: STAGED/NAME will be put into the directory that is entered, where nothing of that name may be
kf_wait() {
  if [ -z "$kf_closed" ]; then kf_place "$1" "$2" absent .; return; fi # guard:wait-closed
  kf_expect absent "./$2" || return 1 # guard:wait-expect
  kf_waiting=$kf_waiting$1/$2$NL kf_waits="$kf_waits$kf_id "
}

# kf_later STATUS LABEL: kf_end for a change that may wait
kf_later() {
  case $1$kf_waits in
    0*" $kf_id ") kf_labels=$kf_labels$2$NL ;;
    *) kf_end "$@" ;;
  esac
}

# kf_together: puts all that waits, and ends these changes. What was not put is still in the stage.
kf_together() {
  [ -n "$kf_waiting" ] || return 0
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  set -- $kf_waiting
  IFS=$kf_ifs
  set +f
  kf_waiting='' kf_waits=${kf_waits# } kf_y=0
  kf_try place mv -f "$@" ./
  for kf_x do
    kf_id=${kf_waits%% *} kf_waits=${kf_waits#* }
    kf_label=${kf_labels%%"$NL"*} kf_labels=${kf_labels#*"$NL"}
    if [ -e "$kf_x" ] || [ -L "$kf_x" ]; then kf_end 1 || kf_y=1; else kf_end 0 "$kf_label"; fi
  done
  kf_waits=' '
  return "$kf_y"
}
