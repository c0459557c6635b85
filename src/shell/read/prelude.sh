# shellcheck shell=sh
# Functions that the first frame of a session defines in the resident shell. They only read: what changes a host is
# in the write side's prelude, which lives in a subshell of its frame. Callers: the read compiler and the write side.
# POSIX sh as dash, bash, busybox ash and mksh run it, with GNU or busybox tools. No here-documents: bash and mksh
# put them in /tmp. No line may start inside a quoted string with blanks or `#` that matter: the sender strips them.
# Globals start with kf_. Functions meant for the write side:
#   kf_f FIELD...                      prints fields, each ended by NUL
#   kf_mark WORD FIELD...              starts a record
#   at DIR [DEV:INO]                   enters a directory, pinned
#   kf_token PATH                      prints the token that the decoder keeps for PATH
#   kf_digest DIR NAME MAXSIZE         prints the SHA-256 of a regular file whose directory may be hostile
#   kf_identity USER                   sets kf_uid kf_gid kf_groups kf_account
#   kf_as UID GID GROUPS -- ARGV...    runs as another identity, sets kf_out kf_status
#   kf_run SECONDS CAP ARGV...         runs as root, sets kf_out kf_status
#   kf_test_reach SOCKET, kf_test_http URL, kf_test_exists PATH, kf_test_absent PATH, kf_test_renewed PATH TOKEN,
#   kf_test_run ARGV..., kf_test_prints WORD ARGV..., kf_test_unit_http UNIT URL ADDRESSES, kf_test_listens UNIT SOCKET
#                                      set kf_answer (yes, no, unknown) and kf_detail

NL='
'
kf_ifs=$IFS
: "${kf_nonce=}" "${kf_list=}" "${kf_account=}"
kf_format='%f %u %g %h %d %i %s %Y %z'

# printf is no builtin of mksh: an argv would show the fields to every local user.
if [ -n "${KSH_VERSION-}" ]; then
  kf_f() {
    for kf_x do
      # shellcheck disable=SC3045,SC2039
      print -rn -- "$kf_x"
      print -n '\0'
    done
  }
else
  kf_f() { printf '%s\0' "$@"; }
fi

kf_mark() { kf_f "@$kf_nonce" "$@"; }

# bash and mksh work out the builtin `pwd -P` from the string and can be fooled by a race; a program asks the kernel.
kf_pwd=/bin/pwd
[ -x "$kf_pwd" ] || kf_pwd=/usr/bin/pwd

# `[ -w ]` is access(2), which knows read-only mounts and immutable files, except in busybox, which reads mode bits.
kf_access=yes
if [ -z "${BASH_VERSION-}${KSH_VERSION-}" ] && command -v '[[' >/dev/null 2>&1; then kf_access=no; fi

kf_tools=
for kf_x in apk chroot curl dpkg-query getent getfacl lsattr rpm runuser setfacl setpriv sha256sum su systemctl \
  timeout wget busybox bash useradd groupadd usermod gpasswd groupmod adduser addgroup userdel groupdel deluser delgroup systemd-sysusers \
  systemd-tmpfiles flock logger chattr sync matchpathcon chcon; do
  if command -v "$kf_x"; then kf_tools="$kf_tools $kf_x"; fi
done >/dev/null 2>&1
kf_tools="$kf_tools "
kf_has() { case $kf_tools in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# The timeout of busybox leaves a watcher that keeps the output open for up to a second.
kf_timeout=timeout
IFS=:
for kf_x in $PATH; do
  # shellcheck disable=SC3013
  if [ -x "$kf_x/timeout" ]; then
    [ ! "$kf_x/timeout" -ef "$kf_x/busybox" ] && [ ! "$kf_x/timeout" -ef /bin/busybox ] || kf_timeout=
    break
  fi
done
IFS=$kf_ifs

# kf_limited SECONDS ARGV...: kills the program itself with KILL; status 137 then. With kf_exec=exec it takes the place
# of the subshell that calls it, which spares a process.
kf_exec=
if [ -n "$kf_timeout" ]; then
  kf_limited() { $kf_exec timeout -s KILL "$@"; }
else
  kf_limited() {
    kf_limit=$1
    shift
    # a program in the background gets /dev/null unless its input is handed to it
    { "$@" <&9 9<&- & } 9<&0
    kf_pid=$!
    {
      trap 'kill "$kf_sleep"; exit' TERM
      sleep "$kf_limit" &
      kf_sleep=$!
      wait "$kf_sleep" && kill -9 "$kf_pid"
    } >/dev/null 2>&1 3>&- 4>&- &
    kf_watch=$!
    wait "$kf_pid"
    kf_limit=$?
    kill "$kf_watch"
    return "$kf_limit"
  }
fi

kf_machine=
[ -r /proc/sys/kernel/arch ] || kf_machine=$(uname -m 2>/dev/null)

kf_me=
while read -r kf_x kf_y _; do
  if [ "$kf_x" = Uid: ]; then
    kf_me=$kf_y
    break
  fi
done </proc/self/status

# `echo .` keeps a newline that ends the name from being stripped.
at() {
  cd -P "$1" && [ "$("$kf_pwd" -P; echo .)" = "$1$NL." ] || return 1
  [ -z "${2-}" ] || [ "$(stat -c %d:%i .)" = "$2" ]
}

kf_token() {
  kf_x=$(stat -c "$kf_format" "$1") || return 1
  case $kf_x in
    4???\ *)
      # shellcheck disable=SC2086
      set -- $kf_x
      kf_x="$1 $2 $3 $5 $6"
      ;;
  esac
  printf '%s\n' "$kf_x"
}

