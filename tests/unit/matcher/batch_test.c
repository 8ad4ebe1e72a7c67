/* batch_test.c - the matcher over a store that acknowledges when the test says so: carrying,
 * trimming, replies, and lost leadership, each in an exact order. Replaces pump.c at link time. */
#include "support/matcher_kit.h"

#include "base/limits.h"
#include "rt/thread.h"
#include "store/pump.h"
#include "wire/journal_codec.h"

#include <pthread.h>

enum { ENTRIES_MAX = 4096 };

struct entry {
    uint64_t seq, tag;
    uint32_t record_count;
    struct strbuf bytes;
};

static struct store { /* what stands in for pump and Redis */
    pthread_mutex_t lock;
    struct inbox *owner;
    struct entry entries[ENTRIES_MAX]; /* durable ones, and after them those in hand */
    unsigned durable, appended, in_hand_most;
    uint64_t trimmed_below, epoch;
    unsigned trims, losses_seen;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct pump_message *post(int kind) {
    struct pump_message *m = mem_alloc(sizeof *m);
    m->message.kind = kind;
    return m;
}

/* `lease_us`: when it was renewed; the lease's time from then on the realm's word counts. */
static void post_leading_since(struct realm *realm, int64_t lease_us) {
    struct pump_message *m = post(PUMP_LEADING);
    m->lease_us = lease_us;
    m->realm = realm;
    m->epoch = ++store.epoch;
    m->seq = 1;
    m->time_ms = 1000;
    m->time_us = clock_mono_us();
    inbox_push_always(store.owner, &m->message);
}

/* The store of this test never loses the lease. */
static void post_leading(struct realm *realm) {
    post_leading_since(realm, clock_mono_us() + 3600 * INT64_C(1000000));
}

enum err pump_start(struct pump **out, const struct pump_options *o, struct inbox *owner,
                    struct err_text *why) {
    (void)why;
    *out = (struct pump *)&store;
    store.owner = owner;
    post_leading(realm_new(o->keep_ms));
    return ERR_OK;
}

void pump_append(struct pump *p, struct strbuf *batch, uint32_t record_count, uint64_t tag) {
    (void)p;
    assert_in_range(batch->size, 1, LIMIT_ENTRY_BYTES);
    pthread_mutex_lock(&store.lock);
    assert_true(store.appended < ENTRIES_MAX);
    store.entries[store.appended] = (struct entry){store.appended + 2, tag, record_count, *batch};
    store.appended++;
    unsigned in_hand = store.appended - store.durable;
    if (in_hand > store.in_hand_most) store.in_hand_most = in_hand;
    pthread_mutex_unlock(&store.lock);
    *batch = (struct strbuf){0};
}

void pump_trim(struct pump *p, uint64_t epoch, uint64_t seq) {
    (void)p;
    pthread_mutex_lock(&store.lock);
    assert_int_equal(epoch, store.epoch);
    assert_true(seq >= store.trimmed_below);
    store.trimmed_below = seq;
    store.trims++;
    pthread_mutex_unlock(&store.lock);
}

void pump_stop(struct pump *p) {
    (void)p;
    inbox_push_always(store.owner, &post(PUMP_STOPPED)->message);
}

void pump_free(struct pump *p) {
    (void)p;
}

void pump_message_free(struct pump_message *m) {
    pthread_mutex_lock(&store.lock);
    store.losses_seen += m->message.kind == PUMP_LOST;
    pthread_mutex_unlock(&store.lock);
    realm_free(m->realm);
    mem_free(m);
}

/* ---- the test's side ---- */

static unsigned in_hand(void) {
    pthread_mutex_lock(&store.lock);
    unsigned count = store.appended - store.durable;
    pthread_mutex_unlock(&store.lock);
    return count;
}

static unsigned trims(void) {
    pthread_mutex_lock(&store.lock);
    unsigned count = store.trims;
    pthread_mutex_unlock(&store.lock);
    return count;
}

static void await_append(void) {
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    while (in_hand() == 0) {
        if (clock_mono_us() > until_us) fail_msg("nothing is appended");
        redis_fixture_nap();
    }
}

/* Acknowledges the oldest batch in hand. */
static void acknowledge(void) {
    await_append();
    struct pump_message *m = post(PUMP_APPENDED);
    pthread_mutex_lock(&store.lock);
    m->tag = store.entries[store.durable].tag;
    m->seq = store.entries[store.durable].seq;
    m->epoch = store.epoch;
    store.durable++;
    pthread_mutex_unlock(&store.lock);
    inbox_push_always(store.owner, &m->message);
}

/* Returns when everything pushed before was handled. */
static void settle(struct kit *k) {
    Muster__V1__CheckRequest check = MUSTER__V1__CHECK_REQUEST__INIT;
    kit_expect(kit_send(k, METHOD_CHECK, &check.base, NULL, 20000), ERR_OK, "");
}

static void begin(struct kit *k, int64_t journal_keep_ms) {
    *k = (struct kit){0};
    kit_options(k);
    k->o.redis = "fake";
    k->o.journal_keep_ms = journal_keep_ms;
    kit_start_again(k);
    Muster__V1__PutQueueRequest r = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
    r.definition_json = (char *)KIT_DUEL;
    struct kit_answer *a = kit_send(k, METHOD_PUT_QUEUE, &r.base, "put", KIT_TIMEOUT_MS);
    acknowledge();
    kit_expect(a, ERR_OK, "");
}

static void end(struct kit *k) {
    if (k->matcher) kit_stop_matcher(k);
    for (unsigned i = 0; i < store.appended; i++)
        strbuf_fini(&store.entries[i].bytes);
    store = (struct store){.lock = PTHREAD_MUTEX_INITIALIZER};
}

static void apply(void *arg, struct record *r) {
    realm_apply(arg, r);
    journal_record_fini(r);
}

/* Of a realm replayed from the durable entries that `below` leaves. */
static uint64_t digest_from(uint64_t below, uint64_t *open) {
    struct realm *realm = realm_new(600000);
    struct arena *arena = arena_new(0);
    struct err_text why;
    for (unsigned i = 0; i < store.durable; i++) {
        if (store.entries[i].seq < below) continue;
        if (journal_decode(strbuf_str(&store.entries[i].bytes), arena, apply, realm, NULL, &why))
            fail_msg("%s", why.text);
        arena_reset(arena);
    }
    uint64_t digest = realm_digest(realm);
    *open = realm_tickets_open(realm);
    assert_int_equal(realm_skipped(realm), 0);
    arena_free(arena);
    realm_free(realm);
    return digest;
}

static struct kit_answer *create(struct kit *k, unsigned n) {
    char name[32];
    (void)snprintf(name, sizeof name, "p%u", n);
    return kit_create(k, name, 1000.0 * n, name, 60000);
}

static void journal_is_trimmed_though_the_batches_never_rest(void **state) {
    (void)state;
    struct kit k;
    struct kit_answer *previous = NULL;
    unsigned n = 0;
    begin(&k, 500);
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    for (; trims() < 3 && n < 2000; n++) {
        struct kit_answer *next = create(&k, n);
        settle(&k); /* it is in the open batch, or in hand when it is the first */
        await_append();
        acknowledge(); /* of the batch before it */
        if (previous) (void)kit_created(previous);
        previous = next;
        assert_true(clock_mono_us() < until_us);
        redis_fixture_nap();
    }
    assert_in_range(trims(), 3, 2000);
    while (!kit_done(previous))
        acknowledge();
    (void)kit_created(previous);
    kit_stop_matcher(&k); /* from here on the store is ours alone */
    uint64_t open, all, kept = digest_from(store.trimmed_below, &open);
    assert_int_equal(open, n);
    assert_true(kept == digest_from(0, &all));
    assert_int_equal(all, n);
    assert_true(store.trimmed_below > 2);
    assert_in_range(store.in_hand_most, 1, 2);
    end(&k);
}

static void nothing_is_trimmed_before_what_was_carried_is_durable(void **state) {
    (void)state;
    struct kit k;
    begin(&k, 500);
    struct kit_answer *a = create(&k, 1);
    acknowledge();
    (void)kit_created(a);
    await_append(); /* by itself: what was carried */
    settle(&k);
    assert_int_equal(trims(), 0);
    acknowledge();
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    while (trims() == 0) {
        assert_true(clock_mono_us() < until_us);
        redis_fixture_nap();
    }
    end(&k);
}

static void reply_leaves_when_its_own_batch_is_durable_not_before(void **state) {
    (void)state;
    struct kit k;
    begin(&k, 3600000);
    struct kit_answer *first = create(&k, 1);
    await_append();
    struct kit_answer *second = create(&k, 2), *repeat = create(&k, 2);
    struct kit_answer *other = kit_create(&k, "p1", 5, "other", 60000); /* sees the first ticket */
    settle(&k);
    assert_int_equal(in_hand(), 1);
    assert_false(kit_done(first) || kit_done(second) || kit_done(repeat) || kit_done(other));
    acknowledge();
    struct kit_ticket_id id = kit_created(first);
    await_append();
    settle(&k);
    assert_false(kit_done(second) || kit_done(repeat) || kit_done(other));
    acknowledge();
    kit_expect(other, ERR_ALREADY_EXISTS, id.text);
    id = kit_created(second);
    assert_string_equal(kit_created(repeat).text, id.text);
    end(&k);
}

/* Tickets with a long text, so that a few calls fill an entry. */
static struct kit_answer *create_many(struct kit *k, unsigned first, unsigned count) {
    static char text[101];
    struct kit_ticket *tickets = mem_array(count, sizeof *tickets);
    Muster__V1__CreateTicketRequest **list = mem_array(count, sizeof *list);
    Muster__V1__CreateTicketsRequest r = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
    char name[32];
    memset(text, 'x', 100);
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "p%u", first + i);
        kit_fill(&tickets[i], name, 1000.0 * (first + i), text);
        list[i] = &tickets[i].request;
    }
    r.n_tickets = count;
    r.tickets = list;
    (void)snprintf(name, sizeof name, "r%u", first);
    struct kit_answer *a = kit_send(k, METHOD_CREATE_TICKETS, &r.base, name, 60000);
    mem_free(list);
    mem_free(tickets);
    return a;
}

