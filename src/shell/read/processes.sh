# shellcheck shell=sh disable=SC2034,SC2154
# Live processes. Sent with the frames that ask for them; uses what prelude.sh defines.
# A process chooses its name, its arguments and, in a mount namespace of its own, all that its paths lead to: it is found
# by what systemd or the kubelet say of it, and nothing of its own is ever run.

# kf_lives: `NUMBER PID TICKS` of each process that was found, one a line; NUMBER is that of the question. It starts empty in
# each frame.

# kf_ticks_of PID: kf_x, when it started. Its name stands before and may hold anything, line breaks too.
kf_ticks_of() {
  kf_x=
  { while IFS= read -r kf_y || [ -n "$kf_y" ]; do kf_x=$kf_x$kf_y' '; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  kf_x=${kf_x##*) }
  set -f
  # shellcheck disable=SC2086
  set -- $kf_x
  set +f
  [ "$#" -ge 20 ] || return 1
  shift 19
  kf_x=$1
}

# kf_live_row PID: kf_row, all that may not change while we look: start, ids, capabilities; then device and inode of its
# program, of its user and mount namespaces, and of our own. The name in `status` is escaped, that of `stat` is not.
kf_live_row() {
  kf_ticks_of "$1" || return 1
  kf_row=$kf_x$NL
  { while IFS= read -r kf_y; do
    case $kf_y in Uid:* | Gid:* | Groups:* | Cap*:* | NoNewPrivs:*) kf_row=$kf_row$kf_y$NL ;; esac
  done <"/proc/$1/status"; } 2>/dev/null || return 1
  kf_row=$kf_row$(cd "/proc/$1" 2>/dev/null &&
    stat -L -c 'File: %d:%i' exe ns/user ns/mnt /proc/self/ns/user /proc/self/ns/mnt 2>/dev/null)
}

# The ids of our own user namespace: mapped to themselves in that of the kernel's start.
kf_idmap() { kf_f idmap "$(cat /proc/self/uid_map 2>/dev/null)"; }

# kf_live NUMBER PID CONTAINER
kf_live() {
  kf_live_row "$2" || return 0
  kf_lives=$kf_lives$1\ $2\ ${kf_row%%"$NL"*}$NL
  kf_y=
  # a list of mounts may be endless
  # shellcheck disable=SC3013
  [ "/proc/$2/ns/mnt" -ef /proc/self/ns/mnt ] || kf_y=$(kf_limited 5 head -c 131072 "/proc/$2/mountinfo" 2>/dev/null </dev/null)
  kf_f live "$1" "$2" "$3" "$kf_row" "$(readlink "/proc/$2/exe" 2>/dev/null; echo .)" "$kf_y"
}

# kf_live_unit NUMBER UNIT
kf_live_unit() {
  kf_main_of "$2"
  case $kf_main in
    '') kf_f found "$1" 'systemctl did not tell its main process' ;;
    *)
      kf_f found "$1" ''
      [ "$kf_main" = 0 ] || kf_live "$1" "$kf_main" ''
      ;;
  esac
}