# Runs in a child of its own under KILL: an owner can stall open(2) with a lease or a FIFO, or grow the file.
# The shell itself opens, and becomes sha256sum, so that the process which can stall is the one that is killed.
# `3<&3`: mksh closes descriptors above 2 when it starts a program.
# shellcheck disable=SC2016
kf_digest_child='cd -P "$1" && [ "$("$4" -P; echo .)" = "$1$5." ] || exit 40
[ -f "./$2" ] && [ ! -L "./$2" ] || exit 41
exec 3<"./$2" || exit 42
a=$(stat -L -c "%d:%i:%f:%s" /proc/self/fd/3 3<&3) && b=$(stat -c "%d:%i" "./$2") || exit 43
case $a in "$b:8"*) ;; *) exit 43 ;; esac
[ "${a##*:}" -le "$3" ] || exit 44
exec sha256sum <&3'
# kf_digest_to_x DIR NAME MAXSIZE: the same into kf_x
kf_digest_to_x() {
  kf_x=$(kf_exec='exec'; kf_limited 10 /bin/sh -c "$kf_digest_child" sh "$1" "$2" "$3" "$kf_pwd" "$NL" </dev/null 2>/dev/null) ||
    return "$?"
  kf_x=${kf_x%% *}
}
kf_digest() { kf_digest_to_x "$@" && printf '%s\n' "$kf_x"; }

# Status and output come back apart: descriptor 3 is the captured output, 4 the status. The program itself gets
# neither, nor standard input. `head` has a deadline too: a grandchild may keep the pipe open for ever.
kf_run() {
  kf_seconds=$1 kf_cap=$2
  shift 2
  kf_out=$(
    {
      kf_x=$(
        {
          {
            kf_limited "$kf_seconds" "$@" </dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
            echo "$?" >&4
          } | kf_limited "$((kf_seconds + 1))" head -c "$kf_cap" >&3 4>&-
        } 4>&1
      )
    } 3>&1 2>/dev/null
    printf '.%s' "$kf_x"
  )
  kf_status=${kf_out##*.}
  kf_out=${kf_out%.*}
  [ -n "$kf_status" ] || kf_status=137
}

# How this host changes identity; found out once, when first needed. An ambient capability that the target uid lacks
# keeps its other processes from tracing ours: answers are then not self-reported. It must be of no use to who has it:
# wake_alarm wakes the machine from sleep, net_broadcast is asked for by nothing (capabilities(7)); where root itself is
# confined, as in a container, it may have the one and not the other.
kf_as_how='' kf_as_guard='' kf_as_by=kf_run
kf_as_find() {
  if kf_has setpriv; then
    for kf_as_guard in wake_alarm net_broadcast; do
      kf_as_how="setpriv --inh-caps=-all,+$kf_as_guard --ambient-caps=-all,+$kf_as_guard"
      # shellcheck disable=SC2086
      [ "$($kf_as_how --reuid 65534 --regid 65534 --clear-groups -- echo ok </dev/null 2>/dev/null)" = ok ] && return 0
    done
    kf_as_how='setpriv --inh-caps=-all'
    # busybox has a setpriv that cannot change identity
    # shellcheck disable=SC2086
    [ "$($kf_as_how --reuid 65534 --regid 65534 --clear-groups -- echo ok </dev/null 2>/dev/null)" = ok ] && return 0
  fi
  kf_as_how=chroot
  [ "$(chroot --skip-chdir --userspec=65534:65534 --groups= / /bin/echo ok </dev/null 2>/dev/null)" = ok ] && return 0
  kf_as_how=none
  if kf_has su; then kf_as_how=su; fi
}

# Is the identity exactly that of the account kf_account, so that su gives it?
kf_as_account() {
  [ -n "${kf_account-}" ] && [ "$kf_uid:$kf_gid:$kf_groups" = "$1:$2:$3" ]
}

# kf_as UID GID GROUPS -- ARGV...   GROUPS: decimal, comma separated, may be empty. Status 120: no way to do it.
kf_as() {
  [ -n "$kf_as_how" ] || kf_as_find
  kf_u=$1 kf_g=$2 kf_gs=$3
  shift 4
  case $kf_as_how in
    setpriv*)
      if [ -n "$kf_gs" ]; then kf_gs=--groups=$kf_gs; else kf_gs=--clear-groups; fi
      # shellcheck disable=SC2086
      "$kf_as_by" "${kf_as_seconds:-10}" 65536 $kf_as_how --reuid "$kf_u" --regid "$kf_g" "$kf_gs" -- "$@"
      ;;
    chroot) "$kf_as_by" "${kf_as_seconds:-10}" 65536 chroot --skip-chdir "--userspec=$kf_u:$kf_g" "--groups=$kf_gs" / "$@" ;;
    su)
      if kf_as_account "$kf_u" "$kf_g" "$kf_gs"; then
        # `--`: else su would take the options of the program for its own
        # shellcheck disable=SC2016
        "$kf_as_by" "${kf_as_seconds:-10}" 65536 su -s /bin/sh -c 'exec "$0" "$@"' -- "$kf_account" "$@"
      else
        kf_out='' kf_status=120
      fi
      ;;
    *) kf_out='' kf_status=120 ;;
  esac
}

# kf_identity USER: the account's ids from the local files, else from the name service.
kf_identity() {
  kf_account=$1 kf_uid='' kf_gid='' kf_groups=''
  while IFS=: read -r kf_n kf_x kf_u kf_g kf_x; do
    if [ "$kf_n" = "$1" ]; then
      kf_uid=$kf_u kf_gid=$kf_g
      break
    fi
  done </etc/passwd
  if [ -z "$kf_uid" ]; then
    kf_uid=$(kf_limited 5 id -u -- "$1" 2>/dev/null </dev/null) &&
      kf_gid=$(kf_limited 5 id -g -- "$1" 2>/dev/null </dev/null) &&
      kf_groups=$(kf_limited 5 id -G -- "$1" 2>/dev/null </dev/null) || return 1
    kf_groups=$(echo "$kf_groups" | tr ' ' ,)
    return 0
  fi
  kf_groups=$kf_gid
  while IFS=: read -r kf_n kf_x kf_g kf_m; do
    case ,$kf_m, in
      *,"$1",*) [ "$kf_g" = "$kf_gid" ] || kf_groups=$kf_groups,$kf_g ;;
    esac
  done </etc/group
}

# --- tests: each sets kf_answer and kf_detail ---

kf_test_exists() {
  kf_detail=
  if [ -e "$1" ] || [ -L "$1" ]; then kf_answer=yes; else kf_answer=no kf_detail='nothing is there'; fi
}

kf_test_absent() {
  kf_detail=
  if [ -e "$1" ] || [ -L "$1" ]; then kf_answer=no kf_detail='something is there'; else kf_answer=yes; fi
}