static void batches_above_the_entry_limit_are_split_and_answered_in_order(void **state) {
    (void)state;
    enum { CALLS = 20, TICKETS = 1000 };
    struct kit k;
    struct kit_answer *answers[CALLS];
    begin(&k, 3600000);
    for (unsigned i = 0; i < CALLS; i++)
        answers[i] = create_many(&k, i * TICKETS, TICKETS);
    settle(&k);
    for (unsigned i = 0; i < CALLS; i++) {
        while (!kit_done(answers[i])) {
            acknowledge();
            settle(&k);
        }
        for (unsigned later = i + 1; later < CALLS; later++)
            assert_true(!kit_done(answers[later]) || kit_done(answers[later - 1]));
        kit_expect(answers[i], ERR_OK, "");
    }
    assert_in_range(store.appended, 4, 64); /* more than one, and full ones */
    assert_in_range(store.in_hand_most, 1, 2);
    uint64_t open;
    (void)digest_from(0, &open);
    assert_int_equal(open, CALLS * TICKETS);
    end(&k);
}

static void lost_leadership_answers_calls_watches_and_sealed_batches(void **state) {
    (void)state;
    enum { CALLS = 20 };
    struct kit k;
    struct kit_answer *answers[CALLS];
    begin(&k, 3600000);
    struct kit_answer *a = kit_create(&k, "ann", -1000, "ann", 60000);
    acknowledge();
    struct kit_ticket_id id = kit_created(a);
    struct kit_answer *watch = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__QUEUED, 60000);
    struct kit_answer *read;
    for (unsigned i = 0; i < CALLS; i++)
        answers[i] = create_many(&k, i * 1000, 1000);
    settle(&k);
    read = kit_get(&k, id, 60000);
    settle(&k);
    assert_false(kit_done(read));
    unsigned appended = store.appended;
    struct pump_message *lost = post(PUMP_LOST);
    (void)snprintf(lost->why.text, sizeof lost->why.text, "somebody was faster");
    inbox_push_always(store.owner, &lost->message);
    for (unsigned i = 0; i < CALLS; i++)
        kit_expect(answers[i], ERR_UNAVAILABLE,
                   "outcome unknown: somebody was faster; retry with the same request id");
    kit_expect(read, ERR_UNAVAILABLE, "somebody was faster; try again");
    kit_expect(watch, ERR_UNAVAILABLE, "somebody was faster");
    kit_expect(create(&k, 1), ERR_UNAVAILABLE, "somebody was faster");
    assert_int_equal(call_open_count(), 0);
    assert_int_equal(store.losses_seen, 1);
    assert_int_equal(store.appended, appended);
    assert_false(matcher_leading(k.matcher));
    store.durable = store.appended; /* the batch in hand is gone with the leadership */
    post_leading(realm_new(600000));
    a = create(&k, 1); /* no queue in this realm */
    kit_expect(a, ERR_NOT_FOUND, "duel");
    end(&k);
}

