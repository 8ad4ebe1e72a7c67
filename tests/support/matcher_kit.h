/* matcher_kit.h - a matcher on a real Redis, and calls into its inbox as the api would push them.
 *
 *     kit_start -> kit_send ... kit_wait -> kit_stop
 *
 * kit_send takes a protobuf-c message; the answer's payload is unpacked by the test. A call that is
 * not answered within KIT_WAIT_MS fails the test. Include from one C file per program.
 * Thread safety: kit_send and kit_wait from any thread.
 */
#ifndef MUSTER_TESTS_SUPPORT_MATCHER_KIT_H
#define MUSTER_TESTS_SUPPORT_MATCHER_KIT_H

#include "base/clock.h"
#include "base/mem.h"
#include "matcher/matcher_role.h"
#include "rt/call.h"
#include "support/redis_fixture.h"
#include "wire/request.h"

#include <muster/v1/matches.pb-c.h>
#include <muster/v1/queues.pb-c.h>
#include <muster/v1/system.pb-c.h>
#include <muster/v1/tickets.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { KIT_WAIT_MS = 20000, KIT_TIMEOUT_MS = 15000 };

struct kit {
    struct redis_fixture redis;
    struct matcher_options o;
    struct matcher *matcher;
};

struct kit_answer { /* of one call */
    atomic_bool done;
    enum err code;
    struct err_text why;
    struct strbuf payload;
    int64_t sent_us, done_us;
};

static inline void kit_answered(void *transport, enum err code, const struct err_text *why,
                                struct str payload) {
    struct kit_answer *a = transport;
    a->code = code;
    if (why) a->why = *why;
    strbuf_add_str(&a->payload, payload);
    a->done_us = clock_mono_us();
    atomic_store(&a->done, true);
}

static inline void kit_start_again(struct kit *k) {
    struct err_text why;
    if (matcher_start(&k->matcher, &k->o, &why)) fail_msg("%s", why.text);
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    while (!matcher_leading(k->matcher)) {
        if (clock_mono_us() > until_us) fail_msg("the matcher does not lead");
        redis_fixture_nap();
    }
}

static inline void kit_options(struct kit *k) {
    k->o = (struct matcher_options){
        .redis = k->redis.address,
        .realm = "game",
        .durability = "fsync",
        .version = "test",
        .lease_ms = 600,
        .operation_ms = 300,
        .keep_ms = 600000,
        .journal_keep_ms = 3600000,
        .seed = 7,
    };
}

static inline void kit_start(struct kit *k) {
    *k = (struct kit){0};
    redis_fixture_start(&k->redis, NULL);
    kit_options(k);
    kit_start_again(k);
}

static inline void kit_stop_matcher(struct kit *k) {
    matcher_stop(k->matcher);
    matcher_free(k->matcher);
    k->matcher = NULL;
    assert_int_equal(call_open_count(), 0);
}

static inline void kit_stop(struct kit *k) {
    kit_stop_matcher(k);
    redis_fixture_stop(&k->redis);
}

/* A call as the api makes it; its transport, reply and deadline are the caller's to change before
 * he pushes it. `id`: request id, or NULL. */
static inline struct call *kit_call(enum method_id method, const ProtobufCMessage *request,
                                    const char *id) {
    struct call *c = call_new(0, kit_answered, NULL);
    struct strbuf bytes = {0};
    size_t size = protobuf_c_message_get_packed_size(request);
    char *packed = mem_alloc(size + 1);
    (void)protobuf_c_message_pack(request, (uint8_t *)packed);
    strbuf_add(&bytes, packed, size);
    mem_free(packed);
    c->method = method_row(method);
    c->payload = arena_str(c->arena, strbuf_str(&bytes));
    strbuf_fini(&bytes);
    c->request_id = id ? arena_str(c->arena, str_of(id)) : STR_EMPTY;
    c->deadline_us = clock_mono_us() + KIT_TIMEOUT_MS * 1000;
    c->command = arena_alloc(c->arena, sizeof(struct request));
    struct err_text why;
    struct request_source source = {c->payload, c->request_id, c->trace};
    enum err e = request_decode(c->method, &source, c->arena, c->command, &why);
    if (e) fail_msg("%s", why.text);
    return c;
}

