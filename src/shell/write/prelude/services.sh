# shellcheck shell=sh disable=SC2034,SC2154
# --- units, waiting, commands ---

kf_systemctl() {
  kf_try unit timeout -s KILL 60 systemctl --no-ask-password --no-pager "$@"
}

kf_now() {
  read -r kf_now kf_x </proc/uptime
  kf_now=${kf_now%%.*}
}

kf_nap() { sleep 0.2 2>/dev/null || sleep 1; }

# kf_unit UNIT VERB WITHIN READY ARGUMENT ADDRESSES FILE...: FILEs are what this start is made with. A start that succeeds lets
# go what was kept for it; one that fails brings that back.
kf_unit() {
  case $2 in
    start | restart) ;;
    *)
      kf_unit_run "$@"
      return
      ;;
  esac
  if kf_unit_run "$@"; then kf_let_go "$1"; else kf_roll_back "$@"; fi
}

kf_unit_run() {
  cd /
  kf_here=
  kf_now
  kf_until=$((kf_now + $3))
  case $2 in
    start | restart)
      kf_sums=
      if [ "$#" -gt 6 ]; then kf_record "$@"; fi
      ;;
    stop) rm -f "$kf_dir/started/$1" ;;
  esac
  kf_run "$3" 4096 systemctl --no-ask-password "$2" -- "$1"
  case $kf_status in
    0) ;;
    137)
      kf_fail unit "expected $1 to $2 within $3 s, found that it did not"
      return 1
      ;;
    *)
      kf_x=$(systemctl show -p Result --value -- "$1" 2>/dev/null)
      kf_fail unit "expected $1 to $2, found exit status $kf_status (result: $kf_x): $kf_out"
      return 1
      ;;
  esac
  [ "$2" != stop ] || return 0
  kf_ready "$1" "$4" "$5" "$3" "$6" || return 1
  case $2 in start | restart) ;; *) return 0 ;; esac
  if ! kf_f "$kf_invocation" "$kf_sums" | tr '\0' '\n' >"$kf_dir/started/.new"; then
    kf_fail record "cannot write below $kf_dir/started"
    return 1
  fi
  kf_try record mv -f "$kf_dir/started/.new" "$kf_dir/started/$1"
}

