/* takeover.c - following while another leads; then lease, fence (an epoch record), and the tail. */
#include "store/takeover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/pump_core.h"
#include "wire/journal_codec.h"

#include <inttypes.h>

enum {
    UNREADABLE_RETRY_MS = 10000,
    LOOK_MS = 100, /* at the lease and the journal: what a takeover costs beyond the lease's end */
};

/* ---- following ---- */

static enum err stop_asked(const struct pump *p, struct err_text *why) {
    return atomic_load(&p->stop_asked) ? err_set(why, ERR_CANCELLED, "stopping") : ERR_OK;
}

/* Between chunks while another leads. */
static enum err proceed_following(void *arg, struct err_text *why) {
    return stop_asked(arg, why);
}

/* What the leader says of the realm's clock, at the moment it was heard. */
static void hear_clock(struct pump *p) {
    if (!p->lease.told_clock_ms) return;
    p->clock_ms = p->lease.told_clock_ms;
    p->clock_us = p->lease.seen_us;
}

static enum err follow(struct pump *p, struct err_text *why) {
    struct follower_guard guard = {proceed_following, p};
    struct stream_top top;
    hear_clock(p);
    enum err e = stream_top(p->redis, &p->stream, &top, why);
    if (e || (top.at.epoch == 0 && top.at.seq == 0)) return e;
    uint64_t before = p->follower.entry_count;
    e = follower_advance(&p->follower, p->redis, top.at, &guard, why);
    if (e) return e;
    uint64_t applied = p->follower.entry_count;
    pump_core_stand(p, top.at, applied > before ? applied - before : 0, p->lease.seen_us);
    return ERR_OK;
}

static void stand_by(struct pump *p) {
    struct err_text why;
    enum err e = follow(p, &why);
    if (e && redis_broken(p->redis)) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    if (e && e != ERR_CANCELLED) {
        pump_core_report(p, e, why.text);
    } else if (!e) {
        (void)err_set(&why, ERR_ALREADY_EXISTS,
                      "another process (%s) leads this realm; this one stands by",
                      p->lease.holder[0] ? p->lease.holder : "just starting");
        pump_core_report(p, ERR_ALREADY_EXISTS, why.text);
    }
    pump_core_retry_after(p, e == ERR_DATA_LOSS ? UNREADABLE_RETRY_MS : LOOK_MS);
}

/* ---- taking over ---- */

/* Between chunks of the tail: the lease must not run out meanwhile. */
static enum err proceed_leading(void *arg, struct err_text *why) {
    struct pump *p = arg;
    enum err e = stop_asked(p, why);
    if (e || clock_mono_us() < p->renew_due_us) return e;
    enum lease_state state;
    p->lease.clock_ms = pump_core_clock_ms(p);
    e = lease_take(p->redis, &p->stream, &p->lease, &state, why);
    if (e) return e;
    p->renew_due_us = clock_mono_us() + p->lease.lease_ms * 1000 / 3;
    if (state != LEASE_FOREIGN) return ERR_OK;
    return err_set(why, ERR_ABORTED, "%s took the lease during the replay", p->lease.holder);
}

/* The realm's clock from here on: never before what the journal has. */
static void set_clock(struct pump *p, int64_t journal_ms) {
    int64_t now_ms = p->clock_ms ? pump_core_clock_ms(p) : clock_wall_ms();
    p->clock_us = clock_mono_us();
    p->clock_ms = now_ms > journal_ms ? now_ms : journal_ms;
}