# kf_test_renewed PATH TOKEN
kf_test_renewed() {
  kf_answer=no kf_detail='nothing is there'
  if kf_x=$(kf_token "$1" 2>/dev/null); then
    kf_answer=yes kf_detail=
    [ "$kf_x" != "$2" ] || kf_answer=no kf_detail='it was not made anew'
  fi
}

kf_test_run() {
  kf_run 30 4096 "$@"
  case $kf_status in
    0) kf_answer=yes kf_detail= ;;
    124 | 137) kf_answer=unknown kf_detail="no exit within 30 s or killed; $kf_out" ;;
    *) kf_answer=no kf_detail="exit status $kf_status; $kf_out" ;;
  esac
}

# kf_test_prints WORD ARGV...: as nobody, who has nothing that a program could harm
kf_test_prints() {
  kf_word=$1
  shift
  kf_as 65534 65534 '' -- "$@"
  kf_answer=no kf_detail="exit status $kf_status; $kf_out"
  case $kf_status in
    0) ;;
    120) kf_answer=unknown kf_detail='no tool of this host can run it as another identity (setpriv, chroot --userspec)' ;;
    124 | 137) kf_answer=unknown ;;
  esac
  [ "$kf_status" = 0 ] || return 0
  kf_detail="it prints: $kf_out"
  set -f
  IFS=' ,:="	'$NL
  for kf_x in $kf_out; do
    if [ "$kf_x" = "$kf_word" ]; then kf_answer=yes kf_detail=; fi
  done
  IFS=$kf_ifs
  set +f
}

# Runs as the other identity: echo of who it is, the attempt, then a positive control of the same kind (an open for
# appending). Opening a socket never connects: ENXIO means that search and write were granted, EACCES that not.
# A path that this identity cannot even stat is opened for reading only: `>>` would make a file of it.
# shellcheck disable=SC2016
kf_reach_child='while read -r k v; do
case $k in Uid: | Gid: | Groups: | CapEff:) echo "$k" $v ;; esac
done </proc/self/status
echo try
if [ -S "$1" ]; then (exec 9>>"$1") 2>&1 && echo opened; else (exec 9<"$1") 2>&1 && echo opened; fi
echo tried
(exec 9>>/dev/null) && echo control'

# kf_test_reach SOCKET, as kf_uid, kf_gid, kf_groups
kf_test_reach() {
  kf_answer=unknown
  if [ ! -S "$1" ]; then
    kf_answer=no kf_detail='no socket is there'
    return
  fi
  kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- /bin/sh -c "$kf_reach_child" sh "$1"
  if [ "$kf_status" = 120 ]; then
    kf_detail='no tool of this host can take that identity (setpriv, chroot --userspec, su)'
    return
  fi
  case $kf_out in
    *"Uid: $kf_uid $kf_uid $kf_uid $kf_uid$NL"*try"$NL"*tried"$NL"control*) ;;
    *)
      kf_detail="the attempt did not run to its end as uid $kf_uid: $kf_out"
      return
      ;;
  esac
  case $kf_out in
    *"Gid: $kf_gid $kf_gid $kf_gid $kf_gid$NL"*) ;;
    *)
      kf_detail="the attempt ran with another gid: $kf_out"
      return
      ;;
  esac
  kf_x=${kf_out#*try"$NL"}
  kf_x=${kf_x%%"$NL"tried"$NL"*}
  case $kf_as_how in *ambient*) kf_detail= ;; *) kf_detail=' (self-reported)' ;; esac
  case $kf_x in
    *'No such device or address') kf_answer=yes ;;
    *'Permission denied' | *'Operation not permitted') kf_answer=no kf_detail="permission denied$kf_detail" ;;
    *) kf_detail="neither granted nor denied: $kf_x" ;;
  esac
}

