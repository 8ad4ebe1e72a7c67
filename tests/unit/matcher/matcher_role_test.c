/* matcher_role_test.c - the matcher's promises to its callers, on a real redis-server. */
#include "support/matcher_kit.h"

#include "base/limits.h"
#include "base/metrics.h"
#include "rt/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { MANY = 100 };

static struct kit_ticket_id create(struct kit *k, const char *player, double skill) {
    return kit_created(kit_create(k, player, skill, player, KIT_TIMEOUT_MS));
}

static void watchers_hear_of_the_match_of_their_tickets(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id a = create(&k, "ann", 100), match_a, match_b;
    struct kit_answer *first = kit_watch(&k, a, MUSTER__V1__TICKET_STATE__QUEUED, 15000);
    struct kit_answer *second = kit_watch(&k, a, MUSTER__V1__TICKET_STATE__QUEUED, 15000);
    assert_int_equal(kit_state(&k, a, NULL), MUSTER__V1__TICKET_STATE__QUEUED);
    assert_false(kit_done(first));
    struct kit_ticket_id b = create(&k, "bob", 105);
    assert_int_equal(kit_watched(first), MUSTER__V1__TICKET_STATE__MATCHED);
    assert_int_equal(kit_watched(second), MUSTER__V1__TICKET_STATE__MATCHED);
    assert_int_equal(kit_state(&k, a, &match_a), MUSTER__V1__TICKET_STATE__MATCHED);
    assert_int_equal(kit_state(&k, b, &match_b), MUSTER__V1__TICKET_STATE__MATCHED);
    assert_string_equal(match_a.text, match_b.text);
    kit_stop(&k);
}

static void watch_of_unchanged_ticket_is_answered_just_before_its_deadline(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    struct kit_answer *a = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__QUEUED, 400);
    assert_int_equal(kit_wait(a), ERR_OK);
    assert_in_range(a->done_us - a->sent_us, 290000, 400000);
    assert_int_equal(kit_watched(a), MUSTER__V1__TICKET_STATE__QUEUED);
    kit_stop(&k);
}

static void watch_of_a_ticket_that_is_forgotten_ends_at_its_deadline(void **state) {
    (void)state;
    struct kit k;
    k = (struct kit){0};
    redis_fixture_start(&k.redis, NULL);
    kit_options(&k);
    k.o.keep_ms = 50;
    kit_start_again(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    kit_expect(kit_cancel(&k, id, "c"), ERR_OK, "");
    struct kit_answer *a = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__CANCELLED, 500);
    kit_expect(a, ERR_NOT_FOUND, id.text);
    kit_stop(&k);
}

static void drain_answers_long_polls_and_holds_no_more(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    struct kit_answer *a = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__QUEUED, 60000);
    assert_int_equal(kit_state(&k, id, NULL), MUSTER__V1__TICKET_STATE__QUEUED); /* it is held */
    matcher_drain(k.matcher);
    kit_expect(a, ERR_UNAVAILABLE, "stopping");
    a = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__QUEUED, 60000);
    kit_expect(a, ERR_UNAVAILABLE, "stopping");
    kit_stop(&k);
}

struct sender {
    struct thread thread;
    struct kit *kit;
    struct kit_answer *answers[MANY / 4];
};

static void send_same(void *arg) {
    struct sender *s = arg;
    for (int i = 0; i < MANY / 4; i++)
        s->answers[i] = kit_create(s->kit, "ann", 100, "same", KIT_TIMEOUT_MS);
}

