# shellcheck shell=sh disable=SC2034,SC2154
# --- changes ---

# kf_start ID HANDLER...: debts are written before anything is changed
kf_start() {
  kf_id=$1
  shift
  kf_says='' kf_output='' kf_exit='' kf_any=''
  if [ -e "$kf_dir/stop" ] && read -r kf_x <"$kf_dir/stop" && [ "$kf_x" = "$kf_stop" ]; then kf_mark stopped "$kf_id"; return 1; fi # guard:stop
  for kf_x do
    if ! true >"$kf_dir/owed/$kf_x"; then
      kf_mark failed "$kf_id" owe "cannot write $kf_dir/owed/$kf_x"
      return 1
    fi
  done 2>/dev/null
  # where nobody listens any more nothing more is begun
  kf_mark doing "$kf_id" || exit 1
}

# kf_end STATUS LABEL HANDLER...
kf_end() {
  if [ "$1" != 0 ]; then
    if [ "$kf_says" = conflict ]; then kf_mark conflict "$kf_id" "$kf_detail"; else kf_mark failed "$kf_id" "$kf_step" "$kf_detail"; fi
    return 1
  fi
  kf_log="$kf_log$2$NL"
  shift 2
  for kf_x do
    shift
    set -- "$@" "$kf_dir/owed/$kf_x"
  done
  [ "$#" = 0 ] || rm -f "$@"
  kf_mark 'done' "$kf_id" "$kf_exit" "$kf_output" || exit 1
}

kf_syslog() {
  [ -n "$kf_log" ] && kf_has logger || return 0
  kf_text "$kf_log" | timeout -s KILL 5 logger -t kmsfleet >/dev/null 2>&1
}
