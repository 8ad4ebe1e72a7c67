/* serve.c - wires the roles of one process together, and stops them in order. */
#include "app/serve.h"

#include "api/api_role.h"
#include "base/log.h"
#include "base/mem.h"
#include "bridge/bridge_role.h"
#include "events/events_role.h"
#include "matcher/matcher_role.h"
#include "monitor/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ADMIN_TOKEN_BYTES_MIN 16

enum role { ROLE_API, ROLE_MATCHER, ROLE_EVENTS, ROLE_BRIDGE, ROLE_COUNT };
static const char *const role_names[ROLE_COUNT] = {"api", "matcher", "events", "bridge"};

struct server {
    const struct serve_options *o;
    bool has[ROLE_COUNT];
    const char *names[ROLE_COUNT]; /* of the roles it has */
    size_t name_count;
    struct arena *arena; /* addresses */
    struct matcher *matcher;
    struct events *events;
    struct api *api; /* the public door with the api role, else the internal ones */
    struct bridge *bridge;
    struct monitor *monitor;
};

static enum err take_role(struct server *s, const char *word, struct err_text *why) {
    bool all = strcmp(word, "all") == 0, known = all;
    for (int r = 0; r < ROLE_COUNT; r++) {
        if (!all && strcmp(word, role_names[r]) != 0) continue;
        s->has[r] = known = true;
    }
    if (known) return ERR_OK;
    return err_set_field(why, ERR_INVALID_ARGUMENT, "roles",
                         "roles has \"%.64s\"; allowed: all, api, matcher, events, bridge", word);
}

static enum err parse_roles(struct server *s, struct err_text *why) {
    char *text = mem_text(str_of(s->o->roles)), *rest = text, *word;
    enum err code = ERR_OK;
    while (code == ERR_OK && (word = strtok_r(rest, ", ", &rest)))
        code = take_role(s, word, why);
    mem_free(text);
    for (int r = 0; r < ROLE_COUNT; r++)
        if (s->has[r]) s->names[s->name_count++] = role_names[r];
    if (code == ERR_OK && s->name_count == 0)
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "roles", "roles is empty");
    return code;
}

/* Each of the comma-separated `addresses` is one that nng knows here; empty is fine. */
static enum err check_addresses(const char *name, const char *addresses, struct err_text *why) {
    for (const char *at = addresses; *at;) {
        const char *end = strchrnul(at, ',');
        if (strncmp(at, "tcp://", 6) != 0 && strncmp(at, "ipc://", 6) != 0)
            return err_set_field(why, ERR_INVALID_ARGUMENT, name,
                                 "%s is \"%.*s\", allowed is tcp://HOST:PORT or ipc://PATH", name,
                                 (int)(end - at > 150 ? 150 : end - at), at);
        at = *end ? end + 1 : end;
    }
    return ERR_OK;
}

static bool replicated(const struct serve_options *o) {
    return strcmp(o->durability, "replicated") == 0;
}

enum err server_check(const struct serve_options *o, struct err_text *why) {
    const struct {
        const char *name, *addresses;
    } rows[] = {
        {"api-listen", o->api_listen},         {"events-listen", o->events_listen},
        {"matcher-listen", o->matcher_listen}, {"replay-listen", o->replay_listen},
        {"matcher-remote", o->matcher_remote}, {"replay-remote", o->replay_remote},
        {"bridge-api", o->bridge_api},         {"bridge-events", o->bridge_events},
    };
    struct server s = {.o = o};
    enum err code = parse_roles(&s, why);
    if (code == ERR_OK && !str_name_valid(str_of(o->realm)))
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "realm",
                             "realm is \"%.150s\", allowed are 1..64 of [A-Za-z0-9_.-]", o->realm);
    size_t path_size = strlen(o->socketio_path);
    if (code == ERR_OK && (o->socketio_path[0] != '/' || o->socketio_path[path_size - 1] != '/'))
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "socketio-path",
                             "socketio-path is \"%.150s\", it begins and ends with a slash",
                             o->socketio_path);
    size_t token_size = strlen(o->admin_token);
    if (code == ERR_OK && token_size > 0 &&
        (token_size < ADMIN_TOKEN_BYTES_MIN || !str_name_valid(str_of(o->admin_token))))
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "admin-token",
                             "admin-token has 16..64 characters of [A-Za-z0-9_.-]");
    if (code == ERR_OK && !o->tls_cert[0] != !o->tls_key[0])
        code =
            err_set_field(why, ERR_INVALID_ARGUMENT, "tls-key", "tls-cert and tls-key go together");
    bool uses_redis = s.has[ROLE_MATCHER] || s.has[ROLE_EVENTS];
    if (code == ERR_OK && replicated(o) && uses_redis && !o->redis[0])
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "durability",
                             "durability is \"replicated\", which needs --redis: the private Redis "
                             "has no replica");
    for (size_t i = 0; code == ERR_OK && i < sizeof rows / sizeof rows[0]; i++)
        code = check_addresses(rows[i].name, rows[i].addresses, why);
    return code;
}