kf_test_http() {
  kf_answer=no
  if kf_has curl; then
    kf_run 4 4096 curl -q -s -g -k -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 3 -- "$1"
    if [ "$kf_out" = 200 ]; then kf_answer=yes; fi
    kf_detail="HTTP status $kf_out"
    [ "$kf_out" != 000 ] || kf_detail="no answer (curl exit status $kf_status)"
  elif [ "${1%%:*}" = https ]; then
    kf_status=127 kf_detail='no tool of this host can ask over HTTPS (curl)'
  elif kf_has wget; then
    # busybox wget knows neither option; GNU wget must not follow a redirect to elsewhere
    kf_run 4 4096 wget -q -O /dev/null -T 3 -t 1 --max-redirect=0 --no-proxy "$1"
    case $kf_out in *'unrecognized option'* | *'invalid option'*) kf_run 4 4096 wget -q -O /dev/null -T 3 "$1" ;; esac
    if [ "$kf_status" = 0 ]; then kf_answer=yes; fi
    kf_detail="wget exit status $kf_status; $kf_out"
  elif kf_has busybox && kf_run 4 4096 busybox wget -q -O /dev/null -T 3 "$1" && [ "$kf_status" -ne 127 ]; then
    if [ "$kf_status" = 0 ]; then kf_answer=yes; fi
    kf_detail="wget exit status $kf_status; $kf_out"
  elif kf_has bash; then
    kf_x=${1#http://}
    kf_y=${kf_x%%/*}
    case $kf_y in *:*) ;; *) kf_y=$kf_y:80 ;; esac
    # bash writes line by line: a server that answers after the first has closed before the last
    # shellcheck disable=SC2016
    kf_run 4 4096 bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1
trap "" PIPE
printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$3" "$1" >&3 2>/dev/null
read -r _ status _ <&3 && echo "$status"' bash "${kf_y%:*}" "${kf_y##*:}" "${kf_x#"${kf_x%%/*}"}"
    if [ "$kf_out" = "200$NL" ]; then kf_answer=yes; fi
    kf_detail="HTTP status ${kf_out%"$NL"}"
  else
    kf_status=127 kf_detail='no tool of this host can ask (curl, wget, busybox, bash)'
  fi
  # 126 and up: not run, killed or crashed
  if [ "$kf_answer" = yes ]; then kf_detail=''; elif [ "$kf_status" -ge 126 ]; then kf_answer=unknown; fi
}

# --- who listens ---

# Any local user may listen at a port that nobody has, and say 200: an answer counts only from the unit's own process.

# kf_main_of UNIT: sets kf_main to the process that systemd has for it, by what kf_units was told; 0 or nothing: none. While
# changes are made that is old: the write side has kf_main_asks ask anew.
kf_main_asks=
kf_main_of() {
  if [ -n "$kf_main_asks" ]; then "$kf_main_asks" "$1"; return; fi
  kf_main='' kf_x=${kf_shown-}$NL$NL
  while [ -n "$kf_x" ]; do
    kf_y=$NL${kf_x%%"$NL$NL"*}$NL kf_x=${kf_x#*"$NL$NL"}
    kf_n=${kf_y#*"${NL}Names="}
    case " ${kf_n%%"$NL"*} " in
      *" $1 "*)
        kf_main=${kf_y#*"${NL}MainPID="}
        kf_main=${kf_main%%"$NL"*}
        return
        ;;
    esac
  done
}

# kf_at_port ADDRESSES: sets kf_inodes, those of the sockets that listen there.
kf_at_port() {
  kf_inodes=
  for kf_row in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$kf_row" ] || continue
    {
      read -r kf_x
      # 0A: it listens; such rows come first. 03: older kernels have those that are being accepted among them
      while read -r kf_x kf_y kf_x kf_p kf_x kf_x kf_x kf_x kf_x kf_n kf_x; do
        case $kf_p in 0A | 03) ;; *) break ;; esac
        case "$kf_p $1 " in 0A*" $kf_y "*) kf_inodes="$kf_inodes $kf_n" ;; esac
      done
    } <"$kf_row"
  done
}

# kf_at_path SOCKET [PID]: the same for a Unix socket, in the network namespace of the process. Flag 00010000: it listens.
# kf_accepted: inodes of what else bears its name and is connected, which are connections to it.
kf_at_path() {
  kf_inodes='' kf_accepted=''
  while read -r kf_x kf_x kf_x kf_y kf_x kf_st kf_n kf_p; do
    case "$kf_y $kf_p" in
      "00010000 $1") kf_inodes="$kf_inodes $kf_n" ;;
      "00000000 $1") case $kf_st:$kf_n in 03:0) ;; 03:*) kf_accepted="$kf_accepted $kf_n" ;; esac ;;
    esac
  done <"/proc/${2:-self}/net/unix"
}

# kf_holds PID INODE: has the process this socket open? By builtins where the kernel (5.14 and newer) writes the inode
# into fdinfo, else by one program.
kf_holds() {
  kf_x='' kf_y=''
  for kf_row in "/proc/$1/fdinfo"/*; do
    [ -S "/proc/$1/fd/${kf_row##*/}" ] || continue
    while read -r kf_x kf_y; do
      [ "$kf_x" != ino: ] || break
    done 2>/dev/null <"$kf_row"
    if [ "$kf_x" != ino: ]; then
      kf_x=older
      break
    fi
    [ "$kf_y" != "$2" ] || return 0
  done
  [ "$kf_x" = older ] || return 1
  kf_run 5 1048576 ls -ln "/proc/$1/fd"
  case $kf_out in *"-> socket:[$2]$NL"*) return 0 ;; *) return 1 ;; esac
}

