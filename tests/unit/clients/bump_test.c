/* bump_test.c - the memory messages are unpacked into. */
#include "../../../clients/c/src/bump.h"

#include <muster/v1/events.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_aligned_and_do_not_overlap(void **state) {
    (void)state;
    struct bump b = {0};
    unsigned char *pieces[400];
    for (size_t i = 0; i < 400; i++) { /* 80 kB: several blocks */
        pieces[i] = muster_bump_alloc(&b, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i % 251), i);
    }
    for (size_t i = 0; i < 400; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal(pieces[i][k], i % 251);
    muster_bump_fini(&b);
    assert_null(b.blocks);
}

static void reset_reuses_the_largest_block(void **state) {
    (void)state;
    struct bump b = {0};
    for (size_t i = 0; i < 100; i++)
        assert_non_null(muster_bump_alloc(&b, 1000));
    struct bump_block *largest = b.blocks;
    muster_bump_reset(&b);
    for (size_t i = 0; i < 60; i++)
        assert_non_null(muster_bump_alloc(&b, 1000));
    assert_ptr_equal(b.blocks, largest);
    muster_bump_fini(&b);
}

static void reset_gives_back_what_one_huge_message_took(void **state) {
    (void)state;
    struct bump b = {0};
    assert_non_null(muster_bump_alloc(&b, BUMP_KEPT_BYTES + 1));
    muster_bump_reset(&b);
    assert_null(b.blocks);
    muster_bump_fini(&b);
}

static void size_beyond_memory_is_refused_and_harms_nothing(void **state) {
    (void)state;
    struct bump b = {0};
    assert_null(muster_bump_alloc(&b, SIZE_MAX - 3));
    char *text = muster_bump_alloc(&b, 6);
    strcpy(text, "alive");
    assert_string_equal(text, "alive");
    muster_bump_fini(&b);
}

static void batch_unpacks_into_it_and_a_damaged_one_leaks_nothing(void **state) {
    (void)state;
    Muster__V1__Event event = MUSTER__V1__EVENT__INIT, *events[1] = {&event};
    Muster__V1__EventBatch batch = MUSTER__V1__EVENT_BATCH__INIT;
    event.queue = "duel";
    batch.events = events;
    batch.n_events = 1;
    uint8_t bytes[64];
    size_t size = muster__v1__event_batch__pack(&batch, bytes);
    struct bump b = {0};
    ProtobufCAllocator allocator = muster_bump_allocator(&b);
    Muster__V1__EventBatch *read = muster__v1__event_batch__unpack(&allocator, size, bytes);
    assert_string_equal(read->events[0]->queue, "duel");
    muster_bump_reset(&b);
    assert_null(muster__v1__event_batch__unpack(&allocator, size - 1, bytes));
    muster_bump_fini(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(reset_reuses_the_largest_block),
        cmocka_unit_test(reset_gives_back_what_one_huge_message_took),
        cmocka_unit_test(size_beyond_memory_is_refused_and_harms_nothing),
        cmocka_unit_test(batch_unpacks_into_it_and_a_damaged_one_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
