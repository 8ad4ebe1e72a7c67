/* api_role_test.c - the front door over real sockets, with stand-ins for the roles behind it. */
#include "api/api_role.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bus/close.h"
#include "rt/call.h"
#include "rt/thread.h"
#include "wire/request.h"

#include <muster/client.h>
#include <muster/v1/envelope.pb-c.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 30000, PARALLEL = 2000, HELD_MAX = 8192 };

/* Serves calls as the matcher would: GetTicket is NOT_FOUND with its key, Check is OK, GetStatus is
 * a payload of `answer_bytes`, WatchTicket and whatever comes while `hold_all` is held. */
struct fake_role {
    struct inbox inbox;
    struct thread thread;
    size_t answer_bytes;
    atomic_bool hold_all, hold_tickets, release;
    atomic_bool stands_by; /* answers UNAVAILABLE */
    atomic_uint served;
    atomic_uint held_count;
    struct call *held[HELD_MAX];
    bool stopped;
};

static void answer(struct fake_role *f, struct call *c) {
    struct request *r = c->command;
    struct err_text why;
    if (atomic_load(&f->stands_by)) {
        (void)err_set(&why, ERR_UNAVAILABLE, "another process leads");
        call_reply(c, ERR_UNAVAILABLE, &why, STR_EMPTY);
        return;
    }
    atomic_fetch_add(&f->served, 1);
    if (c->method->id == METHOD_GET_TICKET) {
        (void)err_set(&why, ERR_NOT_FOUND, "%.*s", STR_PRINT(r->get_ticket.player_id));
        call_reply(c, ERR_NOT_FOUND, &why, STR_EMPTY);
    } else if (c->method->id == METHOD_GET_STATUS) {
        char *bytes = mem_alloc(f->answer_bytes + 1);
        call_reply(c, ERR_OK, NULL, (struct str){bytes, f->answer_bytes});
        mem_free(bytes);
    } else {
        call_reply(c, ERR_OK, NULL, STR_EMPTY);
    }
}

static void hold(struct fake_role *f, struct call *c) {
    unsigned n = atomic_load(&f->held_count);
    assert_true(n < HELD_MAX);
    f->held[n] = c;
    atomic_store(&f->held_count, n + 1);
}

static void run_role(void *arg) {
    struct fake_role *f = arg;
    while (!f->stopped) {
        struct message *next, *m = inbox_wait(&f->inbox, 20);
        for (; m; m = next) {
            next = m->next;
            struct call *c = (struct call *)(void *)m;
            if (m->kind == MESSAGE_STOP) {
                f->stopped = true;
                mem_free(m);
            } else if (atomic_load(&f->hold_all) ||
                       (atomic_load(&f->hold_tickets) && c->method->id == METHOD_GET_TICKET) ||
                       c->method->id == METHOD_WATCH_TICKET) {
                hold(f, c);
            } else {
                answer(f, c);
            }
        }
        if (!atomic_load(&f->release) && !f->stopped) continue;
        unsigned n = atomic_load(&f->held_count);
        for (unsigned i = 0; i < n; i++)
            answer(f, f->held[i]);
        atomic_store(&f->held_count, 0);
        atomic_store(&f->release, false);
    }
}

struct world {
    struct fake_role role;
    struct api *api;
    struct muster_client *client;
};

static struct api *open_api(struct inbox *matcher, const char *remote) {
    struct api *a;
    struct err_text why;
    struct api_options o = {
        .listen = "tcp://127.0.0.1:0", .matcher = matcher, .matcher_remote = remote};
    if (api_start(&a, &o, &why)) fail_msg("%s", why.text);
    return a;
}

static struct muster_client *open_client(const char *address, uint32_t timeout_ms) {
    struct muster_client *c;
    struct muster_options o = {.api = address, .timeout_ms = timeout_ms, .try_ms = timeout_ms};
    assert_int_equal(muster_open(&c, &o, NULL), MUSTER_OK);
    return c;
}

static void start_limited(struct world *w, size_t inbox_limit) {
    *w = (struct world){0};
    inbox_init(&w->role.inbox, inbox_limit, NULL, NULL);
    w->api = open_api(&w->role.inbox, NULL);
    w->client = open_client(api_addresses(w->api), WAIT_MS);
    thread_start(&w->role.thread, "role", run_role, &w->role);
}

static void start(struct world *w) {
    start_limited(w, LIMIT_INBOX_MESSAGES);
}

