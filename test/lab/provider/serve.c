#include "provider.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The first three are the listeners. */
enum { KMS_LISTENER, HEALTH_LISTENER, METRICS_LISTENER, LISTENERS, CONNECTIONS = 64 };

static struct pollfd fds[CONNECTIONS];
/* NULL: a connection that speaks HTTP/1. */
static struct kms *sessions[CONNECTIONS];
/* Bytes of an HTTP/1 request that have come. */
static size_t heard[CONNECTIONS];
static struct sockaddr_un address = {.sun_family = AF_UNIX};

/* The folder of a path, in a buffer of its own for each call site. */
static const char *parent_of(const char *path, char *into, size_t size) {
  snprintf(into, size, "%s", path);
  char *slash = strrchr(into, '/');
  if (slash) *slash = 0;
  return into;
}

static void check_runtime_folder(const char *socket_path) {
  char folder[256];
  struct stat st;
  parent_of(socket_path, folder, sizeof folder);
  if (lstat(folder, &st) < 0) fail(EXIT_RUNTIME, "runtime directory %s: %s", folder, strerror(errno));
  const char *wrong = S_ISLNK(st.st_mode)        ? "is a symbolic link"
                      : !S_ISDIR(st.st_mode)     ? "is not a directory"
                      : st.st_mode & 0022        ? "is writable by its group or by others"
                      : st.st_uid != geteuid()   ? "belongs to another user"
                                                 : NULL;
  if (wrong) fail(EXIT_RUNTIME, "unsafe runtime directory: %s %s", folder, wrong);
}

/* What may lie at the socket's path when it starts: nothing, or a socket that nobody listens on. */
static void remove_stale_socket(void) {
  struct stat st;
  const char *path = address.sun_path;
  if (lstat(path, &st) < 0) {
    if (errno == ENOENT) return;
    fail(EXIT_RUNTIME, "socket %s: %s", path, strerror(errno));
  }
  if (!S_ISSOCK(st.st_mode)) fail(EXIT_RUNTIME, "socket path %s is taken by something else", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int answered = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
  int error = errno;
  close(fd);
  if (answered) fail(EXIT_RUNTIME, "socket %s is served by another process", path);
  if (error != ECONNREFUSED) fail(EXIT_RUNTIME, "socket %s: cannot tell whether it is served: %s", path, strerror(error));
  if (unlink(path) < 0) fail(EXIT_RUNTIME, "stale socket %s: %s", path, strerror(errno));
}

static int listen_kms(void) {
  const char *path = config_get("server.socketPath");
  if (strlen(path) >= sizeof address.sun_path) fail(EXIT_CONFIG, "config: server.socketPath is too long");
  strcpy(address.sun_path, path);
  check_runtime_folder(path);
  remove_stale_socket();
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  mode_t previous = umask(0177);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail(EXIT_RUNTIME, "bind %s: %s", path, strerror(errno));
  umask(previous);
  long group = group_id(config_get("server.socketGroup"));
  if (group < 0) fail(EXIT_RUNTIME, "socket group %s does not exist", config_get("server.socketGroup"));
  if (chown(path, (uid_t)-1, (gid_t)group) < 0) fail(EXIT_RUNTIME, "chown of %s: %s", path, strerror(errno));
  if (chmod(path, (mode_t)strtol(config_get("server.socketMode"), NULL, 8)) < 0)
    fail(EXIT_RUNTIME, "chmod of %s: %s", path, strerror(errno));
  if (listen(fd, 16) < 0) fail(EXIT_RUNTIME, "listen on %s: %s", path, strerror(errno));
  return fd;
}

static int listen_http(const char *path) {
  const char *at = config_get(path), *colon = strrchr(at, ':');
  char host[64];
  snprintf(host, sizeof host, "%.*s", (int)(colon - at), at);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
  if (inet_pton(AF_INET, host, &to.sin_addr) != 1) fail(EXIT_CONFIG, "config: expected %s to be an IPv4 address, found %s", path, at);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&to, sizeof to) < 0 || listen(fd, 16) < 0)
    fail(EXIT_RUNTIME, "listen on %s %s: %s", path, at, strerror(errno));
  return fd;
}

static void check_files(void) {
  static char refused[512];
  if (credentials_refused(refused, sizeof refused)) fail(EXIT_CONFIG, "%s", refused);
  const char *ca = config_get("openbao.caCertFile"), *reason = file_refusal(ca, 0022);
  if (reason) fail(EXIT_CONFIG, "openbao.caCertFile %s: %s", ca, reason);
}