/* `given`, or the socket of that name in the state folder. */
static const char *address_or_local(struct server *s, const char *given, const char *socket) {
    if (given[0]) return given;
    char folder[4096];
    const char *absolute = realpath(s->o->state, folder) ? folder : s->o->state;
    return arena_printf(s->arena, "ipc://%s/%s", absolute, socket).at;
}

/* The first of comma-separated addresses. */
static const char *first_address(struct server *s, const char *addresses) {
    struct str all = str_of(addresses);
    const char *comma = memchr(all.at, ',', all.size);
    if (comma) all.size = (size_t)(comma - all.at);
    return arena_str(s->arena, all).at;
}

static const char *redis_of(const struct serve_options *o) {
    return o->redis[0] ? o->redis : NULL;
}

static enum err start_matcher(struct server *s, struct err_text *why) {
    const struct serve_options *o = s->o;
    struct matcher_options m = {
        .redis = redis_of(o),
        .state_folder = o->state,
        .realm = o->realm,
        .durability = o->durability,
        .version = MUSTER_VERSION,
        .roles = s->names,
        .role_count = s->name_count,
        .lease_ms = o->lease_ms,
        .operation_ms = o->operation_ms,
        .keep_ms = o->ticket_keep_ms,
        .journal_keep_ms = o->journal_keep_ms,
        .seed = (uint64_t)o->seed,
    };
    return matcher_start(&s->matcher, &m, why);
}

static enum err start_events(struct server *s, struct err_text *why) {
    const struct serve_options *o = s->o;
    struct events_options e = {
        .redis = redis_of(o),
        .state_folder = o->state,
        .realm = o->realm,
        .operation_ms = o->operation_ms,
        .replicated = replicated(o),
        .publish = o->events_listen,
    };
    return events_start(&s->events, &e, why);
}

/* What this process's door listens on: the public addresses with the api role, and the doors of
 * roles that api processes elsewhere may want to reach. */
static const char *door_addresses_of(struct server *s) {
    const struct serve_options *o = s->o;
    bool all = s->name_count == ROLE_COUNT;
    struct str list = STR_EMPTY;
    const char *parts[4];
    size_t count = 0;
    if (s->has[ROLE_API]) {
        parts[count++] = o->api_listen;
        parts[count++] = address_or_local(s, "", "api.sock");
    }
    if (s->has[ROLE_MATCHER] && (!all || o->matcher_listen[0]))
        parts[count++] = address_or_local(s, o->matcher_listen, "matcher.sock");
    if (s->has[ROLE_EVENTS] && (!all || o->replay_listen[0]))
        parts[count++] = address_or_local(s, o->replay_listen, "events.sock");
    for (size_t i = 0; i < count; i++)
        list = arena_printf(s->arena, "%.*s%s%s", STR_PRINT(list), i ? "," : "", parts[i]);
    return list.at;
}

/* Where else a matcher may lead; NULL: nowhere that is known of. Only the public door hands on. */
static const char *matcher_doors(struct server *s) {
    if (!s->has[ROLE_API]) return NULL;
    if (s->matcher && !s->o->matcher_remote[0]) return NULL;
    return address_or_local(s, s->o->matcher_remote, "matcher.sock");
}

static bool leads(const void *matcher) {
    return matcher_leading(matcher);
}

static enum err start_api(struct server *s, struct err_text *why) {
    const struct serve_options *o = s->o;
    const char *listen = door_addresses_of(s);
    if (!listen) return ERR_OK; /* a bridge alone has no door */
    struct api_options a = {
        .listen = listen,
        .matcher = s->matcher ? matcher_inbox(s->matcher) : NULL,
        .matcher_remote = matcher_doors(s),
        .matcher_leads = leads,
        .matcher_leads_arg = s->matcher,
        .events = s->events ? events_inbox(s->events) : NULL,
        .events_remote = s->events ? NULL : address_or_local(s, o->replay_remote, "events.sock"),
    };
    return api_start(&s->api, &a, why);
}

