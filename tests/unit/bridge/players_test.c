/* players_test.c - sessions, references and memories of players. */
#include "bridge/players.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Only compared, never used: the registry does not look into sockets. */
static struct sio_socket *socket_number(size_t number) {
    static char places[8];
    return (struct sio_socket *)(void *)&places[number];
}

static void player_lives_as_long_as_he_is_referred_to(void **state) {
    (void)state;
    struct players p;
    players_init(&p);
    struct session *first = players_join(&p, STR("ann"), socket_number(0));
    struct session *second = players_join(&p, STR("ann"), socket_number(1));
    struct player *ann = players_find(&p, STR("ann"));
    assert_ptr_equal(first->player, ann);
    assert_int_equal(ann->sessions.count, 2);
    players_session_ref(second); /* a request under way */
    players_leave(&p, first);
    players_leave(&p, second);
    assert_null(second->socket);
    assert_int_equal(ann->sessions.count, 0);
    assert_ptr_equal(players_find(&p, STR("ann")), ann);
    players_session_unref(&p, second);
    assert_null(players_find(&p, STR("ann")));
    players_fini(&p);
}

static void memory_lasts_five_minutes_and_is_the_latest(void **state) {
    (void)state;
    struct players p;
    players_init(&p);
    players_remember(&p, STR("ann"), STR("T1"), 1000);
    players_remember(&p, STR("ann"), STR("T2"), 2000);
    assert_string_equal(players_memory(&p, STR("ann"), 2000 + PLAYERS_MEMORY_MS - 1), "T2");
    assert_null(players_memory(&p, STR("ann"), 2000 + PLAYERS_MEMORY_MS));
    assert_null(players_memory(&p, STR("bob"), 2000));
    players_forget(&p, STR("ann"));
    assert_null(players_memory(&p, STR("ann"), 2000));
    players_fini(&p);
}

static void oldest_memory_is_forgotten_at_the_limit(void **state) {
    (void)state;
    struct players p;
    players_init(&p);
    for (int i = 0; i <= PLAYERS_MEMORIES_MAX; i++) {
        char id[16];
        int size = snprintf(id, sizeof id, "p%d", i);
        players_remember(&p, (struct str){id, (size_t)size}, STR("T"), 1000);
    }
    assert_int_equal(p.by_age.count, PLAYERS_MEMORIES_MAX);
    assert_null(players_memory(&p, STR("p0"), 1000));
    assert_non_null(players_memory(&p, STR("p1"), 1000));
    players_fini(&p);
}

static void who_is_not_here_is_known_to_be_elsewhere_in_most_cases(void **state) {
    (void)state;
    struct players p;
    players_init(&p);
    struct session *sessions[100];
    char id[20];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(id, sizeof id, "here-%d", i);
        sessions[i] = players_join(&p, str_of(id), socket_number(0));
        assert_true(players_may_be_here(&p, str_of(id)));
    }
    int wrong = 0; /* expected: 1000 x 100 / 65536 */
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(id, sizeof id, "away-%d", i);
        wrong += players_may_be_here(&p, str_of(id));
    }
    assert_in_range(wrong, 0, 50);
    for (int i = 0; i < 100; i++)
        players_leave(&p, sessions[i]);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(id, sizeof id, "here-%d", i);
        assert_false(players_may_be_here(&p, str_of(id)));
    }
    players_fini(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(player_lives_as_long_as_he_is_referred_to),
        cmocka_unit_test(memory_lasts_five_minutes_and_is_the_latest),
        cmocka_unit_test(oldest_memory_is_forgotten_at_the_limit),
        cmocka_unit_test(who_is_not_here_is_known_to_be_elsewhere_in_most_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
