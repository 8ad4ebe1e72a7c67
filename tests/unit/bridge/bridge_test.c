/* bridge_test.c - the bridge between a fake api and players on real Socket.IO connections. */
#include "base/metrics.h"
#include "bridge/bridge_role.h"

#include "base/metrics.h"
#include "support/fake_muster.h"
#include "support/polling_player.h"

#include <muster/client.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICKET_A "01ARZ3NDEKTSV4RRFFQ69G5FAA"
#define TICKET_B "01ARZ3NDEKTSV4RRFFQ69G5FAB"
#define MATCH_ID "01ARZ3NDEKTSV4RRFFQ69G5FAM"
#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* An api with one ticket and two queues. */
struct world {
    struct fake_muster *fake;
    struct bridge *bridge;
    uint64_t seq;
    const char *ticket_id; /* NULL: there is none */
    const char *ticket_player;
    atomic_int state;       /* Muster__V1__TicketState of it */
    atomic_int create_code; /* what CreateTicket answers */
    atomic_int creates, cancels, lists, gets, declines, beats;
    uint32_t heartbeat_ms;  /* of the ticket */
    bool accepts_meanwhile; /* another accepts while the ticket is asked for the first time */
    bool replays;           /* at 1-11 the match was proposed; else nothing is kept */
    char created_players[128], created_queue[64], created_request_id[65];
};

static void fill_match(Muster__V1__Match *match, Muster__V1__Team *team,
                       Muster__V1__TeamMember *member, Muster__V1__Team **teams,
                       Muster__V1__TeamMember **members) {
    *match = (Muster__V1__Match)MUSTER__V1__MATCH__INIT;
    *team = (Muster__V1__Team)MUSTER__V1__TEAM__INIT;
    *member = (Muster__V1__TeamMember)MUSTER__V1__TEAM_MEMBER__INIT;
    teams[0] = team;
    members[0] = member;
    match->match_id = (char *)MATCH_ID;
    match->state = MUSTER__V1__MATCH_STATE__MATCH_CONFIRMED;
    match->n_teams = 1;
    match->teams = teams;
    team->name = (char *)"red";
    team->n_players = 1;
    team->players = members;
}

static bool told_something(void *arg) {
    return metric_get(METRIC_bridge_events_total) > *(int64_t *)arg;
}

static void another_accepts(struct world *w) {
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    Muster__V1__Event event = MUSTER__V1__EVENT__INIT, *events[] = {&event};
    Muster__V1__Acceptance acceptance = MUSTER__V1__ACCEPTANCE__INIT;
    char *waiting[] = {(char *)w->ticket_player}, *accepted[] = {(char *)"other"};
    event.epoch = batch.epoch = batch.previous_epoch = 1;
    batch.previous_seq = w->seq;
    event.seq = batch.seq = ++w->seq;
    event.type = MUSTER__V1__EVENT__TYPE__MATCH_ACCEPTANCE;
    event.queue = (char *)"duel";
    event.body_case = MUSTER__V1__EVENT__BODY_ACCEPTANCE;
    event.acceptance = &acceptance;
    acceptance.match_id = (char *)MATCH_ID;
    acceptance.n_accepted_player_ids = acceptance.n_waiting_player_ids = 1;
    acceptance.accepted_player_ids = accepted;
    acceptance.waiting_player_ids = waiting;
    batch.n_events = 1;
    batch.events = events;
    int64_t before = metric_get(METRIC_bridge_events_total);
    fake_muster_publish(w->fake, "default/duel/all", &batch);
    fake_wait_until(told_something, &before, "the player is told of it");
}

