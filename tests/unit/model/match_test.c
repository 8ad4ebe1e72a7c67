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
    struct team_member red[] = {{str_of(ann), {1, 1}, str_of(tank)}},
                       blue[] = {{str_of(bob), {2, 2}, STR_EMPTY}};
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_owns_every_part_of_the_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
