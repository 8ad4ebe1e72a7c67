/* ticket_test.c - deep copies, look-ups, and the table of moves. */
#include "model/ticket.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const enum ticket_state states[] = {TICKET_QUEUED, TICKET_PROPOSED, TICKET_MATCHED,
                                           TICKET_CANCELLED, TICKET_EXPIRED};

static void ticket_in_final_state_refuses_every_move(void **state) {
    (void)state;
    for (int from = 2; from < 5; from++) {
        for (int to = 0; to < 5; to++)
            assert_false(ticket_may_move(states[from], states[to]));
    }
}

static void open_ticket_may_end_in_each_way(void **state) {
    (void)state;
    for (int to = 2; to < 5; to++) {
        assert_true(ticket_may_move(TICKET_QUEUED, states[to]));
        assert_true(ticket_may_move(TICKET_PROPOSED, states[to]));
    }
    assert_true(ticket_may_move(TICKET_QUEUED, TICKET_PROPOSED));
    assert_true(ticket_may_move(TICKET_PROPOSED, TICKET_QUEUED));
    assert_false(ticket_may_move(TICKET_QUEUED, TICKET_QUEUED));
}

static void copy_owns_every_part_of_the_spec(void **state) {
    (void)state;
    char queue[] = "ranked", id[] = "ann", name[] = "maps", item_a[] = "desert", item_b[] = "ice";
    char region[] = "eu", text[] = "duel";
    struct str items[] = {str_of(item_a), str_of(item_b)};
    double numbers[] = {1.5, -2};
    struct attribute attributes[] = {
        {.name = str_of(name),
         .kind = ATTRIBUTE_MAP,
         .items = items,
         .numbers = numbers,
         .item_count = 2},
        {.name = STR("mode"), .kind = ATTRIBUTE_TEXT, .text = str_of(text)},
        {.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = 42},
    };
    struct latency latencies[] = {{str_of(region), 30}};
    struct player players[] = {{str_of(id), attributes, latencies, 3, 1},
                               {STR("bob"), NULL, NULL, 0, 0}};
    struct str queues[] = {str_of(queue), STR("casual")};
    struct ticket_spec spec = {queues, players, 2, 2};
    struct ticket *t = ticket_new((struct id){1, 2}, &spec, NULL);
    memset(queue, 'x', 6), memset(id, 'x', 3), memset(name, 'x', 4), memset(item_a, 'x', 6);
    memset(region, 'x', 2), memset(text, 'x', 4), numbers[1] = 9, latencies[0].ms = 1;
    attributes[2].number = 0;
    struct arena *arena = arena_new(0);
    struct ticket_spec own = ticket_spec(t, arena);
    assert_true(str_equal(own.queues[0], STR("ranked")));
    assert_true(str_equal(own.queues[1], STR("casual")));
    const struct player *p = &own.players[0];
    assert_true(str_equal(p->id, STR("ann")));
    assert_true(str_equal(own.players[1].id, STR("bob")));
    const struct attribute *maps = player_attribute(p, STR("maps"));
    assert_non_null(maps);
    assert_true(str_equal(maps->items[0], STR("desert")));
    assert_float_equal(maps->numbers[1], -2, 0);
    assert_true(str_equal(player_attribute(p, STR("mode"))->text, STR("duel")));
    assert_float_equal(player_attribute(p, STR("skill"))->number, 42, 0);
    assert_int_equal(player_latency_ms(p, STR("eu")), 30);
    ticket_free(t);
    arena_free(arena);
}

static void each_state_has_its_own_and_begins_with_it_empty(void **state) {
    (void)state;
    const struct str queues[] = {STR("a"), STR("b"), STR("c")};
    const struct player ann = {.id = STR("ann")};
    const struct traceparent trace = {{1, 2, 3}};
    const struct ticket_origin origin = {{{7, 8}, 9}, &trace, NULL};
    for (uint32_t count = 1; count <= 3; count++) {
        struct ticket_spec spec = {queues, &ann, count, 1};
        struct ticket *t = ticket_new((struct id){1, 2}, &spec, &origin);
        t->alive_ms = 99;
        assert_true(id_is_none(ticket_match_id(t)));
        ticket_move(t, TICKET_PROPOSED);
        assert_true(id_is_none(ticket_match_id(t)));
        ticket_set_match(t, (struct id){5, 6});
        ticket_move(t, TICKET_QUEUED);
        assert_int_equal(t->alive_ms, 0);
        ticket_move(t, TICKET_PROPOSED);
        ticket_set_match(t, (struct id){5, 6});
        t->places[count - 1].eta_kind = 3;
        ticket_move(t, TICKET_CANCELLED);
        assert_true(id_equal(ticket_match_id(t), (struct id){5, 6}));
        assert_true(ticket_ended_ms(t) == 0 && ticket_reason(t).size == 0);
        ticket_end(t)->ended_ms = 12;
        ticket_set_reason(t, STR("gone"));
        assert_true(ticket_ended_ms(t) == 12 && str_equal(ticket_reason(t), STR("gone")));
        assert_true(id_equal(ticket_request(t).key, origin.request.key));
        assert_int_equal(ticket_request(t).hash, 9);
        assert_memory_equal(ticket_trace(t), &trace, sizeof trace);
        assert_true(str_equal(ticket_queue(t, count - 1), queues[count - 1]));
        assert_true(ticket_has_player(t, ann.id));
        ticket_free(t);
    }
}

static void missing_attribute_and_region_are_told_apart_from_present_ones(void **state) {
    (void)state;
    const struct attribute attributes[] = {{.name = STR("a")}, {.name = STR("c")}};
    const struct latency latencies[] = {{STR("eu"), 10}, {STR("us"), 90}};
    const struct player p = {STR("ann"), attributes, latencies, 2, 2};
    assert_null(player_attribute(&p, STR("b")));
    assert_ptr_equal(player_attribute(&p, STR("c")), &attributes[1]);
    assert_int_equal(player_latency_ms(&p, STR("us")), 90);
    assert_int_equal(player_latency_ms(&p, STR("asia")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket_in_final_state_refuses_every_move),
        cmocka_unit_test(open_ticket_may_end_in_each_way),
        cmocka_unit_test(copy_owns_every_part_of_the_spec),
        cmocka_unit_test(each_state_has_its_own_and_begins_with_it_empty),
        cmocka_unit_test(missing_attribute_and_region_are_told_apart_from_present_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