static void same_request_id_in_parallel_creates_one_ticket(void **state) {
    (void)state;
    struct kit k;
    struct sender senders[4] = {0};
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    for (int i = 0; i < 4; i++) {
        senders[i].kit = &k;
        thread_start(&senders[i].thread, "sender", send_same, &senders[i]);
    }
    struct kit_ticket_id first = {{0}};
    for (int i = 0; i < 4; i++) {
        thread_join(&senders[i].thread);
        for (int n = 0; n < MANY / 4; n++) {
            struct kit_ticket_id id = kit_created(senders[i].answers[n]);
            if (!first.text[0]) first = id;
            assert_string_equal(id.text, first.text);
        }
    }
    assert_int_equal(kit_queued(&k), 1);
    kit_stop(&k);
}

static void second_ticket_of_a_player_is_refused_and_names_the_first(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", 100);
    struct kit_answer *a = kit_create(&k, "ann", 100, "other", KIT_TIMEOUT_MS);
    kit_expect(a, ERR_ALREADY_EXISTS, id.text);
    assert_int_equal(kit_queued(&k), 1);
    kit_stop(&k);
}

static Muster__V1__ExplainTicketResponse *explain(struct kit *k, const char *player) {
    Muster__V1__ExplainTicketRequest r = MUSTER__V1__EXPLAIN_TICKET_REQUEST__INIT;
    r.key_case = MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_PLAYER_ID;
    r.player_id = (char *)player;
    struct kit_answer *a = kit_send(k, METHOD_EXPLAIN_TICKET, &r.base, NULL, KIT_TIMEOUT_MS);
    Muster__V1__ExplainTicketResponse *told =
        kit_unpack(a, &muster__v1__explain_ticket_response__descriptor);
    kit_fini(a);
    return told;
}

static void a_waiting_ticket_is_explained_and_no_other(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id ann = create(&k, "ann", 100), bob = create(&k, "bob", 115);
    Muster__V1__ExplainTicketResponse *told = explain(&k, "ann");
    assert_string_equal(told->ticket->ticket_id, ann.text);
    assert_int_equal(told->n_queues, 1);
    assert_int_equal(told->queues[0]->reason, MUSTER__V1__WAIT_REASON__WAIT_RULES);
    assert_string_equal(told->queues[0]->nearest_miss->ticket_id, bob.text);
    assert_true(told->queues[0]->nearest_miss->measured == 15);
    assert_true(told->n_sentences >= 3);
    kit_free(told);
    struct kit_answer *cancelled = kit_cancel(&k, ann, "cancel");
    assert_int_equal(kit_wait(cancelled), ERR_OK);
    kit_fini(cancelled);
    Muster__V1__ExplainTicketRequest r = MUSTER__V1__EXPLAIN_TICKET_REQUEST__INIT;
    r.key_case = MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_TICKET_ID;
    r.ticket_id = ann.text;
    struct kit_answer *a = kit_send(&k, METHOD_EXPLAIN_TICKET, &r.base, NULL, KIT_TIMEOUT_MS);
    told = kit_unpack(a, &muster__v1__explain_ticket_response__descriptor);
    assert_int_equal(told->n_queues, 0);
    assert_int_equal(told->ticket->state, MUSTER__V1__TICKET_STATE__CANCELLED);
    assert_int_equal(told->n_sentences, 1);
    kit_free(told);
    kit_fini(a);
    r.key_case = MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_PLAYER_ID;
    r.player_id = (char *)"ann";
    kit_expect(kit_send(&k, METHOD_EXPLAIN_TICKET, &r.base, NULL, KIT_TIMEOUT_MS), ERR_NOT_FOUND,
               "ann");
    kit_stop(&k);
}

static void refusals_about_undurable_tickets_wait_for_them(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    assert_int_equal(kill(k.redis.pid, SIGSTOP), 0);
    struct kit_answer *made = kit_create(&k, "ann", 100, "1", KIT_TIMEOUT_MS);
    struct kit_answer *refused = kit_create(&k, "ann", 100, "2", 300);
    kit_expect(refused, ERR_UNAVAILABLE, "outcome unknown");
    assert_false(kit_done(made));
    assert_int_equal(kill(k.redis.pid, SIGCONT), 0);
    struct kit_ticket_id id = kit_created(made);
    kit_expect(kit_create(&k, "ann", 100, "2", KIT_TIMEOUT_MS), ERR_ALREADY_EXISTS, id.text);
    kit_stop(&k);
}

