# shellcheck shell=sh disable=SC2030,SC2031,SC2034,SC2154
# What the kernel lets an actor do. Sent with the frames that ask, behind processes.sh; uses what prelude.sh defines.

# --- attempts ---

# Runs as the actor, by this host's /bin/sh, whose root is the host's; only the working directory may be the actor's.
# sh ACCESS FREE PREFIX (ACTION PATH)...: ACCESS: is `[ -w ]` access(2) here? FREE: it has no privilege that could be turned on
# another file by a link that somebody exchanges; else nothing is opened. Nothing that is done here can succeed in changing
# anything: `>>` would make a file, so that it stands alone where `[ -w ]` reads mode bits; the device is refused in any case.
# shellcheck disable=SC2016
kf_try_child='while read -r k v; do
case $k in Uid: | Gid: | Groups: | CapEff:) echo "$k" $v ;; esac
[ "$k" != CapEff: ] || c=$v
done </proc/self/status
case ${c#?????????} in [89a-f]*) device=no ;; *) device=yes ;; esac
access=$1 free=$2 prefix=$3
shift 3
says() {
case $1 in
*": Permission denied") r=EACCES ;;
*": Operation not permitted") r=EPERM ;;
*": Read-only file system") r=EROFS ;;
*": No such device or address") r=ENXIO ;;
*": No such file or directory" | *": Not a directory" | *": No such file" | *": no such file") r=missing ;;
*) r="unknown $1" ;;
esac
}
seen() {
[ -e "$1" ] || [ -L "$1" ] && return 0
x=$(stat -c "" -- "$1" 2>&1) && x=": it came while it was looked for"
says "$x"
return 1
}
yes() { if "$@"; then r=granted; else r=EACCES; fi; }
opens() {
x=$( (eval "exec 3$1\"\$2\"") 2>&1) && { r=granted; return; }
says "$x"
[ "$r" != ENXIO ] || r=granted
}
create() {
if [ "$device" = yes ]; then
x=$(mknod "$1/.kmsfleet-$$" c 1 3 2>&1) && { r="unknown a device could be made"; return; }
says "$x"
case $r in
EPERM) ;;
missing) r="unknown nothing can be made in this file system"; return ;;
*) return ;;
esac
[ "$access" = no ] || [ -w "$1" ] || return
r=granted
elif [ "$access" = yes ]; then
if [ -w "$1" ] && [ -x "$1" ]; then r=granted; else r=EACCES; fi
fi
}
i=0
while [ "$#" -gt 0 ]; do
p=$prefix$2 r="unknown this host has no way to try it without a trace"
case $1 in
signal)
r=missing
for k in $2; do
x=$(kill -0 "$k" 2>&1) && { r=granted; break; }
case $x in *"o such process"*) ;; *"not permitted"* | *"ermission denied"*) r=EPERM ;; *) r="unknown $x" ;; esac
done
;;
*) if seen "$p"; then case $1 in
connect)
if [ ! -S "$p" ]; then r="unknown it is no socket"
elif [ "$access" = yes ]; then yes [ -w "$p" ]
elif [ "$free" = yes ]; then opens ">>" "$p"; fi ;;
read)
if [ "$free" = yes ] && { [ -f "$p" ] || [ -d "$p" ]; }; then opens "<" "$p"
elif [ "$access" = yes ]; then yes [ -r "$p" ]; fi ;;
write)
if [ "$access" = yes ]; then yes [ -w "$p" ]
elif [ "$free" = yes ] && [ -f "$p" ] && [ ! -L "$p" ]; then opens ">>" "$p"; fi ;;
traverse) if [ ! -d "$p" ]; then r=missing; elif (cd "$p") 2>/dev/null; then r=granted; else r=EACCES; fi ;;
create) if [ -d "$p" ]; then create "$p"; else r=missing; fi ;;
replace) create "${p%/*}/" ;;
execute) [ "$access" = no ] || yes [ -x "$p" ] ;;
esac; fi ;;
esac
echo "$i $r"
i=$((i + 1))
shift 2
done
exec 2>/dev/null
[ "$access" = no ] || { [ -w /dev/null ] && [ -r /dev/null ] && [ -x /bin/sh ] && echo control access; }
(exec 3</dev/null) && (exec 3>>/dev/null) && echo control open
(cd /) && echo control traverse
kill -0 $$ && echo control signal
create /tmp
[ "$r" != granted ] || echo control create
echo control end'

