# shellcheck shell=sh disable=SC2034,SC2154
# Leads a connection to a Unix socket through the shell's own input and output, as the one whom it is for. Sent over a
# channel of its own, behind prelude.sh, processes.sh and access.sh. What comes over the channel from then on is chosen by who serves the
# socket as much as by us, and root's shell would run it: it must never read from there again.

# kf_stream SECONDS LIMIT ARGV...: as kf_run, with the channel for input and output
kf_stream() {
  kf_seconds=$1
  shift 2
  kf_limited "$kf_seconds" "$@" <&8 8<&-
  kf_status=$?
}

# It says who it is, then that all further bytes are the socket's.
# shellcheck disable=SC2016
kf_bridge_child='while read -r k v; do
case $k in Uid: | Gid: | Groups: | CapEff:) echo "$k" $v ;; esac
done </proc/self/status
echo "$1"
shift
exec "$@"'

kf_bridge_python='import os,socket,sys,threading,time
s=socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
def up(): [s.sendall(b) for b in iter(lambda: os.read(0,65536),b"")]; s.shutdown(1); time.sleep(1); os._exit(0)
threading.Thread(target=up,daemon=True).start()
[os.write(1,b) for b in iter(lambda: s.recv(65536),b"")]'

# shellcheck disable=SC2016
kf_bridge_perl='use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!\n";
my ($b, $p) = ("", fork());
if ($p) { while (sysread($s, $b, 65536)) { syswrite(STDOUT, $b) } kill 9, $p; exit }
while (sysread(STDIN, $b, 65536)) { syswrite($s, $b) }
shutdown($s, 1); sleep 1; kill 9, getppid()'

# kf_bridge_with PATH: kf_tool, the first that this host has. socat reads more than a path where there is more in it.
kf_bridge_with() {
  kf_tool=
  if command -v socat; then
    case $1 in *[!A-Za-z0-9/._-]*) ;; *) kf_tool=socat; return ;; esac
  fi
  if command -v ncat; then kf_tool=ncat; return; fi
  # of several programs of that name, only that of OpenBSD has both
  if command -v nc; then
    case $(kf_limited 5 nc -h 2>&1 </dev/null) in *OpenBSD*) kf_tool=nc; return ;; esac
  fi
  if command -v python3; then kf_tool=python3; return; fi
  if command -v perl; then kf_tool=perl; fi
} >/dev/null 2>&1

# kf_bridge MARK PID TICKS UID GID GROUPS BITS INODE PATH: INODE: DEV:INO of what must stand there. PID may be empty.
kf_bridge() (
  kf_mark=$1 kf_of=$2 kf_start=$3 kf_uid=$4 kf_gid=$5 kf_groups=$6 kf_c=$7 kf_want=$8 kf_path=$9
  kf_as_by=kf_stream kf_as_seconds=30 kf_account=
  kf_refuse() { echo "refused $1"; echo "$kf_mark"; exit 0; }
  if [ -n "$kf_of" ]; then
    # shellcheck disable=SC3013
    [ "/proc/$kf_of/ns/user" -ef /proc/self/ns/user ] || kf_refuse 'it is in another user namespace'
    { kf_ticks_of "$kf_of" && [ "$kf_x" = "$kf_start" ] && kf_acting "$kf_of"; } ||
      kf_refuse 'its process ended, or its effective ids are not those that it reaches files with'
    # shellcheck disable=SC3013
    if [ ! "/proc/$kf_of/ns/mnt" -ef /proc/self/ns/mnt ]; then
      kf_enter_root "$kf_of" "$kf_start" || kf_refuse 'its root directory could not be entered'
      kf_x=${kf_path#/}/ kf_path=.
      while [ -n "$kf_x" ]; do
        kf_path=$kf_path/${kf_x%%/*} kf_x=${kf_x#*/}
        [ ! -L "$kf_path" ] || kf_refuse "$kf_path is a link in its mount namespace"
      done
    fi
  fi
  [ "$(stat -c %d:%i -- "$kf_path" 2>/dev/null)" = "$kf_want" ] || kf_refuse "what stands at $kf_path there is not what the provider serves"
  kf_bridge_with "$kf_path"
  case $kf_tool in
    '') kf_refuse 'no program' ;;
    socat) set -- socat - "UNIX-CONNECT:$kf_path" ;;
    ncat) set -- ncat -U "$kf_path" ;;
    nc) set -- nc -N -U "$kf_path" ;;
    python3) set -- python3 -I -c "$kf_bridge_python" "$kf_path" ;;
    perl) set -- perl -e "$kf_bridge_perl" "$kf_path" ;;
  esac
  kf_as_exactly "$kf_uid" "$kf_c"
  echo "through $kf_tool"
  echo "how $kf_as_how"
  echo "want $kf_uid $kf_gid $kf_c $kf_groups"
  kf_as "$kf_uid" "$kf_gid" "$kf_groups" -- /bin/sh -c "$kf_bridge_child" sh "$kf_mark" "$@"
  [ "$kf_status" != 120 ] || kf_refuse 'no tool of this host can take that identity (setpriv, chroot --userspec, su)'
)
