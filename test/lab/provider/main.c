#include "provider.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fail(int code, const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("bao-kms-provider: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(code);
}

static const char *option(int argc, char **argv, const char *name) {
  for (int i = 2; i + 1 < argc; i++)
    if (strcmp(argv[i], name) == 0) return argv[i + 1];
  return NULL;
}

static const char *required(int argc, char **argv, const char *name) {
  const char *value = option(argc, argv, name);
  if (!value) fail(EXIT_USAGE, "%s needs %s", argv[1], name);
  return value;
}

static int checks, failures;

void report_start(const char *name) { printf("{\"name\":\"%s\",\"checks\":[", name); }

void say(const char *id, const char *status, const char *message) {
  printf("%s{\"id\":\"%s\",\"title\":\"%s\",\"status\":\"%s\",\"message\":\"%s\"}", checks++ ? "," : "", id, id,
         status, message);
}

void report(const char *id, const char *problem) {
  say(id, problem ? "fail" : "pass", problem ? problem : "");
  failures += problem != NULL;
}

int reported(void) {
  puts("]}");
  return failures ? EXIT_CHECK : EXIT_OK;
}

/* Lies here where the lab wants OpenBao to be out of reach: the stand-in knows no OpenBao. */
static const char unreachable[] = "/run/stand-in-openbao-is-down";

static const char *tls_problem(void) {
  static char ca[65536];
  if (access(unreachable, F_OK) == 0) return "no route to host";
  if (file_refusal(config_get("openbao.caCertFile"), 0022)) return "CA file refused";
  if (file_read(config_get("openbao.caCertFile"), ca, sizeof ca) < 0 || !strstr(ca, "-----BEGIN CERTIFICATE-----"))
    return "certificate signed by unknown authority";
  return NULL;
}

static int doctor(const char *config) {
  config_load(config);
  report_start("doctor");
  report("config.load", NULL);
  report("config.validate", NULL);
  report("socket.group", group_id(config_get("server.socketGroup")) < 0 ? "group does not exist" : NULL);
  static const char *const local[] = {"jwt.local", "oauth2.local", "auth.cert.local"};
  static char refused[512];
  report(local[config_login()], credentials_refused(refused, sizeof refused) ? refused : NULL);
  static const char *const remote[] = {"openbao.auth",          "transit.capabilities",   "transit.metadata",
                                       "transit.profile",       "transit.disable_upsert", "transit.probe",
                                       "key_id.deterministic", "kms.status_encrypt"};
  const char *problem = tls_problem();
  report("openbao.tls", problem);
  for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
    say(remote[i], problem ? "skip" : "pass", problem ? "OpenBao cannot be reached" : "");
  return reported();
}

/* Lies here where the lab wants a rotation that is `pending` or `unknown`, or another key: then any other text. */
static const char rotation[] = "/run/stand-in-rotation";

static uint64_t fnv(uint64_t hash, const char *text) {
  while (*text) hash = (hash ^ (unsigned char)*text++) * 1099511628211u;
  return hash;
}

static int rotation_plan(const char *config) {
  static char said[64];
  config_load(config);
  if (file_read(rotation, said, sizeof said) < 0) *said = 0;
  said[strcspn(said, "\n")] = 0;
  int is_state = strcmp(said, "pending") == 0 || strcmp(said, "unknown") == 0;
  uint64_t hash = fnv(14695981039346656037u, config_get("transit.keyIdScope.keyLineageId"));
  printf("{\n  \"name\": \"rotation-plan\",\n  \"activeKeyIdHash\": \"%016llx\",\n  \"rotationState\": \"%s\"\n}\n",
         (unsigned long long)fnv(hash, is_state ? "" : said), is_state ? said : "active");
  return EXIT_OK;
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  if (strcmp(command, "version") == 0) {
    puts("version " VERSION " commit stand-in");
    return EXIT_OK;
  }
  if (strcmp(command, "serve") == 0) {
    config_load(required(argc, argv, "--config"));
    serve();
  }
  if (strcmp(command, "config") == 0) {
    config_load(required(argc, argv, "--config"));
    printf("providerName: %s\nsocketPath: %s\n", config_get("transit.keyIdScope.providerName"),
           config_get("server.socketPath"));
    return EXIT_OK;
  }
  if (strcmp(command, "doctor") == 0) return doctor(required(argc, argv, "--config"));
  if (strcmp(command, "rotation-plan") == 0) return rotation_plan(required(argc, argv, "--config"));
  if (strcmp(command, "probe") == 0) return probe(required(argc, argv, "--socket"));
  fail(EXIT_USAGE, "expected serve, config, doctor, rotation-plan, probe or version");
}
