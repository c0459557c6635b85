#include "provider.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { ANY, ABSOLUTE, MODE, HTTPS, TOKEN_URL, ENDPOINT, SESSIONS };

static const struct rule {
  const char *path;
  int required;
  enum kind kind;
  const char *fallback;
} rules[] = {
    {"configVersion", 1, ANY, NULL},
    {"server.socketPath", 1, ABSOLUTE, NULL},
    {"server.socketMode", 1, MODE, NULL},
    {"server.socketGroup", 1, ANY, NULL},
    {"server.metricsAddress", 0, ENDPOINT, "127.0.0.1:8081"},
    {"server.healthAddress", 0, ENDPOINT, "127.0.0.1:8082"},
    {"openbao.address", 1, HTTPS, NULL},
    {"openbao.namespace", 0, ANY, NULL},
    {"openbao.caCertFile", 1, ABSOLUTE, NULL},
    {"openbao.tlsServerName", 1, ANY, NULL},
    {"openbao.instanceId", 1, ANY, NULL},
    {"openbao.timeout", 0, ANY, NULL},
    {"auth.method", 1, ANY, NULL},
    {"auth.loginBeforeTokenExpiry", 0, ANY, NULL},
    {"auth.tokenRenewalIncrement", 0, ANY, NULL},
    {"auth.loginTimeout", 0, ANY, NULL},
    {"auth.jwt.source", 0, ANY, "file"},
    {"auth.jwt.mountPath", 0, ANY, NULL},
    {"auth.jwt.role", 0, ANY, NULL},
    {"auth.jwt.jwtFile", 0, ABSOLUTE, NULL},
    {"auth.jwt.minRemainingTtl", 0, ANY, NULL},
    {"auth.jwt.clockSkewLeeway", 0, ANY, NULL},
    {"auth.jwt.expectedIssuer", 0, ANY, NULL},
    {"auth.jwt.expectedAudience", 0, ANY, NULL},
    {"auth.jwt.expectedSubject", 0, ANY, NULL},
    {"auth.jwt.oauth2.tokenUrl", 0, TOKEN_URL, NULL},
    {"auth.jwt.oauth2.clientId", 0, ANY, NULL},
    {"auth.jwt.oauth2.authMethod", 0, ANY, NULL},
    {"auth.jwt.oauth2.clientSecretFile", 0, ABSOLUTE, NULL},
    {"auth.jwt.oauth2.caCertFile", 0, ABSOLUTE, NULL},
    {"auth.jwt.oauth2.scopes", 0, ANY, NULL},
    {"auth.jwt.oauth2.audience", 0, ANY, NULL},
    {"auth.jwt.oauth2.resources", 0, ANY, NULL},
    {"auth.cert.mountPath", 0, ANY, NULL},
    {"auth.cert.name", 0, ANY, NULL},
    {"auth.cert.source", 0, ANY, NULL},
    {"auth.cert.minRemainingTtl", 0, ANY, NULL},
    {"auth.cert.clockSkewLeeway", 0, ANY, NULL},
    {"auth.cert.pkcs11.certificateFile", 0, ABSOLUTE, NULL},
    {"auth.cert.pkcs11.modulePath", 0, ABSOLUTE, NULL},
    {"auth.cert.pkcs11.tokenLabel", 0, ANY, NULL},
    {"auth.cert.pkcs11.keyLabel", 0, ANY, NULL},
    {"auth.cert.pkcs11.pinFile", 0, ABSOLUTE, NULL},
    {"auth.cert.pkcs11.maxSessions", 0, SESSIONS, NULL},
    {"transit.mountPath", 1, ANY, NULL},
    {"transit.keyName", 1, ANY, NULL},
    {"transit.keyIdScope.providerName", 1, ANY, NULL},
    {"transit.keyIdScope.clusterId", 1, ANY, NULL},
    {"transit.keyIdScope.transitMountId", 1, ANY, NULL},
    {"transit.keyIdScope.keyLineageId", 1, ANY, NULL},
    {"bootstrap.graceTimeout", 0, ANY, NULL},
    {"bootstrap.retryInterval", 0, ANY, NULL},
    {"status.probeInterval", 0, ANY, NULL},
    {"status.deepProbeInterval", 0, ANY, NULL},
    {"status.statusMaxStaleness", 0, ANY, NULL},
    {"state.path", 0, ABSOLUTE, "/var/lib/openbao-kms/state/key-registry.json"},
    {"rotation.mode", 0, ANY, NULL},
    {"rotation.activationDelay", 0, ANY, NULL},
    {"rotation.requireStableObservationCount", 0, ANY, NULL},
    {"rotation.rejectVersionRollback", 0, ANY, NULL},
    {"logging.level", 0, ANY, NULL},
    {"logging.format", 0, ANY, NULL},
    {"logging.logOpenBaoRequestIDs", 0, ANY, NULL},
    {"logging.debugCorrelation.enabled", 0, ANY, NULL},
    {"logging.debugCorrelation.ttl", 0, ANY, NULL},
    {"logging.debugCorrelation.incidentId", 0, ANY, NULL},
};
#define RULES (sizeof rules / sizeof *rules)

