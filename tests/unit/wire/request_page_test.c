/* request_page_test.c - requests for lists in pages, and for what may come along. */
#include "support/request_kit.h"
#include "wire/fields.h"

#define ULID "01JD9Z0000ABCDEFGHJKMNPQRS"

static struct strbuf text_of(uint32_t key, const char *text) {
    struct strbuf b = {0};
    pb_put_text(&b, key, str_of(text));
    return b;
}

static void a_page_has_1_to_1000_matches(void **state) {
    (void)state;
    struct strbuf b = {0};
    struct decoded d = decode(METHOD_LIST_MATCHES, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.list_matches.page_size, 100);
    assert_true(id_is_none(d.r.list_matches.after));
    decoded_free(&d);
    pb_put_uint(&b, ListMatchesRequest_page_size, 1001);
    assert_refused(METHOD_LIST_MATCHES, &b, "page_size", "page_size is 1001; allowed are 0..1000");
    struct strbuf queue = text_of(ListMatchesRequest_queue, "a b");
    assert_refused(METHOD_LIST_MATCHES, &queue, "queue",
                   "queue is \"a b\"; allowed are 1..64 of [A-Za-z0-9_.-]");
}

static void tickets_are_listed_of_one_queue_from_a_place(void **state) {
    (void)state;
    struct strbuf b = text_of(ListTicketsRequest_queue, "duel");
    struct decoded d = decode(METHOD_LIST_TICKETS, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.list_tickets.page_size, 50);
    assert_true(d.r.list_tickets.from == 0);
    decoded_free(&d);
    pb_put_text(&b, ListTicketsRequest_page_token, STR("9999999999999999999"));
    d = decode(METHOD_LIST_TICKETS, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_true(d.r.list_tickets.from == UINT64_C(9999999999999999999));
    decoded_free(&d);
    pb_put_text(&b, ListTicketsRequest_page_token, STR("12a"));
    assert_refused(METHOD_LIST_TICKETS, &b, "page_token",
                   "page_token is none that ListTickets has answered");
    struct strbuf many = text_of(ListTicketsRequest_queue, "duel"), none = {0};
    pb_put_uint(&many, ListTicketsRequest_page_size, 201);
    assert_refused(METHOD_LIST_TICKETS, &many, "page_size", "page_size is 201; allowed are 0..200");
    assert_refused(METHOD_LIST_TICKETS, &none, "queue",
                   "queue is \"\"; allowed are 1..64 of [A-Za-z0-9_.-]");
}

static void a_match_may_come_with_its_tickets(void **state) {
    (void)state;
    struct strbuf b = text_of(GetMatchRequest_match_id, ULID);
    struct decoded d = decode(METHOD_GET_MATCH, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_false(d.r.get_match.with_tickets);
    decoded_free(&d);
    pb_put_uint(&b, GetMatchRequest_with_tickets, 1);
    d = decode(METHOD_GET_MATCH, &b);
    assert_true(d.r.get_match.with_tickets);
    decoded_free(&d);
    strbuf_fini(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_1_to_1000_matches),
        cmocka_unit_test(tickets_are_listed_of_one_queue_from_a_place),
        cmocka_unit_test(a_match_may_come_with_its_tickets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
