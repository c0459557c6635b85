# shellcheck shell=sh disable=SC2034,SC2154
# --- accounts ---
# groupadd and useradd first: they look for the name and the id themselves, while nobody else can change accounts, and
# end with 9 and 4 where these are taken, or with 6 where the primary group is not there. systemd-sysusers takes another
# id instead, so both are looked for before, and after. busybox has addgroup and adduser. Shells read a file by one
# system call a byte: what need not be read is not.

# kf_line FILE NAME: kf_line is the line of that account, empty where there is none
kf_line() {
  kf_line=
  while IFS= read -r kf_x; do
    case $kf_x in
      "$2":*)
        kf_line=$kf_x
        return 0
        ;;
    esac
  done <"$1"
  return 1
}

# kf_id_taken FILE ID
kf_id_taken() {
  while IFS=: read -r kf_n kf_x kf_y kf_x; do
    if [ "$kf_y" = "$2" ]; then return 0; fi
  done <"$1"
  return 1
}

# kf_free FILE NAME ID KIND IDKIND: ID may be empty
kf_free() {
  if kf_line "$1" "$2"; then
    kf_moved "expected no $4 $2, found that it was made since the probe"
  elif [ -n "$3" ] && kf_id_taken "$1" "$3"; then
    kf_fail "$4" "expected $5 $3 to be free, found that $4 $kf_n has it"
  fi
}

# kf_group_add NAME GID SYSTEM     GID and SYSTEM (yes) may be empty
kf_group_add() {
  if kf_has groupadd; then
    kf_try group groupadd ${3:+-r} ${2:+-g "$2"} -- "$1" && return 0
    case $kf_status in 4 | 9) kf_free /etc/group "$1" "$2" group gid ;; esac
    return 1
  fi
  kf_free /etc/group "$1" "$2" group gid || return 1
  if kf_has systemd-sysusers && [ -n "$3" ]; then
    kf_try group systemd-sysusers --inline "g $1 ${2:--}" || return 1
  elif kf_has addgroup; then
    kf_try group addgroup ${3:+-S} ${2:+-g "$2"} "$1" || return 1
  else
    kf_fail group 'expected groupadd, systemd-sysusers or addgroup on the host, found none'
    return 1
  fi
  kf_line /etc/group "$1" || { kf_fail group "expected group $1 in /etc/group after it was made, found none"; return 1; }
  case $2:$kf_line in :*) ;; *) case $kf_line in "$1:"*":$2:"*) ;; *) kf_fail group "expected gid $2 for group $1, found another"; return 1 ;; esac ;; esac
}

# kf_user_add NAME UID GROUP GECOS HOME SHELL SYSTEM
kf_user_add() {
  if kf_has useradd; then
    kf_try user useradd ${7:+-r} -M -N ${2:+-u "$2"} -g "$3" -c "$4" -d "$5" -s "$6" -- "$1" && return 0
    case $kf_status in 4 | 6 | 9) kf_free /etc/passwd "$1" "$2" user uid ;; esac
    return 1
  fi
  kf_free /etc/passwd "$1" "$2" user uid || return 1
  if kf_has systemd-sysusers && [ -n "$7" ]; then
    kf_x=$(printf %s "$4" | sed 's/[\\"]/\\&/g; s/%/%%/g')
    kf_try user systemd-sysusers --inline "u $1 ${2:--}:$3 \"$kf_x\" $5 $6" || return 1
  elif kf_has adduser; then
    kf_group=$3
    case $3 in *[!0-9]*) ;; *) if kf_id_taken /etc/group "$3"; then kf_group=$kf_n; fi ;; esac
    kf_try user adduser -D -H ${7:+-S} ${2:+-u "$2"} -G "$kf_group" -g "$4" -h "$5" -s "$6" "$1" || return 1
    # it lists the user as a further member of its own primary group, as the others do not
    if command -v delgroup >/dev/null 2>&1; then kf_try user delgroup "$1" "$kf_group" || return 1; fi
  else
    kf_fail user 'expected useradd, systemd-sysusers or adduser on the host, found none'
    return 1
  fi
  kf_line /etc/passwd "$1" || { kf_fail user "expected user $1 in /etc/passwd after it was made, found none"; return 1; }
  case $kf_line in "$1":*:"${2:-*}":*:"$4:$5:$6") return 0 ;; esac
  case $2:$kf_line in :"$1":*:*:*:"$4:$5:$6") ;; *) kf_fail user "expected user $1 as asked for, found $kf_line"; return 1 ;; esac
}