/* The answer is the caller's: kit_fini. */
static inline struct kit_answer *kit_send(struct kit *k, enum method_id method,
                                          const ProtobufCMessage *request, const char *id,
                                          int timeout_ms) {
    struct kit_answer *a = mem_alloc(sizeof *a);
    struct call *c = kit_call(method, request, id);
    c->transport = a;
    a->sent_us = clock_mono_us();
    c->deadline_us = a->sent_us + (int64_t)timeout_ms * 1000;
    assert_int_equal(inbox_push(matcher_inbox(k->matcher), &c->message), ERR_OK);
    return a;
}

static inline bool kit_done(const struct kit_answer *a) {
    return atomic_load(&a->done);
}

/* Waits for the answer; returns its code. */
static inline enum err kit_wait(struct kit_answer *a) {
    int64_t until_us = clock_mono_us() + KIT_WAIT_MS * 1000;
    while (!kit_done(a)) {
        if (clock_mono_us() > until_us) fail_msg("no answer came");
        redis_fixture_nap();
    }
    return a->code;
}

static inline void kit_fini(struct kit_answer *a) {
    strbuf_fini(&a->payload);
    mem_free(a);
}

static inline void *kit_unpack(struct kit_answer *a, const ProtobufCMessageDescriptor *type) {
    if (kit_wait(a) != ERR_OK) fail_msg("%s: %s", err_name(a->code), a->why.text);
    void *message =
        protobuf_c_message_unpack(type, NULL, a->payload.size, (const uint8_t *)a->payload.at);
    assert_non_null(message);
    return message;
}

static inline void kit_free(void *message) {
    protobuf_c_message_free_unpacked(message, NULL);
}

/* Waits, and fails the test unless the code is this one and its text contains `says`. */
static inline void kit_expect(struct kit_answer *a, enum err code, const char *says) {
    if (kit_wait(a) != code || !strstr(a->why.text, says))
        fail_msg("%s: \"%s\", not %s: \"%s\"", err_name(a->code), a->why.text, err_name(code),
                 says);
    kit_fini(a);
}

/* ---- requests ---- */

#define KIT_DUEL                                                                        \
    "{\"name\":\"duel\",\"tickMs\":1,\"ruleset\":{\"ruleLanguageVersion\":\"1.0\","     \
    "\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}],"                  \
    "\"teams\":[{\"name\":\"team\",\"quantity\":2,\"minPlayers\":1,\"maxPlayers\":1}]," \
    "\"rules\":[{\"name\":\"near\",\"type\":\"batchDistance\","                         \
    "\"batchAttribute\":\"skill\",\"maxDistance\":10}]}}"

static inline void kit_put_queue(struct kit *k, const char *json) {
    Muster__V1__PutQueueRequest r = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
    r.definition_json = (char *)json;
    struct kit_answer *a = kit_send(k, METHOD_PUT_QUEUE, &r.base, "put", KIT_TIMEOUT_MS);
    kit_expect(a, ERR_OK, "");
}

/* A ticket of one player of this skill in queue duel; `note`: an attribute's text, or NULL. */
struct kit_ticket {
    Muster__V1__CreateTicketRequest request;
    Muster__V1__Player player, *players[1];
    Muster__V1__AttributeValue values[2];
    Muster__V1__Player__AttributesEntry attribute[2], *attributes[2];
    char *queues[1];
    char id[64];
};

static inline void kit_fill(struct kit_ticket *t, const char *player, double skill,
                            const char *note) {
    muster__v1__create_ticket_request__init(&t->request);
    muster__v1__player__init(&t->player);
    (void)snprintf(t->id, sizeof t->id, "%s", player);
    for (int i = 0; i < 2; i++) {
        muster__v1__attribute_value__init(&t->values[i]);
        t->attribute[i] =
            (Muster__V1__Player__AttributesEntry)MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
        t->attribute[i].key = i ? "note" : "skill";
        t->attribute[i].value = &t->values[i];
        t->attributes[i] = &t->attribute[i];
    }
    t->values[0].kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    t->values[0].number = skill;
    t->values[1].kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_TEXT;
    t->values[1].text = (char *)note;
    t->player.player_id = t->id;
    t->player.n_attributes = note ? 2 : 1;
    t->player.attributes = t->attributes;
    t->players[0] = &t->player;
    t->queues[0] = "duel";
    t->request.n_queues = t->request.n_players = 1;
    t->request.queues = t->queues;
    t->request.players = t->players;
}

