# shellcheck shell=sh disable=SC2034,SC2154
# Processes of containers of static pods. Sent with the frames that ask for them; uses what prelude.sh defines.

# kf_processes NAME: calls kf_each for every process of the containers of that name in static pods, with kf_of kf_ticks
# kf_uids kf_gids kf_gs kf_users kf_pod kf_cid. Which pods these are kubelet's own folder says, and whose a process is its control
# group: its name, its user and its arguments are its own to choose.
kf_processes() {
  kf_pods=
  for kf_p in /var/lib/kubelet/pods/*/containers/"$1"; do
    kf_p=${kf_p%/containers/*}
    kf_p=${kf_p##*/}
    # those that come from the API server have dashes
    case $kf_p in *[!0-9a-f]*) ;; ????????????????????????????????) kf_pods="$kf_pods|$kf_p" ;; esac
  done
  [ -n "$kf_pods" ] || return 0
  kf_rows=$(grep -lE -- "^[0-9]+:[^:]*:/kube(pods|let)[^ ]*pod(${kf_pods#?})[./]" /proc/[0-9]*/cgroup 2>/dev/null)
  for kf_row in $kf_rows; do
    kf_of=${kf_row#/proc/}
    kf_of=${kf_of%/cgroup}
    # the same process before and after: a pid may be given anew in between
    kf_start_of "$kf_of" || continue
    kf_ticks=$kf_x
    if kf_pod_of "$kf_of" && kf_ids_of "$kf_of" && kf_start_of "$kf_of" && [ "$kf_x" = "$kf_ticks" ]; then kf_each; fi
  done
}

# kf_start_of PID: kf_x, when it started. Its name stands before and may hold anything, line breaks too.
kf_start_of() {
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

# kf_pod_of PID: kf_pod and kf_cid, if its control group is that of a pod of kf_pods
kf_pod_of() {
  { while IFS= read -r kf_x; do
    kf_x=${kf_x#*:*:}
    case $kf_x in /kubepods* | /kubelet*) ;; *) continue ;; esac
    # the container's own name may have a `pod` in it
    kf_cid=${kf_x##*/}
    kf_pod=${kf_x%/*}
    kf_pod=${kf_pod##*pod}
    kf_pod=${kf_pod%%[!0-9a-f]*}
    case $kf_pods in *"|${kf_pod:-none}"*) ;; *) continue ;; esac
    return 0
  done <"/proc/$1/cgroup"; } 2>/dev/null
  return 1
}

kf_ids_of() {
  kf_uids='' kf_gids='' kf_gs='' kf_users=other
  { while read -r kf_x kf_y; do
    case $kf_x in Uid:) kf_uids=$kf_y ;; Gid:) kf_gids=$kf_y ;; Groups:) kf_gs=$kf_y ;; esac
  done <"/proc/$1/status"; } 2>/dev/null || return 1
  # shellcheck disable=SC3013
  [ ! "/proc/$1/ns/user" -ef /proc/self/ns/user ] || kf_users=host
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

# kf_container NAME SEES
kf_container() {
  kf_boot='' kf_key=$1${2:+ $2} kf_path=$2
  while read -r kf_x kf_y; do
    [ "$kf_x" != btime ] || kf_boot=$kf_y
  done </proc/stat
  read -r kf_up kf_x </proc/uptime
  kf_f container "$kf_key" "$kf_boot" "${kf_up%%.*}"
  kf_each() {
    kf_y=
    [ -z "$kf_path" ] || kf_sees "$kf_of" "$kf_path"
    kf_argv_of "$kf_of"
    kf_f process "$kf_key" "$kf_of" "$kf_ticks" "$kf_uids" "$kf_gids" "$kf_gs" "$kf_users" "$kf_pod" "$kf_cid" "$kf_y" "$kf_out"
  }
  kf_processes "$1"
}

# kf_test_started NAME WORD PROCESS...: PROCESS is pid:ticks. One that ends at once does not count.
kf_test_started() {
  kf_answer=no kf_detail='no process of it was started since' kf_word=$2
  read -r kf_up kf_x </proc/uptime
  kf_up=${kf_up%%.*}
  kf_x=$1
  shift 2
  kf_old=" $* "
  kf_each() {
    case $kf_old in *" $kf_of:$kf_ticks "*) return 0 ;; esac
    kf_argv_of "$kf_of"
    case $NL$kf_out in *"$NL$kf_word$NL"*) ;; *) return 0 ;; esac
    if [ "$((kf_up - kf_ticks / 100))" -ge 5 ]; then kf_answer=yes kf_detail=; else kf_detail='it was started just now'; fi
  }
  kf_processes "$kf_x"
}
