/* eio_base64_test.c - strict base64 and unguessable ids. */
#include "socketio/eio_base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

static void known_vectors_encode_and_decode(void **state) {
    (void)state;
    /* RFC 4648 section 10 */
    static const char *const VECTORS[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        struct strbuf text = {0};
        char bytes[16];
        size_t size;
        strbuf_add_str(&text, STR("b"));
        eio_base64_encode(&text, str_of(VECTORS[i][0]));
        assert_string_equal(text.at + 1, VECTORS[i][1]);
        assert_true(eio_base64_decode(str_of(VECTORS[i][1]), bytes, &size));
        assert_int_equal(size, strlen(VECTORS[i][0]));
        assert_memory_equal(bytes, VECTORS[i][0], size);
        strbuf_fini(&text);
    }
}

static void anything_but_canonical_base64_is_refused(void **state) {
    (void)state;
    static const char *const BAD[] = {"Z",    "Zg",       "Zg=",  "Zh==",   "Zm9=", "====",
                                      "Z===", "Zg==Zg==", "-_==", "Zm9v\n", "Zm 9", "=Zg="};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char bytes[16];
        size_t size;
        if (eio_base64_decode(str_of(BAD[i]), bytes, &size)) fail_msg("%s", BAD[i]);
    }
}

static void decoding_in_place_is_allowed(void **state) {
    (void)state;
    char text[] = "Zm9vYmFy";
    size_t size;
    assert_true(eio_base64_decode(str_of(text), text, &size));
    assert_memory_equal(text, "foobar", size);
}

static void ids_are_url_safe_and_differ(void **state) {
    (void)state;
    char ids[100][EIO_ID_BYTES];
    for (int i = 0; i < 100; i++) {
        eio_base64_new_id(ids[i]);
        struct str id = {ids[i], EIO_ID_BYTES};
        for (size_t k = 0; k < id.size; k++)
            assert_true(isalnum((unsigned char)id.at[k]) || id.at[k] == '-' || id.at[k] == '_');
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(ids[i], ids[k], EIO_ID_BYTES);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors_encode_and_decode),
        cmocka_unit_test(anything_but_canonical_base64_is_refused),
        cmocka_unit_test(decoding_in_place_is_allowed),
        cmocka_unit_test(ids_are_url_safe_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