static void stop(struct world *w) {
    muster_close(w->client);
    api_drain(w->api);
    api_stop(w->api);
    struct message *m = mem_alloc(sizeof *m);
    m->kind = MESSAGE_STOP;
    inbox_push_always(&w->role.inbox, m);
    thread_join(&w->role.thread);
    api_free(w->api);
    inbox_fini(&w->role.inbox);
    assert_int_equal(call_open_count(), 0);
}

static void wait_for(atomic_uint *value, unsigned wanted) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (atomic_load(value) != wanted) {
        if (clock_mono_us() > until_us)
            fail_msg("%u came, %u were wanted", atomic_load(value), wanted);
        (void)poll(NULL, 0, 2);
    }
}

static void wait_for_messages(const struct inbox *i, size_t wanted) {
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (inbox_count(i) != wanted) {
        if (clock_mono_us() > until_us) fail_msg("%zu of %zu came", inbox_count(i), wanted);
        (void)poll(NULL, 0, 2);
    }
}

static enum muster_code check(struct muster_client *client, struct muster_status *status) {
    Muster__V1__CheckRequest r = MUSTER__V1__CHECK_REQUEST__INIT;
    Muster__V1__CheckResponse *response;
    enum muster_code code = muster_check(client, &r, NULL, &response, status);
    muster_free(response);
    return code;
}

/* Raw bytes as one request; the Response. */
static Muster__V1__Response *exchange(struct world *w, const void *bytes, size_t size) {
    nng_socket s;
    nng_msg *m;
    assert_int_equal(nng_req0_open(&s), 0);
    assert_int_equal(nng_dial(s, api_addresses(w->api), NULL, 0), 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_msg_alloc(&m, 0), 0);
    assert_int_equal(nng_msg_append(m, bytes, size), 0);
    assert_int_equal(nng_sendmsg(s, m, 0), 0);
    assert_int_equal(nng_recvmsg(s, &m, 0), 0);
    Muster__V1__Response *r = muster__v1__response__unpack(NULL, nng_msg_len(m), nng_msg_body(m));
    assert_non_null(r);
    nng_msg_free(m);
    (void)close_socket(s);
    return r;
}

static void expect_refusal(struct world *w, const void *bytes, size_t size, unsigned code,
                           const char *says) {
    Muster__V1__Response *r = exchange(w, bytes, size);
    assert_non_null(r->status);
    if (r->status->code != code || !strstr(r->status->message, says))
        fail_msg("%u: %s", r->status->code, r->status->message);
    muster__v1__response__free_unpacked(r, NULL);
}

static void expect_method_refusal(struct world *w, const char *method, const char *payload,
                                  unsigned code, const char *says) {
    Muster__V1__Request r = MUSTER__V1__REQUEST__INIT;
    uint8_t bytes[512];
    r.method = (char *)method;
    r.payload = (ProtobufCBinaryData){strlen(payload), (uint8_t *)payload};
    expect_refusal(w, bytes, muster__v1__request__pack(&r, bytes), code, says);
}

static void what_is_no_request_is_refused_with_a_reason(void **state) {
    (void)state;
    struct world w;
    start(&w);
    expect_refusal(&w, "\xff\xff\xff", 3, MUSTER_INVALID_ARGUMENT, "");
    expect_refusal(&w, "", 0, MUSTER_UNIMPLEMENTED, "unknown method");
    expect_method_refusal(&w, "muster.v1.Tickets/CreateTickt", "", MUSTER_UNIMPLEMENTED,
                          "unknown method \"muster.v1.Tickets/CreateTickt\"; nearest: "
                          "muster.v1.Tickets/CreateTicket");
    expect_method_refusal(&w, "muster.v1.Tickets/HeartbeatTicket", "", MUSTER_UNIMPLEMENTED,
                          "unknown method");
    expect_method_refusal(&w, "muster.v1.Tickets/GetTicket", "\x0a\xff", MUSTER_INVALID_ARGUMENT,
                          "");
    expect_method_refusal(&w, "muster.v1.Tickets/CancelTicket", "", MUSTER_INVALID_ARGUMENT,
                          "request_id");
    assert_int_equal(check(w.client, NULL), MUSTER_OK);
    stop(&w);
}

