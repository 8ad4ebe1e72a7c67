/* slab_test.c - objects of a slab do not overlap, stay where they are, and are used again. */
#include "base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { OBJECTS = 3000, BYTES = 100 };

static void objects_keep_what_was_written_to_them(void **state) {
    (void)state;
    static unsigned char *objects[OBJECTS];
    struct slab s = {.size = BYTES};
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = slab_take(&s);
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
        memset(objects[i], i & 0xFF, BYTES);
    }
    for (int i = 0; i < OBJECTS; i++) {
        for (int k = 0; k < BYTES; k++)
            assert_int_equal(objects[i][k], i & 0xFF);
    }
    slab_fini(&s);
}

static void objects_stand_as_closely_as_their_alignment_allows(void **state) {
    (void)state;
    struct slab s = {.size = BYTES, .alignment = 32};
    char *before = slab_take(&s);
    for (int i = 0; i < 100; i++) {
        char *object = slab_take(&s);
        assert_int_equal((uintptr_t)object % 32, 0);
        assert_int_equal(object - before, 128);
        before = object;
    }
    slab_fini(&s);
}

static void what_was_given_back_last_is_taken_next(void **state) {
    (void)state;
    struct slab s = {.size = BYTES};
    void *a = slab_take(&s), *b = slab_take(&s);
    slab_give(&s, a);
    slab_give(&s, b);
    assert_ptr_equal(slab_take(&s), b);
    assert_ptr_equal(slab_take(&s), a);
    slab_fini(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_keep_what_was_written_to_them),
        cmocka_unit_test(objects_stand_as_closely_as_their_alignment_allows),
        cmocka_unit_test(what_was_given_back_last_is_taken_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