# kf_user_set NAME GECOS HOME SHELL GROUP LOCK: each but the name may be empty; `-` in front marks one that is asked for
kf_user_set() {
  if ! kf_has usermod; then
    kf_user_set_plain "$@"
    return
  fi
  set -- "$1" ${2:+-c "${2#-}"} ${3:+-d "${3#-}"} ${4:+-s "${4#-}"} ${5:+-g "${5#-}"} ${6:+-L}
  kf_x=$1
  shift
  kf_try user usermod "$@" -- "$kf_x"
}

kf_user_set_plain() {
  if [ -n "$2$3$4$5" ]; then
    kf_fail user 'expected usermod on the host to change a user, found none'
    return 1
  fi
  kf_try user passwd -l "$1"
}

# kf_members GROUP (add|remove USER)...: several by one call, where it takes the list: it refuses one with a member of
# before that is no account any more
kf_members() {
  kf_group=$1
  shift
  if [ "$#" -gt 2 ] && kf_has gpasswd && kf_line /etc/group "$kf_group"; then
    kf_y=${kf_line##*:} kf_how=
    kf_y=,$kf_y${kf_y:+,}
    for kf_x do
      case $kf_how,$kf_y in
        add,*",$kf_x,"*) kf_how= ;;
        add,*) kf_y=$kf_y$kf_x, kf_how= ;;
        remove,*",$kf_x,"*) kf_y=${kf_y%%",$kf_x,"*},${kf_y#*",$kf_x,"} kf_how= ;;
        remove,*) kf_how= ;;
        *) kf_how=$kf_x ;;
      esac
    done
    kf_y=${kf_y#,}
    if kf_try members gpasswd -M "${kf_y%,}" "$kf_group"; then return 0; fi
  fi
  while [ "$#" != 0 ]; do
    kf_member "$1" "$kf_group" "$2" || return 1
    shift 2
  done
}

# kf_member add|remove GROUP USER
kf_member() {
  case $1 in
    add)
      if kf_has gpasswd; then
        kf_try members gpasswd -a "$3" "$2"
      elif kf_has usermod; then
        kf_try members usermod -a -G "$2" -- "$3"
      elif kf_has addgroup; then
        kf_try members addgroup "$3" "$2"
      else
        kf_fail members 'expected gpasswd, usermod or addgroup on the host, found none'
      fi
      ;;
    remove)
      if kf_has gpasswd; then
        kf_try members gpasswd -d "$3" "$2"
      elif command -v delgroup >/dev/null 2>&1; then
        kf_try members delgroup "$3" "$2"
      else
        kf_fail members 'expected gpasswd or delgroup on the host, found none'
      fi
      ;;
  esac
}

# kf_has_id FILE NAME ID: has that account still that id? 2 where there is no such account
kf_has_id() {
  kf_line "$1" "$2" || return 2
  kf_y=${kf_line#*:*:}
  [ "${kf_y%%:*}" = "$3" ] || kf_moved "expected $2 to have the id $3, found ${kf_y%%:*}"
}

# kf_user_remove NAME UID: who runs as it would go on, and whoever gets the uid next would be the owner of that
kf_user_remove() {
  kf_has_id /etc/passwd "$1" "$2"
  case $? in 0) ;; 2) return 0 ;; *) return 1 ;; esac
  kf_x=$(grep -lE "^Uid:.*[[:space:]]$2([[:space:]]|\$)" /proc/[0-9]*/status 2>/dev/null)
  if [ -n "$kf_x" ]; then
    kf_x=${kf_x%%/status*}
    kf_fail user "expected no process of $1, found process ${kf_x#/proc/}"
    return 1
  fi
  if kf_has userdel; then
    kf_try user userdel -- "$1"
  elif kf_has deluser; then
    kf_try user deluser "$1"
  else
    kf_fail user 'expected userdel or deluser on the host, found none'
  fi
}

# kf_group_remove NAME GID: with the last user of a group of its name some hosts remove that too
kf_group_remove() {
  kf_has_id /etc/group "$1" "$2"
  case $? in 0) ;; 2) return 0 ;; *) return 1 ;; esac
  while IFS=: read -r kf_n kf_x kf_x kf_y kf_x; do
    if [ "$kf_y" = "$2" ]; then
      kf_fail group "expected $1 to be nobody's primary group, found that it is that of $kf_n"
      return 1
    fi
  done </etc/passwd
  if kf_has groupdel; then
    kf_try group groupdel -- "$1"
  elif kf_has delgroup; then
    kf_try group delgroup "$1"
  else
    kf_fail group 'expected groupdel or delgroup on the host, found none'
  fi
}
