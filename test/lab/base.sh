#!/bin/sh
# The recipe of the root filesystem that all hosts of a lab share: base.sh CACHE NAME MIRROR.
# Its text is part of the cache key, so an edit here makes a new one. It is built in a folder of its own and renamed,
# under a lock: two labs that start at once build it once, and an interrupted build is never used.
set -eu
umask 022

cache=$1 name=$2 mirror=$3
exec 9>"$cache/lock"
flock 9
[ ! -d "$cache/$name" ] || exit 0

root=$cache/building
rm -rf "$root"
echo "lab: building the hosts' root filesystem in $cache (once, about a minute)" >&2
if ! debootstrap --variant=minbase \
  --include=systemd,systemd-sysv,dbus,openssh-server,iproute2,procps,passwd,acl,sudo,locales,socat \
  bookworm "$root" ${mirror:+"$mirror"} >"$cache/debootstrap.log" 2>&1; then
  tail -n 20 "$cache/debootstrap.log" >&2
  exit 1
fi

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin LC_ALL=C "$@"; }

# A locale whose "i" has no upper case "I": what sorts or folds case with it shows in a test.
in_root localedef -i tr_TR -f UTF-8 tr_TR.UTF-8

in_root groupadd --system kube-apiserver
in_root useradd --system --gid kube-apiserver --no-create-home --shell /usr/sbin/nologin kube-apiserver
install -m 0755 "$root/usr/bin/sleep" "$root/usr/local/bin/kube-apiserver"
cat >"$root/etc/systemd/system/kube-apiserver.service" <<'UNIT'
[Unit]
Description=Stand-in for a Kubernetes API server that does not run as root
[Service]
Type=exec
User=kube-apiserver
Group=kube-apiserver
ExecStart=/usr/local/bin/kube-apiserver infinity
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../kube-apiserver.service "$root/etc/systemd/system/multi-user.target.wants/"

# Where two cores boot 60 hosts, what a host does not need is not started.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer systemd-tmpfiles-clean.timer getty.target console-getty.service systemd-logind.service \
  systemd-user-sessions.service systemd-networkd.service systemd-resolved.service systemd-timesyncd.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journal-flush.service \
  systemd-journal-catalog-update.service systemd-firstboot.service systemd-machine-id-commit.service \
  systemd-binfmt.service systemd-hwdb-update.service systemd-sysctl.service systemd-remount-fs.service \
  systemd-ask-password-wall.path systemd-ask-password-console.path proc-sys-fs-binfmt_misc.automount \
  dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-fs-fuse-connections.mount sys-kernel-config.mount modprobe@.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/systemd/system-generators"
for generator in "$root"/usr/lib/systemd/system-generators/*; do
  ln -s /dev/null "$root/etc/systemd/system-generators/${generator##*/}"
done
ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system/ssh.service.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
# Each start would else wait for a check of sshd's own configuration. A host that answers has its stand-in running.
printf '[Unit]\nAfter=kube-apiserver.service\n[Service]\nExecStartPre=\n' \
  >"$root/etc/systemd/system/ssh.service.d/lab.conf"
# The unit that ends the time in which only root may log in is masked above, so that time must not begin.
ln -s /dev/null "$root/etc/tmpfiles.d/systemd-nologin.conf"

# sshd takes the first value that it reads: each host's own 10-lab.conf stands before Debian's.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/etc/hostname"
install -d -m 0700 "$root/root/.ssh"

# A target of kmsfleet needs neither Python nor Perl: no host of the lab has them.
rm -rf "$root"/usr/bin/perl* "$root"/usr/bin/python* "$root"/usr/lib/*/perl* "$root"/usr/share/perl* \
  "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/i18n "$root"/usr/share/doc/* \
  "$root"/usr/share/man/* "$root"/var/log/*.log
ldconfig -r "$root"

mv -T "$root" "$cache/$name"