static inline struct kit_answer *kit_create(struct kit *k, const char *player, double skill,
                                            const char *request_id, int timeout_ms) {
    struct kit_ticket t;
    kit_fill(&t, player, skill, NULL);
    return kit_send(k, METHOD_CREATE_TICKET, &t.request.base, request_id, timeout_ms);
}

struct kit_ticket_id {
    char text[ID_TEXT_BYTES];
};

/* Waits for a ticket's creation; frees the answer. */
static inline struct kit_ticket_id kit_created(struct kit_answer *a) {
    struct kit_ticket_id id;
    Muster__V1__CreateTicketResponse *r =
        kit_unpack(a, &muster__v1__create_ticket_response__descriptor);
    (void)snprintf(id.text, sizeof id.text, "%s", r->ticket->ticket_id);
    kit_free(r);
    kit_fini(a);
    return id;
}

static inline struct kit_answer *kit_get(struct kit *k, struct kit_ticket_id id, int timeout_ms) {
    Muster__V1__GetTicketRequest r = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    r.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
    r.ticket_id = id.text;
    return kit_send(k, METHOD_GET_TICKET, &r.base, NULL, timeout_ms);
}

/* The ticket's state now; `match`: its match's id, may be NULL. */
static inline Muster__V1__TicketState kit_state(struct kit *k, struct kit_ticket_id id,
                                                struct kit_ticket_id *match) {
    struct kit_answer *a = kit_get(k, id, KIT_TIMEOUT_MS);
    Muster__V1__GetTicketResponse *r = kit_unpack(a, &muster__v1__get_ticket_response__descriptor);
    Muster__V1__TicketState state = r->ticket->state;
    if (match) (void)snprintf(match->text, sizeof match->text, "%s", r->ticket->match_id);
    kit_free(r);
    kit_fini(a);
    return state;
}

static inline struct kit_answer *kit_watch(struct kit *k, struct kit_ticket_id id,
                                           Muster__V1__TicketState known, int timeout_ms) {
    Muster__V1__WatchTicketRequest r = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
    r.ticket_id = id.text;
    r.known_state = known;
    return kit_send(k, METHOD_WATCH_TICKET, &r.base, NULL, timeout_ms);
}

/* Waits for a watch's answer; frees it; the ticket's state. */
static inline Muster__V1__TicketState kit_watched(struct kit_answer *a) {
    Muster__V1__WatchTicketResponse *r =
        kit_unpack(a, &muster__v1__watch_ticket_response__descriptor);
    Muster__V1__TicketState state = r->ticket->state;
    kit_free(r);
    kit_fini(a);
    return state;
}

static inline struct kit_answer *kit_cancel(struct kit *k, struct kit_ticket_id id,
                                            const char *request_id) {
    Muster__V1__CancelTicketRequest r = MUSTER__V1__CANCEL_TICKET_REQUEST__INIT;
    r.ticket_id = id.text;
    return kit_send(k, METHOD_CANCEL_TICKET, &r.base, request_id, KIT_TIMEOUT_MS);
}

static inline uint64_t kit_queued(struct kit *k) {
    Muster__V1__GetQueueStatsRequest r = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    r.name = "duel";
    struct kit_answer *a = kit_send(k, METHOD_GET_QUEUE_STATS, &r.base, NULL, KIT_TIMEOUT_MS);
    Muster__V1__GetQueueStatsResponse *s =
        kit_unpack(a, &muster__v1__get_queue_stats_response__descriptor);
    uint64_t queued = s->tickets_queued;
    kit_free(s);
    kit_fini(a);
    return queued;
}

#endif
