/* envelope_test.c - requests as protobuf-c writes them, responses as it reads them, and limits. */
#include "wire/envelope.h"

#include "muster/v1/envelope.pb-c.h"
#include "support/wire_kit.h"
#include "wire/fields.h"

static struct err_text why;

static enum err decode(const struct strbuf *bytes, struct envelope *out) {
    why = (struct err_text){0};
    return envelope_decode(strbuf_str(bytes), out, &why);
}

static void add_metadata(struct strbuf *b, struct str key, struct str value) {
    size_t metadata = pb_open(b, Request_metadata);
    pb_put_text(b, Metadata_key, key);
    pb_put_text(b, Metadata_value, value);
    pb_close(b, metadata);
}

static void assert_refused(struct strbuf *b, const char *field, const char *text) {
    struct envelope e;
    assert_int_equal(decode(b, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(why.text, text);
    assert_string_equal(why.field, field);
    strbuf_fini(b);
}

static void a_request_packed_by_the_library_is_read(void **state) {
    (void)state;
    Muster__V1__Metadata one = MUSTER__V1__METADATA__INIT, two = MUSTER__V1__METADATA__INIT;
    Muster__V1__Metadata three = MUSTER__V1__METADATA__INIT;
    Muster__V1__Metadata *all[] = {&one, &two, &three};
    one.key = "authorization", one.value = "Bearer x";
    two.key = "traceparent", two.value = "00-1-2-01";
    three.key = "x-other", three.value = "ignored";
    Muster__V1__Request m = MUSTER__V1__REQUEST__INIT;
    m.method = "muster.v1.System/Check";
    m.payload = (ProtobufCBinaryData){3, (uint8_t *)"\0\1\2"};
    m.timeout_ms = 250;
    m.request_id = "req-1";
    m.metadata = all, m.n_metadata = 3;
    struct strbuf b = {0};
    size_t size = muster__v1__request__get_packed_size(&m);
    b.size = muster__v1__request__pack(&m, (uint8_t *)strbuf_reserve(&b, size));
    struct envelope e;
    assert_int_equal(decode(&b, &e), ERR_OK);
    assert_text(e.method, "muster.v1.System/Check");
    assert_int_equal(e.payload.size, 3);
    assert_memory_equal(e.payload.at, "\0\1\2", 3);
    assert_int_equal(e.timeout_ms, 250);
    assert_text(e.request_id, "req-1");
    assert_text(e.authorization, "Bearer x");
    assert_text(e.traceparent, "00-1-2-01");
    strbuf_fini(&b);
}

static void nothing_is_an_empty_request(void **state) {
    (void)state;
    struct envelope e;
    assert_int_equal(envelope_decode(STR_EMPTY, &e, &why), ERR_OK);
    assert_int_equal(e.method.size, 0);
    assert_int_equal(e.timeout_ms, 0);
}

static void unknown_fields_are_skipped(void **state) {
    (void)state;
    struct strbuf b = {0};
    pb_put_uint(&b, PB_KEY(77, PB_VARINT), 5);
    pb_add_text(&b, PB_KEY(6, PB_BYTES), STR("later"));
    pb_put_uint(&b, PB_KEY(1, PB_VARINT), 5); /* method's number, another wire type */
    pb_put_text(&b, Request_method, STR("a"));
    struct envelope e;
    assert_int_equal(decode(&b, &e), ERR_OK);
    assert_text(e.method, "a");
    strbuf_fini(&b);
}

static void a_long_timeout_is_cut_down_to_the_limit(void **state) {
    (void)state;
    static const uint64_t values[] = {60001, UINT32_MAX, UINT64_MAX};
    for (int i = 0; i < 3; i++) {
        struct strbuf b = {0};
        struct envelope e;
        pb_put_uint(&b, Request_timeout_ms, values[i]);
        assert_int_equal(decode(&b, &e), ERR_OK);
        assert_int_equal(e.timeout_ms, LIMIT_TIMEOUT_MS);
        strbuf_fini(&b);
    }
}

static void what_is_no_request_is_refused(void **state) {
    (void)state;
    struct strbuf b = {0};
    strbuf_add_str(&b, STR("GET / HTTP/1.1\r\n"));
    assert_refused(&b, "", "the message is no muster.v1.Request");
}

static void a_method_that_is_no_text_is_refused(void **state) {
    (void)state;
    struct strbuf b = {0}, nul = {0}, big = {0};
    char name[129];
    memset(name, 'm', sizeof name);
    pb_put_text(&b, Request_method, STR("muster\xFF"));
    assert_refused(&b, "method", "method is no UTF-8 text of at most 128 bytes");
    pb_put_text(&nul, Request_method, STR("muster\0v1"));
    assert_refused(&nul, "method", "method is no UTF-8 text of at most 128 bytes");
    pb_put_text(&big, Request_method, (struct str){name, sizeof name});
    assert_refused(&big, "method", "method is no UTF-8 text of at most 128 bytes");
}

static void a_request_id_that_is_no_name_is_refused(void **state) {
    (void)state;
    static const struct str bad[] = {{"a b", 3}, {"a\0b", 3}, {"\xC3\xA9", 2}};
    for (int i = 0; i < 3; i++) {
        struct strbuf b = {0};
        pb_put_text(&b, Request_request_id, bad[i]);
        assert_refused(&b, "request_id", "request_id is not 1..64 bytes of [A-Za-z0-9_.-]");
    }
}

static void metadata_has_limits(void **state) {
    (void)state;
    struct strbuf b = {0}, key = {0}, value = {0}, bad = {0};
    struct envelope e;
    char text[4097];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 32; i++)
        add_metadata(&b, STR("authorization"), (struct str){text, 4096});
    assert_int_equal(decode(&b, &e), ERR_OK);
    add_metadata(&b, STR("k"), STR("v"));
    assert_refused(&b, "metadata", "metadata has over 32 entries");
    add_metadata(&key, (struct str){text, 65}, STR("v"));
    assert_refused(&key, "metadata", "metadata has a key that is no UTF-8 of at most 64 bytes");
    add_metadata(&value, STR("k"), (struct str){text, 4097});
    assert_refused(&value, "metadata",
                   "metadata has a value that is no UTF-8 of at most 4096 bytes");
    pb_add_text(&bad, Request_metadata, STR("\x0A\x09k"));
    assert_refused(&bad, "metadata", "metadata is malformed");
}

static Muster__V1__Response *read_response(struct strbuf *b) {
    Muster__V1__Response *r = muster__v1__response__unpack(NULL, b->size, (uint8_t *)b->at);
    if (b->size) assert_non_null(r);
    strbuf_fini(b);
    return r;
}

static void a_response_is_read_by_the_library(void **state) {
    (void)state;
    struct strbuf b = {0}, ok = {0};
    struct err_text text = {"players[0].player_id is \"\"", "players[0].player_id", 1500};
    envelope_encode_response(ERR_INVALID_ARGUMENT, &text, STR_EMPTY, &b);
    Muster__V1__Response *r = read_response(&b);
    assert_int_equal(r->status->code, 3);
    assert_string_equal(r->status->message, text.text);
    assert_int_equal(r->status->n_details, 1);
    assert_string_equal(r->status->details[0]->field, text.field);
    assert_string_equal(r->status->details[0]->message, text.text);
    muster__v1__response__free_unpacked(r, NULL);
    envelope_encode_response(ERR_OK, NULL, STR("a\0b"), &ok);
    r = read_response(&ok);
    assert_null(r->status);
    assert_int_equal(r->payload.len, 3);
    muster__v1__response__free_unpacked(r, NULL);
}

static void a_text_cut_inside_a_character_stays_utf_8(void **state) {
    (void)state;
    struct err_text text = {"", "f\xE2\x82", 0};
    memset(text.text, 'x', ERR_TEXT_BYTES - 1);
    memcpy(text.text + ERR_TEXT_BYTES - 3, "\xF0\x9F", 2);
    struct strbuf b = {0};
    envelope_encode_response(ERR_NOT_FOUND, &text, STR_EMPTY, &b);
    Muster__V1__Response *r = read_response(&b);
    assert_true(str_utf8_valid(str_of(r->status->message)));
    assert_int_equal(strlen(r->status->message), ERR_TEXT_BYTES - 1);
    assert_string_equal(r->status->details[0]->field, "f??");
    muster__v1__response__free_unpacked(r, NULL);
}

static void use(struct str bytes, bool whole) {
    (void)whole;
    struct envelope e;
    if (envelope_decode(bytes, &e, &why) == ERR_OK) {
        assert_true(str_utf8_valid(e.method) && e.method.size <= 128);
        assert_true(e.request_id.size == 0 || str_name_valid(e.request_id));
        assert_true(e.timeout_ms <= LIMIT_TIMEOUT_MS);
        assert_true(e.authorization.size <= 4096 && str_utf8_valid(e.authorization));
    } else {
        assert_true(str_utf8_valid(str_of(why.text)));
    }
}

static void a_spoiled_request_keeps_every_promise_of_the_header(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct strbuf b = {0};
    pb_put_text(&b, Request_method, STR("muster.v1.Tickets/CreateTicket"));
    pb_put_text(&b, Request_payload, wire_kit_text(&k, 80));
    pb_put_uint(&b, Request_timeout_ms, 5000);
    pb_put_text(&b, Request_request_id, STR("0123456789abcdef"));
    add_metadata(&b, STR("authorization"), STR("Bearer abc"));
    wire_kit_spoil(&k, strbuf_str(&b), 5000, use);
    strbuf_fini(&b);
    wire_kit_free(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_packed_by_the_library_is_read),
        cmocka_unit_test(nothing_is_an_empty_request),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(a_long_timeout_is_cut_down_to_the_limit),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(a_method_that_is_no_text_is_refused),
        cmocka_unit_test(a_request_id_that_is_no_name_is_refused),
        cmocka_unit_test(metadata_has_limits),
        cmocka_unit_test(a_response_is_read_by_the_library),
        cmocka_unit_test(a_text_cut_inside_a_character_stays_utf_8),
        cmocka_unit_test(a_spoiled_request_keeps_every_promise_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