static void
calls_end_unavailable_in_time_while_redis_hangs_and_a_repeat_gets_the_ticket(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    assert_int_equal(kill(k.redis.pid, SIGSTOP), 0);
    struct kit_answer *a = kit_create(&k, "ann", 100, "1", 400);
    struct kit_answer *read = kit_send(
        &k, METHOD_LIST_QUEUES,
        &(Muster__V1__ListQueuesRequest)MUSTER__V1__LIST_QUEUES_REQUEST__INIT.base, NULL, 400);
    assert_int_equal(kit_wait(a), ERR_UNAVAILABLE);
    assert_in_range(a->done_us - a->sent_us, 300000, 400000);
    kit_expect(a, ERR_UNAVAILABLE, "retry with the same request id");
    assert_int_equal(kit_wait(read), ERR_UNAVAILABLE);
    assert_null(strstr(read->why.text, "request id")); /* it has none */
    kit_fini(read);
    assert_int_equal(kill(k.redis.pid, SIGCONT), 0);
    (void)kit_created(kit_create(&k, "ann", 100, "1", KIT_TIMEOUT_MS));
    assert_int_equal(kit_queued(&k), 1);
    kit_stop(&k);
}

static void status_is_told_at_once_while_redis_hangs(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    assert_int_equal(kill(k.redis.pid, SIGSTOP), 0);
    struct kit_answer *pending = kit_create(&k, "ann", 100, "1", KIT_TIMEOUT_MS);
    Muster__V1__GetStatusRequest r = MUSTER__V1__GET_STATUS_REQUEST__INIT;
    struct kit_answer *a = kit_send(&k, METHOD_GET_STATUS, &r.base, NULL, 2000);
    Muster__V1__GetStatusResponse *s = kit_unpack(a, &muster__v1__get_status_response__descriptor);
    assert_true(s->leading);
    assert_false(kit_done(pending));
    kit_free(s);
    kit_fini(a);
    Muster__V1__CheckRequest check = MUSTER__V1__CHECK_REQUEST__INIT;
    kit_expect(kit_send(&k, METHOD_CHECK, &check.base, NULL, 2000), ERR_OK, "");
    assert_int_equal(kill(k.redis.pid, SIGCONT), 0);
    (void)kit_created(pending);
    kit_stop(&k);
}

static void acknowledged_tickets_outlive_kills_of_redis_and_of_the_matcher(void **state) {
    (void)state;
    struct kit k;
    struct kit_answer *answers[MANY];
    struct kit_ticket_id ids[MANY];
    char name[32];
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        answers[i] = kit_create(&k, name, 1000 * i, name, KIT_TIMEOUT_MS);
        if (i % 25 == 12) {
            redis_fixture_kill(&k.redis);
            redis_fixture_again(&k.redis);
        }
    }
    for (int i = 0; i < MANY; i++)
        ids[i] = kit_created(answers[i]);
    kit_stop_matcher(&k);
    redis_fixture_kill(&k.redis);
    redis_fixture_again(&k.redis);
    kit_start_again(&k);
    assert_int_equal(kit_queued(&k), MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(kit_state(&k, ids[i], NULL), MUSTER__V1__TICKET_STATE__QUEUED);
    (void)snprintf(name, sizeof name, "p%d", 0);
    struct kit_ticket_id again = kit_created(kit_create(&k, name, 0, name, KIT_TIMEOUT_MS));
    assert_string_equal(again.text, ids[0].text);
    kit_stop(&k);
}