# kf_trial_rows PREFIX (ACTION PATH)...: kf_rows, what root sees at these paths; below the root of another mount namespace, where
# links would lead elsewhere, at each component too. After each row whether root itself could write there.
kf_trial_rows() {
  kf_pre=$1 kf_rows='' kf_y=
  shift
  while [ "$#" -gt 0 ]; do
    case $1 in
      signal) ;;
      *)
        kf_p=$kf_pre
        if [ -z "$kf_pre" ]; then
          [ "$1" != replace ] || kf_y=$kf_y${2%/*}/$NL
          kf_y=$kf_y$2$NL
        else
          kf_x=${2#/}/
          while [ -n "$kf_x" ]; do
            kf_p=$kf_p/${kf_x%%/*} kf_x=${kf_x#*/}
            kf_y=$kf_y$kf_p$NL
          done
        fi
        ;;
    esac
    shift 2
  done
  [ -n "$kf_y" ] || return 0
  set -f
  IFS=$NL
  # shellcheck disable=SC2086
  kf_x=$(kf_exec='exec'; kf_limited 10 stat -c "$kf_format %n" -- $kf_y 2>/dev/null </dev/null)
  for kf_row in $kf_x; do
    kf_p=$kf_pre/${kf_row#* "$kf_pre"/}
    if [ "$kf_access" = no ] || [ -w "$kf_p" ]; then kf_x=w; else kf_x=-; fi
    kf_rows=$kf_rows$kf_x\ $kf_row$NL
  done
  set +f
  IFS=$kf_ifs
}

# kf_as_exactly UID BITS: kf_as_how that gives these of the deciding capabilities and no other; kf_free: it is without any
# privilege. In a subshell.
kf_as_exactly() {
  [ -n "$kf_as_how" ] || kf_as_find
  kf_set=-all,+$kf_as_guard kf_free=yes
  [ "$(($2 & 1))" = 0 ] || kf_set=$kf_set,+chown
  [ "$(($2 & 2))" = 0 ] || kf_set=$kf_set,+dac_override
  [ "$(($2 & 4))" = 0 ] || kf_set=$kf_set,+dac_read_search
  [ "$(($2 & 8))" = 0 ] || kf_set=$kf_set,+fowner
  [ "$(($2 & 32))" = 0 ] || kf_set=$kf_set,+kill
  if [ "$1" = 0 ] || [ "$2" != 0 ]; then kf_free=no; fi
  case $kf_as_how in
    *ambient*) kf_as_how="setpriv --bounding-set=$kf_set --inh-caps=$kf_set --ambient-caps=$kf_set" ;;
    *) [ "$kf_free" = yes ] || kf_as_how=none ;;
  esac
}

# kf_trial NUMBER PID TICKS FOREIGN UID GID GROUPS CAPS (ACTION PATH)...: CAPS: sum of those that decide about access, as bits.
# In a subshell: its working directory may become the actor's, whose own programs are never run.
kf_trial() {
  [ -n "$kf_as_how" ] || kf_as_find
  (
    kf_number=$1 kf_actor=$2 kf_start=$3 kf_prefix='' kf_u=$5 kf_g=$6 kf_gs=$7 kf_bits=$8
    [ "$4" = no ] || kf_prefix=.
    shift 8
    kf_as_seconds=20
    kf_as_exactly "$kf_u" "$kf_bits"
    if [ -n "$kf_prefix" ] && ! kf_enter_root "$kf_actor" "$kf_start"; then
      kf_f trial "$kf_number" "$kf_actor" 'its root directory could not be entered' '' '' '' '' ''
      return
    fi
    kf_trial_rows "$kf_prefix" "$@"
    kf_before=$kf_rows
    kf_want="$kf_u $kf_g $kf_bits $kf_gs"
    kf_as "$kf_u" "$kf_g" "$kf_gs" -- /bin/sh -c "$kf_try_child" sh "$kf_access" "$kf_free" "$kf_prefix" "$@"
    kf_said=$kf_out
    case $kf_status in
      0) kf_out='' ;;
      120) kf_out='no tool of this host can take that identity with these capabilities (setpriv, chroot --userspec, su)' ;;
      *) kf_out="it did not come to its end, exit status $kf_status" ;;
    esac
    kf_trial_rows "$kf_prefix" "$@"
    kf_f trial "$kf_number" "$kf_actor" "$kf_out" "$kf_as_how" "$kf_want" "$kf_before" "$kf_said" "$kf_rows"
  )
}

