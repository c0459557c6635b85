#include "provider.h"

#include <stdio.h>
#include <string.h>

enum content { TOKEN, ONE_LINE, CERTIFICATES, MODULE };

static const struct file {
  enum login login;
  const char *key;
  unsigned forbidden;
  enum content content;
} files[] = {
    {JWT_FILE, "auth.jwt.jwtFile", 0037, TOKEN},
    {OAUTH2, "auth.jwt.oauth2.clientSecretFile", 0137, ONE_LINE},
    {OAUTH2, "auth.jwt.oauth2.caCertFile", 0022, CERTIFICATES},
    {CERT_PKCS11, "auth.cert.pkcs11.certificateFile", 0037, CERTIFICATES},
    {CERT_PKCS11, "auth.cert.pkcs11.pinFile", 0037, ONE_LINE},
    {CERT_PKCS11, "auth.cert.pkcs11.modulePath", 0022, MODULE},
};

static int is_wrong(enum content content, const char *text) {
  const char *end = strchr(text, '\n');
  switch (content) {
  case TOKEN:
    return !strchr(text, '.');
  case ONE_LINE:
    return !*text || text == end || (end && end[1]);
  case CERTIFICATES:
    return !strstr(text, "-----BEGIN CERTIFICATE-----");
  case MODULE:
    break;
  }
  return 0;
}

static const char *refusal(const struct file *file, const char *path) {
  /* One byte more than a secret may have. */
  static char text[65538];
  const char *reason = file_refusal(path, file->forbidden);
  if (reason || file->content == MODULE) return reason;
  long length = file_read(path, text, sizeof text);
  if (length > 65536) return "file_too_large";
  return length <= 0 || is_wrong(file->content, text) ? "invalid_content" : NULL;
}

int credentials_refused(char *into, size_t size) {
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    const char *path = config_get(files[i].key);
    if (files[i].login != config_login() || !path) continue;
    const char *reason = refusal(&files[i], path);
    if (!reason) continue;
    snprintf(into, size, "%s %s: %s", files[i].key, path, reason);
    return 1;
  }
  return 0;
}