/* It slept, or is cut off from Redis: another may lead by now and know better. */
static void beyond_its_lease_a_leader_refuses_to_read(void **state) {
    (void)state;
    struct kit k;
    begin(&k, 3600000);
    struct kit_answer *a = kit_create(&k, "ann", -1000, "ann", 60000);
    acknowledge();
    struct kit_ticket_id id = kit_created(a);
    struct kit_answer *read = kit_get(&k, id, 60000);
    kit_expect(read, ERR_OK, "");
    struct pump_message *m = post(PUMP_STANDING);
    m->lease_us = clock_mono_us() - 3600 * INT64_C(1000000);
    inbox_push_always(store.owner, &m->message);
    kit_expect(kit_get(&k, id, 60000), ERR_UNAVAILABLE,
               "this process may not lead any more, for it hears nothing from Redis; try again");
    end(&k);
}

static void post_state(const char *why) {
    struct pump_message *m = post(PUMP_STATE);
    (void)snprintf(m->why.text, sizeof m->why.text, "%s", why);
    inbox_push_always(store.owner, &m->message);
}

/* The Redis that comes back may have lost what this leader remembers. */
static void leader_whose_redis_is_away_refuses_to_read_until_it_has_compared(void **state) {
    (void)state;
    struct kit k;
    begin(&k, 3600000);
    struct kit_answer *a = kit_create(&k, "ann", -1000, "ann", 60000);
    acknowledge();
    struct kit_ticket_id id = kit_created(a);
    post_state("Redis closed the connection");
    kit_expect(kit_get(&k, id, 60000), ERR_UNAVAILABLE, "hears nothing from Redis; try again");
    post_state("");
    kit_expect(kit_get(&k, id, 60000), ERR_OK, "");
    end(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_is_trimmed_though_the_batches_never_rest),
        cmocka_unit_test(nothing_is_trimmed_before_what_was_carried_is_durable),
        cmocka_unit_test(reply_leaves_when_its_own_batch_is_durable_not_before),
        cmocka_unit_test(batches_above_the_entry_limit_are_split_and_answered_in_order),
        cmocka_unit_test(lost_leadership_answers_calls_watches_and_sealed_batches),
        cmocka_unit_test(beyond_its_lease_a_leader_refuses_to_read),
        cmocka_unit_test(leader_whose_redis_is_away_refuses_to_read_until_it_has_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
