# shellcheck shell=sh disable=SC2034,SC2154
# --- stages ---

# kf_stage ANCHOR...: makes a stage in each, all of one name, which is kf_stem; the path of the last is kf_s. Only root
# makes names in an anchor. A stage of an earlier run was left by a kill: there is one writer.
kf_stage() {
  read -r kf_x </proc/sys/kernel/random/uuid || { kf_fail stage 'expected /proc to give a random name, found that it does not'; return 1; }
  kf_stem=.kmsfleet.$kf_x
  for kf_y do
    for kf_x in "${kf_y%/}"/.kmsfleet.*; do
      # shellcheck disable=SC3067
      if [ -d "$kf_x" ] && [ ! -L "$kf_x" ] && [ -O "$kf_x" ]; then rm -rf "$kf_x"; fi
    done
    shift
    kf_s=${kf_y%/}/$kf_stem
    set -- "$@" "$kf_s"
  done
  # a default ACL takes the place of the umask
  kf_try stage mkdir -m 0700 "$@"
}

# kf_sound STAGE...: is each root's alone, and does none hand a default ACL to what is made in it? Such an ACL takes
# the place of the umask, so a file made under umask 0 or one under umask 777 shows it, whatever tools there are.
kf_sound() {
  kf_y=
  for kf_x do
    shift
    umask 0
    true >"$kf_x/.a"
    umask 777
    true >"$kf_x/.b"
    umask 077
    set -- "$@" "$kf_x" "$kf_x/.a" "$kf_x/.b"
    kf_y="${kf_y}0:700${NL}0:666${NL}0:0$NL"
  done
  kf_x=$(stat -c %u:%a -- "$@")
  # the set-group-id bit of a parent is handed down: what is made here then needs its group and mode set
  while :; do
    case $kf_x in *0:2700*) kf_fresh='' kf_x=${kf_x%%0:2700*}0:700${kf_x#*0:2700} ;; *) break ;; esac
  done
  [ "$kf_x$NL" = "$kf_y" ]
}

# kf_sane STAGE...
kf_sane() {
  kf_sound "$@" && return 0
  if kf_has setfacl && setfacl -b -k -- "$@" 2>/dev/null; then
    for kf_x do rm -f "$kf_x/.a" "$kf_x/.b"; done
    kf_sound "$@" && return 0
  fi
  kf_fail stage 'expected a stage that only root can use, found other owners, modes or an ACL that cannot be removed'
}

# kf_folders UMASK DIR...: in a stage, which keeps all but root out of them
kf_folders() {
  umask "$1"
  shift
  kf_try stage mkdir "$@"
  kf_x=$?
  umask 077
  return "$kf_x"
}

# kf_take_in SIZE FILE: exact with every dd that knows fullblock; a read-ahead of one byte would eat the next payload
kf_take_in() {
  if [ "$1" = 0 ]; then
    true >"$2"
  elif [ "$1" -le 1048576 ]; then
    dd bs="$1" count=1 iflag=fullblock of="$2" 2>/dev/null
  else
    dd bs=1048576 count="$(($1 / 1048576))" iflag=fullblock of="$2" 2>/dev/null || return 1
    [ "$(($1 % 1048576))" = 0 ] || dd bs="$(($1 % 1048576))" count=1 iflag=fullblock 2>/dev/null >>"$2"
  fi
}

# kf_verify 'ID SIZE SHA256'...: kf_sums and kf_sizes hold what the staged files have, one a line, in the same order
kf_verify() {
  for kf_x do
    kf_id=${kf_x%% *} kf_y=${kf_sums%%"$NL"*}
    kf_y=${kf_y#\\}
    kf_y="$kf_id ${kf_sizes%%"$NL"*} ${kf_y%% *}"
    if [ "$kf_y" != "$kf_x" ]; then kf_fail stage "expected a payload of another size or digest, found ${kf_sizes%%"$NL"*} bytes"; return 1; fi # guard:payload
    kf_sums=${kf_sums#*"$NL"} kf_sizes=${kf_sizes#*"$NL"}
  done
}

# kf_dress OWNER:GROUP MODE FRESH PATH...: in a stage, or in a pinned directory. chown clears bits that chmod sets.
# FRESH: the mode that what was just made there by root has.
kf_dress() {
  [ "$kf_fresh$1" = yesroot:root ] || kf_chown "$@" || return 1
  [ "$kf_fresh$2" = "yes$3" ] || kf_chmod "$@"
}

kf_chown() {
  kf_x=$1
  shift 3
  kf_try owner chown -- "$kf_x" "$@"
}

kf_chmod() {
  kf_x=$2
  shift 3
  kf_try mode chmod "$kf_x" "$@"
}

# kf_label LABEL PATH...: of what only root can exchange: in a stage, or a pinned directory itself. LABEL may be empty.
kf_label() {
  [ -z "$1" ] || kf_try label chcon -h -- "$@"
}

# kf_drain SIZE: payloads of a frame that does nothing with them
kf_drain() {
  kf_take_in "$1" /dev/null
}
