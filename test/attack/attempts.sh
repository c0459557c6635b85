# shellcheck shell=sh disable=SC2034,SC2154
# One attempt of each write function, as a converging root makes it, below a directory that the attacker owns.
# The caller has both preludes loaded and base set; it says `FUNCTION COUNT` on standard input, we answer
# `APPLIED REFUSED HITS`. A hit: anything outside the attacker's own directories is not as it was.

attempt=0

watch() {
  stat -c '%n %f %u %g %h %s %i %y' "$base" "$base/outside" "$base/outside/target" "$base/outside/open" \
    "$base/outside/victim" "$base/mirror/place" "$base/mirror/place/target" 2>&1
}

stage() {
  kf_stage "$base" && kf_s1=$kf_s && kf_sane "$kf_s1" && mkdir "$kf_s1/0" || exit 3
}

secret() { echo ROOTS-SECRET >"$1"; }

try_put() {
  secret "$kf_s1/0/name"
  kf_enter "$1" "$2" '' "$kf_s1" && kf_place "$kf_s1/0" name absent .
}
try_link() {
  rm -f "$kf_s1/0/link"
  kf_enter "$1" "$2" '' "$kf_s1" && kf_link "$kf_s1/0" link absent /nowhere
}
try_mkdir() {
  mkdir "$kf_s1/0/made$attempt"
  kf_enter "$1" "$2" '' "$kf_s1" && kf_place "$kf_s1/0" "made$attempt" absent .
}
try_inside() {
  secret "$kf_s1/0/name"
  kf_inside_put "$1" "$2" name absent root:root 00600 "$kf_s1/0/name"
}
try_dirset() { kf_dirset "$1" "made $2" 5001:5001 00750 00750 ''; }
try_fileset() {
  kf_enter "$1" "$2" '' "$kf_s1" && kf_fileset "$kf_s1" target "made $file" root:root "0064$((attempt % 2 * 4))" '' .
}
try_remove() { kf_enter "$1" "$2" '' '' && kf_remove victim absent rm -f; }
try_digest() {
  kf_sum=$(kf_digest "$1" target 4096) || return 1
  [ "$kf_sum" != "$outside_sum" ] || hits=$((hits + 1))
}
try_public() {
  kf_sum=$(/bin/sh -c "$kf_public_child" sh "$1/" target c "$kf_pwd" "$NL" 2>/dev/null) || return 1
  case $kf_sum in *eyJvdXRzaWRl*) hits=$((hits + 1)) ;; esac
}

try_pair() {
  kf_sum=$(/bin/sh -c "sleep() { :; }$NL$kf_pair_child" sh "$1" target target 0 4096 "$kf_format" "$kf_pwd" "$NL" 2>/dev/null) || return 1
  case $kf_sum in *'ROOTS-SECRET outside'*) hits=$((hits + 1)) ;; esac
}

outside_sum=$(sha256sum <"$base/outside/target")
outside_sum=${outside_sum%% *}
stage
before=$(watch)
while read -r function dir inode file count; do
  applied=0 refused=0 hits=0
  while [ "$count" -gt 0 ]; do
    count=$((count - 1)) attempt=$((attempt + 1))
    kf_here='' kf_closed='' kf_in=''
    if "try_$function" "$dir" "$inode"; then applied=$((applied + 1)); else refused=$((refused + 1)); [ -z "${debug-}" ] || echo "$kf_says $kf_step $kf_detail" >&2; fi
    cd /
    after=$(watch)
    if [ "$after" != "$before" ]; then
      echo "attempt $attempt of $function: $before became $after; $kf_says $kf_detail" >&2
      hits=$((hits + 1)) before=$after
    fi
    [ ! -e "$base/flag/captured" ] || { hits=$((hits + 1)); rm -f "$base/flag/captured"; }
  done
  echo "$applied $refused $hits"
done
rm -rf "$kf_s1"