# kf_held UNIT INODE: has a process of the unit this socket open: its main one, or another of its control group?
kf_held() {
  if kf_holds "$kf_main" "$2"; then return 0; fi
  kf_g=
  while IFS=: read -r kf_x kf_y kf_p; do
    case $kf_y:$kf_p in
      :*/"$1" | :*/"$1"/*) kf_g="$kf_g/sys/fs/cgroup$kf_p/cgroup.procs$NL/sys/fs/cgroup/unified$kf_p/cgroup.procs$NL" ;;
      name=systemd:*/"$1" | name=systemd:*/"$1"/*) kf_g="$kf_g/sys/fs/cgroup/systemd$kf_p/cgroup.procs$NL" ;;
    esac
  done 2>/dev/null <"/proc/$kf_main/cgroup"
  while [ -n "$kf_g" ]; do
    kf_u=${kf_g%%"$NL"*} kf_g=${kf_g#*"$NL"}
    [ -r "$kf_u" ] || continue
    while read -r kf_p; do
      if kf_holds "$kf_p" "$2"; then return 0; fi
    done <"$kf_u"
  done
  return 1
}

# kf_own UNIT all|one WHERE: are all sockets of kf_inodes (or at least one) the unit's? Sets kf_answer and kf_detail.
kf_own() {
  kf_answer=no kf_detail=
  case $1 in *.socket) kf_main=1 ;; esac
  case $kf_main in
    '' | 0 | *[!0-9]*)
      kf_detail="$1 has no process"
      return
      ;;
  esac
  if [ -z "$kf_inodes" ]; then
    kf_detail="nothing listens at $3"
    return
  fi
  for kf_i in $kf_inodes; do
    if kf_held "$1" "$kf_i"; then
      kf_answer=yes
      [ "$2" = all ] || break
    elif [ "$2" = all ]; then
      kf_answer=no
      break
    fi
  done
  [ "$kf_answer" = yes ] || kf_detail="who listens at $3 is no process of $1"
}

# kf_test_unit_http UNIT URL ADDRESSES, after kf_main_of: before and after, for a port changes hands while a unit restarts.
kf_test_unit_http() {
  kf_at_port "$3"
  kf_own "$1" all "$2"
  [ "$kf_answer" = yes ] || return 0
  kf_before_asking=$kf_inodes
  kf_test_http "$2"
  [ "$kf_answer" = yes ] || return 0
  kf_at_port "$3"
  kf_own "$1" all "$2"
  if [ "$kf_answer:$kf_inodes" != "yes:$kf_before_asking" ]; then
    kf_answer=no kf_detail="who listens at $2 changed while it was asked"
  fi
}

# kf_test_listens UNIT SOCKET, after kf_main_of. Others may have sockets of that name in file systems of their own.
kf_test_listens() {
  if [ ! -S "$2" ]; then
    kf_answer=no kf_detail='no socket is there'
    return
  fi
  kf_at_path "$2"
  kf_own "$1" one "$2"
}

# --- the fused probes ---

# kf_path FLAGS PATH MODE UID GID LINKS DEV INO SIZE ...: judges one stat row, without starting a process.
# FLAGS: `-` ancestor only; `o` our own folder, absent on most hosts; else a, then h<max> digest, t<max> text, b<max> bytes,
# c claims of a token, x certificates, F and D label of a file or directory. Sets of directories, newline separated:
# kf_good: nobody but root can change what stands in it. kf_safe: sticky ones too, good enough to pass through.
# kf_fixed: stands in a good one, so that its path leads nowhere else, though others may change what stands in it.
# kf_open: everybody can reach what stands in it.
kf_path() {
  kf_x=${2%/*}
  if [ "$2" = / ]; then
    kf_in=so
  elif [ "${kf_x:=/}" != "$kf_parent" ]; then
    # neighbours mostly have the same parent, which stood before them: safe, good, fixed, open?
    kf_parent=$kf_x kf_in=
    case $kf_safe in *"$NL$kf_parent$NL"*) kf_in=s ;; esac
    case $kf_good in *"$NL$kf_parent$NL"*) kf_in=${kf_in}g ;; esac
    case $kf_fixed in *"$NL$kf_parent$NL"*) kf_in=${kf_in}f ;; esac
    case $kf_open in *"$NL$kf_parent$NL"*) kf_in=${kf_in}o ;; esac
  fi
  case $3 in
    a???)
      case $1 in a*) kf_links=$kf_links$2$NL ;; esac
      return
      ;;
    4???)
      kf_plain=$kf_plain$2$NL
      case $kf_in in
        *s*)
          if [ "$4" = 0 ]; then
            if [ "$((0x$3 & 18))" = 0 ]; then
              kf_good=$kf_good$2$NL kf_safe=$kf_safe$2$NL
            elif [ "$((0x$3 & 512))" != 0 ]; then
              kf_safe=$kf_safe$2$NL
            fi
          fi
          ;;
      esac
      case $kf_in in *g*) kf_fixed=$kf_fixed$2$NL ;; esac
      case $kf_in in *o*) [ "$((0x$3 & 1))" = 0 ] || kf_open=$kf_open$2$NL ;; esac
      ;;
    8???)
      kf_plain=$kf_plain$2$NL
      case $1 in *p*) kf_owned=$kf_owned$2$NL ;; esac
      case $1 in
        *h*)
          kf_x=${1#*h}
          if [ "$9" -le "${kf_x%%[!0-9]*}" ]; then
            kf_tier=slow
            # a shell has seven descriptors to give
            case $kf_in in *f*) [ "$kf_leaf_count" -ge 7 ] || kf_tier=leaf ;; esac
            # sha256sum escapes names with a backslash; those go the way that sends no name
            case $2 in
              *\\*) ;;
              *)
                case $kf_in in
                  *g*)
                    kf_tier=guarded
                    [ "$4" != 0 ] || [ "$((0x$3 & 18))" != 0 ] || kf_tier=fast
                    ;;
                esac
                ;;
            esac
            case $kf_tier in
              slow) kf_slow=$kf_slow$9\ $2$NL ;;
              leaf)
                kf_leaves=$kf_leaves$9\ $2$NL kf_leaf_rows=$kf_leaf_rows${kf_row%% /*}$NL
                kf_leaf_count=$((kf_leaf_count + 1))
                ;;
              guarded) kf_guarded=$kf_guarded$2$NL ;;
              fast) kf_fast=$kf_fast$2$NL ;;
            esac
          fi
          ;;
      esac
      case $1 in
        *t*)
          kf_x=${1#*t}
          kf_x=${kf_x%%[!0-9]*}
          if [ "$9" -le "$kf_x" ] && [ "$((0x$3 & 4))" != 0 ] && [ "$4" = 0 ] && [ "$((0x$3 & 18))" = 0 ]; then
            case $kf_in in *g*o*) kf_texts=$kf_texts$2$NL ;; esac
          fi
          ;;
      esac
      case $1 in
        *c* | *x*)
          # whoever owns the directory may exchange the file, but not for one of root's
          if [ "$9" -le 65536 ] && [ "$4" = 0 ] && [ "$((0x$3 & 18))" = 0 ]; then kf_public=$kf_public$1\ $2$NL; fi
          ;;
      esac
      case $1 in
        *b*)
          # where it could be written by others it says nothing of what root put there
          if [ "$9" -le "${1#*b}" ] && [ "$4" = 0 ] && [ "$((0x$3 & 18))" = 0 ]; then
            case $kf_in in *g*) kf_bytes=$kf_bytes$2$NL ;; esac
          fi
          ;;
      esac
      ;;
    *)
      kf_plain=$kf_plain$2$NL
      return
      ;;
  esac
  [ -w "$2" ] || kf_frozen=$kf_frozen$2$NL
}

# What everybody may see of a credential: the middle part of a token, never its signature, or certificates up to a key,
# which has no business there. Opened as for a digest, in a child that can be killed; what was opened must be root's alone still.
# shellcheck disable=SC2016
kf_public_child='d=${1%/}
cd -P "${d:=/}" && [ "$("$4" -P; echo .)" = "$d$5." ] || exit 40
[ -f "./$2" ] && [ ! -L "./$2" ] || exit 41
exec 3<"./$2" || exit 42
a=$(stat -L -c "%d:%i:%u:%f:%s" /proc/self/fd/3 3<&3) && b=$(stat -c "%d:%i" "./$2") || exit 43
case $a in "$b:"*) ;; *) exit 43 ;; esac
m=${a%:*}
case $m in *:0:8???) ;; *) exit 43 ;; esac
[ "$((0x${m##*:} & 18))" = 0 ] || exit 44
[ "${a##*:}" -le 65536 ] || exit 44
case $3 in
*c*) head -c 65536 <&3 | sed -n "s/^eyJ[A-Za-z0-9_-]*\.\(eyJ[A-Za-z0-9_-]*\)\.[A-Za-z0-9_-]*$/\1/p" ;;
*) head -c 65536 <&3 | sed -n "/PRIVATE/q;/^-----BEGIN CERTIFICATE-----/,/^-----END/p" ;;
esac'

# Hashes files in directories that others can write but not exchange, then files that only root can exchange. What was
# opened must have the very row that stat gave for the name, to the nanosecond of its last change: it stood there as a
# regular file then, whatever the name led to since.
# sh FORMAT ROWS NUMBER PATH...: the first NUMBER paths are of the first kind; they get descriptors from 3.
# shellcheck disable=SC2016
kf_sums_child='format=$1 rows=$2 last=$(($3 + 2)) fd=3 fds= files=
shift 3
while [ "$fd" -le "$last" ]; do
[ -f "$1" ] && [ ! -L "$1" ] || exit 41
eval "exec $fd<\"\$1\"" || exit 42
fds="$fds $fd<&$fd" files="$files /proc/self/fd/$fd" fd=$((fd + 1))
shift
done
[ "$(eval "stat -L -c \"\$format\" $files $fds")" = "$rows" ] || exit 43
eval "exec sha256sum -- $files \"\$@\" $fds"'

# Sums of the lists kf_fast, kf_guarded and kf_leaves. A guarded file stands where only root can put files, a leaf does
# not, and the owner of either could stall the open with a lease: all are read together under a deadline. Where one
# stalls, went away or was exchanged, each is read on its own.
# shellcheck disable=SC2086
kf_sums() {
  set --
  for kf_p in $kf_leaves; do set -- "$@" "${kf_p#* }"; done
  if [ "$#" -gt 0 ]; then
    # not kf_x: mksh's kf_f takes it
    if kf_y=$(kf_exec='exec'; kf_limited 20 /bin/sh -c "$kf_sums_child" sh "$kf_format" "${kf_leaf_rows%"$NL"}" "$#" "$@" \
      $kf_fast $kf_guarded </dev/null 2>/dev/null); then
      kf_y=$kf_y$NL
      for kf_p do
        kf_f slow "$kf_p" "${kf_y%% *}"
        kf_y=${kf_y#*"$NL"}
      done
      kf_f sums "$kf_y"
      return
    fi
    kf_slow=$kf_leaves$kf_slow
  fi
  if [ -n "$kf_guarded" ]; then
    if kf_x=$(kf_exec='exec'; kf_limited 20 sha256sum -- $kf_fast $kf_guarded 2>/dev/null); then
      kf_f sums "$kf_x"
      return
    fi
    for kf_y in $kf_guarded; do kf_slow=${kf_slow}1099511627776\ $kf_y$NL; done
  fi
  [ -z "$kf_fast" ] || kf_f sums "$(sha256sum -- $kf_fast 2>/dev/null)"
}

# What ACLs there are: GNU ls shows a `+`, busybox ls knows none; and where links lead, which spares a program for each.
# Escaped names keep one path to a line, and -U keeps the order, so that the lines need not be told by their names. A
# blank in a name is escaped too: the first ` -> ` ends it.
# shellcheck disable=SC2086
kf_acls() {
  kf_x=$(ls -ldnU --quoting-style=escape --time-style=+ -- $kf_plain $kf_links 2>/dev/null)
  if [ -z "$kf_x" ]; then
    if [ -n "$kf_plain" ] && kf_has getfacl; then kf_f acls getfacl "$(getfacl -pns -- $kf_plain 2>/dev/null)"; fi
    return
  fi
  set -- $kf_plain $kf_links
  kf_plus='' kf_read=''
  for kf_row in $kf_x; do
    [ "$#" -gt 0 ] || return
    case $kf_row in
      ??????????+*) kf_plus=$kf_plus$1$NL ;;
      l*' -> '*) kf_read=$kf_read$1$NL${kf_row#* -> }$NL ;;
    esac
    shift
  done
  [ "$#" = 0 ] || return
  # all links, or none: those that are asked one by one tell what is wrong
  set -- $kf_read
  while [ "$#" -gt 1 ]; do
    kf_f target "$1" "$2"
    shift 2
  done
  kf_links=
  kf_f acls ls "$kf_plus"
  if [ -n "$kf_plus" ] && kf_has getfacl; then kf_f acls getfacl "$(getfacl -pns -- $kf_plus 2>/dev/null)"; fi
}

# Mounts that could hold an asked path: all lines with its prefixes as mount point, and those with an escape.
kf_mounts() {
  kf_y=
  kf_rows=$(cat /proc/self/mountinfo)
  for kf_row in $kf_rows; do
    IFS=' '
    # shellcheck disable=SC2086
    set -- $kf_row
    IFS=$NL
    case $5 in
      *\\*) kf_y=$kf_y$kf_row$NL ;;
      *) case $NL$kf_list$NL in *"$NL$5$NL"*) kf_y=$kf_y$kf_row$NL ;; esac ;;
    esac
  done
  kf_f mounts "$kf_y"
}

# kf_paths FLAGS PATH...: kf_list holds the same paths, one a line, ancestors first.
# shellcheck disable=SC2086
kf_paths() {
  set -f
  IFS=$NL
  kf_safe=$NL kf_good=$NL kf_fixed=$NL kf_open=$NL kf_parent='' kf_in=''
  kf_links='' kf_plain='' kf_slow='' kf_leaves='' kf_leaf_rows='' kf_leaf_count=0 kf_guarded='' kf_fast='' kf_texts='' kf_bytes='' kf_public='' kf_frozen='' kf_owned='' kf_missing=''
  [ ! -e /sys/fs/selinux/enforce ] || kf_labels "$@"
  kf_rows=$(stat -c "$kf_format %n" -- $kf_list 2>/dev/null)
  kf_f stat "$kf_rows"
  for kf_row in $kf_rows; do
    kf_p=/${kf_row#* /}
    while [ "$#" -gt 1 ] && [ "$2" != "$kf_p" ]; do
      case $1 in o) ;; *) kf_missing=$kf_missing$2$NL ;; esac
      shift 2
    done
    [ "$#" -gt 1 ] || break
    IFS=' '
    kf_path "$1" "$2" ${kf_row%% /*}
    IFS=$NL
    shift 2
  done
  while [ "$#" -gt 1 ]; do
    case $1 in o) ;; *) kf_missing=$kf_missing$2$NL ;; esac
    shift 2
  done
  # absent, or out of even root's reach (FUSE, a broken disk)?
  if [ -n "$kf_missing" ]; then
    for kf_row in $(stat -c '' -- $kf_missing 2>&1 >/dev/null); do
      case $kf_row in
        *': No such file or directory' | *': Not a directory') ;;
        *) kf_f trouble "$kf_row" ;;
      esac
    done
  fi
  [ -z "$kf_plain$kf_links" ] || kf_acls
  kf_sums
  for kf_row in $kf_slow; do
    kf_p=${kf_row#* }
    kf_y=${kf_p%/*}
    if kf_digest_to_x "${kf_y:-/}" "${kf_p##*/}" "${kf_row%% *}"; then kf_f slow "$kf_p" "$kf_x"; else kf_f slow "$kf_p" "!$?"; fi
  done
  for kf_p in $kf_texts; do kf_f text "$kf_p" "$(cat -- "$kf_p" 2>/dev/null; echo .)"; done
  for kf_p in $kf_bytes; do kf_f bytes "$kf_p" "$(cat -- "$kf_p" 2>/dev/null; echo .)"; done
  for kf_row in $kf_public; do
    kf_p=${kf_row#* }
    kf_y=$(kf_exec='exec'; kf_limited 10 /bin/sh -c "$kf_public_child" sh "${kf_p%/*}/" "${kf_p##*/}" "${kf_row%% *}" "$kf_pwd" "$NL" \
      </dev/null 2>/dev/null) || kf_y=!$?
    kf_f public "$kf_p" "$kf_y"
  done
  for kf_p in $kf_links; do kf_f link "$kf_p" "$(readlink -- "$kf_p" 2>/dev/null; echo .)"; done
  if [ -n "$kf_frozen" ] || [ "$kf_access" = no ]; then kf_mounts; fi
  if [ -n "$kf_frozen" ] && kf_has lsattr; then kf_f attributes "$(lsattr -d -- $kf_frozen 2>/dev/null)"; fi
  [ -z "$kf_owned" ] || kf_packages
  set +f
  IFS=$kf_ifs
}