# Hashed before the start: what is written later is not what runs. A deadline, for the folder may be contested.
kf_record() {
  shift 6
  for kf_x do
    shift
    [ ! -f "$kf_x" ] || set -- "$@" "$kf_x"
  done
  [ "$#" != 0 ] || return 0
  kf_run 20 262144 sha256sum -- "$@"
  [ "$kf_status" = 0 ] || return 0
  for kf_y do
    kf_x=${kf_out%%"$NL"*}
    kf_x=${kf_x#\\}
    kf_sums="$kf_sums${kf_sums:+$NL}${kf_x%% *} $kf_y"
    kf_out=${kf_out#*"$NL"}
  done
}

# kf_state UNIT: kf_active, kf_result, kf_condition, kf_type, kf_invocation, kf_restarts, kf_main
kf_state() {
  kf_active='' kf_result='' kf_condition='' kf_checked='' kf_type='' kf_invocation='' kf_restarts='' kf_main=''
  kf_x=$(timeout -s KILL 10 systemctl show --no-pager -p ActiveState -p Result -p ConditionResult -p ConditionTimestampMonotonic \
    -p Type -p InvocationID -p NRestarts -p MainPID -- "$1" 2>/dev/null </dev/null)
  while [ -n "$kf_x" ]; do
    kf_y=${kf_x%%"$NL"*}
    case $kf_y in
      ActiveState=*) kf_active=${kf_y#*=} ;;
      Result=*) kf_result=${kf_y#*=} ;;
      ConditionResult=*) kf_condition=${kf_y#*=} ;;
      ConditionTimestampMonotonic=*) kf_checked=${kf_y#*=} ;;
      Type=*) kf_type=${kf_y#*=} ;;
      InvocationID=*) kf_invocation=${kf_y#*=} ;;
      NRestarts=*) kf_restarts=$kf_restarts$kf_y ;;
      MainPID=*) kf_main=${kf_y#*=} kf_restarts=$kf_restarts$kf_y ;;
    esac
    case $kf_x in *"$NL"*) kf_x=${kf_x#*"$NL"} ;; *) kf_x= ;; esac
  done
}

# While changes are made units come and go: the process of one is asked anew each time.
kf_main_asks=kf_state

# kf_unmet UNIT: did the unit not start because of a condition? systemd forgets a unit that is not running, and then
# says `no` of conditions that it never looked at; they are asked again.
kf_unmet() {
  [ "$kf_condition" = no ] || return 1
  [ "$kf_checked" = 0 ] && [ "$kf_type" = oneshot ] || return 0
  command -v systemd-analyze >/dev/null 2>&1 || return 1
  ! systemd-analyze condition --unit="$1" >/dev/null 2>&1 </dev/null
}

# kf_ready UNIT READY ARGUMENT WITHIN ADDRESSES: active, its own check answers, and not restarting. Without a check of its own
# it must stand still for a second: a service that crashes at once is active for a moment.
kf_ready() {
  kf_still=0 kf_before=
  while :; do
    kf_state "$1"
    case $kf_active in
      failed)
        kf_fail ready "expected $1 to be active, found it failed (result: $kf_result)"
        return 1
        ;;
      inactive)
        if kf_unmet "$1"; then
          kf_fail ready "expected $1 to start, found that a condition of the unit is not met"
          return 1
        fi
        [ "$kf_type:$kf_result" != oneshot:success ] || return 0
        ;;
    esac
    kf_why="it is $kf_active"
    if [ "$kf_active" = active ]; then
      if [ "$kf_restarts" = "$kf_before" ]; then kf_still=$((kf_still + 1)); else kf_still=0; fi
      kf_before=$kf_restarts
      kf_why='it keeps restarting'
      case $2 in
        active) [ "$kf_still" -lt 5 ] || return 0 ;;
        socket)
          kf_test_listens "$1" "$3"
          if [ "$kf_answer" = yes ]; then [ "$kf_still" -lt 2 ] || return 0; else kf_why=$kf_detail; fi
          ;;
        http)
          kf_test_unit_http "$1" "$3" "$5"
          if [ "$kf_answer" = yes ]; then [ "$kf_still" -lt 2 ] || return 0; else kf_why="$3: $kf_detail"; fi
          ;;
      esac
    fi
    kf_now
    if [ "$kf_now" -ge "$kf_until" ]; then
      kf_fail ready "expected $1 to be ready within $4 s, found: $kf_why"
      return 1
    fi
    kf_nap
  done
}

# kf_await WITHIN TEST...: TEST sets kf_answer and kf_detail
kf_await() {
  cd /
  kf_here=
  kf_now
  kf_until=$((kf_now + $1))
  kf_within=$1
  shift
  while :; do
    "$@"
    [ "$kf_answer" != yes ] || return 0
    kf_now
    if [ "$kf_now" -ge "$kf_until" ]; then
      kf_fail await "expected yes within $kf_within s, found: ${kf_detail:-$kf_answer}"
      return 1
    fi
    kf_nap
  done
}

# What is beyond the limit is read and dropped: who writes more must not die of it half-way.
# shellcheck disable=SC2016
kf_dropping='exec 4>&1
s=$({ { "$@" 3>&- 4>&-; echo "$?" >&3; } 2>&1 | { head -c 65536 >&4; cat >/dev/null; } 3>&-; } 3>&1)
exit "$s"'

# kf_command WITHIN ARGV...
kf_command() {
  cd /
  kf_here=
  kf_within=$1
  shift
  kf_run "$kf_within" 65536 /bin/sh -c "$kf_dropping" sh "$@"
  kf_commanded
}

# kf_command_as WITHIN ARGV...: as kf_uid, kf_gid, kf_groups
kf_command_as() {
  cd /
  kf_here=
  kf_as_seconds=$1
  shift
  kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- /bin/sh -c "$kf_dropping" sh "$@"
  kf_commanded
}

# kf_any is set where any exit status will do
kf_commanded() {
  kf_closed_ones=$NL
  kf_output=$kf_out kf_exit=$kf_status
  if [ -n "$kf_any" ]; then
    kf_any=
    return 0
  fi
  case $kf_status in
    0) ;;
    137) kf_fail command "expected exit status 0 in time, found that it was killed; output: $kf_out" ;;
    *) kf_fail command "expected exit status 0, found $kf_status; output: $kf_out" ;;
  esac
}
