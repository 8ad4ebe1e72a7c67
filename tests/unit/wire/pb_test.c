/* pb_test.c - varints, keys, lengths, and bytes that are no fields. */
#include "wire/pb.h"

#include "support/wire_kit.h"

static bool next(struct str bytes, struct pb_field *f) {
    struct pb_reader r = pb_reader(bytes);
    return pb_next(&r, f);
}

static void assert_malformed(struct str bytes) {
    struct pb_reader r = pb_reader(bytes);
    struct pb_field f;
    uint32_t count;
    while (pb_next(&r, &f))
        continue;
    assert_true(r.malformed);
    assert_false(pb_next(&r, &f)); /* and stays so */
    assert_false(pb_count(bytes, 1, &count));
}

static void varints_of_every_size_are_read_back(void **state) {
    (void)state;
    for (unsigned bit = 0; bit <= 64; bit++) {
        uint64_t top = bit == 64 ? UINT64_MAX : (uint64_t)1 << bit;
        for (uint64_t value = top - 1; value <= top && value >= top - 1; value++) {
            struct strbuf b = {0};
            struct pb_field f;
            pb_put_uint(&b, PB_KEY(3, PB_VARINT), value);
            if (value == 0) {
                assert_int_equal(b.size, 0); /* the default is left out */
            } else {
                assert_true(next(strbuf_str(&b), &f));
                assert_int_equal(f.key, PB_KEY(3, PB_VARINT));
                assert_true(f.value == value);
            }
            strbuf_fini(&b);
            if (value == UINT64_MAX) break;
        }
    }
}

static void negative_numbers_and_doubles_keep_every_bit(void **state) {
    (void)state;
    struct strbuf b = {0};
    pb_put_int(&b, PB_KEY(1, PB_VARINT), INT64_MIN);
    pb_put_double(&b, PB_KEY(2, PB_FIXED64), -0.0);
    pb_put_double(&b, PB_KEY(3, PB_FIXED64), 0.0); /* the default: left out */
    pb_add_double(&b, PB_KEY(4, PB_FIXED64), 0.0);
    struct pb_reader r = pb_reader(strbuf_str(&b));
    struct pb_field f;
    assert_true(pb_next(&r, &f));
    assert_true((int64_t)f.value == INT64_MIN);
    assert_true(pb_next(&r, &f));
    assert_true(pb_double(&f) == 0 && __builtin_signbit(pb_double(&f)));
    assert_true(pb_next(&r, &f));
    assert_int_equal(f.key, PB_KEY(4, PB_FIXED64));
    assert_false(pb_next(&r, &f));
    assert_false(r.malformed);
    strbuf_fini(&b);
}

static void bytes_that_are_no_fields_are_malformed(void **state) {
    (void)state;
    assert_malformed(STR("\x08"));                                             /* no value */
    assert_malformed(STR("\x80"));                                             /* half a key */
    assert_malformed(STR("\x00\x01"));                                         /* field number 0 */
    assert_malformed(STR("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"));     /* 65 bits */
    assert_malformed(STR("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")); /* 11 bytes */
    assert_malformed(STR("\x80\x80\x80\x80\x10\x01"));                     /* key over 32 bits */
    assert_malformed(STR("\x0A\x02\x61"));                                 /* 2 bytes, 1 there */
    assert_malformed(STR("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")); /* 2^64 - 1 bytes */
    assert_malformed(STR("\x09\x01\x02\x03\x04\x05\x06\x07"));             /* fixed64 of 7 */
    assert_malformed(STR("\x0D\x01\x02\x03"));                             /* fixed32 of 3 */
    assert_malformed(STR("\x0B\x0C"));                                     /* a group */
    assert_malformed(STR("\x0E"));                                         /* wire type 6 */
    assert_malformed(STR("\x0F"));                                         /* wire type 7 */
}

