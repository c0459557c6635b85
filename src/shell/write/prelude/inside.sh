# shellcheck shell=sh disable=SC2034,SC2154
# --- staging inside the directory itself, where it has no trusted ancestor on its mount ---
# Its owner can make this fail, not win: the stage is root's, empty, without ACL, and `..` stays pinned because only
# root can move a root-owned folder to another parent. One that a kill leaves behind stays: its name is its owner's to
# give, so nothing is removed by it.

# kf_inside DIR DEV:INO
kf_inside() {
  kf_in=
  kf_enter "$1" "$2" '' '' || return 1
  kf_try stage mktemp -d ./.kmsfleet.XXXXXXXX || return 1
  kf_y=${kf_detail#./}
  at "${1%/}/$kf_y" || { kf_moved "expected the stage in $1, found that it was taken away"; return 1; }
  # a folder of root's that the owner moved to this name is not ours, and it is not empty
  kf_empty || { kf_moved "expected the stage in $1, found another folder"; return 1; } # guard:stage-empty
  kf_in=$kf_y
  kf_sane . # guard:stage-acl
}

kf_empty() {
  for kf_x in ./* ./.[!.]* ./..?*; do
    if [ -e "$kf_x" ] || [ -L "$kf_x" ]; then return 1; fi
  done
}

# kf_outside [NAME]: leaves and removes such a stage, by names relative to what is pinned, and only what we made
kf_outside() {
  [ -n "$kf_in" ] || return 0
  rm -f ./.a ./.b ./x
  if [ -z "${1-}" ]; then
    :
  elif [ -d "./$1" ] && [ ! -L "./$1" ]; then
    rmdir "./$1"
  else
    rm -f "./$1"
  fi
  cd -P .. && rmdir "./$kf_in" 2>/dev/null
  kf_in='' kf_here=''
}

# kf_inside_put DIR DEV:INO NAME WHAT OWNER:GROUP MODE FROM [LABEL]    FROM: the staged file, or empty for a directory
kf_inside_put() {
  if kf_inside "$1" "$2" && kf_inside_make "$@" && kf_place . "$3" "$4" ..; then
    kf_outside "$3"
  else
    kf_outside "$3"
    return 1
  fi
}

kf_inside_make() {
  if [ -z "$7" ]; then
    kf_try stage mkdir "./$3" || return 1
  elif ! cat "$7" >"./$3" 2>/dev/null; then
    kf_fail stage "expected room for $3 in $1, found that it cannot be written"
    return 1
  fi
  kf_try owner chown -- "$5" "./$3" && kf_try mode chmod "$6" "./$3" && kf_label "${8-}" "./$3" && kf_try sync sync "./$3"
}

# kf_inside_link DIR DEV:INO NAME WHAT TARGET
kf_inside_link() {
  if kf_inside "$1" "$2" && kf_try stage ln -s "$5" "./$3" && kf_place . "$3" "$4" ..; then
    kf_outside "$3"
  else
    kf_outside "$3"
    return 1
  fi
}

# kf_inside_set DIR DEV:INO NAME WHAT OWNER:GROUP MODE STRIP [LABEL]
kf_inside_set() {
  if kf_inside "$1" "$2" && kf_fileset . "$3" "$4" "$5" "$6" "$7" .. "${8-}"; then
    kf_outside "$3"
  else
    kf_outside "$3"
    return 1
  fi
}
