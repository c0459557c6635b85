#include "provider.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* The client's side of the KMS v2 protocol, one call after the other. */

enum { PREFIX = 5, LIMIT = 8192 };

static struct {
  int fd, status, ended;
  uint8_t request[LIMIT], reply[LIMIT];
  size_t length, sent, got;
} call;

#define HEADER(name, value) \
  {(uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE}

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t length, int flags, void *user) {
  (void)session, (void)flags, (void)user;
  ssize_t sent = send(call.fd, data, length, MSG_NOSIGNAL);
  return sent < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : sent;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
  (void)session, (void)frame, (void)value_length, (void)flags, (void)user;
  if (name_length == 11 && memcmp(name, "grpc-status", 11) == 0) call.status = atoi((const char *)value);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length,
                   void *user) {
  (void)session, (void)flags, (void)stream, (void)user;
  if (call.got + length > LIMIT) return NGHTTP2_ERR_CALLBACK_FAILURE;
  memcpy(call.reply + call.got, data, length);
  call.got += length;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
  (void)session, (void)stream, (void)error, (void)user;
  call.ended = 1;
  return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *into, size_t size, uint32_t *flags,
                            nghttp2_data_source *source, void *user) {
  (void)session, (void)stream, (void)source, (void)user;
  size_t length = call.length - call.sent;
  if (length > size) length = size;
  memcpy(into, call.request + call.sent, length);
  call.sent += length;
  if (call.sent == call.length) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)length;
}

static nghttp2_session *start(int fd) {
  nghttp2_session_callbacks *callbacks;
  nghttp2_session *session;
  call.fd = fd;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) fail(EXIT_RUNTIME, "out of memory");
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  if (nghttp2_session_client_new(&session, callbacks, NULL) != 0) fail(EXIT_RUNTIME, "out of memory");
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
  return session;
}

/* Sends what stands in call.request behind the prefix; the reply's message, or NULL data where there is none. */
static struct bytes ask(nghttp2_session *session, const char *path, size_t length) {
  struct bytes none = {NULL, 0};
  for (int i = 0; i < 4; i++) call.request[1 + i] = (uint8_t)(length >> (24 - 8 * i));
  call.request[0] = 0, call.length = PREFIX + length, call.sent = call.got = 0, call.status = -1, call.ended = 0;
  nghttp2_nv headers[] = {HEADER(":method", "POST"),
                          HEADER(":scheme", "http"),
                          HEADER(":authority", "localhost"),
                          HEADER(":path", path),
                          HEADER("content-type", "application/grpc"),
                          HEADER("te", "trailers")};
  nghttp2_data_provider body = {.read_callback = read_request};
  nghttp2_submit_request(session, NULL, headers, sizeof headers / sizeof *headers, &body, NULL);
  while (!call.ended) {
    uint8_t buffer[4096];
    if (nghttp2_session_send(session) != 0) return none;
    if (call.ended) break;
    ssize_t got = recv(call.fd, buffer, sizeof buffer, 0);
    if (got <= 0 || nghttp2_session_mem_recv(session, buffer, (size_t)got) < 0) return none;
  }
  if (call.status != GRPC_OK || call.got < PREFIX) return none;
  return (struct bytes){call.reply + PREFIX, call.got - PREFIX};
}

/* The field as text, in `into`; 0 where it is not there. */
static int text_of(struct bytes message, uint64_t wanted, char *into, size_t size) {
  struct bytes value;
  uint64_t number;
  while (take_field(&message, &number, &value) > 0)
    if (number == wanted && value.length < size) {
      memcpy(into, value.data, value.length);
      into[value.length] = 0;
      return 1;
    }
  return 0;
}

static void calls(int fd) {
  static const char plain[] = "probe of the stand-in provider";
  char version[16], health[64], key[1024], sealed_by[1024], opened[64];
  nghttp2_session *session = start(fd);
  struct bytes reply = ask(session, "/v2.KeyManagementService/Status", 0);
  int healthy = reply.data && text_of(reply, 1, version, sizeof version) && text_of(reply, 2, health, sizeof health) &&
                text_of(reply, 3, key, sizeof key) && strcmp(version, "v2") == 0 && strcmp(health, "ok") == 0;
  report("kms.status", healthy ? NULL : "not healthy");

  struct bytes request = {call.request + PREFIX, 0};
  put_field(&request, 1, plain, sizeof plain - 1);
  put_field(&request, 2, "probe", 5);
  reply = ask(session, "/v2.KeyManagementService/Encrypt", request.length);
  int sealed = reply.data && text_of(reply, 2, sealed_by, sizeof sealed_by);
  report("kms.encrypt", sealed ? NULL : "no ciphertext");
  request = (struct bytes){call.request + PREFIX, 0};
  if (sealed) {
    struct bytes rest = reply, value;
    uint64_t number;
    while (take_field(&rest, &number, &value) > 0)
      put_field(&request, number == 1 ? 1 : number == 2 ? 3 : 4, value.data, value.length);
    put_field(&request, 2, "probe", 5);
    reply = ask(session, "/v2.KeyManagementService/Decrypt", request.length);
  }
  int same = sealed && reply.data && text_of(reply, 1, opened, sizeof opened) && strcmp(opened, plain) == 0;
  report("kms.decrypt", same ? NULL : "other bytes than were encrypted");
  if (healthy && sealed && strcmp(key, sealed_by) == 0) say("kms.key_id", "pass", key);
  else report("kms.key_id", "no key id, or two");
  nghttp2_session_del(session);
}

int probe(const char *path) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  struct stat st;
  struct timeval patience = {.tv_sec = 10};
  static const char *const asked[] = {"kms.status", "kms.encrypt", "kms.decrypt", "kms.key_id"};
  if (strlen(path) >= sizeof to.sun_path) fail(EXIT_USAGE, "--socket is too long");
  strcpy(to.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  report_start("probe");
  say("client.identity", geteuid() == 0 ? "warn" : "pass", geteuid() == 0 ? "root reaches every socket" : "");
  int there = lstat(path, &st) == 0;
  report("socket.path", !there ? "not reachable" : S_ISSOCK(st.st_mode) ? NULL : "not a socket");
  int own = there && st.st_uid == geteuid();
  say("socket.access_scope", own ? "warn" : "pass", own ? "the caller owns the socket" : "");
  int connected = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
  report("socket.connect", connected ? NULL : "connect failed");
  if (connected) calls(fd);
  else
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) say(asked[i], "skip", "no connection");
  close(fd);
  return reported();
}