static void no_bytes_are_no_fields(void **state) {
    (void)state;
    struct pb_field f;
    uint32_t count = 7;
    assert_false(next(STR_EMPTY, &f));
    assert_true(pb_count(STR_EMPTY, 1, &count));
    assert_int_equal(count, 0);
}

static void a_text_keeps_its_nul_and_a_wrong_wire_type_is_another_key(void **state) {
    (void)state;
    struct pb_field f;
    assert_true(next(STR("\x0A\x03"
                         "a\0b"),
                     &f));
    assert_int_equal(f.bytes.size, 3);
    assert_memory_equal(f.bytes.at, "a\0b", 3);
    uint32_t count;
    assert_true(pb_count(STR("\x08\x03\x0A\x01"
                             "a"),
                         PB_KEY(1, PB_BYTES), &count));
    assert_int_equal(count, 1);
}

static void sub_messages_of_every_length_are_closed_in_place(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct strbuf b = {0};
        size_t outer = pb_open(&b, PB_KEY(500, PB_BYTES)), inner = pb_open(&b, PB_KEY(2, PB_BYTES));
        for (size_t n = 0; n < sizes[i]; n++)
            strbuf_add_char(&b, (char)(n * 7));
        pb_close(&b, inner);
        pb_put_uint(&b, PB_KEY(3, PB_VARINT), 9);
        pb_close(&b, outer);
        struct pb_field o, f;
        assert_true(next(strbuf_str(&b), &o));
        assert_int_equal(o.key, PB_KEY(500, PB_BYTES));
        struct pb_reader r = pb_reader(o.bytes);
        assert_true(pb_next(&r, &f));
        assert_int_equal(f.bytes.size, sizes[i]);
        for (size_t n = 0; n < sizes[i]; n += 997)
            assert_int_equal(f.bytes.at[n], (char)(n * 7));
        assert_true(pb_next(&r, &f) && f.value == 9);
        strbuf_fini(&b);
    }
}

/* 10,000 messages in each other cost no stack: nobody descends but into what he asked for. */
static void deep_nesting_is_one_field(void **state) {
    (void)state;
    struct strbuf b = {0};
    size_t marks[10000];
    for (int i = 0; i < 10000; i++)
        marks[i] = pb_open(&b, PB_KEY(1, PB_BYTES));
    for (int i = 9999; i >= 0; i--)
        pb_close(&b, marks[i]);
    uint32_t count;
    assert_true(pb_count(strbuf_str(&b), PB_KEY(1, PB_BYTES), &count));
    assert_int_equal(count, 1);
    strbuf_fini(&b);
}

static void walk(struct str bytes, bool whole) {
    (void)whole;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);)
        if ((f.key & 7) == PB_BYTES)
            assert_true(f.bytes.at + f.bytes.size <= bytes.at + bytes.size);
}

static void spoiled_bytes_never_reach_outside(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct strbuf b = {0};
    for (uint32_t i = 1; i < 60; i++) {
        pb_put_uint(&b, PB_KEY(i, PB_VARINT), rng_next(&k.rng) >> (i % 64));
        pb_add_double(&b, PB_KEY(i * 1000, PB_FIXED64), wire_kit_double(&k));
        pb_add_text(&b, PB_KEY(i, PB_BYTES), wire_kit_text(&k, 60));
    }
    wire_kit_spoil(&k, strbuf_str(&b), 5000, walk);
    strbuf_fini(&b);
    wire_kit_free(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_of_every_size_are_read_back),
        cmocka_unit_test(negative_numbers_and_doubles_keep_every_bit),
        cmocka_unit_test(bytes_that_are_no_fields_are_malformed),
        cmocka_unit_test(no_bytes_are_no_fields),
        cmocka_unit_test(a_text_keeps_its_nul_and_a_wrong_wire_type_is_another_key),
        cmocka_unit_test(sub_messages_of_every_length_are_closed_in_place),
        cmocka_unit_test(deep_nesting_is_one_field),
        cmocka_unit_test(spoiled_bytes_never_reach_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
