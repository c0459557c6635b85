#!/bin/sh
# The recipe of the root filesystem of a host that has busybox and sshd, and nothing else: no systemd, no GNU userland,
# no shadow suite. busybox.sh CACHE NAME SOURCE BASE: SOURCE is busybox's source archive, BASE the other hosts' root, from
# which sshd and its libraries come. Debian's own busybox lacks addgroup and adduser, so it is built here.
# Its text is part of the cache key. Like base.sh it is built under a lock and renamed.
set -eu
umask 022

cache=$1 name=$2 source=$3 base=$4
exec 9>"$cache/busybox.lock"
flock 9
[ ! -d "$cache/$name" ] || exit 0

work=$cache/building-busybox
rm -rf "$work"
mkdir -p "$work/source" "$work/root"
echo "lab: building busybox and a root filesystem around it in $cache (once, about a minute)" >&2
tar -xjf "$source" -C "$work/source" --strip-components=1

# What is in busybox by default, but for whole chapters that no host of the lab uses: they cost a minute.
configure() {
  make defconfig
  awk '
    /^# (Console|Linux Module|Miscellaneous|Networking|Print|Mail|Runit) Utilities$/ || /^# Linux Ext2 FS Progs$/ { drop = 1; print; next }
    /^# (Finding|Init|Process|Debian|Login\/Password Management|Linux System) Utilities$/ || /^# (Coreutils|Editors|Shells)$/ { drop = 0 }
    drop && /=y$/ && !/^CONFIG_(FEATURE_)?(WGET|HOSTNAME)/ { sub(/=y$/, ""); print "# " $0 " is not set"; next }
    { print }' .config >.config.less
  sed -e 's/^# CONFIG_STATIC is not set/CONFIG_STATIC=y/' -e 's/^CONFIG_FEATURE_WTMP=y/# CONFIG_FEATURE_WTMP is not set/' \
    .config.less >.config
  yes '' | make oldconfig
  make -j"$(nproc)"
}
if ! (cd "$work/source" && configure) >"$cache/busybox.log" 2>&1; then
  tail -n 20 "$cache/busybox.log" >&2
  exit 1
fi

root=$work/root
for folder in bin sbin usr/bin usr/sbin etc/ssh/sshd_config.d root/.ssh proc sys dev run tmp var/log srv; do
  mkdir -p "$root/$folder"
done
chmod 0700 "$root/root" "$root/root/.ssh"
chmod 1777 "$root/tmp"
cp "$work/source/busybox" "$root/bin/busybox"
chroot "$root" /bin/busybox --install -s

cp "$base/usr/sbin/sshd" "$root/usr/sbin/sshd"
for library in $(chroot "$base" /usr/bin/ldd /usr/sbin/sshd | grep -o '/[^ ]*'); do
  mkdir -p "$root/${library%/*}"
  cp -L "$base/$library" "$root/$library"
done

cat >"$root/etc/os-release" <<'TEXT'
ID=busybox
PRETTY_NAME="busybox alone"
TEXT
cat >"$root/etc/passwd" <<'TEXT'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
sshd:x:22:22:sshd:/run/sshd:/bin/false
kube-apiserver:x:101:101:API server:/nonexistent:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
TEXT
sed -n 's/^\([^:]*\):.*/\1:*:19000:0:99999:7:::/p' "$root/etc/passwd" >"$root/etc/shadow"
chmod 0600 "$root/etc/shadow"
cat >"$root/etc/group" <<'TEXT'
root:x:0:
daemon:x:1:
sshd:x:22:
kube-apiserver:x:101:
nogroup:x:65534:
TEXT
cat >"$root/etc/ssh/sshd_config" <<'TEXT'
Include /etc/ssh/sshd_config.d/*.conf
UsePAM no
PidFile none
TEXT
cat >"$root/etc/inittab" <<'TEXT'
::sysinit:/bin/mkdir -p -m 0755 /run/sshd
::respawn:/usr/sbin/sshd -D
TEXT

mv -T "$root" "$cache/$name"
rm -rf "$work"