static void call_carries_its_deadline_and_the_methods_default(void **state) {
    (void)state;
    struct world w;
    start(&w);
    atomic_store(&w.role.hold_all, true);
    int64_t begin_us = clock_mono_us();
    Muster__V1__CheckRequest r = MUSTER__V1__CHECK_REQUEST__INIT;
    struct muster_call soon = {.timeout_ms = 150};
    Muster__V1__CheckResponse *none;
    struct muster_status status;
    assert_int_equal(muster_check(w.client, &r, &soon, &none, &status), MUSTER_DEADLINE_EXCEEDED);
    wait_for(&w.role.held_count, 1);
    assert_in_range(w.role.held[0]->deadline_us - begin_us, 100000, 400000);
    atomic_store(&w.role.hold_all, false);
    atomic_store(&w.role.release, true);
    stop(&w);
}

struct parallel {
    atomic_uint answered, wrong;
};

struct one_call {
    struct parallel *all;
    char player[32];
};

static void one_answered(void *arg, ProtobufCMessage *response,
                         const struct muster_status *status) {
    struct one_call *one = arg;
    muster_free(response);
    if (status->code != MUSTER_NOT_FOUND || strcmp(status->message, one->player) != 0)
        atomic_fetch_add(&one->all->wrong, 1);
    atomic_fetch_add(&one->all->answered, 1);
}

static void two_thousand_requests_at_once_each_get_their_own_answer(void **state) {
    (void)state;
    static struct one_call calls[PARALLEL];
    struct world w;
    struct parallel all = {0};
    start(&w);
    struct muster_client *second = open_client(api_addresses(w.api), WAIT_MS);
    for (int i = 0; i < PARALLEL; i++) {
        Muster__V1__GetTicketRequest r = MUSTER__V1__GET_TICKET_REQUEST__INIT;
        calls[i].all = &all;
        (void)snprintf(calls[i].player, sizeof calls[i].player, "p%d", i);
        r.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
        r.player_id = calls[i].player;
        muster_call_async(i % 2 ? second : w.client, "Tickets/GetTicket", &r.base, NULL,
                          one_answered, &calls[i]);
    }
    wait_for(&all.answered, PARALLEL);
    assert_int_equal(atomic_load(&all.wrong), 0);
    muster_close(second);
    stop(&w);
}

static void count_answer(void *arg, ProtobufCMessage *response,
                         const struct muster_status *status) {
    atomic_uint *counts = arg; /* [0] OK, [1] RESOURCE_EXHAUSTED, [2] others */
    muster_free(response);
    atomic_fetch_add(&counts[status->code == MUSTER_OK                   ? 0
                             : status->code == MUSTER_RESOURCE_EXHAUSTED ? 1
                                                                         : 2],
                     1);
}

static void watch(struct muster_client *client, atomic_uint *counts, uint32_t timeout_ms) {
    Muster__V1__WatchTicketRequest r = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
    struct muster_call call = {.timeout_ms = timeout_ms};
    r.ticket_id = (char *)"00000000000000000000000001";
    muster_call_async(client, "Tickets/WatchTicket", &r.base, &call, count_answer, counts);
}

static void long_polls_keep_no_other_request_out(void **state) {
    (void)state;
    enum { POLLS = LIMIT_RPC_CONTEXTS + 400 };
    struct world w;
    atomic_uint counts[3] = {0};
    start(&w);
    struct muster_client *other = open_client(api_addresses(w.api), WAIT_MS); /* 1024 calls each */
    for (int i = 0; i < POLLS; i++)
        watch(i % 2 ? w.client : other, counts, WAIT_MS);
    wait_for(&w.role.held_count, POLLS);
    assert_int_equal(check(w.client, NULL), MUSTER_OK);
    atomic_store(&w.role.release, true);
    wait_for(&counts[0], POLLS);
    assert_int_equal(check(w.client, NULL), MUSTER_OK);
    muster_close(other);
    stop(&w);
}

static void long_polls_above_the_limit_are_refused(void **state) {
    (void)state;
    enum { CLIENTS = 5, EACH = 1000 }; /* together above LIMIT_PARKED_CONTEXTS */
    struct world w;
    struct muster_client *clients[CLIENTS];
    atomic_uint counts[3] = {0};
    start(&w);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = open_client(api_addresses(w.api), 2000);
        for (int n = 0; n < EACH; n++)
            watch(clients[i], counts, 20000);
    }
    wait_for(&w.role.held_count, LIMIT_PARKED_CONTEXTS);
    assert_int_equal(check(w.client, NULL), MUSTER_OK);
    atomic_store(&w.role.release, true); /* who was refused tries again and finds room */
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (atomic_load(&counts[0]) < CLIENTS * EACH && clock_mono_us() < until_us) {
        atomic_store(&w.role.release, true);
        (void)poll(NULL, 0, 5);
    }
    assert_int_equal(atomic_load(&counts[0]), CLIENTS * EACH);
    for (int i = 0; i < CLIENTS; i++)
        muster_close(clients[i]);
    stop(&w);
}