# kf_enter_root PID TICKS: its root directory, if it still is the process that started then
kf_enter_root() { cd -P "/proc/$1/root" 2>/dev/null && kf_ticks_of "$1" && [ "$kf_x" = "$2" ]; }

# kf_trial_number NUMBER UID GID GROUPS (ACTION PATH)...
kf_trial_number() {
  kf_n=$1 kf_uid=$2 kf_gid=$3 kf_groups=$4
  shift 4
  kf_account=
  kf_trial "$kf_n" '' '' no "$kf_uid" "$kf_gid" "$kf_groups" 0 "$@"
}

# kf_trial_account NUMBER USER (ACTION PATH)...
kf_trial_account() {
  if kf_identity "$2"; then
    kf_n=$1
    shift 2
    kf_trial "$kf_n" '' '' no "$kf_uid" "$kf_gid" "$kf_groups" 0 "$@"
  else
    kf_f trial "$1" '' 'no such account' '' '' '' '' ''
  fi
}

# kf_trial_process NUMBER QUESTION (ACTION PATH)...: as each process that the question found
kf_trial_process() {
  kf_number=$1 kf_question=$2 kf_account=
  shift 2
  kf_todo=$kf_lives
  while [ -n "$kf_todo" ]; do
    kf_x=${kf_todo%%"$NL"*} kf_todo=${kf_todo#*"$NL"}
    [ "${kf_x%% *}" = "$kf_question" ] || continue
    kf_x=${kf_x#* }
    kf_of=${kf_x%% *} kf_ticks=${kf_x#* }
    kf_foreign=no
    # shellcheck disable=SC3013
    [ "/proc/$kf_of/ns/mnt" -ef /proc/self/ns/mnt ] || kf_foreign=yes
    # shellcheck disable=SC3013
    if [ ! "/proc/$kf_of/ns/user" -ef /proc/self/ns/user ]; then
      kf_f trial "$kf_number" "$kf_of" 'it is in another user namespace, where ids are not the host'"'"'s' '' '' '' '' ''
    elif kf_acting "$kf_of"; then
      kf_trial "$kf_number" "$kf_of" "$kf_ticks" "$kf_foreign" "$kf_uid" "$kf_gid" "$kf_groups" "$kf_c" "$@"
    else
      kf_f trial "$kf_number" "$kf_of" 'it ended, or its effective ids are not those that it reaches files with' '' '' '' '' ''
    fi
  done
}

# kf_acting PID: kf_uid kf_gid kf_groups kf_c
kf_acting() {
  kf_uid='' kf_gid='' kf_groups='' kf_c=
  { while read -r kf_x kf_y; do
    # shellcheck disable=SC2086
    case $kf_x in
      Uid:) set -- $kf_y; [ "$2" != "$4" ] || kf_uid=$2 ;;
      Gid:) set -- $kf_y; [ "$2" != "$4" ] || kf_gid=$2 ;;
      Groups:) set -- $kf_y; IFS=,; kf_groups=$*; IFS=$kf_ifs ;;
      CapEff:) kf_c=$((0x${kf_y#??????????????} & 47)) ;;
    esac
  done <"/proc/$1/status"; } 2>/dev/null
  [ -n "$kf_uid" ] && [ -n "$kf_gid" ] && [ -n "$kf_c" ]
}

# --- who serves a socket, and what it says of itself ---

# kf_sockets_of PID...: kf_open, inodes of the sockets that they have open, between blanks
kf_sockets_of() {
  kf_open=' '
  for kf_of do
    kf_run 5 1048576 ls -ln "/proc/$kf_of/fd"
    set -f
    IFS=$NL
    for kf_row in $kf_out; do
      case $kf_row in *' -> socket:['*) kf_row=${kf_row##*' -> socket:['}; kf_open="$kf_open${kf_row%]} " ;; esac
    done
    set +f
    IFS=$kf_ifs
  done
}

# kf_held_at KEY QUESTION SOCKET: looks in the network namespaces of root and of the processes that the question found. Others
# may listen under that name in file systems of their own: whose the file is shows in who gets a connection to it.
kf_held_at() {
  kf_answer=no kf_detail='' kf_listening='' kf_connected=''
  kf_askable=$(kf_pids "$2")
  if [ ! -S "$3" ]; then
    kf_detail='no socket is there'
  elif [ -z "$kf_askable" ]; then
    kf_detail='nothing of it runs'
  else
    # shellcheck disable=SC2086
    kf_sockets_of $kf_askable
    kf_detail='nothing listens there'
    for kf_of in self $kf_askable; do
      # shellcheck disable=SC3013
      [ "$kf_of" = self ] || [ ! "/proc/$kf_of/ns/net" -ef /proc/self/ns/net ] || continue
      [ -r "/proc/$kf_of/net/unix" ] || continue
      kf_at_path "$3" "$kf_of"
      for kf_n in $kf_inodes; do
        [ "$kf_answer" = yes ] || kf_detail='who listens there is no process of it'
        case $kf_open in *" $kf_n "*) kf_answer=yes kf_detail='' ;; esac
      done
      for kf_n in $kf_accepted; do
        case $kf_open in *" $kf_n "*) kf_connected="$kf_connected $kf_n" ;; esac
      done
    done
  fi
  kf_f held "$1" "$kf_answer" "$kf_detail" "$kf_connected"
}

