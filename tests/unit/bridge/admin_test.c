/* admin_test.c - dashboards on real Socket.IO connections, before a fake api and its publisher. */
#include "bridge/admin_feed.h"
#include "bridge/bridge_role.h"
#include "support/fake_muster.h"
#include "support/polling_player.h"

#include <muster/client.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICKET_ID "01ARZ3NDEKTSV4RRFFQ69G5FAA"
#define MATCH_ID "01ARZ3NDEKTSV4RRFFQ69G5FAM"
#define TOKEN "0123456789abcdef"

struct world {
    struct fake_muster *fake;
    struct bridge *bridge;
    uint64_t seq;
    atomic_int queues; /* how many there are */
    atomic_int lists, creates;
    atomic_int list_code;
};

static int answer_lists(struct world *w, ProtobufCMessage **response) {
    Muster__V1__ListQueuesResponse out = MUSTER__V1__LIST_QUEUES_RESPONSE__INIT;
    Muster__V1__Queue rows[300], *pointers[300];
    char names[300][16];
    w->lists++;
    if (w->list_code) return w->list_code;
    for (int i = 0; i < w->queues; i++) {
        rows[i] = (Muster__V1__Queue)MUSTER__V1__QUEUE__INIT;
        snprintf(names[i], sizeof names[i], "q%03d", i);
        rows[i].name = names[i];
        rows[i].version = 3;
        pointers[i] = &rows[i];
    }
    out.n_queues = (size_t)w->queues;
    out.queues = pointers;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

/* As many tickets wait in queue qNNN as its number says. */
static int answer_stats(const Muster__V1__Request *request, ProtobufCMessage **response) {
    Muster__V1__GetQueueStatsRequest *in = muster__v1__get_queue_stats_request__unpack(
        NULL, request->payload.len, request->payload.data);
    Muster__V1__GetQueueStatsResponse out = MUSTER__V1__GET_QUEUE_STATS_RESPONSE__INIT;
    Muster__V1__WaitEstimate band = MUSTER__V1__WAIT_ESTIMATE__INIT, *bands[] = {&band};
    out.name = in->name;
    out.tickets_queued = strtoul(in->name + 1, NULL, 10);
    out.n_eta_by_band = 1;
    out.eta_by_band = bands;
    *response = fake_copy(&out.base);
    muster__v1__get_queue_stats_request__free_unpacked(in, NULL);
    return MUSTER_OK;
}

static int answer_match(const Muster__V1__Request *request, ProtobufCMessage **response) {
    Muster__V1__GetMatchRequest *in =
        muster__v1__get_match_request__unpack(NULL, request->payload.len, request->payload.data);
    bool right = strcmp(in->match_id, MATCH_ID) == 0 && in->with_tickets;
    muster__v1__get_match_request__free_unpacked(in, NULL);
    if (!right) return MUSTER_NOT_FOUND;
    Muster__V1__GetMatchResponse out = MUSTER__V1__GET_MATCH_RESPONSE__INIT;
    Muster__V1__Match match = MUSTER__V1__MATCH__INIT;
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT, *tickets[] = {&ticket};
    match.match_id = (char *)MATCH_ID;
    ticket.ticket_id = (char *)TICKET_ID;
    out.match = &match;
    out.n_tickets = 1;
    out.tickets = tickets;
    *response = fake_copy(&out.base);
    return MUSTER_OK;
}

static int answer(void *arg, const Muster__V1__Request *request, ProtobufCMessage **response) {
    struct world *w = arg;
    const char *method = strrchr(request->method, '/') + 1;
    if (strcmp(method, "ListQueues") == 0) return answer_lists(w, response);
    if (strcmp(method, "GetQueueStats") == 0) return answer_stats(request, response);
    if (strcmp(method, "GetMatch") == 0) return answer_match(request, response);
    if (strcmp(method, "ExplainTicket") == 0) return MUSTER_NOT_FOUND;
    if (strcmp(method, "Check") == 0) {
        Muster__V1__CheckResponse out = MUSTER__V1__CHECK_RESPONSE__INIT;
        out.serving = 1;
        *response = fake_copy(&out.base);
        return MUSTER_OK;
    }
    if (strcmp(method, "CreateTickets") == 0) {
        Muster__V1__CreateTicketsResponse out = MUSTER__V1__CREATE_TICKETS_RESPONSE__INIT;
        w->creates++;
        *response = fake_copy(&out.base);
        return MUSTER_OK;
    }
    return MUSTER_UNIMPLEMENTED;
}

static struct world *world_new(const char *dashboard, const char *token) {
    struct world *w = calloc(1, sizeof *w);
    w->seq = 10;
    w->queues = 2;
    w->fake = fake_muster_new(answer, w);
    struct bridge_options options = {.listen = "127.0.0.1:0",
                                     .transports = "all",
                                     .path = "/socket.io/",
                                     .dashboard = dashboard,
                                     .admin_token = token,
                                     .api = fake_muster_api(w->fake),
                                     .events = fake_muster_events(w->fake),
                                     .realm = "default",
                                     .origins = "*",
                                     .ping_interval_ms = 60000,
                                     .ping_timeout_ms = 60000,
                                     .connections_max = 1000};
    struct err_text why;
    assert_int_equal(bridge_start(&w->bridge, &options, &why), ERR_OK);
    fake_muster_wait_subscriber(w->fake);
    return w;
}

static void world_free(struct world *w) {
    bridge_free(w->bridge);
    fake_muster_free(w->fake);
    free(w);
}

static struct polling_player *look(const struct world *w, const char *auth) {
    return polling_player_new_in(bridge_address(w->bridge), "/admin,", auth);
}

static int port_of(const struct world *w) {
    return atoi(strrchr(bridge_address(w->bridge), ':') + 1);
}

static void publish(struct world *w, Muster__V1__Event *event) {
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    event->epoch = batch.epoch = batch.previous_epoch = 1;
    batch.previous_seq = w->seq;
    event->seq = batch.seq = ++w->seq;
    event->queue = (char *)"q001";
    batch.n_events = 1;
    batch.events = &event;
    fake_muster_publish(w->fake, "default/q001/all", &batch);
}

/* --- What is shown --------------------------------------------------------------------------- */

static void viewer_is_sent_every_queues_numbers_each_second(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    struct polling_player *v = look(w, "{}");
    polling_player_expect(v, "42/admin,[\"stats\",{\"timeMs\":");
    polling_player_expect(v, "\"realm\":\"default\",\"queues\":[{\"name\":\"q000\"");
    polling_player_expect(v, "{\"name\":\"q001\",\"ticketsQueued\":1,");
    assert_false(polling_player_has(v, "\"etaByBand\":[{"));
    w->queues = 1;
    polling_player_expect(v,
                          "\"queues\":[{\"name\":\"q000\",\"etaByBand\":[],\"etaByRegion\":[],"
                          "\"etaByParty\":[],\"rejections\":[],\"expansions\":[],\"waits\":[]}]");
    polling_player_free(v);
    world_free(w);
}

static void of_many_queues_those_with_the_most_waiting_are_shown(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    w->queues = 103;
    struct polling_player *v = look(w, "{}");
    polling_player_expect(v, "\"queues\":[{\"name\":\"q003\",\"ticketsQueued\":3,");
    polling_player_expect(v, "\"queuesLeftOut\":3");
    assert_false(polling_player_has(v, "\"q002\""));
    polling_player_free(v);
    world_free(w);
}

static void api_that_fails_is_told_instead_of_numbers(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    w->list_code = MUSTER_UNAVAILABLE;
    struct polling_player *v = look(w, "{}");
    polling_player_expect(v, "\"queues\":[],\"trouble\":\"UNAVAILABLE ");
    w->list_code = MUSTER_OK;
    polling_player_expect(v, "\"queues\":[{\"name\":\"q000\"");
    polling_player_free(v);
    world_free(w);
}

static void match_is_shown_with_its_tickets(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    struct polling_player *v = look(w, "{}");
    Muster__V1__Event event = MUSTER__V1__EVENT__INIT;
    Muster__V1__Match match = MUSTER__V1__MATCH__INIT;
    match.match_id = (char *)MATCH_ID;
    event.type = MUSTER__V1__EVENT__TYPE__MATCH_FOUND;
    event.body_case = MUSTER__V1__EVENT__BODY_MATCH;
    event.match = &match;
    publish(w, &event);
    polling_player_expect(v, "42/admin,[\"match\",{\"match\":{\"matchId\":\"" MATCH_ID "\"");
    polling_player_expect(v, "\"tickets\":[{\"ticketId\":\"" TICKET_ID "\"");
    polling_player_free(v);
    world_free(w);
}

static void publish_expiry(struct world *w) {
    Muster__V1__Event event = MUSTER__V1__EVENT__INIT;
    Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
    Muster__V1__Player player = MUSTER__V1__PLAYER__INIT, *players[] = {&player};
    player.player_id = (char *)"ann";
    ticket.ticket_id = (char *)TICKET_ID;
    ticket.create_time_ms = 1000;
    ticket.n_players = 1;
    ticket.players = players;
    event.time_ms = 61000;
    event.type = MUSTER__V1__EVENT__TYPE__TICKET_EXPIRED;
    event.body_case = MUSTER__V1__EVENT__BODY_TICKET;
    event.ticket = &ticket;
    publish(w, &event);
}

static void expiry_is_an_unhappy_happening_with_its_wait(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    struct polling_player *v = look(w, "{}");
    publish_expiry(w);
    polling_player_expect(v, "42/admin,[\"happening\",{\"type\":\"ticket_expired\","
                             "\"severity\":\"UNHAPPY\",\"timeMs\":61000,\"queue\":\"q001\","
                             "\"ticketId\":\"" TICKET_ID "\",\"playerIds\":[\"ann\"],\"players\":1,"
                             "\"waitMs\":60000}]");
    polling_player_free(v);
    world_free(w);
}

static void happenings_beyond_the_allowance_are_counted(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    struct polling_player *v = look(w, "{}");
    for (int i = 0; i < 3 * ADMIN_HAPPENINGS_PER_S; i++)
        publish_expiry(w);
    polling_player_expect(v, "\"leftOutTotal\":");
    polling_player_free(v);
    world_free(w);
}

/* --- What is asked --------------------------------------------------------------------------- */

static void request_is_the_rpc_that_it_stands_for(void **state) {
    (void)state;
    struct world *w = world_new("on", "");
    struct polling_player *v = look(w, "{}");
    polling_player_emit(v, 1, "[\"get_queue_stats\",{\"name\":\"q042\"}]");
    polling_player_expect(v, "43/admin,1[{\"ok\":true,\"name\":\"q042\",\"ticketsQueued\":42,"
                             "\"etaByBand\":[{");
    polling_player_emit(v, 2, "[\"explain_ticket\",{\"playerId\":\"ann\"}]");
    polling_player_expect(v, "43/admin,2[{\"ok\":false,\"error\":{\"code\":\"NOT_FOUND\"");
    polling_player_emit(v, 3, "[\"get_queue\",{\"nmae\":\"q\"}]");
    polling_player_expect(v, "43/admin,3[{\"ok\":false,\"error\":{\"code\":\"INVALID_ARGUMENT\","
                             "\"message\":\"the JSON has an unknown field \\\"nmae\\\"");
    polling_player_emit(v, 4, "[\"put_queue\",{}]");
    polling_player_expect(v, "43/admin,4[{\"ok\":false,\"error\":{\"code\":\"UNIMPLEMENTED\"");
    polling_player_emit(v, 5, "[\"get_queue\",7]");
    polling_player_expect(v, "\"get_queue takes one object\"");
    polling_player_free(v);
    world_free(w);
}

static void players_are_added_only_where_the_dashboard_may_play(void **state) {
    (void)state;
    static const char add[] = "[\"create_tickets\",{\"tickets\":[]}]";
    struct world *w = world_new("on", "");
    struct polling_player *v = look(w, "{}");
    polling_player_emit(v, 1, add);
    polling_player_expect(v, "43/admin,1[{\"ok\":false,\"error\":{\"code\":\"PERMISSION_DENIED\"");
    assert_int_equal(w->creates, 0);
    polling_player_free(v);
    world_free(w);
    w = world_new("play", "");
    v = look(w, "{}");
    polling_player_emit(v, 1, add);
    polling_player_expect(v, "43/admin,1[{\"ok\":true");
    assert_int_equal(w->creates, 1);
    polling_player_free(v);
    world_free(w);
}

/* --- Who is let in --------------------------------------------------------------------------- */

static void token_is_wanted_where_there_is_one(void **state) {
    (void)state;
    struct world *w = world_new("on", TOKEN);
    static const char *const wrong[] = {"",
                                        "{}",
                                        "{\"token\":\"\"}",
                                        "{\"token\":7}",
                                        "{\"token\":\"0123456789abcdeX\"}",
                                        "{\"token\":\"" TOKEN "0\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct polling_player *v = look(w, wrong[i]);
        polling_player_expect(v, "44/admin,{\"message\":\"the dashboard needs the admin-token\"}");
        polling_player_free(v);
    }
    assert_int_equal(w->lists, 0);
    struct polling_player *v = look(w, "{\"token\":\"" TOKEN "\"}");
    polling_player_expect(v, "42/admin,[\"stats\"");
    polling_player_free(v);
    world_free(w);
}

static void pages_from_elsewhere_are_not_let_in_without_a_token(void **state) {
    (void)state;
    static const struct {
        const char *origin, *answer;
    } rows[] = {
        {"http://localhost:7602", "40/admin,{\"sid\""},
        {"https://127.0.0.1", "40/admin,{\"sid\""},
        {"http://[::1]:80", "40/admin,{\"sid\""},
        {"https://evil.example", "44/admin,{\"message\":\"the dashboard is open to this machine"},
        {"http://localhost.evil.example", "44/admin,{"},
        {"http://127.0.0.1.evil.example:80", "44/admin,{"},
        {"null", "44/admin,{"},
    };
    struct world *w = world_new("on", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct polling_player *v =
            polling_player_new_from(bridge_address(w->bridge), "/admin,", "{}", rows[i].origin);
        polling_player_expect(v, rows[i].answer);
        polling_player_free(v);
    }
    world_free(w);
    w = world_new("on", TOKEN);
    struct polling_player *v =
        polling_player_new_from(bridge_address(w->bridge), "/admin,", "{\"token\":\"" TOKEN "\"}",
                                "https://studio.example");
    polling_player_expect(v, "40/admin,{\"sid\"");
    polling_player_free(v);
    world_free(w);
}

static void files_are_served_unless_the_dashboard_is_off(void **state) {
    (void)state;
    char body[4096];
    struct world *w = world_new("on", TOKEN);
    assert_int_equal(polling_get(port_of(w), "/", body, sizeof body), 200);
    assert_non_null(strstr(body, "<title>Muster</title>"));
    assert_int_equal(polling_get(port_of(w), "/dashboard.json", body, sizeof body), 200);
    assert_string_equal(body, "{\"socketioPath\":\"/socket.io/\",\"needsToken\":true}");
    assert_int_equal(polling_get(port_of(w), "/index.html", body, sizeof body), 404);
    assert_int_equal(polling_get(port_of(w), "/src/bridge/bridge_role.c", body, sizeof body), 404);
    world_free(w);
    w = world_new("off", "");
    assert_int_equal(polling_get(port_of(w), "/", body, sizeof body), 404);
    struct polling_player *v = look(w, "{}");
    polling_player_expect(v, "44/admin,{\"message\":\"Invalid namespace\"}");
    polling_player_free(v);
    world_free(w);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(viewer_is_sent_every_queues_numbers_each_second),
        cmocka_unit_test(of_many_queues_those_with_the_most_waiting_are_shown),
        cmocka_unit_test(api_that_fails_is_told_instead_of_numbers),
        cmocka_unit_test(match_is_shown_with_its_tickets),
        cmocka_unit_test(expiry_is_an_unhappy_happening_with_its_wait),
        cmocka_unit_test(happenings_beyond_the_allowance_are_counted),
        cmocka_unit_test(request_is_the_rpc_that_it_stands_for),
        cmocka_unit_test(players_are_added_only_where_the_dashboard_may_play),
        cmocka_unit_test(token_is_wanted_where_there_is_one),
        cmocka_unit_test(pages_from_elsewhere_are_not_let_in_without_a_token),
        cmocka_unit_test(files_are_served_unless_the_dashboard_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
