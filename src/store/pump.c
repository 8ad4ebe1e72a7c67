/* pump.c - the store thread: its connection, its orders, and its messages to the owner. */
#include "store/pump.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/leading.h"
#include "store/lease.h"
#include "store/pump_core.h"
#include "store/takeover.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    STOP_MS = 1000,      /* for the batch in hand */
    APPENDS_IN_HAND = 2, /* one being written, one behind it */
    ORDERS_MAX = 1024,
};

/* What the owner gets; freeing a PUMP_LOST tells the pump that the owner knows. */
struct posted {
    struct pump_message message; /* first */
    struct pump *pump;
};

struct pump_message *pump_core_message(struct pump *p, int kind) {
    struct posted *m = mem_alloc(sizeof *m);
    m->message.message.kind = kind;
    m->pump = p;
    return &m->message;
}

void pump_core_send(struct pump *p, struct pump_message *m) {
    inbox_push_always(p->owner_inbox, &m->message);
}

void pump_core_report(struct pump *p, enum err code, const char *text) {
    if (strcmp(text, p->reported) == 0) return;
    (void)snprintf(p->reported, sizeof p->reported, "%s", text);
    const char *quoted = log_quote(str_of(text));
    if (!code)
        LOG_INFO("store-available", "redis=%s", p->address.text);
    else if (code == ERR_ALREADY_EXISTS || code == ERR_ABORTED)
        LOG_INFO("standing-by", "realm_key=%s why=%s", p->stream.key, quoted);
    else if (err_retryable(code))
        LOG_WARN("store-unavailable", "realm_key=%s why=%s", p->stream.key, quoted);
    else
        LOG_ERROR("store-unusable", "realm_key=%s why=%s", p->stream.key, quoted);
    struct pump_message *m = pump_core_message(p, PUMP_STATE);
    (void)snprintf(m->why.text, sizeof m->why.text, "%s", text);
    pump_core_send(p, m);
}

void pump_core_retry_after(struct pump *p, int64_t ms) {
    p->retry_due_us = clock_mono_us() + ms * 1000;
}

void pump_core_disconnect(struct pump *p, enum err code, const struct err_text *why) {
    redis_close(p->redis);
    p->redis = NULL;
    pump_core_report(p, code, why->text);
    pump_core_retry_after(p, backoff_next_ms(&p->backoff));
}

int64_t pump_core_clock_ms(const struct pump *p) {
    return p->clock_ms ? p->clock_ms + (clock_mono_us() - p->clock_us) / 1000 : 0;
}

void pump_core_stand(struct pump *p, struct position at, uint64_t behind, int64_t lease_us) {
    struct pump_message *m = pump_core_message(p, PUMP_STANDING);
    m->epoch = at.epoch;
    m->seq = at.seq;
    m->behind = behind;
    m->lease_us = lease_us;
    pump_core_send(p, m);
}

struct order *pump_core_take_order(struct pump *p) {
    struct order *o = p->orders;
    if (o) p->orders = o->next;
    return o;
}

void pump_core_free_order(struct order *o) {
    strbuf_fini(&o->batch);
    mem_free(o);
}

static void connect_redis(struct pump *p) {
    struct err_text why;
    enum err e = p->embedded ? embedded_ensure(p->embedded, &why) : ERR_OK;
    if (!e) e = redis_open(&p->redis, &p->address, p->operation_ms, &why);
    if (!e) e = checks_run(&p->checks, p->redis, &why);
    /* We have just started this private server: who holds a lease there died with the last one. */
    if (!e && p->embedded && !p->was_connected) e = lease_clear(p->redis, &p->stream, &why);
    if (e) {
        pump_core_disconnect(p, e, &why);
        return;
    }
    if (p->was_connected) metric_add(METRIC_store_reconnects_total, 1);
    p->was_connected = true;
    p->retry_due_us = 0;
    if (p->phase == PHASE_LEADING) leading_verify(p);
}

static void work(struct pump *p) {
    bool due = clock_mono_us() >= p->retry_due_us;
    if (!p->redis && due) connect_redis(p);
    if (!p->redis) return;
    if (p->phase == PHASE_LEADING)
        leading_work(p);
    else if (p->phase == PHASE_WAITING && due && !p->stopping)
        takeover_try(p);
}

static void queue_order(struct pump *p, struct order *o) {
    size_t appends = o->message.kind == ORDER_APPEND;
    struct order **end = &p->orders;
    for (; *end; end = &(*end)->next)
        appends += (*end)->message.kind == ORDER_APPEND;
    assert(appends <= APPENDS_IN_HAND);
    o->next = NULL;
    *end = o;
}

static void take_orders(struct pump *p, struct message *list) {
    while (list) {
        struct order *o = (struct order *)list;
        list = list->next;
        int kind = o->message.kind;
        if (kind <= ORDER_TRIM && p->phase == PHASE_LEADING) {
            queue_order(p, o);
            continue;
        }
        if (kind == ORDER_STOP) {
            p->stopping = true;
            p->stop_due_us = clock_mono_us() + STOP_MS * INT64_C(1000);
        } else if (kind == ORDER_LOST_SEEN && p->phase == PHASE_LOST) {
            p->phase = PHASE_WAITING;
            p->retry_due_us = 0;
        }
        pump_core_free_order(o);
    }
}