static void full_inbox_of_a_role_refuses(void **state) {
    (void)state;
    enum { ROOM = 8 };
    struct world w = {0};
    atomic_uint counts[3] = {0};
    /* Nobody serves this role yet: its inbox fills. */
    inbox_init(&w.role.inbox, ROOM, NULL, NULL);
    w.api = open_api(&w.role.inbox, NULL);
    w.client = open_client(api_addresses(w.api), WAIT_MS);
    for (int i = 0; i < ROOM; i++) {
        Muster__V1__CheckRequest r = MUSTER__V1__CHECK_REQUEST__INIT;
        muster_call_async(w.client, "System/Check", &r.base, NULL, count_answer, counts);
    }
    wait_for_messages(&w.role.inbox, ROOM);
    for (int i = 0; i < 3; i++)
        expect_method_refusal(&w, "muster.v1.System/Check", "", MUSTER_RESOURCE_EXHAUSTED,
                              "too many requests wait");
    thread_start(&w.role.thread, "role", run_role, &w.role);
    wait_for(&counts[0], ROOM);
    stop(&w);
}

static void ruleset_is_checked_at_the_door(void **state) {
    (void)state;
    struct world w = {0};
    struct muster_status status;
    Muster__V1__ValidateRulesetResponse *response;
    Muster__V1__ValidateRulesetRequest r = MUSTER__V1__VALIDATE_RULESET_REQUEST__INIT;
    w.api = open_api(NULL, NULL);
    w.client = open_client(api_addresses(w.api), 2000);
    r.definition_json = (char *)"{";
    assert_int_equal(muster_validate_ruleset(w.client, &r, NULL, &response, &status), MUSTER_OK);
    assert_false(response->ok);
    assert_int_equal(response->n_problems, 1);
    assert_true(response->problems[0]->line == 1 && response->problems[0]->column == 2);
    assert_non_null(strstr(response->problems[0]->message, "the text ends inside the object"));
    muster_free(response);
    r.definition_json = (char *)"{\"duel\": {\"teamSize\": 1, \"numTeams\": 2, "
                                "\"minQueueSizeForMatch\": 5, \"skillTolerance\": 10}}";
    assert_int_equal(muster_validate_ruleset(w.client, &r, NULL, &response, &status), MUSTER_OK);
    assert_true(response->ok);
    assert_string_equal(response->queue, "duel");
    assert_int_equal(response->n_notes, 1);
    assert_string_equal(response->notes[0]->field, "duel.minQueueSizeForMatch");
    assert_true(response->n_summary >= 2 && response->n_problems == 0);
    muster_free(response);
    assert_int_equal(check(w.client, &status), MUSTER_UNAVAILABLE);
    assert_non_null(strstr(status.message, "no matcher role"));
    muster_close(w.client);
    api_free(w.api);
}

static void answer_too_large_for_clients_says_so(void **state) {
    (void)state;
    struct world w;
    struct muster_status status;
    Muster__V1__GetStatusResponse *response;
    Muster__V1__GetStatusRequest r = MUSTER__V1__GET_STATUS_REQUEST__INIT;
    start(&w);
    w.role.answer_bytes = LIMIT_ANSWER_BYTES + 1;
    assert_int_equal(muster_get_status(w.client, &r, NULL, &response, &status),
                     MUSTER_FAILED_PRECONDITION);
    assert_non_null(strstr(status.message, "ask for less"));
    assert_int_equal(check(w.client, NULL), MUSTER_OK);
    stop(&w);
}

