/*
 * Asks the kernel by doing it. Standard input holds one try a line:
 *   NUMBER UID GID GROUP,GROUP,... CAPABILITIES(hex) ACTION PATH
 * sorted by identity: every identity is a child of its own. Prints `NUMBER ERRNO TRICK`: the errno of the real act, and
 * of the side-effect-free try that stands for it on hosts (-1: there is none, 0: it went well).
 * With an argument: makes a socket at each path of standard input, to which nobody listens.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *uid, const char *gid, const char *groups, const char *capabilities) {
  gid_t list[32];
  size_t count = 0;
  char copy[256];
  snprintf(copy, sizeof copy, "%s", groups);
  for (char *word = strtok(copy, ","); word != NULL && count < 32; word = strtok(NULL, ","))
    if (*word != '-') list[count++] = (gid_t)atoi(word);
  if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(count, list)) exit(3);
  if (setresgid(atoi(gid), atoi(gid), atoi(gid)) || setresuid(atoi(uid), atoi(uid), atoi(uid))) exit(4);
  unsigned bits = (unsigned)strtoul(capabilities, NULL, 16);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{bits, bits, 0}, {0, 0, 0}};
  if (syscall(SYS_capset, &header, data)) exit(5);
}

static int errno_of(int result) { return result < 0 ? errno : 0; }

static int opened(const char *path, int flags) {
  int file = open(path, flags | O_NONBLOCK | O_CLOEXEC, 0666);
  int found = errno_of(file);
  if (file >= 0) close(file);
  return found;
}

static int connected(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (strlen(path) >= sizeof address.sun_path) exit(9);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int found = errno_of(connect(end, (struct sockaddr *)&address, sizeof address));
  close(end);
  return found;
}

static int may(const char *path, int how) { return errno_of(faccessat(AT_FDCWD, path, how, AT_EACCESS)); }

static void attempt(const char *number, const char *action, const char *path) {
  char other[4200];
  int done = -1, trick = -1;
  snprintf(other, sizeof other, "%s%s", path, strcmp(action, "create") ? ".away" : "/new");
  if (!strcmp(action, "connect")) {
    done = connected(path);
    trick = opened(path, O_WRONLY | O_CREAT | O_APPEND); // as `>>` of a shell
  } else if (!strcmp(action, "read")) {
    done = opened(path, O_RDONLY);
    trick = may(path, R_OK);
  } else if (!strcmp(action, "write")) {
    done = opened(path, O_WRONLY);
    trick = may(path, W_OK);
  } else if (!strcmp(action, "traverse")) {
    done = errno_of(chdir(path));
    if (chdir("/")) exit(6);
  } else if (!strcmp(action, "execute")) {
    char *none[] = {NULL};
    execve(path, none, none);
    done = errno;
    trick = may(path, X_OK);
  } else if (!strcmp(action, "create")) {
    trick = errno_of(mknod(other, S_IFCHR | 0600, makedev(1, 3)));
    done = errno_of(mkdir(other, 0700));
    if (done == 0 && rmdir(other)) exit(7);
  } else if (!strcmp(action, "replace-directory") || !strcmp(action, "replace-other")) {
    trick = errno_of(action[8] == 'd' ? unlink(path) : rmdir(path));
    done = errno_of(rename(path, other));
    if (done == 0 && rename(other, path)) exit(8);
  }
  printf("%s %d %d\n", number, done, trick);
}

int main(int count, char **words __attribute__((unused))) {
  char line[8192], current[512] = "";
  int pipes[2];
  FILE *child = NULL;
  pid_t pid = 0;
  umask(077);
  if (count > 1) {
    while (fscanf(stdin, "%511s", current) == 1)
      if (mknod(current, S_IFSOCK | 0600, 0)) return 2;
    return 0;
  }
  for (;;) {
    char *got = fgets(line, sizeof line, stdin);
    char number[32], uid[32], gid[32], groups[256], capabilities[32], action[32], path[4096], key[512] = "";
    if (got && sscanf(line, "%31s %31s %31s %255s %31s %31s %4095s", number, uid, gid, groups, capabilities, action, path) != 7)
      return 2;
    if (got) snprintf(key, sizeof key, "%s %s %s %s", uid, gid, groups, capabilities);
    if (child && strcmp(key, current)) {
      int status;
      fclose(child);
      child = NULL;
      if (waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "%s: status %x\n", current, (unsigned)status);
        return 2;
      }
    }
    if (!got) return 0;
    if (!child) {
      strcpy(current, key);
      if (pipe2(pipes, O_CLOEXEC)) return 2;
      fflush(stdout);
      pid = fork();
      if (pid == 0) {
        char wanted[32], target[4096], name[32];
        FILE *in = fdopen(pipes[0], "r");
        close(pipes[1]);
        become(uid, gid, groups, capabilities);
        while (fscanf(in, "%31s %31s %4095s", name, wanted, target) == 3) attempt(name, wanted, target);
        fflush(stdout);
        _exit(0);
      }
      close(pipes[0]);
      child = fdopen(pipes[1], "w");
    }
    fprintf(child, "%s %s %s\n", number, action, path);
  }
}