static enum err start_bridge(struct server *s, struct err_text *why) {
    const struct serve_options *o = s->o;
    const char *api = o->bridge_api;
    if (!api[0])
        api = s->has[ROLE_API] ? first_address(s, api_addresses(s->api))
                               : address_or_local(s, "", "api.sock");
    const char *events = o->bridge_events;
    if (!events[0])
        events = first_address(s, s->events ? events_addresses(s->events) : o->events_listen);
    struct bridge_options b = {
        .listen = o->bridge_listen,
        .api = api,
        .events = events,
        .realm = o->realm,
        .origins = o->origins,
        .path = o->socketio_path,
        .transports = o->transports,
        .dashboard = o->dashboard,
        .admin_token = o->admin_token,
        .tls_cert = o->tls_cert,
        .tls_key = o->tls_key,
        .upgrade_timeout_ms = o->upgrade_timeout_ms,
        .connect_timeout_ms = o->connect_timeout_ms,
        .payload_bytes_max = o->payload_bytes_max,
        .queue_bytes_max = o->queue_bytes_max,
        .drain_ms = o->drain_ms,
        .ping_interval_ms = o->ping_interval_ms,
        .ping_timeout_ms = o->ping_timeout_ms,
        .connections_max = o->connections_max,
        .connections_per_ip_max = o->connections_per_ip_max,
    };
    return bridge_start(&s->bridge, &b, why);
}

static bool is_ready(const void *server) {
    return server_ready(server);
}

static enum err start_monitor(struct server *s, struct err_text *why) {
    if (!s->o->metrics_listen[0]) return ERR_OK;
    struct monitor_options m = {s->o->metrics_listen, is_ready, s, MUSTER_VERSION};
    return monitor_start(&s->monitor, &m, why);
}

enum err server_start(struct server **out, const struct serve_options *o, struct err_text *why) {
    *out = NULL;
    struct server *s = mem_alloc(sizeof *s);
    s->o = o;
    s->arena = arena_new(0);
    enum err code = parse_roles(s, why);
    if (code == ERR_OK && mkdir(o->state, 0700) != 0 && errno != EEXIST)
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "state", "cannot make folder %s: %s",
                             o->state, strerror(errno));
    if (code == ERR_OK && s->has[ROLE_MATCHER]) code = start_matcher(s, why);
    if (code == ERR_OK && s->has[ROLE_EVENTS]) code = start_events(s, why);
    if (code == ERR_OK) code = start_api(s, why);
    if (code == ERR_OK && s->has[ROLE_BRIDGE]) code = start_bridge(s, why);
    if (code == ERR_OK) code = start_monitor(s, why);
    if (code == ERR_OK)
        *out = s;
    else
        server_stop(s);
    return code;
}

bool server_ready(const struct server *s) {
    return !s->matcher || matcher_leading(s->matcher) || matcher_following(s->matcher);
}

bool server_reaches_leader(const struct server *s) {
    return !s->matcher || matcher_leading(s->matcher) || s->o->matcher_remote[0];
}

const char *server_api(const struct server *s) {
    return s->has[ROLE_API] ? first_address((struct server *)s, api_addresses(s->api)) : NULL;
}

void server_print(const struct server *s) {
    if (s->api) printf("%s %s\n", s->has[ROLE_API] ? "api" : "door", api_addresses(s->api));
    if (s->events) printf("events %s\n", events_addresses(s->events));
    if (s->bridge) printf("bridge %s\n", bridge_address(s->bridge));
    if (s->monitor) printf("metrics %s\n", monitor_address(s->monitor));
    fflush(stdout);
}

/* Players first, then callers, then what serves them: nobody is cut off from an answer. The relay
 * ends before the matcher takes its Redis away; who follows events replays what came last. */
void server_stop(struct server *s) {
    monitor_stop(s->monitor);
    if (s->bridge) bridge_stop(s->bridge);
    if (s->matcher) matcher_drain(s->matcher);
    if (s->api) api_drain(s->api);
    if (s->events) events_stop(s->events);
    if (s->matcher) matcher_stop(s->matcher);
    if (s->api) api_stop(s->api);
    bridge_free(s->bridge);
    matcher_free(s->matcher);
    events_free(s->events);
    api_free(s->api);
    arena_free(s->arena);
    mem_free(s);
}