static void relay_hands_on_answers_and_its_long_polls_keep_nothing_out(void **state) {
    (void)state;
    enum { POLLS = 1200, CLIENTS = 2 };
    struct world w;
    struct muster_client *clients[CLIENTS];
    atomic_uint counts[3] = {0};
    start(&w);
    struct api *relay = open_api(NULL, api_addresses(w.api));
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = open_client(api_addresses(relay), WAIT_MS);
    Muster__V1__GetTicketRequest r = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    Muster__V1__GetTicketResponse *none;
    struct muster_status status;
    r.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
    r.player_id = (char *)"ann";
    assert_int_equal(muster_get_ticket(clients[0], &r, NULL, &none, &status), MUSTER_NOT_FOUND);
    assert_string_equal(status.message, "ann");
    for (int i = 0; i < POLLS; i++)
        watch(clients[i % CLIENTS], counts, WAIT_MS);
    wait_for(&w.role.held_count, 1024); /* a client's calls in flight; the others are refused */
    if (check(clients[0], &status)) fail_msg("%s", status.message);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (atomic_load(&counts[0]) < POLLS && clock_mono_us() < until_us) {
        atomic_store(&w.role.release, true);
        (void)poll(NULL, 0, 5);
    }
    assert_int_equal(atomic_load(&counts[0]), POLLS);
    for (int i = 0; i < CLIENTS; i++)
        muster_close(clients[i]);
    api_drain(relay);
    api_free(relay);
    stop(&w);
}

static void relay_without_its_role_is_unavailable_in_time(void **state) {
    (void)state;
    struct api *relay = open_api(NULL, "tcp://127.0.0.1:9"); /* discard: nobody there */
    struct muster_client *client = open_client(api_addresses(relay), 600);
    struct muster_status status;
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    do { /* on a crowded machine the refusal may come behind the caller's deadline */
        enum muster_code code = check(client, &status);
        assert_true(code == MUSTER_UNAVAILABLE || code == MUSTER_DEADLINE_EXCEEDED);
        assert_true(clock_mono_us() < until_us);
    } while (!strstr(status.message, "tcp://127.0.0.1:9"));
    muster_close(client);
    api_drain(relay);
    api_free(relay);
    assert_int_equal(call_open_count(), 0);
}

static void what_cannot_be_worked_on_is_refused_at_once_and_probes_are_served(void **state) {
    (void)state;
    enum { MORE = 100 };
    struct world w;
    atomic_uint counts[3] = {0};
    start(&w);
    atomic_store(&w.role.hold_tickets, true);
    struct muster_client *client = open_client(api_addresses(w.api), 1500);
    int64_t shed = metric_get(METRIC_rpc_shed_total);
    Muster__V1__GetTicketRequest r = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    r.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
    r.player_id = (char *)"ann";
    for (int i = 0; i < LIMIT_RPC_WORK; i++)
        muster_call_async(w.client, "Tickets/GetTicket", &r.base, NULL, count_answer, counts);
    wait_for(&w.role.held_count, LIMIT_RPC_WORK);
    for (int i = 0; i < MORE; i++)
        muster_call_async(client, "Tickets/GetTicket", &r.base, NULL, count_answer, counts);
    /* The second client's are refused until their deadlines; the last try of a few may be under way
     * then, and have no answer. */
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (atomic_load(&counts[1]) + atomic_load(&counts[2]) < MORE && clock_mono_us() < until_us)
        (void)poll(NULL, 0, 2);
    unsigned late = atomic_load(&counts[2]);
    assert_in_range(atomic_load(&counts[1]), MORE / 2, MORE);
    assert_int_equal(atomic_load(&counts[1]) + late, MORE);
    shed = metric_get(METRIC_rpc_shed_total) - shed;
    assert_in_range(shed, MORE, 3 * MORE); /* they came back late, as they were told to */
    struct muster_call soon = {.timeout_ms = 500};
    struct muster_status status;
    Muster__V1__GetTicketResponse *none;
    assert_int_equal(muster_get_ticket(client, &r, &soon, &none, &status),
                     MUSTER_RESOURCE_EXHAUSTED);
    assert_in_range(status.retry_after_ms, 1000, 2000);         /* nearly all are refused */
    if (check(client, &status)) fail_msg("%s", status.message); /* a probe, meanwhile */
    atomic_store(&w.role.hold_tickets, false);
    atomic_store(&w.role.release, true);
    wait_for(&counts[2], LIMIT_RPC_WORK + late); /* NOT_FOUND, as this role says of all tickets */
    muster_close(client);
    stop(&w);
}

/* Two matchers' doors and an api before them. */
struct pair {
    struct world a, b;
    struct api *relay;
    struct muster_client *client;
};

