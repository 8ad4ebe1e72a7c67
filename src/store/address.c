/* address.c - parsing Redis addresses. */
#include "store/address.h"

#include "base/str.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMS                                                                   \
    "redis://host:port[/database], redis://:password@host:port, unix:/path or " \
    "redis+sentinel://host:port[,host:port...]/service"

static enum err set_path(struct address *out, const char *path, struct err_text *why) {
    if (path[0] == '\0')
        return err_set(why, ERR_INVALID_ARGUMENT, "the Redis address names no socket: use %s",
                       FORMS);
    size_t size = strlen(path);
    if (size >= sizeof out->path)
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "the socket path %.200s has %zu bytes; a unix socket's may have %d: use a "
                       "shorter folder",
                       path, size, ADDRESS_PATH_BYTES - 1);
    memcpy(out->path, path, size + 1);
    (void)snprintf(out->text, sizeof out->text, "unix:%s", path);
    return ERR_OK;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Copies with %XX undone; false when it does not fit or an escape is malformed. */
static bool unescape(struct str s, char *out, size_t capacity) {
    size_t size = 0;
    for (size_t i = 0; i < s.size; i++) {
        char c = s.at[i];
        if (c == '%') {
            if (i + 2 >= s.size) return false;
            int high = hex_digit(s.at[i + 1]), low = hex_digit(s.at[i + 2]);
            if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (size + 1 >= capacity) return false;
        out[size++] = c;
    }
    out[size] = '\0';
    return true;
}

static struct str part(const char *from, const char *to) {
    return (struct str){from, (size_t)(to - from)};
}

static enum err parse_login(struct address *out, struct str login, struct err_text *why) {
    const char *colon = login.size ? memchr(login.at, ':', login.size) : NULL;
    const char *end = login.at + login.size;
    struct str user = part(login.at, colon ? colon : end);
    struct str password = colon ? part(colon + 1, end) : STR_EMPTY;
    if (!unescape(user, out->user, sizeof out->user) ||
        !unescape(password, out->password, sizeof out->password))
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "user or password in the Redis address is too long or has a bad %%XX");
    if (!out->password[0])
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "the Redis address has a user but no password: use redis://user:password@"
                       "host, or redis://:password@host");
    return ERR_OK;
}

struct number_rule {
    const char *what;
    int min, max;
};
static const struct number_rule port_rule = {"the port", 1, 65535};
static const struct number_rule database_rule = {"the database", 0, INT_MAX};

static enum err parse_number(struct str s, const struct number_rule *rule, int *out,
                             struct err_text *why) {
    int64_t value;
    if (!str_to_int64(s, &value) || value < rule->min || value > rule->max)
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "%s \"%.*s\" in the Redis address must be a number from %d to %d",
                       rule->what, (int)(s.size < 40 ? s.size : 40), s.at, rule->min, rule->max);
    *out = (int)value;
    return ERR_OK;
}

/* The "]" of [v6] or [v6]:port, or NULL. */
static const char *bracket_of(struct str s) {
    const char *end = s.at + s.size, *bracket = memchr(s.at, ']', s.size);
    return bracket && (bracket + 1 == end || bracket[1] == ':') ? bracket : NULL;
}

/* host[:port] or [v6]:port; out->port is the default */
static enum err parse_host(struct address_host *out, struct str s, struct err_text *why) {
    const char *end = s.at + s.size, *host_end, *from = s.at;
    const char *port = NULL;
    if (s.size && s.at[0] == '[') {
        host_end = bracket_of(s);
        from++;
        if (!host_end)
            return err_set(why, ERR_INVALID_ARGUMENT, "the Redis address has a \"[\" but no \"]\"");
        if (host_end + 1 < end) port = host_end + 2;
    } else {
        const char *colon = memchr(s.at, ':', s.size);
        host_end = colon ? colon : end;
        if (colon) port = colon + 1;
    }
    struct str host = part(from, host_end);
    if (host.size == 0 || host.size >= sizeof out->host)
        return err_set(why, ERR_INVALID_ARGUMENT, "the Redis address names no host: use %s", FORMS);
    memcpy(out->host, host.at, host.size);
    return port ? parse_number(part(port, end), &port_rule, &out->port, why) : ERR_OK;
}

static void add_text(struct address *out, const char *separator, const struct address_host *h) {
    size_t size = strlen(out->text), room = sizeof out->text - size;
    bool v6 = strchr(h->host, ':') != NULL;
    (void)snprintf(out->text + size, room, v6 ? "%s[%s]:%d" : "%s%s:%d", separator, h->host,
                   h->port);
}