# kf_labels FLAGS PATH...: the label that each has, and that which the policy gives it. Told the type, the policy tool goes
# by the text of a path, whatever stands there. It may be missing: then nothing is known.
# shellcheck disable=SC2086
kf_labels() {
  kf_p='' kf_y=''
  while [ "$#" -gt 1 ]; do
    case $1 in
      *F*) kf_p=$kf_p$2$NL ;;
      *D*) kf_y=$kf_y$2$NL ;;
    esac
    shift 2
  done
  if [ -z "$kf_p$kf_y" ] || ! kf_has matchpathcon; then return 0; fi
  kf_f labels "$(stat -c '%C %n' -- $kf_p $kf_y 2>/dev/null)"
  [ -z "$kf_p" ] || kf_f policy "$(matchpathcon -m file -- $kf_p 2>/dev/null)"
  [ -z "$kf_y" ] || kf_f policy "$(matchpathcon -m dir -- $kf_y 2>/dev/null)"
}

# Which package owns the files of kf_owned. dpkg-query reads its whole database; its file lists answer as well.
# shellcheck disable=SC2086
kf_packages() {
  if [ -d /var/lib/dpkg/info ]; then
    kf_x=
    for kf_p in $kf_owned; do
      kf_x=$kf_x$kf_p$NL
      # files moved to /usr by a link stand in the lists under their old name
      case $kf_p in
        /usr/bin/* | /usr/sbin/* | /usr/lib*)
          kf_y=${kf_p#/usr/}
          [ ! -L "/${kf_y%%/*}" ] || kf_x=$kf_x/$kf_y$NL
          ;;
        /bin/* | /sbin/* | /lib*)
          kf_y=${kf_p#/}
          [ ! -L "/${kf_y%%/*}" ] || kf_x=$kf_x/usr$kf_p$NL
          ;;
      esac
    done
    set +f
    kf_f packages dpkg "$(grep -xF -e "${kf_x%"$NL"}" /var/lib/dpkg/info/*.list /dev/null 2>/dev/null)"
    set -f
  elif kf_has rpm; then
    for kf_p in $kf_owned; do
      if kf_x=$(rpm -qf --queryformat '%{NAME}\n' -- "$kf_p" 2>/dev/null); then kf_f package "$kf_p" "${kf_x%%"$NL"*}"; else kf_f package "$kf_p" ''; fi
    done
  elif kf_has apk; then
    for kf_p in $kf_owned; do
      if kf_x=$(apk info -q -W "$kf_p" 2>/dev/null); then kf_f package "$kf_p" "$kf_x"; else kf_f package "$kf_p" ''; fi
    done
  fi
}

# kf_host FILE...: what the host is, its accounts, and start records (FILE...), by one grep; first what kf_names wants.
kf_host() {
  kf_small=$(grep -H '^[^#]' /etc/nsswitch.conf /etc/passwd /etc/group /etc/os-release /proc/sys/kernel/osrelease \
    /proc/sys/kernel/arch /proc/sys/kernel/random/boot_id /sys/fs/selinux/enforce /etc/selinux/config \
    /etc/selinux/*/contexts/customizable_types "$@" 2>/dev/null)
  kf_x=no
  [ ! -d /run/systemd/system ] || kf_x=yes
  kf_f host "$kf_tools" "$kf_machine" "$kf_x" files "$kf_small" uid "$kf_me"
  if [ -d /run/kmsfleet/owed ]; then
    for kf_x in /run/kmsfleet/owed/*; do
      [ ! -f "$kf_x" ] || kf_f owed "${kf_x##*/}"
    done
  fi
}

