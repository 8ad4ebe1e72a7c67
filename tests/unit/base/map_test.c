/* map_test.c - the hash map against a plain array, with good and with terrible hashes. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

#include <stdio.h>

enum { KEYS = 2000 };

struct thing {
    int key;
    bool inside;
};

static bool has_key(const void *value, const void *key) {
    return ((const struct thing *)value)->key == *(const int *)key;
}

static uint64_t spread(int key) {
    return (uint64_t)key * 0xD6E8FEB86659FD93u;
}

static uint64_t collide(int key) {
    return (uint64_t)(key % 3);
}

static void check_all(const struct map *m, const struct thing *things, uint64_t (*hash)(int)) {
    size_t inside = 0, walked = 0, cursor = 0;
    for (int i = 0; i < KEYS; i++) {
        const void *found = map_get(m, hash(i), has_key, &things[i].key);
        assert_ptr_equal(found, things[i].inside ? &things[i] : NULL);
        inside += things[i].inside;
    }
    for (const struct thing *t; (t = map_next(m, &cursor)) != NULL; walked++)
        assert_true(t->inside);
    assert_int_equal(inside, m->count);
    assert_int_equal(inside, walked);
}

static void play(uint64_t (*hash)(int), int moves) {
    static struct thing things[KEYS];
    struct map m = {0};
    struct rng rng;
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    for (int i = 0; i < KEYS; i++)
        things[i] = (struct thing){.key = i};
    for (int i = 0; i < moves; i++) {
        struct thing *t = &things[rng_below(&rng, KEYS)];
        if (t->inside)
            assert_true(map_remove(&m, hash(t->key), t));
        else
            map_put(&m, hash(t->key), t);
        t->inside = !t->inside;
        if (i % (moves / 8) == 0) check_all(&m, things, hash);
    }
    check_all(&m, things, hash);
    map_fini(&m);
}

static void map_agrees_with_a_plain_array_after_any_moves(void **state) {
    (void)state;
    play(spread, 40000);
}

static void map_is_correct_even_when_hashes_collide(void **state) {
    (void)state;
    play(collide, 4000);
}

static void empty_map_finds_and_removes_nothing(void **state) {
    (void)state;
    struct map m = {0};
    int key = 1;
    size_t cursor = 0;
    assert_null(map_get(&m, 1, has_key, &key));
    assert_false(map_remove(&m, 1, &key));
    assert_null(map_next(&m, &cursor));
    map_fini(&m);
}

static void remove_takes_exactly_the_value_named(void **state) {
    (void)state;
    struct map m = {0};
    struct thing a = {.key = 1}, b = {.key = 1};
    map_put(&m, 9, &a);
    assert_false(map_remove(&m, 9, &b));
    map_put(&m, 9, &b);
    assert_true(map_remove(&m, 9, &a));
    assert_ptr_equal(map_get(&m, 9, has_key, &a.key), &b);
    map_fini(&m);
}

static bool is_value(const void *value, const void *key) {
    return value == key;
}

static void a_value_can_be_there_under_several_hashes(void **state) {
    (void)state;
    struct map m = {0};
    struct thing party = {.key = 1};
    uint64_t hash = 1;
    for (int round = 0; round < 500; round++) {
        uint64_t hashes[10];
        for (int i = 0; i < 10; i++) {
            hashes[i] = hash = hash * 6364136223846793005u + 1442695040888963407u;
            map_put(&m, hash, &party);
        }
        for (int i = 9; i >= 0; i--) {
            assert_true(map_remove(&m, hashes[i], &party));
            assert_null(map_get(&m, hashes[i], is_value, &party));
            for (int k = 0; k < i; k++)
                assert_ptr_equal(map_get(&m, hashes[k], is_value, &party), &party);
        }
        assert_int_equal(m.count, 0);
    }
    map_fini(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_agrees_with_a_plain_array_after_any_moves),
        cmocka_unit_test(map_is_correct_even_when_hashes_collide),
        cmocka_unit_test(empty_map_finds_and_removes_nothing),
        cmocka_unit_test(remove_takes_exactly_the_value_named),
        cmocka_unit_test(a_value_can_be_there_under_several_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