static int answer_get(struct world *w, const Muster__V1__Request *request,
                      ProtobufCMessage **response) {
    if (w->gets++ == 0 && w->accepts_meanwhile) another_accepts(w);
    Muster__V1__GetTicketRequest *in =
        muster__v1__get_ticket_request__unpack(NULL, request->payload.len, request->payload.data);
    bool by_player = in->key_case == MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
    bool found =
        w->ticket_id != NULL && (by_player ? w->state <= MUSTER__V1__TICKET_STATE__PROPOSED &&
                                                 strcmp(in->player_id, w->ticket_player) == 0
                                           : strcmp(in->ticket_id, w->ticket_id) == 0);
    muster__v1__get_ticket_request__free_unpacked(in, NULL);
    if (!found) return MUSTER_NOT_FOUND;
    Muster__V1__GetTicketResponse out = MUSTER__V1__GET_TICKET_RESPONSE__INIT;
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
    Muster__V1__Player player = MUSTER__V1__PLAYER__INIT, *players[] = {&player};
    Muster__V1__Match match;
    Muster__V1__Team team, *teams[1];
    Muster__V1__TeamMember member, *members[1];
    player.player_id = (char *)w->ticket_player;
    ticket.ticket_id = (char *)w->ticket_id;
    ticket.state = (Muster__V1__TicketState)w->state;
    ticket.n_players = 1;
    ticket.players = players;
    ticket.heartbeat_ms = w->heartbeat_ms;
    out.ticket = &ticket;
    if (w->state == MUSTER__V1__TICKET_STATE__PROPOSED) ticket.match_id = (char *)MATCH_ID;
    if (w->state == MUSTER__V1__TICKET_STATE__PROPOSED ||
        w->state == MUSTER__V1__TICKET_STATE__MATCHED) {
        fill_match(&match, &team, &member, teams, members);
        member.player_id = (char *)w->ticket_player;
        member.ticket_id = (char *)w->ticket_id;
        if (w->state == MUSTER__V1__TICKET_STATE__PROPOSED)
            match.state = MUSTER__V1__MATCH_STATE__MATCH_PROPOSED;
        out.match = &match;
    }
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static int answer_create(struct world *w, const Muster__V1__Request *request,
                         ProtobufCMessage **response) {
    Muster__V1__CreateTicketRequest *in = muster__v1__create_ticket_request__unpack(
        NULL, request->payload.len, request->payload.data);
    w->created_players[0] = '\0';
    for (size_t i = 0; i < in->n_players; i++) {
        strcat(w->created_players, in->players[i]->player_id);
        strcat(w->created_players, in->players[i]->n_attributes ? "* " : " ");
    }
    w->created_queue[0] = '\0';
    for (size_t i = 0; i < in->n_queues; i++) {
        strcat(w->created_queue, i ? " " : "");
        strcat(w->created_queue, in->queues[i]);
    }
    snprintf(w->created_request_id, sizeof w->created_request_id, "%s", request->request_id);
    w->creates++;
    Muster__V1__CreateTicketResponse out = MUSTER__V1__CREATE_TICKET_RESPONSE__INIT;
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
    ticket.ticket_id = (char *)TICKET_A;
    ticket.state = MUSTER__V1__TICKET_STATE__QUEUED;
    out.ticket = &ticket;
    if (w->create_code == MUSTER_OK) *response = fake_copy(&out.base);
    muster__v1__create_ticket_request__free_unpacked(in, NULL);
    return w->create_code;
}

static int answer_cancel(struct world *w, ProtobufCMessage **response) {
    w->cancels++;
    w->state = MUSTER__V1__TICKET_STATE__CANCELLED;
    Muster__V1__CancelTicketResponse out = MUSTER__V1__CANCEL_TICKET_RESPONSE__INIT;
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
    ticket.ticket_id = (char *)w->ticket_id;
    ticket.state = MUSTER__V1__TICKET_STATE__CANCELLED;
    out.ticket = &ticket;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static int answer_explain(struct world *w, const Muster__V1__Request *request,
                          ProtobufCMessage **response) {
    Muster__V1__ExplainTicketRequest *in = muster__v1__explain_ticket_request__unpack(
        NULL, request->payload.len, request->payload.data);
    bool by_player = in->key_case == MUSTER__V1__EXPLAIN_TICKET_REQUEST__KEY_PLAYER_ID;
    bool found = w->ticket_id != NULL && (by_player ? strcmp(in->player_id, w->ticket_player) == 0
                                                    : strcmp(in->ticket_id, w->ticket_id) == 0);
    muster__v1__explain_ticket_request__free_unpacked(in, NULL);
    if (!found) return MUSTER_NOT_FOUND;
    Muster__V1__ExplainTicketResponse out = MUSTER__V1__EXPLAIN_TICKET_RESPONSE__INIT;
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
    Muster__V1__Player player = MUSTER__V1__PLAYER__INIT, *players[] = {&player};
    Muster__V1__QueueExplanation queue = MUSTER__V1__QUEUE_EXPLANATION__INIT, *queues[] = {&queue};
    Muster__V1__NearestMiss miss = MUSTER__V1__NEAREST_MISS__INIT;
    char *sentences[] = {(char *)"You wait."};
    player.player_id = (char *)w->ticket_player;
    ticket.ticket_id = (char *)w->ticket_id;
    ticket.n_players = 1;
    ticket.players = players;
    miss.ticket_id = (char *)TICKET_B;
    miss.measured = 160;
    queue.nearest_miss = &miss;
    out.ticket = &ticket;
    out.n_sentences = out.n_queues = 1;
    out.sentences = sentences;
    out.queues = queues;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static int answer_heartbeat(struct world *w, const Muster__V1__Request *request,
                            ProtobufCMessage **response) {
    Muster__V1__HeartbeatTicketsRequest *in = muster__v1__heartbeat_tickets_request__unpack(
        NULL, request->payload.len, request->payload.data);
    w->beats += in->n_ticket_ids == 1 && strcmp(in->ticket_ids[0], w->ticket_id) == 0;
    muster__v1__heartbeat_tickets_request__free_unpacked(in, NULL);
    Muster__V1__HeartbeatTicketsResponse out = MUSTER__V1__HEARTBEAT_TICKETS_RESPONSE__INIT;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

/* The one match takes its one player only. */
static int answer_accept(struct world *w, const Muster__V1__Request *request,
                         ProtobufCMessage **response) {
    Muster__V1__AcceptMatchRequest *in =
        muster__v1__accept_match_request__unpack(NULL, request->payload.len, request->payload.data);
    bool known = strcmp(in->match_id, MATCH_ID) == 0;
    bool in_it = in->n_player_ids == 1 && strcmp(in->player_ids[0], w->ticket_player) == 0;
    muster__v1__accept_match_request__free_unpacked(in, NULL);
    if (!known) return MUSTER_NOT_FOUND;
    if (!in_it) return MUSTER_PERMISSION_DENIED;
    Muster__V1__AcceptMatchResponse out = MUSTER__V1__ACCEPT_MATCH_RESPONSE__INIT;
    Muster__V1__Match match;
    Muster__V1__Team team, *teams[1];
    Muster__V1__TeamMember member, *members[1];
    fill_match(&match, &team, &member, teams, members);
    member.player_id = (char *)w->ticket_player;
    out.match = &match;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static int answer_list(struct world *w, ProtobufCMessage **response) {
    w->lists++;
    Muster__V1__ListQueuesResponse out = MUSTER__V1__LIST_QUEUES_RESPONSE__INIT;
    Muster__V1__Queue rows[2] = {MUSTER__V1__QUEUE__INIT, MUSTER__V1__QUEUE__INIT};
    Muster__V1__Queue *pointers[2] = {&rows[0], &rows[1]};
    rows[0].name = (char *)"arena";
    rows[1].name = (char *)"duel";
    rows[0].version = rows[1].version = 3;
    out.n_queues = 2;
    out.queues = pointers;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

/* One page: the match was proposed to the ticket's player, and to another. */
static int answer_replay(const struct world *w, ProtobufCMessage **response) {
    if (!w->replays) return MUSTER_OUT_OF_RANGE;
    Muster__V1__ReplayEventsResponse out = MUSTER__V1__REPLAY_EVENTS_RESPONSE__INIT;
    Muster__V1__Position position = MUSTER__V1__POSITION__INIT;
    Muster__V1__Event event = MUSTER__V1__EVENT__INIT, *events[] = {&event};
    char *tickets[] = {(char *)TICKET_B, (char *)w->ticket_id};
    char *traces[] = {(char *)"", (char *)TRACE};
    Muster__V1__Match match;
    Muster__V1__Team team, *teams[1];
    Muster__V1__TeamMember member, *members[1];
    fill_match(&match, &team, &member, teams, members);
    match.state = MUSTER__V1__MATCH_STATE__MATCH_PROPOSED;
    match.n_ticket_ids = event.n_traceparents = 2;
    match.ticket_ids = tickets;
    member.player_id = (char *)w->ticket_player;
    member.ticket_id = (char *)w->ticket_id;
    event.traceparents = traces;
    event.type = MUSTER__V1__EVENT__TYPE__MATCH_PROPOSED;
    event.queue = (char *)"duel";
    event.body_case = MUSTER__V1__EVENT__BODY_MATCH;
    event.match = &match;
    event.epoch = position.epoch = 1;
    event.seq = position.seq = 11;
    out.position = &position;
    out.n_events = 1;
    out.events = events;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static int answer(void *arg, const Muster__V1__Request *request, ProtobufCMessage **response) {
    struct world *w = arg;
    const char *method = strchr(request->method, '/') + 1;
    if (strcmp(method, "GetTicket") == 0) return answer_get(w, request, response);
    if (strcmp(method, "CreateTicket") == 0) return answer_create(w, request, response);
    if (strcmp(method, "ExplainTicket") == 0) return answer_explain(w, request, response);
    if (strcmp(method, "CancelTicket") == 0) return answer_cancel(w, response);
    if (strcmp(method, "HeartbeatTickets") == 0) return answer_heartbeat(w, request, response);
    if (strcmp(method, "AcceptMatch") == 0) return answer_accept(w, request, response);
    if (strcmp(method, "DeclineMatch") == 0) {
        w->declines++;
        return MUSTER_FAILED_PRECONDITION;
    }
    if (strcmp(method, "ListQueues") == 0) return answer_list(w, response);
    if (strcmp(method, "ReplayEvents") == 0) return answer_replay(w, response);
    if (strcmp(method, "GetQueueStats") == 0) {
        Muster__V1__GetQueueStatsResponse out = MUSTER__V1__GET_QUEUE_STATS_RESPONSE__INIT;
        out.tickets_queued = 7;
        *response = fake_copy(&out.base);
        return MUSTER_OK;
    }
    if (strcmp(method, "Check") == 0) {
        Muster__V1__CheckResponse out = MUSTER__V1__CHECK_RESPONSE__INIT;
        out.serving = 1;
        *response = fake_copy(&out.base);
        return MUSTER_OK;
    }
    return MUSTER_UNIMPLEMENTED;
}

static void heartbeat(struct world *w) {
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    batch.epoch = 1;
    batch.seq = w->seq;
    fake_muster_publish(w->fake, "default/-/heartbeat", &batch);
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->seq = 10;
    w->fake = fake_muster_new(answer, w);
    struct bridge_options options = {.listen = "127.0.0.1:0",
                                     .transports = "all",
                                     .dashboard = "off",
                                     .admin_token = "",
                                     .api = fake_muster_api(w->fake),
                                     .events = fake_muster_events(w->fake),
                                     .realm = "default",
                                     .origins = "*",
                                     .ping_interval_ms = 60000,
                                     .ping_timeout_ms = 60000,
                                     .connections_max = 1000};
    struct err_text why;
    enum err code = bridge_start(&w->bridge, &options, &why);
    assert_int_equal(code, ERR_OK);
    fake_muster_wait_subscriber(w->fake);
    heartbeat(w);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    bridge_stop(w->bridge);
    bridge_free(w->bridge);
    fake_muster_free(w->fake);
    free(w);
    return 0;
}

static struct polling_player *join(struct world *w, const char *player) {
    char auth[128];
    snprintf(auth, sizeof auth, "{\"playerId\":\"%s\"}", player);
    struct polling_player *p = polling_player_new(bridge_address(w->bridge), auth);
    polling_player_expect(p, "40{\"sid\"");
    return p;
}

/* An event of one ticket or, with `match`, of a match that has it. */
static void publish(struct world *w, Muster__V1__Event__Type type, const char *player,
                    const char *ticket_id) {
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    Muster__V1__Event event = MUSTER__V1__EVENT__INIT, *events[] = {&event};
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
    Muster__V1__Player member_of_ticket = MUSTER__V1__PLAYER__INIT;
    Muster__V1__Player *players[] = {&member_of_ticket};
    Muster__V1__Match match;
    Muster__V1__Team team, *teams[1];
    Muster__V1__TeamMember member, *members[1];
    event.epoch = batch.epoch = batch.previous_epoch = 1;
    batch.previous_seq = w->seq;
    event.seq = batch.seq = ++w->seq;
    event.type = type;
    event.queue = (char *)"duel";
    batch.n_events = 1;
    batch.events = events;
    if (type == MUSTER__V1__EVENT__TYPE__MATCH_FOUND) {
        fill_match(&match, &team, &member, teams, members);
        member.player_id = (char *)player;
        member.ticket_id = (char *)ticket_id;
        event.body_case = MUSTER__V1__EVENT__BODY_MATCH;
        event.match = &match;
    } else {
        member_of_ticket.player_id = (char *)player;
        ticket.ticket_id = (char *)ticket_id;
        ticket.state = type == MUSTER__V1__EVENT__TYPE__TICKET_QUEUED
                           ? MUSTER__V1__TICKET_STATE__QUEUED
                           : MUSTER__V1__TICKET_STATE__CANCELLED;
        ticket.n_players = 1;
        ticket.players = players;
        event.body_case = MUSTER__V1__EVENT__BODY_TICKET;
        event.ticket = &ticket;
    }
    fake_muster_publish(w->fake, "default/duel/all", &batch);
}

static void connecting_without_a_valid_player_id_is_refused_with_the_reason(void **state) {
    struct world *w = *state;
    static const char *const wrong[] = {"",
                                        "{}",
                                        "{\"playerId\":7}",
                                        "{\"playerId\":\"\"}",
                                        "{\"playerId\":\"a b\"}",
                                        "{\"playerId\":\"\\n\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct polling_player *p = polling_player_new(bridge_address(w->bridge), wrong[i]);
        polling_player_expect(p, "44{\"message\":\"connect with auth: {playerId:");
        polling_player_free(p);
    }
}

static void player_with_an_open_ticket_is_told_of_it_when_he_connects(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__QUEUED;
    struct polling_player *p = join(w, "ann");
    polling_player_expect(p, "42[\"ticket_updated\",{\"ticket\":{\"ticketId\":\"" TICKET_A
                             "\",\"state\":\"QUEUED\"");
    polling_player_free(p);
}

static void join_queue_creates_a_ticket_with_the_player_in_front(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    polling_player_emit(p, 5,
                        "[\"join_queue\",{\"queue\":\"duel\",\"attributes\":{\"skill\":7},"
                        "\"latenciesMs\":{\"eu\":30},\"party\":[{\"playerId\":\"bob\"}]}]");
    polling_player_expect(p, "435[{\"ok\":true,\"ticket\":{\"ticketId\":\"" TICKET_A "\"");
    assert_string_equal(w->created_players, "ann* bob ");
    assert_string_equal(w->created_queue, "duel");
    assert_int_equal(strlen(w->created_request_id), 26);
    polling_player_free(p);
}

static void join_queue_takes_several_queues(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    polling_player_emit(p, 1, "[\"join_queue\",{\"queue\":\"duel\",\"queues\":[\"arena\"]}]");
    polling_player_expect(p, "431[{\"ok\":true");
    assert_string_equal(w->created_queue, "duel arena");
    polling_player_emit(p, 2, "[\"join_queue\",{\"queues\":[\"arena\",\"duel\"]}]");
    polling_player_expect(p, "432[{\"ok\":true");
    assert_string_equal(w->created_queue, "arena duel");
    polling_player_free(p);
}

static void request_id_of_a_player_is_bound_to_him(void **state) {
    struct world *w = *state;
    char first[65];
    struct polling_player *ann = join(w, "ann"), *bob = join(w, "bob");
    const char *event = "[\"join_queue\",{\"queue\":\"duel\",\"requestId\":\"r1\"}]";
    polling_player_emit(ann, 1, event);
    polling_player_expect(ann, "431[{\"ok\":true");
    snprintf(first, sizeof first, "%s", w->created_request_id);
    polling_player_emit(ann, 2, event);
    polling_player_expect(ann, "432[{\"ok\":true");
    assert_string_equal(w->created_request_id, first);
    polling_player_emit(bob, 3, event);
    polling_player_expect(bob, "433[{\"ok\":true");
    assert_string_not_equal(w->created_request_id, first);
    polling_player_free(ann);
    polling_player_free(bob);
}

static void refusal_of_the_api_is_acknowledged_with_its_code_and_text(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    w->create_code = MUSTER_ALREADY_EXISTS;
    polling_player_emit(p, 1, "[\"join_queue\",{\"queue\":\"duel\"}]");
    polling_player_expect(p, "431[{\"ok\":false,\"error\":{\"code\":\"ALREADY_EXISTS\","
                             "\"message\":\"the fake says so\"}}]");
    polling_player_free(p);
}

static void wrong_events_and_payloads_are_refused_by_name(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    polling_player_emit(p, 1, "[\"dance\"]");
    polling_player_expect(p, "431[{\"ok\":false,\"error\":{\"code\":\"UNIMPLEMENTED\","
                             "\"message\":\"unknown event \\\"dance\\\"; known: join_queue");
    polling_player_emit(p, 2, "[\"accept_match\",{\"match\":1}]");
    polling_player_expect(p, "432[{\"ok\":false,\"error\":{\"code\":\"INVALID_ARGUMENT\"");
    polling_player_emit(p, 3, "[\"join_queue\",\"duel\"]");
    polling_player_expect(p, "433[{\"ok\":false,\"error\":{\"code\":\"INVALID_ARGUMENT\","
                             "\"message\":\"join_queue takes one object\"");
    polling_player_emit(p, 4, "[\"join_queue\",{\"queeu\":\"duel\"}]");
    polling_player_expect(p, "434[{\"ok\":false,\"error\":{\"code\":\"INVALID_ARGUMENT\"");
    polling_player_emit(p, 5, "[\"join_queue\",{\"queue\":\"duel\",\"requestId\":\"a b\"}]");
    polling_player_expect(p, "\"field\":\"requestId\"");
    assert_int_equal(w->creates, 0);
    polling_player_free(p);
}

static void player_accepts_the_match_that_is_proposed_to_him(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__PROPOSED;
    struct polling_player *p = join(w, "ann"), *eve = join(w, "eve");
    polling_player_expect(p, "42[\"match_proposed\",{\"matchId\":\"" MATCH_ID "\"");
    polling_player_emit(p, 1, "[\"accept_match\",{}]");
    polling_player_expect(p, "431[{\"ok\":true,\"match\":{\"matchId\":\"" MATCH_ID "\"");
    polling_player_emit(p, 2, "[\"accept_match\",{\"matchId\":\"" MATCH_ID "\"}]");
    polling_player_expect(p, "432[{\"ok\":true,\"match\":{\"matchId\":\"" MATCH_ID "\"");
    polling_player_emit(p, 3, "[\"decline_match\"]");
    polling_player_expect(p, "433[{\"ok\":false,\"error\":{\"code\":\"FAILED_PRECONDITION\"");
    assert_int_equal(w->declines, 1);
    polling_player_emit(eve, 4, "[\"accept_match\",{}]");
    polling_player_expect(eve, "434[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\","
                               "\"message\":\"you have no such match\"");
    polling_player_emit(eve, 5, "[\"accept_match\",{\"matchId\":\"" TICKET_B "\"}]");
    polling_player_expect(eve, "435[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    polling_player_free(p);
    polling_player_free(eve);
}

static void
player_who_connects_hears_of_his_proposal_though_another_accepts_meanwhile(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__PROPOSED;
    w->accepts_meanwhile = true;
    struct polling_player *p = join(w, "ann");
    polling_player_expect(p, "42[\"match_acceptance\",{\"matchId\":\"" MATCH_ID "\"");
    polling_player_expect(p, "42[\"match_proposed\",{\"matchId\":\"" MATCH_ID "\"");
    polling_player_free(p);
}

static void player_who_resumes_is_told_the_proposal_he_missed_and_may_accept_it(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__PROPOSED;
    w->replays = true;
    struct polling_player *p = polling_player_new(bridge_address(w->bridge),
                                                  "{\"playerId\":\"ann\",\"resume\":\"1-10-0\"}");
    polling_player_expect(p, "42[\"match_proposed\",{\"matchId\":\"" MATCH_ID "\"");
    polling_player_expect(p, "\"traceparent\":\"" TRACE "\"},\"1-11-0\"]");
    polling_player_expect(p, "40{\"sid\"");
    polling_player_emit(p, 1, "[\"accept_match\",{}]");
    polling_player_expect(p, "431[{\"ok\":true,\"match\":{\"matchId\":\"" MATCH_ID "\"");
    assert_false(polling_player_has(p, "resync"));
    polling_player_free(p);
}

static void player_whose_place_is_not_kept_is_told_his_proposal_as_it_is_now(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__PROPOSED;
    struct polling_player *p = polling_player_new(bridge_address(w->bridge),
                                                  "{\"playerId\":\"ann\",\"resume\":\"1-10-0\"}");
    polling_player_expect(p, "42[\"resync\",{\"ticket\":{\"ticketId\":\"" TICKET_A
                             "\",\"state\":\"PROPOSED\"");
    polling_player_expect(p,
                          "\"match\":{\"matchId\":\"" MATCH_ID "\",\"state\":\"MATCH_PROPOSED\"");
    polling_player_emit(p, 1, "[\"accept_match\",{}]");
    polling_player_expect(p, "431[{\"ok\":true,\"match\":{\"matchId\":\"" MATCH_ID "\"");
    polling_player_free(p);
}

static bool has_beaten_twice(void *arg) {
    return ((struct world *)arg)->beats >= 2;
}

static void connected_player_is_his_tickets_sign_of_life(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__QUEUED;
    w->heartbeat_ms = 3000;
    struct polling_player *p = join(w, "ann");
    polling_player_expect(p, "42[\"ticket_updated\"");
    fake_wait_until(has_beaten_twice, w, "two heartbeats of the ticket");
    polling_player_free(p);
}

static bool has_created(void *arg) {
    return ((struct world *)arg)->creates == 1;
}

static void event_without_acknowledgement_does_its_work(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    polling_player_emit(p, -1, "[\"join_queue\",{\"queue\":\"duel\"}]");
    fake_wait_until(has_created, w, "the ticket is created");
    polling_player_free(p);
}

static void match_reaches_every_socket_of_its_player_and_nobody_else(void **state) {
    struct world *w = *state;
    struct polling_player *first = join(w, "ann"), *second = join(w, "ann"), *bob = join(w, "bob");
    publish(w, MUSTER__V1__EVENT__TYPE__MATCH_FOUND, "ann", TICKET_A);
    publish(w, MUSTER__V1__EVENT__TYPE__TICKET_QUEUED, "bob", TICKET_B);
    const char *told = "42[\"match_found\",{\"matchId\":\"" MATCH_ID "\"";
    polling_player_expect(first, told);
    polling_player_expect(second, told);
    polling_player_expect(bob, "42[\"ticket_updated\",{\"ticket\":{\"ticketId\":\"" TICKET_B "\"");
    assert_false(polling_player_has(bob, "match_found"));
    polling_player_free(first);
    polling_player_free(second);
    polling_player_free(bob);
}

static void player_who_was_away_is_told_of_his_match_when_he_comes_back(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__MATCHED;
    struct polling_player *bob = join(w, "bob");
    publish(w, MUSTER__V1__EVENT__TYPE__MATCH_FOUND, "ann", TICKET_A);
    publish(w, MUSTER__V1__EVENT__TYPE__TICKET_QUEUED, "bob", TICKET_B);
    polling_player_expect(bob, TICKET_B); /* then the match before it was taken in too */
    struct polling_player *ann = join(w, "ann");
    polling_player_expect(ann, "42[\"match_found\",{\"matchId\":\"" MATCH_ID "\"");
    polling_player_free(ann);
    polling_player_free(bob);
}

static void late_first_event_of_an_ended_ticket_is_not_told(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    publish(w, MUSTER__V1__EVENT__TYPE__MATCH_FOUND, "ann", TICKET_A);
    publish(w, MUSTER__V1__EVENT__TYPE__TICKET_QUEUED, "ann", TICKET_A);
    publish(w, MUSTER__V1__EVENT__TYPE__TICKET_QUEUED, "ann", TICKET_B);
    polling_player_expect(p, TICKET_B);
    assert_true(polling_player_has(p, "match_found"));
    assert_false(polling_player_has(p, "{\"ticket\":{\"ticketId\":\"" TICKET_A));
    polling_player_free(p);
}

static void leave_queue_cancels_the_players_own_ticket_only(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__QUEUED;
    struct polling_player *ann = join(w, "ann"), *bob = join(w, "bob");
    polling_player_emit(bob, 1, "[\"leave_queue\",{\"ticketId\":\"" TICKET_A "\"}]");
    polling_player_expect(bob, "431[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    polling_player_emit(bob, 2, "[\"get_ticket\",{\"ticketId\":\"" TICKET_A "\"}]");
    polling_player_expect(bob, "432[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    polling_player_emit(bob, 3, "[\"leave_queue\"]");
    polling_player_expect(bob, "433[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    assert_int_equal(w->cancels, 0);
    polling_player_emit(ann, 4, "[\"get_ticket\"]");
    polling_player_expect(ann, "434[{\"ok\":true,\"ticket\":{\"ticketId\":\"" TICKET_A "\"");
    polling_player_emit(ann, 5, "[\"leave_queue\"]");
    polling_player_expect(ann, "435[{\"ok\":true,\"ticket\":{\"ticketId\":\"" TICKET_A
                               "\",\"state\":\"CANCELLED\"");
    assert_int_equal(w->cancels, 1);
    polling_player_free(ann);
    polling_player_free(bob);
}

static void explain_ticket_tells_the_player_of_his_own_ticket_only(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__QUEUED;
    struct polling_player *ann = join(w, "ann"), *bob = join(w, "bob");
    polling_player_emit(bob, 1, "[\"explain_ticket\",{\"ticketId\":\"" TICKET_A "\"}]");
    polling_player_expect(bob, "431[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    polling_player_emit(bob, 2, "[\"explain_ticket\"]");
    polling_player_expect(bob, "432[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    polling_player_emit(bob, 3, "[\"explain_ticket\",{\"tickedId\":\"x\"}]");
    polling_player_expect(bob, "433[{\"ok\":false,\"error\":{\"code\":\"INVALID_ARGUMENT\"");
    polling_player_emit(ann, 4, "[\"explain_ticket\"]");
    polling_player_expect(ann, "434[{\"ok\":true,\"ticket\":{\"ticketId\":\"" TICKET_A "\"");
    polling_player_emit(ann, 5, "[\"explain_ticket\",{\"ticketId\":\"" TICKET_A "\"}]");
    polling_player_expect(ann, "435[{\"ok\":true");
    polling_player_expect(ann, "\"sentences\":[\"You wait.\"]");
    polling_player_expect(ann, "\"measured\":160");
    assert_false(polling_player_has(ann, TICKET_B)); /* another player's ticket */
    polling_player_free(ann);
    polling_player_free(bob);
}

static void list_queues_asks_the_api_once_for_many_players(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    for (int i = 1; i <= 4; i++)
        polling_player_emit(p, i, "[\"list_queues\"]");
    polling_player_expect(p, "434[{\"ok\":true,\"queues\":[{\"name\":\"arena\",\"version\":3,"
                             "\"ticketsQueued\":7},{\"name\":\"duel\"");
    polling_player_expect(p, "431[{\"ok\":true");
    assert_true(w->lists < 4);
    polling_player_free(p);
}

static void ninth_request_of_a_socket_under_way_is_refused(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    w->create_code = FAKE_NO_ANSWER;
    for (int i = 1; i <= 9; i++)
        polling_player_emit(p, i, "[\"join_queue\",{\"queue\":\"duel\"}]");
    polling_player_expect(p, "439[{\"ok\":false,\"error\":{\"code\":\"RESOURCE_EXHAUSTED\"");
    polling_player_free(p);
}

static bool gap_is_counted(void *arg) {
    (void)arg;
    return metric_get(METRIC_bridge_gaps_total) > 0;
}

static void lost_events_bring_every_player_his_state_now(void **state) {
    struct world *w = *state;
    w->ticket_id = TICKET_A;
    w->ticket_player = "ann";
    w->state = MUSTER__V1__TICKET_STATE__QUEUED;
    struct polling_player *ann = join(w, "ann"), *bob = join(w, "bob");
    polling_player_expect(ann, "ticket_updated");
    w->state = MUSTER__V1__TICKET_STATE__MATCHED;
    w->seq += 5; /* those are lost, and the journal does not have them any more */
    publish(w, MUSTER__V1__EVENT__TYPE__TICKET_QUEUED, "eve", TICKET_B);
    polling_player_expect(ann, "42[\"resync\",{\"ticket\":{\"ticketId\":\"" TICKET_A
                               "\",\"state\":\"MATCHED\"");
    polling_player_expect(ann, MATCH_ID);
    polling_player_expect(bob, "42[\"resync\",{\"reason\":\"the fake says so\"}]");
    fake_wait_until(gap_is_counted, NULL, "muster_bridge_gaps_total");
    polling_player_free(ann);
    polling_player_free(bob);
}

struct probe {
    struct world *world;
    const char *path, *said; /* `said`: what the body begins with */
    int status;
    bool beating; /* heartbeats go on */
};

static bool answers(void *arg) {
    struct probe *p = arg;
    char body[256];
    if (p->beating) heartbeat(p->world);
    int port = atoi(strrchr(bridge_address(p->world->bridge), ':') + 1);
    return polling_get(port, p->path, body, sizeof body) == p->status &&
           strncmp(body, p->said, strlen(p->said)) == 0;
}

static void readiness_follows_the_api_and_the_stream_and_health_does_not(void **state) {
    struct world *w = *state;
    fake_wait_until(answers, &(struct probe){w, "/readyz", "ready", 200, true}, "readiness");
    fake_wait_until(answers, &(struct probe){w, "/readyz", "events: ", 503, false}, "silence");
    fake_muster_api_down(w->fake);
    fake_wait_until(answers, &(struct probe){w, "/readyz", "api: UNAVAILABLE", 503, true}, "loss");
    assert_true(answers(&(struct probe){w, "/healthz", "ok", 200, false}));
    assert_true(answers(&(struct probe){w, "/nothing", "", 404, false}));
    fake_muster_api_up(w->fake);
    fake_wait_until(answers, &(struct probe){w, "/readyz", "ready", 200, true}, "recovery");
}

static void stopping_with_requests_under_way_leaves_nothing_behind(void **state) {
    struct world *w = *state;
    struct polling_player *p = join(w, "ann");
    w->create_code = FAKE_NO_ANSWER;
    polling_player_emit(p, 1, "[\"join_queue\",{\"queue\":\"duel\"}]");
    fake_wait_until(has_created, w, "the request is under way");
    bridge_stop(w->bridge);
    free(p->received);
    free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(connecting_without_a_valid_player_id_is_refused_with_the_reason),
        TEST(player_with_an_open_ticket_is_told_of_it_when_he_connects),
        TEST(join_queue_creates_a_ticket_with_the_player_in_front),
        TEST(join_queue_takes_several_queues),
        TEST(player_accepts_the_match_that_is_proposed_to_him),
        TEST(player_who_connects_hears_of_his_proposal_though_another_accepts_meanwhile),
        TEST(player_who_resumes_is_told_the_proposal_he_missed_and_may_accept_it),
        TEST(player_whose_place_is_not_kept_is_told_his_proposal_as_it_is_now),
        TEST(connected_player_is_his_tickets_sign_of_life),
        TEST(request_id_of_a_player_is_bound_to_him),
        TEST(refusal_of_the_api_is_acknowledged_with_its_code_and_text),
        TEST(wrong_events_and_payloads_are_refused_by_name),
        TEST(event_without_acknowledgement_does_its_work),
        TEST(match_reaches_every_socket_of_its_player_and_nobody_else),
        TEST(player_who_was_away_is_told_of_his_match_when_he_comes_back),
        TEST(late_first_event_of_an_ended_ticket_is_not_told),
        TEST(leave_queue_cancels_the_players_own_ticket_only),
        TEST(explain_ticket_tells_the_player_of_his_own_ticket_only),
        TEST(list_queues_asks_the_api_once_for_many_players),
        TEST(ninth_request_of_a_socket_under_way_is_refused),
        TEST(lost_events_bring_every_player_his_state_now),
        TEST(readiness_follows_the_api_and_the_stream_and_health_does_not),
        TEST(stopping_with_requests_under_way_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