# kf_in_pod NAMESPACE POD CONTAINER: calls kf_each for each process of it, with kf_of kf_ticks kf_container. The
# kubelet's folder of logs tells which pods are so called, the control group whose a process is. A static pod has the node's
# name behind its own, and an id without dashes, which no pod of the API has.
kf_in_pod() {
  kf_pods='' kf_linked=
  for kf_p in "/var/log/pods/$1_$2"_* "/var/log/pods/$1_$2"-*_*; do
    kf_y=${kf_p##*_}
    kf_x=-
    [ "$kf_p" != "/var/log/pods/$1_$2_$kf_y" ] || kf_x=
    case $kf_y in '' | *[!0-9a-f-]*) continue ;; *-*) [ -z "$kf_x" ] || continue ;; esac
    [ -d "$kf_p" ] || continue
    # systemd has no dash in a name
    kf_x=
    while :; do
      case $kf_y in *-*) kf_x="$kf_x${kf_y%%-*}[-_]" kf_y=${kf_y#*-} ;; *) break ;; esac
    done
    kf_pods=$kf_pods\|$kf_x$kf_y
    kf_y=${kf_p##*/}
    for kf_x in "/var/log/containers/$(kf_pod_name "$kf_y" "$1")_$1_"*; do
      [ ! -L "$kf_x" ] || kf_linked=yes
    done
  done
  [ -n "$kf_pods" ] || return 0
  kf_pods="^[0-9]+:[^:]*:/kube(pods|let)[^ ]*pod(${kf_pods#?})(\.slice)?/"
  # shellcheck disable=SC2013
  for kf_p in $(grep -lE -e "$kf_pods" /proc/[0-9]*/cgroup 2>/dev/null); do
    kf_of=${kf_p#/proc/}
    kf_of=${kf_of%/cgroup}
    kf_ticks_of "$kf_of" || continue
    kf_ticks=$kf_x
    kf_container_of "$kf_of" "$1" || continue
    [ -z "$3" ] || [ -z "$kf_container" ] || [ "$kf_container" = "$3" ] || continue
    kf_each
  done
}

# kf_live_pod NUMBER NAMESPACE POD CONTAINER
kf_live_pod() {
  kf_number=$1
  shift
  kf_f found "$kf_number" ''
  kf_each() { kf_live "$kf_number" "$kf_of" "$kf_container"; }
  kf_in_pod "$@"
}

# kf_pod_name NAMESPACE_POD_ID NAMESPACE
kf_pod_name() {
  kf_x=${1#"$2"_}
  echo "${kf_x%_*}"
}

# kf_container_of PID NAMESPACE: kf_container, by the link to its log that has its id at the end. Fails for the sandbox of a
# pod, which has no log; where the kubelet made no such links at all, it is told by its program.
kf_container_of() {
  kf_container=''
  kf_x=$(grep -m 1 -oE -e "${kf_pods}[^/]*" "/proc/$1/cgroup" 2>/dev/null) || return 1
  kf_x=${kf_x##*/}
  kf_x=${kf_x%.scope}
  kf_x=${kf_x##*-}
  case $kf_x in '' | *[!0-9a-f]*) return 1 ;; esac
  for kf_y in /var/log/containers/*"_$2_"*"-$kf_x.log"; do
    [ -L "$kf_y" ] || continue
    kf_container=${kf_y##*_}
    kf_container=${kf_container%"-$kf_x.log"}
    return 0
  done
  [ -z "$kf_linked" ] || return 1
  case $(readlink "/proc/$1/exe" 2>/dev/null) in */pause) return 1 ;; esac
}

# The same processes again, after all else.
kf_lives_again() {
  set -f
  IFS=$NL
  for kf_p in $kf_lives; do
    IFS=$kf_ifs
    kf_n=${kf_p%% *} kf_p=${kf_p#* }
    kf_p=${kf_p%% *}
    kf_live_row "$kf_p" || kf_row=
    kf_f again "$kf_n" "$kf_p" "$kf_row"
    set -f
    IFS=$NL
  done
  set +f
  IFS=$kf_ifs
}

# kf_pids QUESTION: prints the processes that it found
kf_pids() {
  kf_todo=$kf_lives
  while [ -n "$kf_todo" ]; do
    kf_x=${kf_todo%%"$NL"*} kf_todo=${kf_todo#*"$NL"}
    [ "${kf_x%% *}" != "$1" ] || { kf_x=${kf_x#* }; echo "${kf_x%% *}"; }
  done
}

# kf_clock: when the kernel says it booted, in seconds since the epoch
kf_clock() {
  kf_boot=
  while read -r kf_x kf_y; do
    [ "$kf_x" != btime ] || kf_boot=$kf_y
  done </proc/stat
  kf_f clock "$kf_boot"
}

# kf_argv_of PID: kf_out, one argument a line. Reading them waits for the process, which may hold that up.
# shellcheck disable=SC2016
kf_argv_of() { kf_run 5 65536 /bin/sh -c 'tr "\n\0" " \n" <"$1"' sh "/proc/$1/cmdline"; }

# kf_sees PID PATH: kf_y, device and inode of what the process has at the path, without links
kf_sees() {
  kf_p=/proc/$1/root kf_x=${2#/} kf_y=
  while :; do
    kf_p=$kf_p/${kf_x%%/*}
    [ ! -L "$kf_p" ] || return 0
    case $kf_x in */*) kf_x=${kf_x#*/} ;; *) break ;; esac
  done
  kf_y=$(kf_limited 5 stat -c %d:%i -- "$kf_p" 2>/dev/null </dev/null)
}

# kf_about NUMBER PATH: what the processes of that question were started with, and what they see at the path, if one is given
kf_about() {
  for kf_of in $(kf_pids "$1"); do
    kf_y=
    [ -z "$2" ] || kf_sees "$kf_of" "$2"
    kf_argv_of "$kf_of"
    kf_f about "$1" "$kf_of" "$kf_out" "$kf_y"
  done
}

# kf_test_started BEFORE WORD NAMESPACE POD CONTAINER: BEFORE: pid:ticks of those that ran; WORD: among its arguments, unless it
# is empty. A process that ends at once does not count.
kf_test_started() {
  kf_answer=no kf_detail='no process of it was started since' kf_old=" $1 " kf_word=$2
  read -r kf_up kf_x </proc/uptime
  kf_up=${kf_up%%.*}
  shift 2
  kf_each() {
    case $kf_old in *" $kf_of:$kf_ticks "*) return 0 ;; esac
    kf_argv_of "$kf_of"
    [ -z "$kf_word" ] || case $NL$kf_out in *"$NL$kf_word$NL"*) ;; *) return 0 ;; esac
    # its pid may be another's by now
    kf_ticks_of "$kf_of" && [ "$kf_x" = "$kf_ticks" ] || return 0
    if [ "$((kf_up - kf_ticks / 100))" -ge 5 ]; then kf_answer=yes kf_detail=; else kf_detail='it was started just now'; fi
  }
  kf_in_pod "$@"
}