/* values[i] belongs to rules[i]; NULL: not set. */
static char *values[RULES];
static char text[65536];

long file_read(const char *file, char *into, size_t size) {
  int fd = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t length = 0;
  ssize_t got;
  while (length < size - 1 && (got = read(fd, into + length, size - 1 - length)) > 0) length += (size_t)got;
  close(fd);
  into[length] = 0;
  return (long)length;
}

const char *file_refusal(const char *file, unsigned forbidden) {
  struct stat st;
  if (file[0] != '/') return "absolute_path_required";
  if (lstat(file, &st) < 0) return errno == ENOENT ? "file_missing" : "file_unreadable";
  if (S_ISLNK(st.st_mode)) return "symlink_unsupported";
  if (!S_ISREG(st.st_mode)) return "regular_file_required";
  if (st.st_mode & forbidden) return "unsafe_permissions";
  if (access(file, R_OK) < 0) return "file_unreadable";
  return NULL;
}

long group_id(const char *group) {
  static char groups[65536];
  char *end;
  long number = strtol(group, &end, 10);
  if (*group && !*end) return number;
  if (file_read("/etc/group", groups, sizeof groups) < 0) return -1;
  char *rest = groups, *line;
  while ((line = strsep(&rest, "\n")) != NULL) {
    char *name = strsep(&line, ":");
    if (!line || strcmp(name, group) != 0) continue;
    strsep(&line, ":");
    return line ? strtol(line, NULL, 10) : -1;
  }
  return -1;
}

const char *config_get(const char *path) {
  for (size_t i = 0; i < RULES; i++)
    if (strcmp(rules[i].path, path) == 0) return values[i] ? values[i] : rules[i].fallback;
  return NULL;
}

static void set(const char *path, char *value, int line) {
  size_t length = strlen(path);
  int section = 0;
  for (size_t i = 0; i < RULES; i++) {
    if (strcmp(rules[i].path, path) == 0) {
      if (values[i]) fail(EXIT_CONFIG, "config line %d: duplicate key %s", line, path);
      values[i] = value;
      return;
    }
    section |= strncmp(rules[i].path, path, length) == 0 && rules[i].path[length] == '.';
  }
  if (!section) fail(EXIT_CONFIG, "config line %d: unknown key %s", line, path);
  if (*value) fail(EXIT_CONFIG, "config line %d: expected keys below %s, found a value", line, path);
}

/* The scalar without its quotes or its comment, in place. */
static char *scalar(char *value, int line) {
  if (*value == '"' || *value == '\'') {
    char *end = strchr(value + 1, *value);
    if (!end) fail(EXIT_CONFIG, "config line %d: a quote is not closed", line);
    *end = 0;
    return value + 1;
  }
  if (*value == '#') *value = 0;
  char *comment = strstr(value, " #");
  if (comment) *comment = 0;
  for (size_t n = strlen(value); n && isspace((unsigned char)value[n - 1]); n--) value[n - 1] = 0;
  if (strchr("{&*!|>%@`", *value) && *value) fail(EXIT_CONFIG, "config line %d: expected a plain value", line);
  return value;
}

/* Keys in block style, by indentation; of lists only that they are there. */
static void parse(char *rest) {
  struct {
    int indent;
    size_t length;
  } open[8];
  int depth = 0, number = 0;
  char path[256] = "", *line;
  while ((line = strsep(&rest, "\n")) != NULL) {
    number++;
    int indent = (int)strspn(line, " ");
    char *key = line + indent;
    if (!*key || *key == '#' || *key == '\r' || strcmp(line, "---") == 0) continue;
    if (*key == '\t') fail(EXIT_CONFIG, "config line %d: a tab indents", number);
    if (strncmp(key, "- ", 2) == 0) continue;
    char *colon = strchr(key, ':');
    if (!colon || (colon[1] && !isspace((unsigned char)colon[1])))
      fail(EXIT_CONFIG, "config line %d: expected a key and a colon", number);
    *colon = 0;
    while (depth && open[depth - 1].indent >= indent) depth--;
    if (depth == 8) fail(EXIT_CONFIG, "config line %d: nested too deeply", number);
    size_t parent = depth ? open[depth - 1].length : 0;
    int room = (int)(sizeof path - parent);
    if (snprintf(path + parent, (size_t)room, "%s%s", parent ? "." : "", key) >= room)
      fail(EXIT_CONFIG, "config line %d: a key is too long", number);
    open[depth].indent = indent;
    open[depth++].length = strlen(path);
    set(path, scalar(colon + 1 + strspn(colon + 1, " "), number), number);
  }
}