static void lost_leadership_answers_all_who_wait_and_repeats_are_served_by_the_next(void **state) {
    (void)state;
    struct kit k;
    struct kit_answer *answers[MANY];
    char name[32];
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", -1000);
    struct kit_answer *watch = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__QUEUED, 60000);
    redis_fixture_run(&k.redis, NULL, 0, "XADD", "muster:{game}:journal", "9000000000000000-1", "b",
                      "", "o", "other", NULL);
    unsigned refused = 0;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        answers[i] = kit_create(&k, name, 1000 * i, name, KIT_TIMEOUT_MS);
    }
    for (int i = 0; i < MANY; i++) {
        refused += kit_wait(answers[i]) == ERR_UNAVAILABLE;
        kit_fini(answers[i]);
    }
    assert_true(refused > 0);
    kit_expect(watch, ERR_UNAVAILABLE, "took over");
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    while (!matcher_leading(k.matcher)) {
        assert_true(clock_mono_us() < until_us);
        redis_fixture_nap();
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        (void)kit_created(kit_create(&k, name, 1000 * i, name, KIT_TIMEOUT_MS));
    }
    assert_int_equal(kit_queued(&k), MANY + 1);
    assert_int_equal(kit_state(&k, id, NULL), MUSTER__V1__TICKET_STATE__QUEUED);
    kit_stop(&k);
}

static void stop_while_redis_hangs_ends_in_time_and_answers_all(void **state) {
    (void)state;
    struct kit k;
    struct kit_answer *answers[MANY];
    char name[32];
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    struct kit_ticket_id id = create(&k, "ann", -1000);
    struct kit_answer *watch = kit_watch(&k, id, MUSTER__V1__TICKET_STATE__QUEUED, 60000);
    assert_int_equal(kill(k.redis.pid, SIGSTOP), 0);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        answers[i] = kit_create(&k, name, 1000 * i, name, 60000);
    }
    int64_t begin_us = clock_mono_us();
    matcher_stop(k.matcher);
    assert_in_range(clock_mono_us() - begin_us, 0, 5000000);
    kit_expect(watch, ERR_UNAVAILABLE, "stopping");
    for (int i = 0; i < MANY; i++)
        kit_expect(answers[i], ERR_UNAVAILABLE, "retry with the same request id");
    matcher_free(k.matcher);
    assert_int_equal(call_open_count(), 0);
    redis_fixture_stop(&k.redis);
}

static void call_whose_deadline_has_passed_is_not_begun(void **state) {
    (void)state;
    struct kit k;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    int64_t expired = metric_get(METRIC_rpc_expired_total);
    kit_expect(kit_create(&k, "ann", 1, "1", -1), ERR_DEADLINE_EXCEEDED, "before work began");
    assert_int_equal(metric_get(METRIC_rpc_expired_total), expired + 1);
    assert_int_equal(kit_queued(&k), 0);
    kit_stop(&k);
}

static void matcher_without_redis_refuses_with_the_reason(void **state) {
    (void)state;
    struct kit k = {0};
    struct err_text why;
    redis_fixture_start(&k.redis, NULL);
    redis_fixture_kill(&k.redis);
    kit_options(&k);
    assert_int_equal(matcher_start(&k.matcher, &k.o, &why), ERR_OK);
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    bool said = false;
    while (!said) {
        struct kit_answer *a = kit_create(&k, "ann", 1, "1", KIT_TIMEOUT_MS);
        assert_int_equal(kit_wait(a), ERR_UNAVAILABLE);
        said = strstr(a->why.text, k.redis.socket) != NULL;
        kit_fini(a);
        assert_true(clock_mono_us() < until_us);
    }
    redis_fixture_again(&k.redis);
    while (!matcher_leading(k.matcher)) {
        assert_true(clock_mono_us() < until_us);
        redis_fixture_nap();
    }
    kit_put_queue(&k, KIT_DUEL);
    kit_stop(&k);
}

