/* leading.c - while this process owns the realm. */
#include "store/leading.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/pump_core.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { CONFIRM_SHARE = 4 }; /* of a Redis operation's time, for a replica to answer */

__attribute__((format(printf, 2, 3))) static void lose(struct pump *p, const char *format, ...) {
    struct pump_message *m = pump_core_message(p, PUMP_LOST);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(m->why.text, sizeof m->why.text, format, arguments);
    va_end(arguments);
    LOG_WARN("leadership-lost", "realm_key=%s epoch=%" PRIu64 " why=%s", p->stream.key,
             p->last.epoch, log_quote(str_of(m->why.text)));
    m->epoch = p->last.epoch;
    m->seq = p->last.seq;
    for (struct order *o; (o = pump_core_take_order(p));)
        pump_core_free_order(o);
    metric_set(METRIC_journal_epoch, 0);
    p->phase = PHASE_LOST;
    p->unconfirmed = false;
    pump_core_send(p, m);
}

static void lose_to(struct pump *p, const struct stream_top *top) {
    lose(p, "another process (%s) took over with epoch %" PRIu64, top->owner, top->at.epoch);
}

static void lose_to_rollback(struct pump *p, struct position now) {
    char from[STREAM_ID_BYTES], to[STREAM_ID_BYTES];
    stream_format_id(p->last, from);
    stream_format_id(now, to);
    metric_add(METRIC_journal_rollbacks_total, 1);
    lose(p, "journal went back from %s to %s: Redis lost acknowledged writes", from, to);
}

static struct position next_id(const struct pump *p) {
    return (struct position){p->last.epoch, p->last.seq + 1};
}

/* The batch in hand, or NULL. */
static struct order *first_append(const struct pump *p) {
    struct order *o = p->orders;
    while (o && o->message.kind != ORDER_APPEND)
        o = o->next;
    return o;
}

static void acknowledge(struct pump *p) {
    struct order *o = pump_core_take_order(p);
    p->last = next_id(p);
    metric_add(METRIC_journal_appends_total, 1);
    metric_add(METRIC_journal_records_total, o->record_count);
    struct pump_message *m = pump_core_message(p, PUMP_APPENDED);
    m->epoch = p->last.epoch;
    m->seq = p->last.seq;
    m->tag = o->tag;
    pump_core_send(p, m);
    pump_core_free_order(o);
}

/* The batch is in the journal; acknowledges it, once a replica has it too if that is asked for. */
static void confirm(struct pump *p, struct order *o) {
    struct err_text why;
    bool yes = true;
    o->written = true;
    enum err e = p->replicated
                     ? stream_replicated(p->redis, p->operation_ms / CONFIRM_SHARE, &yes, &why)
                     : ERR_OK;
    p->unconfirmed = !e && !yes;
    if (e) {
        pump_core_disconnect(p, e, &why);
    } else if (yes) {
        acknowledge(p);
    } else {
        metric_add(METRIC_journal_unreplicated_total, 1);
        (void)err_set(&why, ERR_UNAVAILABLE, "no replica of Redis at %s has the last entry",
                      redis_where(p->redis));
        pump_core_report(p, ERR_UNAVAILABLE, why.text);
    }
}

/* Judges the journal's top against what we know. `refused`: our append was just refused, so a top
 * that does not explain it means that somebody removed entries from under us. */
static void resolve(struct pump *p, bool refused) {
    struct stream_top top;
    struct err_text why;
    enum err e = stream_top(p->redis, &p->stream, &top, &why);
    if (e) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    int order = position_compare(top.at, p->last);
    struct order *batch = first_append(p);
    if (order < 0 || (order == 0 && refused)) {
        lose_to_rollback(p, top.at);
    } else if (order > 0) {
        bool ours = batch && batch == p->orders && batch->tried &&
                    position_compare(top.at, next_id(p)) == 0 &&
                    str_equal(str_of(top.owner), p->lease.owner);
        if (ours)
            confirm(p, batch);
        else
            lose_to(p, &top);
    } else if (batch) {
        batch->written = false; /* it was, where a failover has left it behind */
    }
}

static void append(struct pump *p, struct order *o) {
    struct stream_entry entry = {next_id(p), strbuf_str(&o->batch), p->lease.owner};
    struct err_text why;
    if (o->written) {
        confirm(p, o);
        return;
    }
    if (o->tried) metric_add(METRIC_journal_retries_total, 1);
    o->tried = true;
    int64_t begin_us = clock_mono_us();
    enum err e = stream_append(p->redis, &p->stream, &entry, p->checks.has_nomkstream, &why);
    if (!e)
        metric_observe(metric_series(METRIC_journal_append_seconds, NULL),
                       (double)(clock_mono_us() - begin_us) / 1e6);
    if (!e)
        confirm(p, o);
    else if (e == ERR_ALREADY_EXISTS)
        resolve(p, true);
    else if (e == ERR_NOT_FOUND)
        lose_to_rollback(p, (struct position){0, 0});
    else
        pump_core_disconnect(p, e, &why);
}

static void trim(struct pump *p, struct order *o) {
    struct err_text why;
    enum err e = stream_trim(p->redis, &p->stream, o->trim_from, &why);
    if (e) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    metric_add(METRIC_journal_trims_total, 1);
    struct pump_message *m = pump_core_message(p, PUMP_TRIMMED);
    m->epoch = o->trim_from.epoch;
    m->seq = o->trim_from.seq;
    pump_core_send(p, m);
    pump_core_free_order(pump_core_take_order(p));
}

static void renew(struct pump *p) {
    enum lease_state state;
    struct err_text why;
    int64_t held_us = p->lease.held_us;
    p->lease.clock_ms = pump_core_clock_ms(p);
    enum err e = lease_take(p->redis, &p->stream, &p->lease, &state, &why);
    if (e) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    p->renew_due_us = clock_mono_us() + p->lease.lease_ms * 1000 / 3;
    if (state != LEASE_FOREIGN)
        metric_observe(metric_series(METRIC_lease_age_seconds, NULL),
                       (double)(p->lease.held_us - held_us) / 1e6);
    if (state != LEASE_FOREIGN) pump_core_stand(p, p->last, 0, p->lease.held_us);
    if (state == LEASE_FOREIGN)
        lose(p, "another process (%s) holds the realm's lease",
             p->lease.holder[0] ? p->lease.holder : "just starting");
    else if (state == LEASE_TAKEN)
        resolve(p, false); /* it was gone: late renewal, another owner, or the data were lost */
}

static bool at_work(const struct pump *p) {
    return p->redis && p->phase == PHASE_LEADING;
}

void leading_verify(struct pump *p) {
    /* The lease first. It may have run out meanwhile; and a Redis that was killed between its write
     * and its sync shows entries again that are not on its disk: this write syncs them too. */
    renew(p);
    if (at_work(p)) resolve(p, false);
}

void leading_work(struct pump *p) {
    p->unconfirmed = false;
    while (at_work(p) && p->orders && !p->unconfirmed) {
        if (p->orders->message.kind == ORDER_APPEND)
            append(p, p->orders);
        else
            trim(p, p->orders);
    }
    if (at_work(p) && clock_mono_us() >= p->renew_due_us) renew(p);
    if (!at_work(p)) return;
    backoff_reset(&p->backoff);
    if (!p->unconfirmed) pump_core_report(p, ERR_OK, "");
}