# kf_names passwd|group NAME...: asks the name service for what the local files do not have, where it is set up.
kf_names() {
  kf_base=$1 kf_remote='' kf_y=''
  shift
  kf_has getent || return 0
  set -f
  IFS=$NL
  for kf_row in $kf_small; do
    case $kf_row in
      "/etc/nsswitch.conf:$kf_base:"*)
        IFS=$kf_ifs
        for kf_x in ${kf_row#"/etc/nsswitch.conf:$kf_base:"}; do
          case $kf_x in files | compat | systemd | \[*) ;; *) kf_remote=yes ;; esac
        done
        break
        ;;
    esac
  done
  set +f
  IFS=$kf_ifs
  [ -n "$kf_remote" ] || return 0
  for kf_x do
    case $NL$kf_small in *"$NL/etc/$kf_base:$kf_x:"*) ;; *) kf_y="$kf_y $kf_x" ;; esac
  done
  for kf_n in $kf_y; do
    # a number would be looked up as an id
    case $kf_n in *[!0-9]*) kf_x=$(kf_limited 5 getent "$kf_base" "$kf_n" 2>/dev/null) ;; *) continue ;; esac
    case $? in
      0) kf_f nss "$kf_base" "$kf_n" "$kf_x" ;;
      2) ;;
      *) kf_f nss "$kf_base" "$kf_n" '!' ;;
    esac
  done
}