static void check(const struct rule *rule, const char *value) {
  const char *wrong = NULL;
  if (!value || !*value) {
    if (rule->required) fail(EXIT_CONFIG, "config: %s is required", rule->path);
    return;
  }
  switch (rule->kind) {
  case ANY:
    break;
  case ABSOLUTE:
    if (*value != '/') wrong = "an absolute path";
    break;
  case HTTPS:
    if (strncmp(value, "https://", 8) != 0 || strpbrk(value, "@?#")) wrong = "an https URL";
    break;
  case TOKEN_URL:
    if (strncmp(value, "https://", 8) != 0 || strpbrk(value, "@#")) wrong = "an https URL";
    break;
  case SESSIONS:
    if (atoi(value) < 2) wrong = "at least 2";
    break;
  case MODE:
    if (strlen(value) != 4 || value[0] != '0' || strspn(value, "01234567") != 4 || (strtol(value, NULL, 8) & 0117))
      wrong = "a mode such as 0660 without execute or world bits";
    break;
  case ENDPOINT:
    if (!strrchr(value, ':') || atoi(strrchr(value, ':') + 1) <= 0) wrong = "host:port";
    break;
  }
  if (wrong) fail(EXIT_CONFIG, "config: expected %s to be %s, found %s", rule->path, wrong, value);
}

/* What each way to log in needs, and what it must not have. */
static const struct method {
  const char *name, *needs[9], *forbids[4];
} methods[] = {
    {"jwt from a file",
     {"auth.jwt.mountPath", "auth.jwt.role", "auth.jwt.jwtFile"},
     {"auth.jwt.oauth2.", "auth.cert."}},
    {"jwt from oauth2",
     {"auth.jwt.mountPath", "auth.jwt.role", "auth.jwt.expectedIssuer", "auth.jwt.expectedAudience",
      "auth.jwt.oauth2.tokenUrl", "auth.jwt.oauth2.clientId", "auth.jwt.oauth2.authMethod",
      "auth.jwt.oauth2.clientSecretFile"},
     {"auth.jwt.jwtFile", "auth.cert."}},
    {"cert",
     {"auth.cert.mountPath", "auth.cert.source", "auth.cert.pkcs11.certificateFile", "auth.cert.pkcs11.modulePath",
      "auth.cert.pkcs11.tokenLabel", "auth.cert.pkcs11.keyLabel", "auth.cert.pkcs11.pinFile"},
     {"auth.jwt."}},
};

enum login config_login(void) {
  if (strcmp(config_get("auth.method"), "cert") == 0) return CERT_PKCS11;
  return strcmp(config_get("auth.jwt.source"), "oauth2") == 0 ? OAUTH2 : JWT_FILE;
}

static void one_of(const char *path, const char *first, const char *second) {
  const char *value = config_get(path);
  if (value && strcmp(value, first) != 0 && strcmp(value, second) != 0)
    fail(EXIT_CONFIG, "config: expected %s to be %s or %s, found %s", path, first, second, value);
}

static void check_login(void) {
  one_of("auth.method", "jwt", "cert");
  one_of("auth.jwt.source", "file", "oauth2");
  one_of("auth.jwt.oauth2.authMethod", "client_secret_basic", "client_secret_post");
  one_of("auth.cert.source", "pkcs11", "pkcs11");
  const struct method *method = &methods[config_login()];
  for (const char *const *path = method->needs; *path; path++)
    if (!config_get(*path)) fail(EXIT_CONFIG, "config: %s is required for %s", *path, method->name);
  for (const char *const *path = method->forbids; *path; path++)
    for (size_t i = 0; i < RULES; i++)
      if (values[i] && strncmp(rules[i].path, *path, strlen(*path)) == 0)
        fail(EXIT_CONFIG, "config: %s is not for %s", rules[i].path, method->name);
}

static void refuse(const char *path, const char *file, unsigned forbidden) {
  const char *reason = file_refusal(file, forbidden);
  if (reason) fail(EXIT_CONFIG, "config: %s %s: %s", path, file, reason);
}

void config_load(const char *file) {
  refuse("--config", file, 0037);
  if (file_read(file, text, sizeof text) < 0) fail(EXIT_CONFIG, "config: cannot read %s", file);
  parse(text);
  for (size_t i = 0; i < RULES; i++) check(&rules[i], values[i]);
  if (strcmp(config_get("configVersion"), "v1alpha1") != 0) fail(EXIT_CONFIG, "config: configVersion is not v1alpha1");
  check_login();
  if (strcmp(config_get("server.metricsAddress"), config_get("server.healthAddress")) == 0)
    fail(EXIT_CONFIG, "config: metricsAddress and healthAddress must differ");
  const char *socket = config_get("server.socketPath");
  if ((strncmp(socket, "/run/openbao-kms/", 17) != 0 && strncmp(socket, "/var/run/openbao-kms/", 21) != 0) ||
      strstr(socket, "/../"))
    fail(EXIT_CONFIG, "config: server.socketPath is not below /run/openbao-kms");
}
