/* topics_test.c - each topic knows its own last position. */
#include "events/topics.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct position advance(struct topics *t, const char *topic, uint64_t seq) {
    return topics_advance(t, str_of(topic), (struct position){7, seq});
}

static void first_message_of_a_topic_follows_the_start_and_then_its_own_last(void **state) {
    (void)state;
    struct topics t = {0};
    topics_reset(&t, (struct position){6, 5});
    assert_int_equal(advance(&t, "b", 1).epoch, 6);
    assert_int_equal(advance(&t, "a", 2).seq, 5);
    assert_int_equal(advance(&t, "b", 3).seq, 1);
    assert_int_equal(advance(&t, "a", 4).seq, 2);
    topics_reset(&t, (struct position){7, 4});
    assert_int_equal(t.count, 0);
    assert_int_equal(advance(&t, "b", 9).seq, 4);
    topics_fini(&t);
}

static void many_topics_are_kept_apart_and_in_order(void **state) {
    (void)state;
    enum { TOPICS = 500 };
    struct topics t = {0};
    char name[16];
    topics_reset(&t, (struct position){7, 1000});
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < TOPICS; i++) {
            uint64_t n = i * 7919 % TOPICS;
            (void)snprintf(name, sizeof name, "t%03u", (unsigned)n);
            assert_int_equal(advance(&t, name, n + round).seq, round ? n : 1000);
        }
    }
    assert_int_equal(t.count, TOPICS);
    for (size_t i = 1; i < t.count; i++)
        assert_true(str_compare(t.at[i - 1].topic, t.at[i].topic) < 0);
    topics_fini(&t);
}

static void topics_above_the_limit_begin_anew_behind_the_last_one(void **state) {
    (void)state;
    struct topics t = {0};
    char name[16];
    topics_reset(&t, (struct position){7, 1});
    for (unsigned i = 0; i < LIMIT_TOPICS; i++) {
        (void)snprintf(name, sizeof name, "t%05u", i);
        assert_int_equal(advance(&t, name, 10 + i).seq, 1);
    }
    uint64_t last = 10 + LIMIT_TOPICS - 1;
    assert_int_equal(advance(&t, "t00000", last + 1).seq, 10); /* a known one costs no place */
    assert_int_equal(advance(&t, "one too many", last + 2).seq, last + 1);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.start.seq, last + 1);
    assert_int_equal(advance(&t, "t00000", last + 3).seq, last + 1);
    assert_int_equal(advance(&t, "one too many", last + 4).seq, last + 2);
    topics_fini(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_message_of_a_topic_follows_the_start_and_then_its_own_last),
        cmocka_unit_test(many_topics_are_kept_apart_and_in_order),
        cmocka_unit_test(topics_above_the_limit_begin_anew_behind_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