static void start_pair(struct pair *p, uint32_t timeout_ms) {
    char doors[256];
    start(&p->a);
    start(&p->b);
    (void)snprintf(doors, sizeof doors, "%s,%s", api_addresses(p->a.api), api_addresses(p->b.api));
    p->relay = open_api(NULL, doors);
    p->client = open_client(api_addresses(p->relay), timeout_ms);
}

static void stop_pair(struct pair *p) {
    muster_close(p->client);
    api_drain(p->relay);
    api_free(p->relay);
    stop(&p->a);
    stop(&p->b);
}

static void relay_finds_the_matcher_that_leads_and_stays_with_it(void **state) {
    (void)state;
    enum { CALLS = 50 };
    struct pair p;
    struct muster_status status;
    start_pair(&p, WAIT_MS);
    atomic_store(&p.a.role.stands_by, true);
    for (int i = 0; i < CALLS; i++)
        if (check(p.client, &status)) fail_msg("%s", status.message);
    assert_int_equal(atomic_load(&p.b.role.served), CALLS);
    atomic_store(&p.a.role.stands_by, false); /* it takes over */
    atomic_store(&p.b.role.stands_by, true);
    for (int i = 0; i < CALLS; i++)
        if (check(p.client, &status)) fail_msg("%s", status.message);
    assert_int_equal(atomic_load(&p.a.role.served), CALLS);
    assert_int_equal(atomic_load(&p.b.role.served), CALLS);
    stop_pair(&p);
}

static void relay_waits_inside_the_deadline_for_one_to_lead(void **state) {
    (void)state;
    struct pair p;
    atomic_uint counts[3] = {0};
    start_pair(&p, WAIT_MS);
    atomic_store(&p.a.role.stands_by, true);
    atomic_store(&p.b.role.stands_by, true);
    Muster__V1__CheckRequest r = MUSTER__V1__CHECK_REQUEST__INIT;
    int64_t tries = metric_get(METRIC_rpc_forward_retries_total);
    muster_call_async(p.client, "System/Check", &r.base, NULL, count_answer, counts);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (metric_get(METRIC_rpc_forward_retries_total) < tries + 8 && clock_mono_us() < until_us)
        (void)poll(NULL, 0, 2);
    assert_int_equal(atomic_load(&counts[0]), 0);
    atomic_store(&p.b.role.stands_by, false);
    wait_for(&counts[0], 1);
    assert_int_equal(atomic_load(&p.b.role.served), 1);
    stop_pair(&p);
}

static void relay_says_what_the_last_one_said_when_none_leads(void **state) {
    (void)state;
    struct pair p;
    struct muster_status status;
    start_pair(&p, 500);
    atomic_store(&p.a.role.stands_by, true);
    atomic_store(&p.b.role.stands_by, true);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    do { /* on a crowded machine the refusal may come behind the caller's deadline */
        enum muster_code code = check(p.client, &status);
        assert_true(code == MUSTER_UNAVAILABLE || code == MUSTER_DEADLINE_EXCEEDED);
        assert_true(clock_mono_us() < until_us);
    } while (!strstr(status.message, "another process leads"));
    stop_pair(&p);
}

static void relay_leaves_a_silent_matcher_for_the_other(void **state) {
    (void)state;
    struct pair p;
    struct muster_status status;
    start_pair(&p, WAIT_MS);
    if (check(p.client, &status)) fail_msg("%s", status.message);
    bool first = atomic_load(&p.a.role.served) == 1;
    struct fake_role *silent = first ? &p.a.role : &p.b.role;
    atomic_store(&silent->hold_all, true); /* as a paused process: connected, and no answer */
    int64_t begin_us = clock_mono_us();
    if (check(p.client, &status)) fail_msg("%s", status.message);
    assert_in_range(clock_mono_us() - begin_us, 900000, WAIT_MS * 1000 / 2);
    if (check(p.client, &status)) fail_msg("%s", status.message);
    assert_int_equal(atomic_load(&silent->held_count), 1); /* not asked again */
    atomic_store(&silent->hold_all, false);
    atomic_store(&silent->release, true);
    stop_pair(&p);
}

static void relay_goes_on_with_the_other_when_one_process_ends(void **state) {
    (void)state;
    struct pair p;
    struct muster_status status;
    start_pair(&p, WAIT_MS);
    if (check(p.client, &status)) fail_msg("%s", status.message);
    bool first = atomic_load(&p.a.role.served) == 1;
    struct world *gone = first ? &p.a : &p.b;
    stop(gone);
    int64_t begin_us = clock_mono_us();
    if (check(p.client, &status)) fail_msg("%s", status.message);
    assert_in_range(clock_mono_us() - begin_us, 0, WAIT_MS * 1000 / 2);
    start(gone); /* elsewhere: only so that it can be stopped */
    stop_pair(&p);
}