/* The fence: from this entry on Redis refuses every older owner. */
static enum err begin_epoch(struct pump *p, struct position *at, struct err_text *why) {
    struct stream_top top;
    enum err e = stream_top(p->redis, &p->stream, &top, why);
    at->seq = 1;
    if (!e) e = stream_next_epoch(p->redis, &p->stream, &at->epoch, why);
    if (e) return e;
    set_clock(p, p->follower.time_ms);
    struct record r = {.kind = RECORD_EPOCH_STARTED, .time_ms = p->clock_ms};
    r.epoch_started.owner = p->lease.owner;
    struct strbuf bytes = {0};
    journal_encode(&r, &bytes);
    struct stream_entry entry = {*at, strbuf_str(&bytes), p->lease.owner};
    e = stream_append(p->redis, &p->stream, &entry, false, why);
    strbuf_fini(&bytes);
    return e;
}

static void lead(struct pump *p, int64_t begin_us, uint64_t known) {
    struct follower *f = &p->follower;
    p->phase = PHASE_LEADING;
    p->last = f->at;
    set_clock(p, f->time_ms);
    backoff_reset(&p->backoff);
    metric_set(METRIC_journal_epoch, (int64_t)p->last.epoch);
    LOG_INFO("leading",
             "realm_key=%s epoch=%" PRIu64 " entries=%" PRIu64 " of_them_now=%" PRIu64
             " bytes=%" PRIu64 " took_us=%" PRId64,
             p->stream.key, p->last.epoch, f->entry_count, f->entry_count - known, f->byte_count,
             clock_mono_us() - begin_us);
    pump_core_report(p, ERR_OK, "");
    struct pump_message *m = pump_core_message(p, PUMP_LEADING);
    m->realm = follower_take(f);
    m->epoch = p->last.epoch;
    m->seq = p->last.seq;
    m->time_ms = p->clock_ms;
    m->time_us = p->clock_us;
    m->lease_us = p->lease.held_us;
    pump_core_send(p, m);
}

/* Another process may be able to do what we could not: it gets the lease at once. */
static void give_up(struct pump *p, enum err code, const struct err_text *why) {
    struct err_text ignored;
    if (redis_broken(p->redis) || lease_release(p->redis, &p->stream, &p->lease, &ignored)) {
        pump_core_disconnect(p, code, why);
        return;
    }
    if (code != ERR_CANCELLED) pump_core_report(p, code, why->text);
    pump_core_retry_after(p, code == ERR_DATA_LOSS ? UNREADABLE_RETRY_MS
                                                   : backoff_next_ms(&p->backoff));
}

/* What was replayed may be acknowledged to whoever asks again: with `replicated` a replica must
 * have all of it first. */
static enum err await_replica(struct pump *p, struct err_text *why) {
    bool yes = !p->replicated;
    enum err e = ERR_OK;
    while (!e && !yes) {
        e = stream_replicated(p->redis, p->operation_ms / 4, &yes, why);
        if (e || yes) break;
        (void)err_set(why, ERR_UNAVAILABLE, "no replica of Redis at %s has the journal's end",
                      redis_where(p->redis));
        pump_core_report(p, ERR_UNAVAILABLE, why->text);
        e = proceed_leading(p, why);
    }
    return e;
}

static void rebuild_and_lead(struct pump *p) {
    struct follower_guard guard = {proceed_leading, p};
    struct position epoch;
    struct err_text why;
    int64_t begin_us = clock_mono_us();
    uint64_t known = p->follower.entry_count;
    enum err e = begin_epoch(p, &epoch, &why);
    if (!e) e = follower_advance(&p->follower, p->redis, epoch, &guard, &why);
    if (!e) e = await_replica(p, &why);
    if (e)
        give_up(p, e, &why);
    else
        lead(p, begin_us, known < p->follower.entry_count ? known : 0);
}

void takeover_try(struct pump *p) {
    struct err_text why;
    enum lease_state state;
    p->lease.clock_ms = pump_core_clock_ms(p);
    enum err e = lease_take(p->redis, &p->stream, &p->lease, &state, &why);
    if (e) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    if (state == LEASE_FOREIGN) {
        stand_by(p);
        return;
    }
    p->renew_due_us = clock_mono_us() + p->lease.lease_ms * 1000 / 3;
    rebuild_and_lead(p);
}