# kf_says KEY QUESTION SECONDS ARGV...: as the first process that the question found, with its identity alone
kf_says() (
  kf_key=$1 kf_pid_of=$(kf_pids "$2") kf_as_seconds=$3 kf_account='' kf_detail=''
  shift 3
  kf_pid_of=${kf_pid_of%%"$NL"*}
  # shellcheck disable=SC3013
  if [ -z "$kf_pid_of" ]; then
    kf_detail='nothing of it runs'
  elif [ ! "/proc/$kf_pid_of/ns/user" -ef /proc/self/ns/user ]; then
    kf_detail='it is in another user namespace, where ids are not the host'"'"'s'
  elif ! kf_acting "$kf_pid_of"; then
    kf_detail='its process ended'
  else
    kf_as_exactly "$kf_uid" "$kf_c"
    kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- "$@"
    [ "$kf_status" != 120 ] || kf_detail='no tool of this host can take that identity (setpriv, chroot --userspec, su)'
  fi
  kf_f says "$kf_key" "$kf_detail" "${kf_status-}" "${kf_out-}"
)

# --- names in a directory ---

# The directory's owner may exchange it, fill it without end, and give names with line breaks. No name has a slash: it
# ends each. No program could list it under a name of its own: it is entered first.
# shellcheck disable=SC2016
kf_entries_child='[ -e "$1" ] || [ -L "$1" ] || exit 45
cd -P "$1" 2>/dev/null || exit 46
[ "$("$2" -P; echo .)" = "$1$3." ] || exit 40
find . -mindepth 1 -maxdepth 1 -print0 2>/dev/null | head -c "$4" | tr "\000" /'
# kf_entries PATH BYTES
kf_entries() {
  kf_y=$(kf_limited 10 /bin/sh -c "$kf_entries_child" sh "$1" "$kf_pwd" "$NL" "$2" 2>/dev/null </dev/null; echo "/$?")
  kf_f entries "$1" "${kf_y##*/}" "${kf_y%/*}"
}
