/* call_test.c - a call is answered once, with what it was given. */
#include "rt/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

struct answer {
    enum err code;
    char text[32], payload[32];
    size_t open_count;
};

static void keep(void *transport, enum err code, const struct err_text *why, struct str payload) {
    struct answer *a = transport;
    a->code = code;
    if (why) memcpy(a->text, why->text, sizeof a->text - 1);
    if (payload.size) memcpy(a->payload, payload.at, payload.size);
    a->open_count = call_open_count();
}

static void reply_hands_code_text_and_payload_to_the_transport(void **state) {
    (void)state;
    struct answer a = {0};
    struct err_text why = {0};
    struct call *c = call_new(4096, keep, &a);
    assert_int_equal(c->message.kind, MESSAGE_CALL);
    assert_int_equal(call_open_count(), 1);
    err_set(&why, ERR_NOT_FOUND, "no such ticket");
    /* What the call's own arena holds lives until the reply has been sent. */
    call_reply(c, ERR_NOT_FOUND, &why, arena_str(c->arena, STR("bytes")));
    assert_int_equal(a.code, ERR_NOT_FOUND);
    assert_string_equal(a.text, "no such ticket");
    assert_string_equal(a.payload, "bytes");
    assert_int_equal(a.open_count, 0);
}

static void call_expires_only_after_its_deadline(void **state) {
    (void)state;
    struct answer a = {0};
    struct call *c = call_new(0, keep, &a);
    c->deadline_us = 1000;
    assert_false(call_expired(c, 999));
    assert_false(call_expired(c, 1000));
    assert_true(call_expired(c, 1001));
    call_reply(c, ERR_DEADLINE_EXCEEDED, NULL, STR_EMPTY);
    assert_int_equal(a.code, ERR_DEADLINE_EXCEEDED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_hands_code_text_and_payload_to_the_transport),
        cmocka_unit_test(call_expires_only_after_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