# kf_shadow NAME...: only whether a password is locked, set or empty leaves this function.
kf_shadow() {
  kf_y=" $* "
  [ -r /etc/shadow ] || return 0
  while IFS=: read -r kf_n kf_x _; do
    case $kf_y in
      *" $kf_n "*)
        case $kf_x in
          '') kf_f shadow "$kf_n" empty ;;
          '!'* | '*'*) kf_f shadow "$kf_n" locked ;;
          *) kf_f shadow "$kf_n" set ;;
        esac
        ;;
    esac
  done </etc/shadow
  kf_x=''
}

# kf_units UNIT...: one question for all. The running program is named by device and inode: first looked for among
# the rows that stat gave (builtin -ef), else asked for.
kf_units() {
  if ! kf_has systemctl; then return; fi
  kf_x=$(systemctl show --no-pager -p Id,Names,LoadState,ActiveState,SubState,Result,UnitFileState,NeedDaemonReload \
    -p ConditionResult,MainPID,NRestarts,FragmentPath,DropInPaths,InvocationID,ActiveEnterTimestamp,User -- "$@" 2>&1)
  kf_f units "$?" "$kf_x"
  kf_shown=$kf_x kf_y=
  set -f
  IFS=$NL
  for kf_row in $kf_x; do
    case $kf_row in
      MainPID=0) ;;
      MainPID=*)
        kf_gids "${kf_row#MainPID=}"
        kf_exe "${kf_row#MainPID=}" || kf_y="$kf_y/proc/${kf_row#MainPID=}/exe$NL"
        ;;
    esac
  done
  # shellcheck disable=SC2086
  [ -z "$kf_y" ] || kf_f exes "$(stat -L -c '%d:%i %n' -- $kf_y 2>/dev/null)"
  set +f
  IFS=$kf_ifs
}

# kf_folders_of FOLDER ENDING...: names of the files that end so, then the lines of all of them by one grep, which says
# whose each is. It may stall where root has put a link to somewhere else there: it has a deadline.
kf_folders_of() {
  kf_y=
  while [ "$#" -gt 1 ]; do
    kf_p=
    for kf_row in "$1"/*"$2"; do
      # such a name cannot be told; `:` says that there is one
      case $kf_row in *"$NL"*) kf_p=$kf_p:$NL; continue ;; esac
      if [ -f "$kf_row" ]; then
        kf_y=$kf_y$kf_row$NL kf_p=$kf_p${kf_row##*/}$NL
      elif [ -L "$kf_row" ] && [ ! -d "$kf_row" ]; then
        kf_p=$kf_p${kf_row##*/}$NL
      fi
    done
    kf_f folder "$1/*$2" "$kf_p"
    shift 2
  done
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  [ -z "$kf_y" ] || { kf_run 10 1048576 grep -asH -e '' -- $kf_y; kf_f texts "$kf_status" "$kf_out"; }
  set +f
  IFS=$kf_ifs
}

# Two files of one account in a directory that may be its own, for kf_pair. What was opened must be what stands there, the
# account's own and nothing else's: a link, or a further name of root's file, would carry that elsewhere. Then it is all
# the same once more a second later: who writes one of the two and not yet the other is seen to write.
# sh DIR NAME NAME UID MAXSIZE FORMAT PWD NL
# shellcheck disable=SC2016
kf_pair_child='cd -P "$1" && [ "$("$7" -P; echo .)" = "$1$8." ] || exit 40
for f in "$2" "$3"; do [ -f "./$f" ] && [ ! -L "./$f" ] || exit 41; done
exec 3<"./$2" || exit 42
exec 4<"./$3" || exit 42
rows() {
a=$(stat -L -c "$1" /proc/self/fd/3 /proc/self/fd/4 3<&3 4<&4) && b=$(stat -c "$1" "./$2" "./$3") && [ "$a" = "$b" ]
}
own() {
case "$1 $2 $4" in 8???" $uid 1") ;; *) exit 45 ;; esac
[ "$7" -gt 0 ] && [ "$7" -le "$most" ] || exit 44
size=$7
}
rows "$6" "$2" "$3" || exit 43
before=$a uid=$4 most=$5 format=$6 first=$2 second=$3
set -- $a
own "$@"
one=$size
shift "$(($# / 2))"
own "$@"
two=$size
echo "$one $two"
head -c "$one" <&3
head -c "$two" <&4
echo .
sleep 1
rows "$format" "$first" "$second" && [ "$a" = "$before" ] || exit 46'

# kf_pair DIR NAME NAME OWNER MAXSIZE
kf_pair() {
  kf_uid=$4 kf_y=!45
  case $4 in *[!0-9]*) kf_identity "$4" || kf_uid=none ;; esac
  for kf_p in 1 2 3 4; do
    kf_y=$(kf_exec='exec'; kf_limited 10 /bin/sh -c "$kf_pair_child" sh "$1" "$2" "$3" "$kf_uid" "$5" "$kf_format" "$kf_pwd" "$NL" \
      </dev/null 2>/dev/null) && break
    kf_y=!$?
    # a writer between two writes comes to an end
    [ "$kf_y" = !46 ] || break
  done
  kf_f pair "$1/$2" "$kf_y"
}

# kf_gids PID: its supplementary groups, which it has since it was started, whatever the accounts say now.
kf_gids() {
  [ -r "/proc/$1/status" ] || return 0
  IFS=$kf_ifs
  while read -r kf_x kf_p; do
    [ "$kf_x" != Groups: ] || break
  done <"/proc/$1/status"
  IFS=$NL
  [ "$kf_x" != Groups: ] || kf_f gids "$1" "$kf_p"
}

# kf_exe PID: prints the path of kf_fast or kf_guarded that the process runs.
kf_exe() {
  for kf_p in $kf_fast $kf_guarded; do
    # shellcheck disable=SC3013
    if [ "/proc/$1/exe" -ef "$kf_p" ] 2>/dev/null; then
      kf_f exe "$1" "$kf_p"
      return 0
    fi
  done
  return 1
}
