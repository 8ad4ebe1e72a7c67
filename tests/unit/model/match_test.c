/* match_test.c - a match owns what it was made from. */
#include "model/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void copy_owns_every_part_of_the_spec(void **state) {
    (void)state;
    char tank[] = "tank", queue[] = "q", region[] = "eu", team[] = "red", ann[] = "ann",
         bob[] = "bob";
    struct team_member red[] = {{str_of(ann), {1, 1}, str_of(tank), ANSWER_ACCEPTED}},
                       blue[] = {{str_of(bob), {2, 2}, STR_EMPTY, ANSWER_NONE}};
    struct match_team teams[] = {
        {str_of(team), red, 1}, {STR("blue"), blue, 1}, {STR("c"), NULL, 0}};
    struct id tickets[] = {{1, 1}, {2, 2}};
    struct match_spec spec = {.id = {9, 9},
                              .state = MATCH_CONFIRMED,
                              .queue = str_of(queue),
                              .region = str_of(region),
                              .teams = teams,
                              .ticket_ids = tickets,
                              .team_count = 3,
                              .ticket_count = 2,
                              .quality = 80};
    struct match *m = match_new(&spec);
    queue[0] = region[0] = team[0] = ann[0] = bob[0] = tank[0] = 'x';
    tickets[0].hi = red[0].ticket_id.hi = teams[1].member_count = 0;
    assert_true(str_equal(m->spec.queue, STR("q")));
    assert_true(str_equal(m->spec.region, STR("eu")));
    assert_true(str_equal(m->spec.teams[0].name, STR("red")));
    assert_true(str_equal(m->spec.teams[0].members[0].player_id, STR("ann")));
    assert_true(str_equal(m->spec.teams[0].members[0].role, STR("tank")));
    assert_int_equal(m->spec.teams[0].members[0].ticket_id.hi, 1);
    assert_true(str_equal(m->spec.teams[1].members[0].player_id, STR("bob")));
    assert_int_equal(m->spec.teams[2].member_count, 0);
    assert_int_equal(m->spec.ticket_ids[0].hi, 1);
    match_free(m);
}

static void match_moves_forward_or_is_cancelled(void **state) {
    (void)state;
    static const char *const may[] = {/* to: P C A D X */
                                      "01001", "00111", "00011", "00000", "00000"};
    for (int from = 0; from < 5; from++) {
        for (int to = 0; to < 5; to++)
            assert_int_equal(match_may_move(MATCH_PROPOSED + from, MATCH_PROPOSED + to),
                             may[from][to] == '1');
    }
}

static void answers_are_found_set_and_counted_by_player(void **state) {
    (void)state;
    struct team_member red[] = {{STR("ann"), {1, 1}, STR_EMPTY, ANSWER_NONE}},
                       blue[] = {{STR("bob"), {2, 2}, STR_EMPTY, ANSWER_NONE}};
    struct match_team teams[] = {{STR("red"), red, 1}, {STR("blue"), blue, 1}};
    struct match_spec spec = {.id = {9, 9}, .state = MATCH_PROPOSED, .queue = STR("q")};
    spec.teams = teams;
    spec.team_count = 2;
    struct match *m = match_new(&spec);
    assert_int_equal(match_player_count(&m->spec), 2);
    assert_true(match_set_answer(m, STR("bob"), ANSWER_ACCEPTED));
    assert_false(match_set_answer(m, STR("eve"), ANSWER_ACCEPTED));
    assert_int_equal(match_member(&m->spec, STR("bob"))->answer, ANSWER_ACCEPTED);
    assert_int_equal(blue[0].answer, ANSWER_NONE); /* the copy's only */
    assert_int_equal(match_answers(&m->spec, ANSWER_ACCEPTED), 1);
    assert_int_equal(match_answers(&m->spec, ANSWER_NONE), 1);
    match_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_moves_forward_or_is_cancelled),
        cmocka_unit_test(answers_are_found_set_and_counted_by_player),
        cmocka_unit_test(copy_owns_every_part_of_the_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
