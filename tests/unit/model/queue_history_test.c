/* queue_history_test.c - what is kept of former versions, whatever the order they come in. */
#include "model/queue_history.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct queue_version version(uint32_t number, size_t bytes) {
    static char text[LIMIT_RULESET_BYTES];
    memset(text, 'j', sizeof text);
    return (struct queue_version){.number = number,
                                  .put_ms = 1000 + number,
                                  .json = {text, bytes},
                                  .author = STR("ann"),
                                  .comment = STR("wider")};
}

static void version_is_found_with_what_its_author_said(void **state) {
    (void)state;
    struct queue_history h = {0};
    struct queue_version v = version(3, 10);
    assert_int_equal(queue_history_add(&h, &v), 0);
    const struct queue_version *found = queue_history_find(&h, 3);
    assert_non_null(found);
    assert_int_equal(found->put_ms, 1003);
    assert_true(str_equal(found->json, v.json) && found->json.at != v.json.at);
    assert_true(str_equal(found->author, STR("ann")));
    assert_true(str_equal(found->comment, STR("wider")));
    assert_null(queue_history_find(&h, 2));
    assert_int_equal(queue_history_add(&h, &v), 0); /* it is there */
    assert_int_equal(h.count, 1);
    queue_history_fini(&h);
    queue_history_fini(&h);
}

static void oldest_versions_are_forgotten_at_the_limit_of_their_number(void **state) {
    (void)state;
    struct queue_history h = {0};
    for (uint32_t i = 1; i <= LIMIT_QUEUE_VERSIONS + 3; i++) {
        struct queue_version v = version(i, 1);
        assert_int_equal(queue_history_add(&h, &v), i > LIMIT_QUEUE_VERSIONS);
    }
    assert_int_equal(h.count, LIMIT_QUEUE_VERSIONS);
    assert_null(queue_history_find(&h, 3));
    assert_non_null(queue_history_find(&h, 4));
    queue_history_fini(&h);
}

static void oldest_versions_are_forgotten_at_the_limit_of_their_bytes(void **state) {
    (void)state;
    struct queue_history h = {0};
    for (uint32_t i = 1; i <= 3; i++) {
        struct queue_version v = version(i, LIMIT_VERSIONS_BYTES / 2 - 20);
        queue_history_add(&h, &v);
    }
    assert_int_equal(h.count, 2);
    assert_null(queue_history_find(&h, 1));
    assert_true(h.bytes <= LIMIT_VERSIONS_BYTES);
    queue_history_fini(&h);
}

/* A leader adds each as the next comes; who reads a cut journal adds the last ones so, and then,
 * from the newest on, those that the leader has kept. */
static void what_is_kept_does_not_depend_on_where_a_journal_begins(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        enum { COUNT = 30 };
        struct queue_version all[COUNT];
        struct queue_history in_order = {0}, cut = {0};
        for (uint32_t i = 0; i < COUNT; i++) {
            all[i] = version(i + 1, 1 + rng_below(&rng, 16000));
            queue_history_add(&in_order, &all[i]);
        }
        for (uint32_t i = (uint32_t)rng_below(&rng, COUNT + 1); i < COUNT; i++)
            queue_history_add(&cut, &all[i]);
        for (uint32_t i = in_order.count; i-- > 0;)
            queue_history_add(&cut, &in_order.past[i]);
        if (in_order.count != cut.count || in_order.bytes != cut.bytes)
            fail_msg("seed %llu", (unsigned long long)seed);
        for (uint32_t i = 0; i < in_order.count; i++)
            assert_int_equal(in_order.past[i].number, cut.past[i].number);
        queue_history_fini(&in_order);
        queue_history_fini(&cut);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_found_with_what_its_author_said),
        cmocka_unit_test(oldest_versions_are_forgotten_at_the_limit_of_their_number),
        cmocka_unit_test(oldest_versions_are_forgotten_at_the_limit_of_their_bytes),
        cmocka_unit_test(what_is_kept_does_not_depend_on_where_a_journal_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
