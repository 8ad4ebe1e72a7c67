/* event_json_test.c - events as `muster events` prints them, read back as records. */
#include "wire/event_json.h"

#include "wire/json.h"

#include <muster/v1/events.pb-c.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/anonymise.h"

static enum err read_text(const char *line, struct arena *a, struct record *out) {
    struct err_text why;
    return event_json_read(str_of(line), a, out, &why);
}

static const char queued[] =
    "{\"type\":\"TICKET_QUEUED\",\"epoch\":7,\"seq\":3,\"timeMs\":5000,\"queue\":\"duel\","
    "\"ticket\":"
    "{\"ticketId\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"state\":\"QUEUED\",\"queues\":[\"duel\"],"
    "\"players\":[{\"playerId\":\"ann\",\"attributes\":{\"skill\":90,\"foes\":[\"bob\"]},"
    "\"latenciesMs\":{\"eu\":30}}],\"createTimeMs\":5000,\"expireTimeMs\":65000}}";

static void a_queued_ticket_comes_back_whole(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    struct record r;
    assert_int_equal(read_text(queued, a, &r), ERR_OK);
    assert_int_equal(r.kind, RECORD_TICKET_CREATED);
    assert_int_equal(r.ticket_created.created_ms, 5000);
    assert_int_equal(r.ticket_created.spec.player_count, 1);
    const struct player *p = &r.ticket_created.spec.players[0];
    assert_true(player_attribute(p, STR("skill"))->number == 90);
    assert_int_equal(player_latency_ms(p, STR("eu")), 30);
    arena_free(a);
}

static void ends_and_queues_come_back(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    struct record r;
    assert_int_equal(read_text("{\"type\":\"TICKET_CANCELLED\",\"timeMs\":6000,\"ticket\":{"
                               "\"ticketId\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\","
                               "\"state\":\"CANCELLED\"}}",
                               a, &r),
                     ERR_OK);
    assert_int_equal(r.kind, RECORD_TICKET_ENDED);
    assert_int_equal(r.ticket_ended.state, TICKET_CANCELLED);
    assert_int_equal(r.time_ms, 6000);
    assert_int_equal(read_text("{\"type\":\"QUEUE_UPDATED\",\"queueInfo\":{\"name\":\"duel\","
                               "\"version\":4,\"definitionJson\":\"{}\"}}",
                               a, &r),
                     ERR_OK);
    assert_int_equal(r.kind, RECORD_QUEUE_PUT);
    assert_int_equal(r.queue_put.version, 4);
    assert_true(str_equal(r.queue_put.json, STR("{}")));
    assert_null(r.queue_put.def);
    arena_free(a);
}

static void what_is_no_event_is_refused(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    struct record r;
    assert_int_equal(read_text("nonsense", a, &r), ERR_INVALID_ARGUMENT);
    assert_int_equal(read_text("{\"typo\":1}", a, &r), ERR_INVALID_ARGUMENT);
    assert_int_equal(read_text("{\"type\":\"TICKET_QUEUED\"}", a, &r), ERR_DATA_LOSS);
    assert_int_equal(read_text("{\"timeMs\":1}", a, &r), ERR_OK);
    assert_int_equal(r.kind, 0);
    arena_free(a);
}

static void names_are_replaced_and_stay_equal(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    struct err_text why;
    ProtobufCMessage *event;
    struct strbuf text = {0};
    struct str lists[] = {STR("foes")};
    const struct anonymiser names = {{1, 2}, lists, 1};
    assert_int_equal(json_to_message(str_of(queued), &muster__v1__event__descriptor, &event, &why),
                     ERR_OK);
    json_from_message(anonymise_message(event, &names, a), &text);
    assert_null(strstr(text.at, "ann"));
    assert_null(strstr(text.at, "bob"));
    assert_non_null(strstr(text.at, "\"skill\":90"));
    struct record r;
    assert_int_equal(read_text(text.at, a, &r), ERR_OK);
    char wanted[24];
    snprintf(wanted, sizeof wanted, "p%016llx", (unsigned long long)siphash(names.key, STR("ann")));
    assert_true(str_equal(r.ticket_created.spec.players[0].id, str_of(wanted)));
    protobuf_c_message_free_unpacked(event, NULL);
    strbuf_fini(&text);
    arena_free(a);
}

static void a_definition_tells_which_lists_hold_names(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    struct str names[ANONYMISE_LISTS_MAX];
    struct str definition = STR("{\"ruleset\":{\"muster\":{\"recent\":{\"attribute\":\"seen\"},"
                                "\"avoid\":{\"attribute\":\"foes\"}}}}");
    assert_int_equal(anonymise_lists_of(definition, a, names), 2);
    assert_true(str_equal(names[0], STR("foes")) && str_equal(names[1], STR("seen")));
    assert_int_equal(anonymise_lists_of(STR("{\"ruleset\":{}}"), a, names), 0);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queued_ticket_comes_back_whole),
        cmocka_unit_test(ends_and_queues_come_back),
        cmocka_unit_test(what_is_no_event_is_refused),
        cmocka_unit_test(names_are_replaced_and_stay_equal),
        cmocka_unit_test(a_definition_tells_which_lists_hold_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
