/* pump_kit.h - the matcher's part for tests of the pump: an inbox, what came in it, and numbered
 * batches: a batch is a queue-deleted record whose version is its number.
 *
 * Include from one C file per program. Thread safety: one thread per owner.
 */
#ifndef MUSTER_TESTS_SUPPORT_PUMP_KIT_H
#define MUSTER_TESTS_SUPPORT_PUMP_KIT_H

#include "base/clock.h"
#include "base/mem.h"
#include "store/pump.h"
#include "store/stream.h"
#include "support/redis_fixture.h"
#include "wire/journal_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "muster:{game}:journal"
#define LEASE_KEY "muster:{game}:lease"
enum { LEASE_MS = 600, WAIT_MS = 15000, NUMBERS_MAX = 4096 };

/* The matcher's part: an inbox and what came in it. */
struct owner {
    struct inbox inbox;
    struct pump *pump;
    struct message *pending; /* taken, not looked at */
    uint64_t epoch;          /* of the last PUMP_LEADING */
    int64_t time_ms;
    char state[ERR_TEXT_BYTES]; /* last PUMP_STATE */
    char lost[ERR_TEXT_BYTES];  /* last PUMP_LOST */
    uint64_t acked_tag, acked_seq;
    uint64_t standing_seq, behind; /* last PUMP_STANDING */
    unsigned leads, losses, acks;
};

static inline void start_with(struct owner *w, const struct pump_options *o) {
    *w = (struct owner){0};
    inbox_init(&w->inbox, 1024, NULL, NULL);
    struct err_text why;
    if (pump_start(&w->pump, o, &w->inbox, &why)) fail_msg("%s", why.text);
}

static inline struct pump_options options(const char *redis, const char *owner) {
    return (struct pump_options){.redis = redis,
                                 .realm = "game",
                                 .owner = owner,
                                 .lease_ms = LEASE_MS,
                                 .operation_ms = 1000,
                                 .keep_ms = 60000,
                                 .durability = "fsync"};
}

static inline void start(struct owner *w, const char *redis, const char *owner) {
    struct pump_options o = options(redis, owner);
    start_with(w, &o);
}

static inline void note(struct owner *w, const struct pump_message *m) {
    switch (m->message.kind) {
    case PUMP_LEADING:
        assert_non_null(m->realm);
        assert_true(m->epoch > w->epoch);
        w->epoch = m->epoch;
        w->time_ms = m->time_ms;
        w->acked_seq = m->seq;
        w->leads++;
        break;
    case PUMP_APPENDED:
        assert_true(m->epoch == w->epoch && m->seq == w->acked_seq + 1);
        assert_true(m->tag > w->acked_tag);
        w->acked_tag = m->tag;
        w->acked_seq = m->seq;
        w->acks++;
        break;
    case PUMP_LOST:
        (void)snprintf(w->lost, sizeof w->lost, "%s", m->why.text);
        w->losses++;
        break;
    case PUMP_STANDING:
        w->standing_seq = m->seq;
        w->behind = m->behind;
        break;
    case PUMP_STATE:
        (void)snprintf(w->state, sizeof w->state, "%s", m->why.text);
        break;
    default:
        break;
    }
}

/* Looks at the next message and returns its kind; 0 when none comes within `ms`. */
static inline int step(struct owner *w, int64_t ms) {
    if (!w->pending) w->pending = inbox_wait(&w->inbox, (int)ms);
    if (!w->pending) return 0;
    struct pump_message *m = (struct pump_message *)w->pending;
    w->pending = w->pending->next;
    int kind = m->message.kind;
    note(w, m);
    pump_message_free(m);
    return kind;
}

static inline void await(struct owner *w, int kind) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (step(w, 50) != kind)
        if (clock_mono_us() > until_us)
            fail_msg("message %d did not come; state \"%s\", lost \"%s\"", kind, w->state, w->lost);
}

static inline void await_state(struct owner *w, const char *says) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (says[0] ? !strstr(w->state, says) : w->state[0] != '\0') {
        (void)step(w, 50);
        if (clock_mono_us() > until_us) fail_msg("state is \"%s\", not \"%s\"", w->state, says);
    }
}

static inline void stop(struct owner *w) {
    pump_stop(w->pump);
    await(w, PUMP_STOPPED);
    pump_free(w->pump);
    assert_null(inbox_take(&w->inbox));
    inbox_fini(&w->inbox);
}

static inline void append(struct owner *w, uint32_t number) {
    struct record r = {.kind = RECORD_QUEUE_DELETED, .time_ms = 1000 + number};
    r.queue_deleted.name = STR("q");
    r.queue_deleted.version = number;
    struct strbuf batch = {0};
    journal_encode(&r, &batch);
    pump_append(w->pump, &batch, 1, number);
    assert_null(batch.at); /* moved */
}

static inline void append_and_await(struct owner *w, uint32_t number) {
    append(w, number);
    while (w->acked_tag < number)
        await(w, PUMP_APPENDED);
}

/* How often each batch number is in the journal. */
struct census {
    unsigned count[NUMBERS_MAX];
    uint32_t previous;
    bool ordered;
};

static inline void count_record(void *arg, struct record *r) {
    struct census *c = arg;
    if (r->kind == RECORD_QUEUE_DELETED) {
        uint32_t n = r->queue_deleted.version;
        assert_true(n < NUMBERS_MAX);
        c->count[n]++;
        c->ordered &= n >= c->previous;
        c->previous = n;
    }
    journal_record_fini(r);
}

static inline void take_census(struct redis_fixture *f, struct census *c) {
    *c = (struct census){.ordered = true};
    struct address a;
    struct err_text why;
    struct redis *r;
    struct stream s;
    stream_init(&s, "game");
    assert_int_equal(address_parse(&a, f->address, &why), ERR_OK);
    if (redis_open(&r, &a, 5000, &why)) fail_msg("%s", why.text);
    struct arena *arena = arena_new(0);
    struct position last = {0, 0};
    for (size_t n = 1; n > 0;) {
        struct redisReply *reply;
        struct stream_span span = {stream_after(last), STREAM_END, 500};
        assert_int_equal(stream_range(r, &s, &span, &reply, &why), ERR_OK);
        n = redis_reply_count(reply);
        for (size_t i = 0; i < n; i++) {
            struct stream_entry e;
            assert_int_equal(stream_entry_of(&s, redis_reply_at(reply, i), &e, &why), ERR_OK);
            if (journal_decode(e.bytes, arena, count_record, c, NULL, &why))
                fail_msg("%s", why.text);
            arena_reset(arena);
            last = e.at;
        }
        redis_reply_free(reply);
    }
    arena_free(arena);
    redis_close(r);
}

/* Every batch 1..last once and in order, and none above. */
static inline void exactly_once(struct redis_fixture *f, uint32_t last) {
    static struct census c;
    take_census(f, &c);
    assert_true(c.ordered);
    for (uint32_t n = 1; n < NUMBERS_MAX; n++)
        if (c.count[n] != (n <= last))
            fail_msg("batch %u of %u is there %u times", n, last, c.count[n]);
}

#endif