static void what_was_handed_on_is_not_handed_on_again(void **state) {
    (void)state;
    struct world w;
    struct muster_status status;
    start(&w);
    struct api *middle = open_api(NULL, api_addresses(w.api));
    struct api *relay = open_api(NULL, api_addresses(middle));
    struct muster_client *client = open_client(api_addresses(relay), 600);
    assert_int_equal(check(client, &status), MUSTER_UNAVAILABLE);
    assert_non_null(strstr(status.message, "has no matcher role"));
    muster_close(client);
    api_drain(relay);
    api_free(relay);
    api_drain(middle);
    api_free(middle);
    stop(&w);
}

static atomic_bool local_leads;

static bool leads(const void *arg) {
    (void)arg;
    return atomic_load(&local_leads);
}

static void local_matcher_that_stands_by_has_calls_served_where_one_leads(void **state) {
    (void)state;
    struct world w, other;
    struct muster_status status;
    struct err_text why;
    start(&other);
    start(&w);
    struct api *both;
    struct api_options o = {.listen = "tcp://127.0.0.1:0",
                            .matcher = &w.role.inbox,
                            .matcher_remote = api_addresses(other.api),
                            .matcher_leads = leads};
    if (api_start(&both, &o, &why)) fail_msg("%s", why.text);
    struct muster_client *client = open_client(api_addresses(both), WAIT_MS);
    atomic_store(&local_leads, false);
    if (check(client, &status)) fail_msg("%s", status.message);
    assert_int_equal(atomic_load(&other.role.served), 1);
    atomic_store(&local_leads, true);
    if (check(client, &status)) fail_msg("%s", status.message);
    assert_int_equal(atomic_load(&w.role.served), 1);
    muster_close(client);
    api_drain(both);
    api_stop(both);
    api_free(both);
    stop(&w);
    stop(&other);
}

static void drain_waits_for_the_answers_under_way(void **state) {
    (void)state;
    enum { CALLS = 50 };
    struct world w;
    atomic_uint counts[3] = {0};
    start(&w);
    atomic_store(&w.role.hold_all, true);
    for (int i = 0; i < CALLS; i++) {
        Muster__V1__CheckRequest r = MUSTER__V1__CHECK_REQUEST__INIT;
        muster_call_async(w.client, "System/Check", &r.base, NULL, count_answer, counts);
    }
    wait_for(&w.role.held_count, CALLS);
    atomic_store(&w.role.release, true);
    api_drain(w.api);
    assert_int_equal(call_open_count(), 0);
    wait_for(&counts[0], CALLS);
    stop(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_request_is_refused_with_a_reason),
        cmocka_unit_test(call_carries_its_deadline_and_the_methods_default),
        cmocka_unit_test(two_thousand_requests_at_once_each_get_their_own_answer),
        cmocka_unit_test(long_polls_keep_no_other_request_out),
        cmocka_unit_test(long_polls_above_the_limit_are_refused),
        cmocka_unit_test(full_inbox_of_a_role_refuses),
        cmocka_unit_test(ruleset_is_checked_at_the_door),
        cmocka_unit_test(answer_too_large_for_clients_says_so),
        cmocka_unit_test(relay_hands_on_answers_and_its_long_polls_keep_nothing_out),
        cmocka_unit_test(relay_without_its_role_is_unavailable_in_time),
        cmocka_unit_test(what_cannot_be_worked_on_is_refused_at_once_and_probes_are_served),
        cmocka_unit_test(relay_finds_the_matcher_that_leads_and_stays_with_it),
        cmocka_unit_test(relay_waits_inside_the_deadline_for_one_to_lead),
        cmocka_unit_test(relay_says_what_the_last_one_said_when_none_leads),
        cmocka_unit_test(relay_leaves_a_silent_matcher_for_the_other),
        cmocka_unit_test(relay_goes_on_with_the_other_when_one_process_ends),
        cmocka_unit_test(what_was_handed_on_is_not_handed_on_again),
        cmocka_unit_test(local_matcher_that_stands_by_has_calls_served_where_one_leads),
        cmocka_unit_test(drain_waits_for_the_answers_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
