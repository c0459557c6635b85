/*
 * A stand-in for bao-kms-provider, for the lab only. It has the outside of the real one as far as a host's set-up can
 * tell: its configuration, what it refuses to start on, its socket, its health endpoints and the KMS v2 protocol. It
 * knows no OpenBao, and what it does to plaintext is no encryption.
 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <stddef.h>
#include <stdint.h>

/* Exit codes of the real program. */
enum { EXIT_OK = 0, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_CHECK = 4, EXIT_RUNTIME = 5 };

/* Prints to stderr and ends the process with the code. */
void fail(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* config.c: reads and checks a configuration, or ends the process with EXIT_CONFIG. */
void config_load(const char *file);
/* The value at a dotted path, its default, or NULL. */
const char *config_get(const char *path);
/* How the provider is to log in. */
enum login { JWT_FILE, OAUTH2, CERT_PKCS11 };
enum login config_login(void);
/* Why a file is refused, or NULL. `forbidden` are the mode bits that must be clear. */
const char *file_refusal(const char *file, unsigned forbidden);
/* Reads a file of at most `size` - 1 bytes as text; returns its length, or -1. */
long file_read(const char *file, char *text, size_t size);
/* credential.c: which file of the chosen way to log in is refused, as `KEY FILE: REASON` in `into`; 0 if none is. */
int credentials_refused(char *into, size_t size);
/* A gid by its name or number, or -1. /etc/group is read by hand: a static program has no NSS. */
long group_id(const char *group);

/* kms.c: one HTTP/2 connection of a gRPC client. */
struct kms;
struct kms *kms_open(int fd);
/* Both return 0, or -1 when the connection is done with. */
int kms_readable(struct kms *kms);
int kms_writable(struct kms *kms);
int kms_wants_write(struct kms *kms);
void kms_close(struct kms *kms);

/* message.c: answers a call; returns the gRPC status, with `reply` holding the message of an OK. */
struct bytes {
  uint8_t *data;
  size_t length;
};
enum { GRPC_OK = 0, GRPC_INVALID = 3, GRPC_EXHAUSTED = 8, GRPC_UNIMPLEMENTED = 12 };
int kms_call(const char *path, struct bytes request, struct bytes *reply);

/* The next length-delimited field; all fields of these messages are. 1: taken, 0: at the end, -1: malformed. */
int take_field(struct bytes *in, uint64_t *number, struct bytes *value);
void put_field(struct bytes *out, unsigned number, const void *data, size_t length);

/* main.c: a report in JSON, check by check. `problem` NULL: passed. reported() ends it and gives the exit code. */
void report_start(const char *name);
void say(const char *id, const char *status, const char *message);
void report(const char *id, const char *problem);
int reported(void);

/* probe.c: asks a socket as a client does; returns the exit code. */
int probe(const char *socket_path);

/* serve.c: runs until SIGTERM or SIGINT. */
void serve(void) __attribute__((noreturn));

#endif