static enum err parse_sentinels(struct address *out, struct str hosts, struct err_text *why) {
    const char *end = hosts.at + hosts.size;
    for (const char *from = hosts.at; from <= end;) {
        const char *comma = memchr(from, ',', (size_t)(end - from));
        const char *to = comma ? comma : end;
        if (out->sentinel_count == ADDRESS_SENTINELS_MAX)
            return err_set(why, ERR_INVALID_ARGUMENT, "the Redis address has over %d Sentinels",
                           ADDRESS_SENTINELS_MAX);
        struct address_host *h = &out->sentinels[out->sentinel_count];
        h->port = 26379;
        enum err e = parse_host(h, part(from, to), why);
        if (e) return e;
        add_text(out, out->sentinel_count++ ? "," : "redis+sentinel://", h);
        from = to + 1;
    }
    return ERR_OK;
}

/* service[/database]: moves `rest` to behind the service's slash, or NULL. */
static enum err parse_service(struct address *out, const char **rest, struct err_text *why) {
    const char *from = *rest ? *rest : "";
    const char *end = strchr(from, '/');
    struct str service = part(from, end ? end : from + strlen(from));
    if (!str_name_valid(service))
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "the Redis address names no service of the Sentinels: use %s", FORMS);
    memcpy(out->service, service.at, service.size);
    *rest = end ? end + 1 : NULL;
    return ERR_OK;
}

static enum err parse_tcp(struct address *out, const char *rest, bool sentinel,
                          struct err_text *why) {
    const char *slash = strchr(rest, '/');
    const char *end = rest + strlen(rest), *host_end = slash ? slash : end;
    const char *at = NULL, *behind = slash ? slash + 1 : NULL;
    for (const char *c = rest; c < host_end; c++)
        if (*c == '@') at = c; /* the last one: a password may hold one unescaped */
    struct str hosts = part(at ? at + 1 : rest, host_end);
    enum err e = at ? parse_login(out, part(rest, at), why) : ERR_OK;
    if (!sentinel) out->at.port = 6379;
    if (!e) e = sentinel ? parse_sentinels(out, hosts, why) : parse_host(&out->at, hosts, why);
    if (!e && sentinel) e = parse_service(out, &behind, why);
    if (!e && behind && behind < end)
        e = parse_number(part(behind, end), &database_rule, &out->database, why);
    if (e) return e;
    if (!sentinel) add_text(out, "redis://", &out->at);
    size_t size = strlen(out->text);
    if (sentinel) (void)snprintf(out->text + size, sizeof out->text - size, "/%s", out->service);
    size = strlen(out->text);
    if (out->database)
        (void)snprintf(out->text + size, sizeof out->text - size, "/%d", out->database);
    return ERR_OK;
}

enum err address_parse(struct address *out, const char *text, struct err_text *why) {
    *out = (struct address){0};
    struct str s = str_of(text);
    if (str_starts(s, STR("unix://"))) return set_path(out, text + 7, why);
    if (str_starts(s, STR("unix:"))) return set_path(out, text + 5, why);
    if (str_starts(s, STR("rediss://")))
        return err_set(why, ERR_INVALID_ARGUMENT,
                       "rediss:// is not supported by this build (hiredis without TLS): use a unix "
                       "socket or a tunnel");
    if (str_starts(s, STR("redis://"))) return parse_tcp(out, text + 8, false, why);
    if (str_starts(s, STR("redis+sentinel://"))) return parse_tcp(out, text + 17, true, why);
    return err_set(why, ERR_INVALID_ARGUMENT, "not a Redis address: use %s", FORMS);
}

enum err address_embedded(struct address *out, const char *state_folder, struct err_text *why) {
    *out = (struct address){0};
    char folder[PATH_MAX] = "", path[2 * PATH_MAX + 16];
    if (state_folder[0] != '/' && !getcwd(folder, sizeof folder)) folder[0] = '\0';
    (void)snprintf(path, sizeof path, "%s%s%s/redis.sock", folder, folder[0] ? "/" : "",
                   state_folder);
    return set_path(out, path, why);
}

enum err address_of(struct address *out, const char *redis, const char *state_folder,
                    struct err_text *why) {
    if (redis && redis[0]) return address_parse(out, redis, why);
    assert(state_folder);
    return address_embedded(out, state_folder, why);
}
