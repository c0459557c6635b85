#include "provider.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Field numbers of k8s.io/kms/apis/v2. */
enum { ENCRYPT_PLAINTEXT = 1, DECRYPT_CIPHERTEXT = 1, DECRYPT_KEY_ID = 3, DECRYPT_ANNOTATIONS = 4 };

#define ANNOTATION "format.stand-in.kmsfleet.invalid"
enum { NONCE = 8, CHECK = 8, LIMIT = 1023 };

static char key_id[512];

static const char *current_key_id(void) {
  strcpy(key_id, "stand-in.");
  strncat(key_id, config_get("transit.keyIdScope.clusterId"), 200);
  strcat(key_id, ".");
  strncat(key_id, config_get("transit.keyIdScope.keyLineageId"), 200);
  return key_id;
}

/* ---- protobuf ---- */

static int take_varint(struct bytes *in, uint64_t *value) {
  *value = 0;
  for (int shift = 0; shift < 64 && in->length; shift += 7) {
    uint8_t byte = *in->data++;
    in->length--;
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return 1;
  }
  return 0;
}

int take_field(struct bytes *in, uint64_t *number, struct bytes *value) {
  uint64_t tag, length;
  if (!in->length) return 0;
  if (!take_varint(in, &tag) || (tag & 7) != 2 || !take_varint(in, &length) || length > in->length) return -1;
  *number = tag >> 3;
  *value = (struct bytes){in->data, (size_t)length};
  in->data += length;
  in->length -= (size_t)length;
  return 1;
}

static void put(struct bytes *out, const void *data, size_t length) {
  memcpy(out->data + out->length, data, length);
  out->length += length;
}

static void put_varint(struct bytes *out, size_t value) {
  for (; value > 0x7f; value >>= 7) out->data[out->length++] = (uint8_t)(value | 0x80);
  out->data[out->length++] = (uint8_t)value;
}

void put_field(struct bytes *out, unsigned number, const void *data, size_t length) {
  put_varint(out, number << 3 | 2);
  put_varint(out, length);
  put(out, data, length);
}

/* ---- what stands in for encryption: it scrambles so that a test sees a difference, and protects nothing ---- */

static uint64_t mix(uint64_t hash, const void *data, size_t length) {
  const uint8_t *byte = data;
  for (size_t i = 0; i < length; i++) hash = (hash ^ byte[i]) * 1099511628211u;
  return hash;
}

static void scramble(const uint8_t *nonce, uint8_t *data, size_t length) {
  uint64_t state = mix(mix(14695981039346656037u, key_id, strlen(key_id)), nonce, NONCE) | 1;
  for (size_t i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    data[i] ^= (uint8_t)state;
  }
}

static void checksum(struct bytes plain, uint8_t *sum) {
  uint64_t hash = mix(14695981039346656037u, plain.data, plain.length);
  memcpy(sum, &hash, CHECK);
}

/* ---- the three calls ---- */

static int status(struct bytes *reply) {
  put_field(reply, 1, "v2", 2);
  put_field(reply, 2, "ok", 2);
  put_field(reply, 3, key_id, strlen(key_id));
  return GRPC_OK;
}

static int encrypt(struct bytes request, struct bytes *reply) {
  struct bytes plain = {NULL, 0}, value;
  uint64_t number;
  int more;
  while ((more = take_field(&request, &number, &value)) > 0)
    if (number == ENCRYPT_PLAINTEXT) plain = value;
  if (more < 0 || plain.length > LIMIT - NONCE - CHECK) return GRPC_INVALID;

  uint8_t cipher[LIMIT];
  if (getrandom(cipher, NONCE, 0) != NONCE) return GRPC_EXHAUSTED;
  if (plain.length) memcpy(cipher + NONCE, plain.data, plain.length);
  checksum(plain, cipher + NONCE + plain.length);
  scramble(cipher, cipher + NONCE, plain.length + CHECK);
  put_field(reply, 1, cipher, NONCE + plain.length + CHECK);
  put_field(reply, 2, key_id, strlen(key_id));

  uint8_t entry[64];
  struct bytes annotation = {entry, 0};
  put_field(&annotation, 1, ANNOTATION, strlen(ANNOTATION));
  put_field(&annotation, 2, "1", 1);
  put_field(reply, 3, annotation.data, annotation.length);
  return GRPC_OK;
}

static int is_text(struct bytes value, const char *text) {
  return value.length == strlen(text) && memcmp(value.data, text, value.length) == 0;
}

static int is_annotation(struct bytes entry) {
  struct bytes value;
  uint64_t number;
  int right = 0;
  while (take_field(&entry, &number, &value) > 0) right += is_text(value, number == 1 ? ANNOTATION : "1");
  return right == 2;
}

static int decrypt(struct bytes request, struct bytes *reply) {
  struct bytes cipher = {NULL, 0}, value;
  uint64_t number;
  int more, keyed = 0, annotated = 0;
  while ((more = take_field(&request, &number, &value)) > 0) {
    if (number == DECRYPT_CIPHERTEXT) cipher = value;
    if (number == DECRYPT_KEY_ID) keyed = is_text(value, key_id);
    if (number == DECRYPT_ANNOTATIONS) annotated |= is_annotation(value);
  }
  if (more < 0 || !keyed || !annotated || cipher.length < NONCE + CHECK) return GRPC_INVALID;

  struct bytes plain = {cipher.data + NONCE, cipher.length - NONCE - CHECK};
  uint8_t sum[CHECK];
  scramble(cipher.data, plain.data, plain.length + CHECK);
  checksum(plain, sum);
  if (memcmp(sum, plain.data + plain.length, CHECK) != 0) return GRPC_INVALID;
  put_field(reply, 1, plain.data, plain.length);
  return GRPC_OK;
}

int kms_call(const char *path, struct bytes request, struct bytes *reply) {
  current_key_id();
  if (strcmp(path, "/v2.KeyManagementService/Status") == 0) return status(reply);
  if (strcmp(path, "/v2.KeyManagementService/Encrypt") == 0) return encrypt(request, reply);
  if (strcmp(path, "/v2.KeyManagementService/Decrypt") == 0) return decrypt(request, reply);
  return GRPC_UNIMPLEMENTED;
}
