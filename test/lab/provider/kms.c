#include "provider.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A gRPC message is five bytes (not compressed, length) and the message; one a call suffices for KMS v2. */
enum { PREFIX = 5, REQUEST_LIMIT = 65536, REPLY_LIMIT = 4096 };

struct kms {
  int fd;
  nghttp2_session *session;
};

struct call {
  char path[128];
  uint8_t *request;
  size_t length;
  int too_long;
  uint8_t reply[PREFIX + REPLY_LIMIT];
  size_t reply_length, sent;
  int status;
};

static struct call *call_of(nghttp2_session *session, int32_t stream) {
  return nghttp2_session_get_stream_user_data(session, stream);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  struct call *call = calloc(1, sizeof *call);
  if (!call) return NGHTTP2_ERR_CALLBACK_FAILURE;
  return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
  (void)flags, (void)user;
  struct call *call = call_of(session, frame->hd.stream_id);
  if (call && name_length == 5 && memcmp(name, ":path", 5) == 0 && value_length < sizeof call->path)
    memcpy(call->path, value, value_length);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length,
                   void *user) {
  (void)flags, (void)user;
  struct call *call = call_of(session, stream);
  if (!call) return 0;
  if (call->length + length > PREFIX + REQUEST_LIMIT) {
    call->too_long = 1;
    return 0;
  }
  uint8_t *grown = realloc(call->request, call->length + length);
  if (!grown) return NGHTTP2_ERR_CALLBACK_FAILURE;
  memcpy(grown + call->length, data, length);
  call->request = grown;
  call->length += length;
  return 0;
}

#define HEADER(name, value) \
  {(uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE}

static ssize_t read_reply(nghttp2_session *session, int32_t stream, uint8_t *into, size_t size, uint32_t *flags,
                          nghttp2_data_source *source, void *user) {
  (void)user;
  struct call *call = source->ptr;
  size_t length = call->reply_length - call->sent;
  if (length > size) length = size;
  memcpy(into, call->reply + call->sent, length);
  call->sent += length;
  if (call->sent == call->reply_length) {
    char status[12];
    snprintf(status, sizeof status, "%d", call->status);
    nghttp2_nv trailers[] = {HEADER("grpc-status", status)};
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, stream, trailers, 1);
  }
  return (ssize_t)length;
}

static void answer(struct call *call) {
  struct bytes reply = {call->reply + PREFIX, 0};
  const uint8_t *p = call->request;
  if (call->too_long) {
    call->status = GRPC_EXHAUSTED;
  } else if (call->length < PREFIX || p[0] != 0 ||
             ((size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4]) != call->length - PREFIX) {
    call->status = GRPC_INVALID;
  } else {
    call->status = kms_call(call->path, (struct bytes){call->request + PREFIX, call->length - PREFIX}, &reply);
  }
  if (call->status != GRPC_OK) return;
  for (int i = 0; i < 4; i++) call->reply[1 + i] = (uint8_t)(reply.length >> (24 - 8 * i));
  call->reply_length = PREFIX + reply.length;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
  if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
  struct call *call = call_of(session, frame->hd.stream_id);
  if (!call) return 0;
  answer(call);
  nghttp2_nv headers[] = {HEADER(":status", "200"), HEADER("content-type", "application/grpc")};
  nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_reply};
  return nghttp2_submit_response(session, frame->hd.stream_id, headers, 2, &body);
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
  (void)error, (void)user;
  struct call *call = call_of(session, stream);
  if (call) free(call->request);
  free(call);
  nghttp2_session_set_stream_user_data(session, stream, NULL);
  return 0;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t length, int flags, void *user) {
  (void)session, (void)flags;
  struct kms *kms = user;
  ssize_t sent = send(kms->fd, data, length, MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
}

struct kms *kms_open(int fd) {
  struct kms *kms = calloc(1, sizeof *kms);
  nghttp2_session_callbacks *callbacks;
  if (!kms || nghttp2_session_callbacks_new(&callbacks) != 0) return NULL;
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  kms->fd = fd;
  int made = nghttp2_session_server_new(&kms->session, callbacks, kms);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) fail(EXIT_RUNTIME, "out of memory");
  nghttp2_submit_settings(kms->session, NGHTTP2_FLAG_NONE, NULL, 0);
  return kms;
}

int kms_readable(struct kms *kms) {
  uint8_t buffer[16384];
  ssize_t got = recv(kms->fd, buffer, sizeof buffer, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
  if (got == 0 || nghttp2_session_mem_recv(kms->session, buffer, (size_t)got) < 0) return -1;
  return kms_writable(kms);
}

int kms_writable(struct kms *kms) {
  if (nghttp2_session_send(kms->session) != 0) return -1;
  return nghttp2_session_want_read(kms->session) || nghttp2_session_want_write(kms->session) ? 0 : -1;
}

int kms_wants_write(struct kms *kms) { return nghttp2_session_want_write(kms->session); }

void kms_close(struct kms *kms) {
  nghttp2_session_del(kms->session);
  close(kms->fd);
  free(kms);
}