static int wait_ms(const struct pump *p) {
    int64_t due_us = INT64_MAX;
    if (!p->redis || p->phase == PHASE_WAITING)
        due_us = p->retry_due_us;
    else if (p->phase == PHASE_LEADING)
        due_us = p->renew_due_us;
    if (p->unconfirmed) return 0; /* asking again is the wait */
    if (p->stopping && p->stop_due_us < due_us) due_us = p->stop_due_us;
    if (due_us == INT64_MAX) return -1;
    int64_t left_us = due_us - clock_mono_us();
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static bool finished(const struct pump *p) {
    if (!p->stopping) return false;
    return p->phase != PHASE_LEADING || !p->orders || clock_mono_us() >= p->stop_due_us;
}

static void wind_up(struct pump *p) {
    struct err_text ignored;
    follower_drop(&p->follower);
    if (p->redis && lease_release(p->redis, &p->stream, &p->lease, &ignored))
        LOG_INFO("lease-kept", "realm_key=%s text=\"it runs out by itself\"", p->stream.key);
    redis_close(p->redis);
    p->redis = NULL;
    embedded_stop(p->embedded);
    p->embedded = NULL;
    metric_set(METRIC_journal_epoch, 0);
    for (struct order *o; (o = pump_core_take_order(p));)
        pump_core_free_order(o);
    pump_core_send(p, pump_core_message(p, PUMP_STOPPED));
}

/* Nothing is asked meanwhile: what comes from Redis is its end. A leader must know of it at once,
 * for the Redis that comes back may know less (matcher_role.c, look_at_lease). */
static struct message *await_orders(struct pump *p) {
    struct pollfd fds[2] = {{.fd = p->inbox.wake_fd, .events = POLLIN},
                            {.fd = p->redis ? redis_fd(p->redis) : -1, .events = POLLIN}};
    (void)poll(fds, 2, wait_ms(p)); /* errors: as time-out */
    if (fds[1].revents) {
        struct err_text why;
        enum err e = err_set(&why, ERR_UNAVAILABLE, "Redis at %s closed the connection",
                             redis_where(p->redis));
        pump_core_disconnect(p, e, &why);
    }
    return inbox_take(&p->inbox);
}

static void run(void *arg) {
    struct pump *p = arg;
    while (!finished(p)) {
        work(p);
        take_orders(p, await_orders(p));
    }
    wind_up(p);
}

enum err pump_start(struct pump **out, const struct pump_options *o, struct inbox *owner,
                    struct err_text *why) {
    assert(o->lease_ms >= 500 && o->lease_ms <= 60000 && o->operation_ms > 0);
    *out = NULL;
    bool embed = !o->redis || !o->redis[0];
    struct address address;
    struct embedded *embedded = NULL;
    enum err e = address_of(&address, o->redis, o->state_folder, why);
    if (!e && embed) e = embedded_start(&embedded, o->state_folder, why);
    if (e) return e;
    struct pump *p = mem_alloc(sizeof *p);
    p->owner_inbox = owner;
    p->owner = mem_text(str_of(o->owner));
    p->operation_ms = o->operation_ms;
    p->address = address;
    p->embedded = embedded;
    stream_init(&p->stream, o->realm);
    follower_init(&p->follower, &p->stream, o->keep_ms);
    p->lease = (struct lease){.owner = str_of(p->owner), .lease_ms = o->lease_ms};
    p->checks.wants_fsync = !o->durability || strcmp(o->durability, "everysec") != 0;
    p->replicated = o->durability && strcmp(o->durability, "replicated") == 0;
    p->checks.wants_replica = p->replicated;
    backoff_init(&p->backoff);
    inbox_init(&p->inbox, ORDERS_MAX, NULL, NULL);
    thread_start(&p->thread, "store", run, p);
    *out = p;
    return ERR_OK;
}

static struct order *new_order(int kind) {
    struct order *o = mem_alloc(sizeof *o);
    o->message.kind = kind;
    return o;
}

void pump_append(struct pump *p, struct strbuf *batch, uint32_t record_count, uint64_t tag) {
    assert(batch->size > 0 && batch->size <= LIMIT_ENTRY_BYTES);
    struct order *o = new_order(ORDER_APPEND);
    o->batch = *batch;
    *batch = (struct strbuf){0};
    o->record_count = record_count;
    o->tag = tag;
    inbox_push_always(&p->inbox, &o->message);
}

void pump_trim(struct pump *p, uint64_t epoch, uint64_t seq) {
    struct order *o = new_order(ORDER_TRIM);
    o->trim_from = (struct position){epoch, seq};
    inbox_push_always(&p->inbox, &o->message);
}

void pump_stop(struct pump *p) {
    atomic_store(&p->stop_asked, true);
    inbox_push_always(&p->inbox, &new_order(ORDER_STOP)->message);
}

void pump_free(struct pump *p) {
    if (!p) return;
    thread_join(&p->thread);
    struct message *m = inbox_take(&p->inbox);
    while (m) {
        struct message *next = m->next;
        pump_core_free_order((struct order *)m);
        m = next;
    }
    inbox_fini(&p->inbox);
    mem_free(p->owner);
    mem_free(p);
}

void pump_message_free(struct pump_message *m) {
    if (!m) return;
    struct posted *posted = (struct posted *)m;
    if (m->message.kind == PUMP_LOST)
        inbox_push_always(&posted->pump->inbox, &new_order(ORDER_LOST_SEEN)->message);
    realm_free(m->realm);
    mem_free(posted);
}
