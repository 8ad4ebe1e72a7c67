/* takeover.c - lease, then the fence (an epoch record), and only then the replay. */
#include "store/takeover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/pump_core.h"
#include "store/replay.h"
#include "wire/journal_codec.h"

#include <inttypes.h>

enum { UNREADABLE_RETRY_MS = 10000 };

/* Between chunks of the replay. */
static enum err proceed(void *arg, struct err_text *why) {
    struct pump *p = arg;
    if (atomic_load(&p->stop_asked)) return err_set(why, ERR_CANCELLED, "stopping");
    if (clock_mono_us() < p->renew_due_us) return ERR_OK;
    enum lease_state state;
    enum err e = lease_take(p->redis, &p->stream, &p->lease, &state, why);
    if (e) return e;
    p->renew_due_us = clock_mono_us() + p->lease_ms * 1000 / 3;
    if (state != LEASE_FOREIGN) return ERR_OK;
    return err_set(why, ERR_ABORTED, "%s took the lease during the replay", p->lease.holder);
}

/* The fence: from this entry on Redis refuses every older owner. */
static enum err begin_epoch(struct pump *p, struct position *at, struct err_text *why) {
    struct stream_top top;
    enum err e = stream_top(p->redis, &p->stream, &top, why);
    at->seq = 1;
    if (!e) e = stream_next_epoch(p->redis, &p->stream, &at->epoch, why);
    if (e) return e;
    struct record r = {.kind = RECORD_EPOCH_STARTED, .time_ms = clock_wall_ms()};
    r.epoch_started.owner = p->lease.owner;
    struct strbuf bytes = {0};
    journal_encode(&r, &bytes);
    struct stream_entry entry = {*at, strbuf_str(&bytes), p->lease.owner};
    e = stream_append(p->redis, &p->stream, &entry, false, why);
    strbuf_fini(&bytes);
    return e;
}

static void lead(struct pump *p, struct realm *realm, const struct replay *replay) {
    p->phase = PHASE_LEADING;
    p->last = replay->end;
    backoff_reset(&p->backoff);
    metric_set(METRIC_journal_epoch, (int64_t)replay->end.epoch);
    LOG_INFO("leading", "realm_key=%s epoch=%" PRIu64 " entries=%" PRIu64 " bytes=%" PRIu64,
             p->stream.key, replay->end.epoch, replay->entry_count, replay->byte_count);
    pump_core_report(p, ERR_OK, "");
    struct pump_message *m = pump_core_message(p, PUMP_LEADING);
    m->realm = realm;
    m->epoch = replay->end.epoch;
    m->seq = replay->end.seq;
    m->time_ms = replay->time_ms;
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

static void rebuild_and_lead(struct pump *p) {
    struct err_text why;
    struct replay replay = {.redis = p->redis, .stream = &p->stream, .proceed = proceed, .arg = p};
    enum err e = begin_epoch(p, &replay.end, &why);
    if (e) {
        give_up(p, e, &why);
        return;
    }
    struct realm *realm = realm_new(p->keep_ms);
    e = replay_run(&replay, realm, &why);
    if (e) {
        realm_free(realm);
        give_up(p, e, &why);
        return;
    }
    lead(p, realm, &replay);
}

void takeover_try(struct pump *p) {
    struct err_text why;
    enum lease_state state;
    enum err e = lease_take(p->redis, &p->stream, &p->lease, &state, &why);
    if (e) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    if (state == LEASE_FOREIGN) {
        (void)err_set(&why, ERR_ALREADY_EXISTS,
                      "another process (%s) leads this realm; this one stands by",
                      p->lease.holder[0] ? p->lease.holder : "just starting");
        pump_core_report(p, ERR_ALREADY_EXISTS, why.text);
        pump_core_retry_after(p, p->lease_ms / 4);
        return;
    }
    p->renew_due_us = clock_mono_us() + p->lease_ms * 1000 / 3;
    rebuild_and_lead(p);
}
