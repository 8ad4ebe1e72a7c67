/* lease.c - the lease's Redis commands. */
#include "store/lease.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

enum { LEASE_MS_MAX = 60000 }; /* pump_options.lease_ms' upper end */

static enum err read_holder(struct redis *r, const struct stream *s, struct lease *l,
                            struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, (struct str[]){STR("GET"), str_of(s->lease_key)}, 2, &reply, why);
    if (e) return e;
    struct str holder = redis_reply_str(reply);
    (void)snprintf(l->holder, sizeof l->holder, "%.*s", STR_PRINT(holder));
    redis_reply_free(reply);
    return ERR_OK;
}

static enum err run(struct redis *r, const struct str *words, size_t count, int64_t *number,
                    struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, words, count, &reply, why);
    if (!e && number && !redis_reply_int(reply, number)) *number = 0;
    redis_reply_free(reply);
    return e;
}

static enum err set_if_free(struct redis *r, const struct stream *s, const struct lease *l,
                            bool *set, struct err_text *why) {
    char ms[24];
    (void)snprintf(ms, sizeof ms, "%lld", (long long)l->lease_ms);
    struct redisReply *reply;
    enum err e = redis_run(r,
                           (struct str[]){STR("SET"), str_of(s->lease_key), l->owner, STR("NX"),
                                          STR("PX"), str_of(ms)},
                           6, &reply, why);
    if (e) return e;
    *set = !redis_reply_nil(reply);
    redis_reply_free(reply);
    return ERR_OK;
}

/* Redis' wall clock may jump back by an hour and make a dead owner's lease outlive it by that. */
static enum err remove_when_stuck(struct redis *r, const struct stream *s, struct lease *l,
                                  struct err_text *why) {
    int64_t left_ms, now_us = clock_mono_us();
    enum err e = run(r, (struct str[]){STR("PTTL"), str_of(s->lease_key)}, 2, &left_ms, why);
    if (e) return e;
    bool possible = left_ms != -1 && left_ms <= LEASE_MS_MAX;
    if (possible || !l->stuck_since_us) l->stuck_since_us = possible ? 0 : now_us;
    if (possible || now_us - l->stuck_since_us < 2 * l->lease_ms * 1000) return ERR_OK;
    LOG_WARN("lease-removed", "holder=%s ttl_ms=%lld text=\"no living owner set that\"",
             log_quote(str_of(l->holder)), (long long)left_ms);
    l->stuck_since_us = 0;
    return run(r, (struct str[]){STR("DEL"), str_of(s->lease_key)}, 2, NULL, why);
}

enum err lease_take(struct redis *r, const struct stream *s, struct lease *l,
                    enum lease_state *state, struct err_text *why) {
    *state = LEASE_FOREIGN;
    enum err e = read_holder(r, s, l, why);
    if (e) return e;
    if (!l->holder[0]) {
        bool set = false;
        e = set_if_free(r, s, l, &set, why);
        if (e || !set) return e; /* another was quicker: the next call will name it */
        *state = LEASE_TAKEN;
        return ERR_OK;
    }
    if (!str_equal(str_of(l->holder), l->owner)) return remove_when_stuck(r, s, l, why);
    char ms[24];
    (void)snprintf(ms, sizeof ms, "%lld", (long long)l->lease_ms);
    int64_t longer = 0;
    e = run(r, (struct str[]){STR("PEXPIRE"), str_of(s->lease_key), str_of(ms)}, 3, &longer, why);
    if (e) return e;
    /* Not longer: it ran out in between; the next call takes it anew. */
    if (longer)
        *state = LEASE_HELD;
    else
        return lease_take(r, s, l, state, why);
    return ERR_OK;
}

enum err lease_clear(struct redis *r, const struct stream *s, struct err_text *why) {
    return run(r, (struct str[]){STR("DEL"), str_of(s->lease_key)}, 2, NULL, why);
}

enum err lease_release(struct redis *r, const struct stream *s, const struct lease *l,
                       struct err_text *why) {
    struct lease now = *l;
    enum err e = read_holder(r, s, &now, why);
    if (e || !str_equal(str_of(now.holder), l->owner)) return e;
    return lease_clear(r, s, why);
}
