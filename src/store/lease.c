/* lease.c - the lease's Redis commands. */
#include "store/lease.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct value { /* parsed; numbers are 0 in what is none of ours */
    char owner[96];
    int64_t lease_ms, clock_ms;
    uint64_t renewals;
};

static struct value parse(const char *text) {
    struct value v = {0};
    (void)sscanf(text, "%95s %" SCNd64 " %" SCNu64 " %" SCNd64, v.owner, &v.lease_ms, &v.renewals,
                 &v.clock_ms);
    return v;
}

static enum err command(struct redis *r, const struct str *words, size_t count, bool *nil,
                        struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, words, count, &reply, why);
    if (e) return e;
    if (nil) *nil = redis_reply_nil(reply);
    redis_reply_free(reply);
    return ERR_OK;
}

/* The value, empty when there is none. */
static enum err read_value(struct redis *r, const struct stream *s, char out[LEASE_VALUE_BYTES],
                           struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, (struct str[]){STR("GET"), str_of(s->lease_key)}, 2, &reply, why);
    if (e) return e;
    (void)snprintf(out, LEASE_VALUE_BYTES, "%.*s", STR_PRINT(redis_reply_str(reply)));
    redis_reply_free(reply);
    return ERR_OK;
}

/* The first half of a compare-and-set: watches the key; `*same` says whether it has this value. */
static enum err watch(struct redis *r, const struct stream *s, const char *expected, bool *same,
                      struct err_text *why) {
    char now[LEASE_VALUE_BYTES];
    enum err e = command(r, (struct str[]){STR("WATCH"), str_of(s->lease_key)}, 2, NULL, why);
    if (!e) e = read_value(r, s, now, why);
    *same = !e && strcmp(now, expected) == 0;
    return e || *same ? e : command(r, (struct str[]){STR("UNWATCH")}, 1, NULL, why);
}

/* The second half: one command, unless the key has changed since. */
static enum err set(struct redis *r, const struct str *words, size_t count, bool *done,
                    struct err_text *why) {
    bool changed = true;
    enum err e = command(r, (struct str[]){STR("MULTI")}, 1, NULL, why);
    if (!e) e = command(r, words, count, NULL, why);
    if (!e) e = command(r, (struct str[]){STR("EXEC")}, 1, &changed, why);
    *done = !changed;
    return e;
}

static enum err set_ours(struct redis *r, const struct stream *s, const struct lease *l, bool *done,
                         struct err_text *why) {
    char value[LEASE_VALUE_BYTES], ms[24];
    (void)snprintf(value, sizeof value, "%.*s %" PRId64 " %" PRIu64 " %" PRId64,
                   STR_PRINT(l->owner), l->lease_ms, l->renewals + 1, l->clock_ms);
    (void)snprintf(ms, sizeof ms, "%" PRId64, l->lease_ms);
    return set(
        r, (struct str[]){STR("SET"), str_of(s->lease_key), str_of(value), STR("PX"), str_of(ms)},
        5, done, why);
}

/* Takes note of a foreign value; true when it has been the same for so long that nobody alive can
 * hold it. */
static bool is_dead(struct lease *l, const char *value) {
    int64_t now_us = clock_mono_us();
    struct value v = parse(value);
    (void)snprintf(l->holder, sizeof l->holder, "%s", v.owner);
    if (strcmp(l->seen, value) != 0) {
        (void)snprintf(l->seen, sizeof l->seen, "%s", value);
        l->seen_us = now_us;
        l->told_clock_ms = v.clock_ms;
        return false;
    }
    int64_t lease_ms = v.lease_ms > l->lease_ms ? v.lease_ms : l->lease_ms;
    if (now_us - l->seen_us < 2 * lease_ms * 1000) return false;
    LOG_WARN("lease-forced",
             "holder=%s text=\"not renewed for two lease times: its owner is gone\"",
             log_quote(str_of(l->holder)));
    return true;
}

enum err lease_take(struct redis *r, const struct stream *s, struct lease *l,
                    enum lease_state *state, struct err_text *why) {
    char value[LEASE_VALUE_BYTES];
    int64_t asked_us = clock_mono_us();
    *state = LEASE_FOREIGN;
    l->holder[0] = '\0';
    enum err e = read_value(r, s, value, why);
    if (e) return e;
    bool ours = value[0] && str_equal(str_of(parse(value).owner), l->owner);
    if (value[0] && !ours && !is_dead(l, value)) return ERR_OK;
    bool done = false;
    e = watch(r, s, value, &done, why);
    if (!e && done) e = set_ours(r, s, l, &done, why);
    if (e || !done) return e; /* another was quicker: the next call will name him */
    l->renewals++;
    l->held_us = asked_us;
    *state = ours ? LEASE_HELD : LEASE_TAKEN;
    return ERR_OK;
}

enum err lease_clear(struct redis *r, const struct stream *s, struct err_text *why) {
    return command(r, (struct str[]){STR("DEL"), str_of(s->lease_key)}, 2, NULL, why);
}

enum err lease_release(struct redis *r, const struct stream *s, const struct lease *l,
                       struct err_text *why) {
    char value[LEASE_VALUE_BYTES];
    enum err e = read_value(r, s, value, why);
    if (e || !value[0] || !str_equal(str_of(parse(value).owner), l->owner)) return e;
    bool done = false;
    e = watch(r, s, value, &done, why);
    if (e || !done) return e;
    return set(r, (struct str[]){STR("DEL"), str_of(s->lease_key)}, 2, &done, why);
}