static void write_file(const char *path, mode_t mode, const char *content) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0 || fchmod(fd, mode) < 0 || write(fd, content, strlen(content)) < 0)
    fail(EXIT_RUNTIME, "state %s: %s", path, strerror(errno));
  close(fd);
}

/* The registry with its checkpoint, made where there is none yet; and its lock, held as long as the process runs. */
static void open_state(void) {
  const char *path = config_get("state.path");
  char lock[300], checkpoint[300];
  struct stat st;
  snprintf(lock, sizeof lock, "%s.lock", path);
  snprintf(checkpoint, sizeof checkpoint, "%s.checkpoint", path);
  int fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) fail(EXIT_RUNTIME, "state lock %s: %s", lock, strerror(errno));
  int has_state = lstat(path, &st) == 0;
  if (has_state && (!S_ISREG(st.st_mode) || (st.st_mode & 0137))) fail(EXIT_RUNTIME, "unsafe state file %s", path);
  int has_checkpoint = lstat(checkpoint, &st) == 0;
  if (has_state != has_checkpoint) fail(EXIT_RUNTIME, "state %s: found one of registry and checkpoint alone", path);
  if (has_state) return;
  write_file(path, 0640, "{\"generation\":1}\n");
  write_file(checkpoint, 0640, "{\"generation\":1}\n");
}

static void forget(int i) {
  if (sessions[i]) kms_close(sessions[i]);
  else close(fds[i].fd);
  sessions[i] = NULL;
  fds[i].fd = -1;
}

static void welcome(int listener) {
  int fd = accept4(fds[listener].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), i = LISTENERS;
  if (fd < 0) return;
  while (i < CONNECTIONS && fds[i].fd >= 0) i++;
  if (i == CONNECTIONS) {
    close(fd);
    return;
  }
  fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
  heard[i] = 0;
  sessions[i] = listener == KMS_LISTENER ? kms_open(fd) : NULL;
}

/* Answers once the whole request has come: who closes with input unread resets the connection, reply and all. Returns
   whether the connection is done with. */
static int answer_http(int i) {
  static char requests[CONNECTIONS][2048];
  char *request = requests[i], reply[512];
  int fd = fds[i].fd;
  size_t have = heard[i];
  ssize_t got = recv(fd, request + have, sizeof requests[i] - 1 - have, 0);
  if (got <= 0) return 1;
  heard[i] = have += (size_t)got;
  request[have] = 0;
  if (!strstr(request, "\r\n\r\n")) return have == sizeof requests[i] - 1;
  const char *body = strncmp(request, "GET /live ", 10) == 0 || strncmp(request, "GET /ready ", 11) == 0 ? "ok\n"
                     : strncmp(request, "GET /metrics ", 13) == 0 ? "openbao_kms_auth_login_total{status=\"ok\"} 1\n"
                                                                  : NULL;
  int length = snprintf(reply, sizeof reply,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        body ? "200 OK" : "404 Not Found", body ? strlen(body) : 0, body ? body : "");
  if (send(fd, reply, (size_t)length, MSG_NOSIGNAL) >= 0) shutdown(fd, SHUT_WR);
  return 1;
}

static void stop(int signal) {
  (void)signal;
  unlink(address.sun_path);
  _exit(EXIT_OK);
}

void serve(void) {
  check_files();
  open_state();
  fds[KMS_LISTENER].fd = listen_kms();
  fds[HEALTH_LISTENER].fd = listen_http("server.healthAddress");
  fds[METRICS_LISTENER].fd = listen_http("server.metricsAddress");
  for (int i = 0; i < CONNECTIONS; i++) {
    fds[i].events = POLLIN;
    if (i >= LISTENERS) fds[i].fd = -1;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  for (;;) {
    for (int i = LISTENERS; i < CONNECTIONS; i++)
      if (sessions[i]) fds[i].events = (short)(POLLIN | (kms_wants_write(sessions[i]) ? POLLOUT : 0));
    if (poll(fds, CONNECTIONS, -1) < 0) continue;
    for (int i = LISTENERS; i < CONNECTIONS; i++) {
      if (fds[i].fd < 0 || !fds[i].revents) continue;
      if (!sessions[i]) {
        if (answer_http(i)) forget(i);
      } else if ((fds[i].revents & POLLOUT ? kms_writable(sessions[i]) : kms_readable(sessions[i])) < 0) {
        forget(i);
      }
    }
    for (int i = 0; i < LISTENERS; i++)
      if (fds[i].revents & POLLIN) welcome(i);
  }
}
