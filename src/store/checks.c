/* checks.c - version, role and configuration of the Redis in use. */
#include "store/checks.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum finding {
    NO_APPEND_ONLY_FILE = 1,
    FSYNC_WEAKER = 2,
    EVERYSEC_CHOSEN = 4,
    EVICTION = 8,
    UNREADABLE = 16,
    NO_REPLICA = 32,
    NO_MINIMUM = 64,
};

static bool first_time(struct checks *c, enum finding f) {
    bool first = !(c->warned & f);
    c->warned |= f;
    return first;
}

static enum err check_version(struct checks *c, struct redis *r, struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, (struct str[]){STR("INFO"), STR("server")}, 2, &reply, why);
    if (e) return e;
    struct str info = redis_reply_str(reply);
    static const char label[] = "redis_version:";
    const char *at = info.size ? memmem(info.at, info.size, label, sizeof label - 1) : NULL;
    unsigned major = 0, minor = 0;
    /* hiredis puts a NUL behind every string */
    bool told = at && sscanf(at + sizeof label - 1, "%u.%u", &major, &minor) == 2;
    redis_reply_free(reply);
    c->has_nomkstream = told && (major > 6 || (major == 6 && minor >= 2));
    if (told && major >= 5) return ERR_OK;
    return err_set(why, ERR_FAILED_PRECONDITION,
                   "Redis at %s is version %u.%u: streams need 5.0 or newer", redis_where(r), major,
                   minor);
}

static enum err check_role(struct checks *c, struct redis *r, struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, (struct str[]){STR("ROLE")}, 1, &reply, why);
    if (e) return e;
    bool primary = str_equal(redis_reply_str(redis_reply_at(reply, 0)), STR("master"));
    if (!primary)
        e = err_set(why, ERR_FAILED_PRECONDITION,
                    "Redis at %s is a read-only replica of %.*s: point --redis at the primary",
                    redis_where(r), STR_PRINT(redis_reply_str(redis_reply_at(reply, 1))));
    size_t replicas = redis_reply_count(redis_reply_at(reply, 2));
    redis_reply_free(reply);
    if (primary && c->wants_replica && replicas == 0 && first_time(c, NO_REPLICA))
        LOG_WARN("redis-no-replica",
                 "redis=%s text=\"durability=replicated acknowledges nothing until a replica is "
                 "connected\"",
                 redis_where(r));
    return e;
}

/* The setting's value; empty when Redis does not tell it (managed services forbid CONFIG). */
static enum err read_setting(struct redis *r, const char *name, char *out, size_t capacity,
                             struct err_text *why) {
    struct redisReply *reply;
    out[0] = '\0';
    enum err e =
        redis_run(r, (struct str[]){STR("CONFIG"), STR("GET"), str_of(name)}, 3, &reply, why);
    if (e) return redis_broken(r) ? e : ERR_OK;
    struct str value = redis_reply_str(redis_reply_at(reply, 1));
    (void)snprintf(out, capacity, "%.*s", STR_PRINT(value));
    redis_reply_free(reply);
    return ERR_OK;
}

static void warn_of_durability(struct checks *c, const char *where, const char *append_only,
                               const char *fsync) {
    if (strcmp(append_only, "yes") != 0) {
        if (first_time(c, NO_APPEND_ONLY_FILE))
            LOG_WARN("redis-not-durable",
                     "redis=%s appendonly=%s text=\"acknowledged tickets and matches are lost when "
                     "Redis ends: set appendonly yes and appendfsync always\"",
                     where, append_only);
    } else if (!c->wants_fsync) {
        if (first_time(c, EVERYSEC_CHOSEN))
            LOG_WARN("durability-everysec",
                     "redis=%s appendfsync=%s text=\"about two seconds of acknowledged tickets and "
                     "matches may be lost at a crash; durability=fsync with appendfsync always "
                     "loses none\"",
                     where, fsync);
    } else if (strcmp(fsync, "always") != 0 && first_time(c, FSYNC_WEAKER)) {
        LOG_WARN("redis-not-durable",
                 "redis=%s appendfsync=%s text=\"durability=fsync was asked for, but this may lose "
                 "about two seconds of acknowledged tickets: set appendfsync always\"",
                 where, fsync);
    }
}

static void warn_of_minimum(struct checks *c, const char *where, const char *minimum) {
    if (c->wants_replica && strcmp(minimum, "0") == 0 && first_time(c, NO_MINIMUM))
        LOG_WARN("redis-no-minimum",
                 "redis=%s text=\"a primary that is cut off from its replicas goes on taking "
                 "writes which a failover throws away, unacknowledged: set min-replicas-to-write 1 "
                 "and min-replicas-max-lag 2\"",
                 where);
}

static enum err check_settings(struct checks *c, struct redis *r, struct err_text *why) {
    char append_only[16], fsync[16], policy[32], minimum[16];
    enum err e = read_setting(r, "appendonly", append_only, sizeof append_only, why);
    if (!e) e = read_setting(r, "appendfsync", fsync, sizeof fsync, why);
    if (!e) e = read_setting(r, "maxmemory-policy", policy, sizeof policy, why);
    if (!e) e = read_setting(r, "min-replicas-to-write", minimum, sizeof minimum, why);
    if (e) return e;
    const char *where = redis_where(r);
    if (!append_only[0] || !policy[0]) {
        if (first_time(c, UNREADABLE))
            LOG_WARN("redis-settings-unknown",
                     "redis=%s text=\"CONFIG GET is not allowed: make sure of appendonly yes, "
                     "appendfsync always and maxmemory-policy noeviction\"",
                     where);
        return ERR_OK;
    }
    warn_of_durability(c, where, append_only, fsync);
    warn_of_minimum(c, where, minimum);
    if (strcmp(policy, "noeviction") != 0 && first_time(c, EVICTION))
        LOG_WARN("redis-evicts",
                 "redis=%s policy=%s text=\"Redis may throw the journal away when its memory is "
                 "full: set maxmemory-policy noeviction\"",
                 where, policy);
    return ERR_OK;
}

enum err checks_run(struct checks *c, struct redis *r, struct err_text *why) {
    enum err e = check_version(c, r, why);
    if (!e) e = check_role(c, r, why);
    if (!e) e = check_settings(c, r, why);
    return e;
}