static int64_t cpu_us(void) {
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* Batches of 1000 tickets of ten long texts, until one is refused for what waits. */
static void fill_pending(struct kit *k, struct kit_answer **answers, unsigned *count) {
    enum { TICKETS = 1000, NOTES = 9 };
    static struct kit_ticket tickets[TICKETS];
    static Muster__V1__Player__AttributesEntry notes[NOTES];
    static Muster__V1__Player__AttributesEntry *attributes[TICKETS][NOTES + 1];
    static char names[NOTES][16], text[101];
    Muster__V1__CreateTicketRequest *list[TICKETS];
    Muster__V1__CreateTicketsRequest r = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
    memset(text, 'x', 100);
    for (int n = 0; n < NOTES; n++) {
        notes[n] = (Muster__V1__Player__AttributesEntry)MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
        (void)snprintf(names[n], sizeof names[n], "note%d", n);
        notes[n].key = names[n];
    }
    r.n_tickets = TICKETS;
    r.tickets = list;
    for (*count = 0;; ++*count) {
        char id[32];
        for (unsigned i = 0; i < TICKETS; i++) {
            (void)snprintf(id, sizeof id, "p%u", *count * TICKETS + i);
            kit_fill(&tickets[i], id, 1000.0 * (*count * TICKETS + i), text);
            attributes[i][0] = tickets[i].attributes[0];
            for (int n = 0; n < NOTES; n++) {
                notes[n].value = &tickets[0].values[1];
                attributes[i][n + 1] = &notes[n];
            }
            tickets[i].player.attributes = attributes[i];
            tickets[i].player.n_attributes = NOTES + 1;
            list[i] = &tickets[i].request;
        }
        (void)snprintf(id, sizeof id, "r%u", *count);
        answers[*count] = kit_send(k, METHOD_CREATE_TICKETS, &r.base, id, 60000);
        Muster__V1__CheckRequest check = MUSTER__V1__CHECK_REQUEST__INIT; /* served after it */
        kit_expect(kit_send(k, METHOD_CHECK, &check.base, NULL, 30000), ERR_OK, "");
        if (kit_done(answers[*count])) return;
        assert_true(*count < 255);
    }
}

static void full_of_undurable_records_it_refuses_and_rests(void **state) {
    (void)state;
    struct kit k;
    struct kit_answer *answers[256];
    unsigned count;
    kit_start(&k);
    kit_put_queue(&k, KIT_DUEL);
    assert_int_equal(kill(k.redis.pid, SIGSTOP), 0);
    fill_pending(&k, answers, &count);
    kit_expect(answers[count], ERR_UNAVAILABLE, "wait to be journaled");
    assert_true(count * 1000u * 900u < 2u * LIMIT_PENDING_BYTES);
    int64_t begin_us = clock_mono_us(), cpu_begin_us = cpu_us();
    while (clock_mono_us() - begin_us < 300000)
        redis_fixture_nap();
    assert_in_range(cpu_us() - cpu_begin_us, 0, 150000);
    assert_int_equal(kill(k.redis.pid, SIGCONT), 0);
    for (unsigned i = 0; i < count; i++)
        kit_expect(answers[i], ERR_OK, "");
    assert_int_equal(kit_queued(&k), count * 1000);
    kit_stop(&k);
}

/* Each answer sends the next call, from the matcher's own thread. */
struct chain {
    struct kit *kit;
    int number;
    atomic_uint made;
    atomic_uint *refused;
    atomic_bool *stop;
    atomic_bool ended;
};

static void chain_answered(void *transport, enum err code, const struct err_text *why,
                           struct str payload);

static void chain_create(struct chain *c) {
    struct kit_ticket t;
    char name[32];
    unsigned n = atomic_load(&c->made);
    (void)snprintf(name, sizeof name, "c%d-%u", c->number, n);
    kit_fill(&t, name, 1e6 * c->number + 100.0 * n, NULL);
    struct call *call = kit_call(METHOD_CREATE_TICKET, &t.request.base, name);
    call->reply = chain_answered;
    call->transport = c;
    inbox_push_always(matcher_inbox(c->kit->matcher), &call->message);
}

static void chain_answered(void *transport, enum err code, const struct err_text *why,
                           struct str payload) {
    struct chain *c = transport;
    (void)why;
    (void)payload;
    atomic_fetch_add(code == ERR_OK ? &c->made : c->refused, 1);
    if (code == ERR_OK && !atomic_load(c->stop))
        chain_create(c);
    else
        atomic_store(&c->ended, true);
}

static void journal_is_trimmed_under_load_and_a_restart_finds_all(void **state) {
    (void)state;
    enum { CHAINS = 16, TRIMS = 4 };
    struct kit k = {0};
    struct chain chains[CHAINS] = {0};
    struct kit_ticket_id ids[MANY];
    atomic_uint refused = 0;
    atomic_bool stop = false;
    char name[32];
    int64_t trims_before = metric_get(METRIC_journal_trims_total);
    redis_fixture_start(&k.redis, NULL);
    kit_options(&k);
    k.o.journal_keep_ms = 200;
    kit_start_again(&k);
    kit_put_queue(&k, KIT_DUEL);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "long%d", i);
        ids[i] = create(&k, name, -1000.0 * (i + 1));
    }
    for (int i = 0; i < CHAINS; i++) {
        chains[i] = (struct chain){.kit = &k, .number = i, .refused = &refused, .stop = &stop};
        chain_create(&chains[i]);
    }
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    while (metric_get(METRIC_journal_trims_total) - trims_before < TRIMS &&
           clock_mono_us() < until_us)
        redis_fixture_nap();
    assert_in_range(metric_get(METRIC_journal_trims_total) - trims_before, TRIMS, 1000);
    atomic_store(&stop, true);
    unsigned made = MANY;
    for (int i = 0; i < CHAINS; i++) {
        while (!atomic_load(&chains[i].ended))
            redis_fixture_nap();
        made += atomic_load(&chains[i].made);
    }
    assert_int_equal(atomic_load(&refused), 0);
    kit_stop_matcher(&k);
    kit_start_again(&k);
    assert_int_equal(kit_queued(&k), made);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(kit_state(&k, ids[i], NULL), MUSTER__V1__TICKET_STATE__QUEUED);
    kit_stop(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchers_hear_of_the_match_of_their_tickets),
        cmocka_unit_test(watch_of_unchanged_ticket_is_answered_just_before_its_deadline),
        cmocka_unit_test(watch_of_a_ticket_that_is_forgotten_ends_at_its_deadline),
        cmocka_unit_test(drain_answers_long_polls_and_holds_no_more),
        cmocka_unit_test(same_request_id_in_parallel_creates_one_ticket),
        cmocka_unit_test(second_ticket_of_a_player_is_refused_and_names_the_first),
        cmocka_unit_test(a_waiting_ticket_is_explained_and_no_other),
        cmocka_unit_test(refusals_about_undurable_tickets_wait_for_them),
        cmocka_unit_test(
            calls_end_unavailable_in_time_while_redis_hangs_and_a_repeat_gets_the_ticket),
        cmocka_unit_test(status_is_told_at_once_while_redis_hangs),
        cmocka_unit_test(acknowledged_tickets_outlive_kills_of_redis_and_of_the_matcher),
        cmocka_unit_test(lost_leadership_answers_all_who_wait_and_repeats_are_served_by_the_next),
        cmocka_unit_test(stop_while_redis_hangs_ends_in_time_and_answers_all),
        cmocka_unit_test(call_whose_deadline_has_passed_is_not_begun),
        cmocka_unit_test(matcher_without_redis_refuses_with_the_reason),
        cmocka_unit_test(full_of_undurable_records_it_refuses_and_rests),
        cmocka_unit_test(journal_is_trimmed_under_load_and_a_restart_finds_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
