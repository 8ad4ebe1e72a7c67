/* sio_packet_test.c - Socket.IO packets: the protocol's examples, and what no client may send. */
#include "socketio/sio_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "socketio/sio_json.h"

static void parts_of_a_packet_are_found(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum sio_packet_type type;
        size_t attachment_count;
        const char *nsp, *id, *payload;
    } CASES[] = {
        {"0", SIO_CONNECT, 0, "/", "", ""},
        {"0{\"token\":\"123\"}", SIO_CONNECT, 0, "/", "", "{\"token\":\"123\"}"},
        {"0/admin,{\"a\":1}", SIO_CONNECT, 0, "/admin", "", "{\"a\":1}"},
        {"0/admin", SIO_CONNECT, 0, "/admin", "", ""},
        {"0/admin?x=1,", SIO_CONNECT, 0, "/admin?x=1", "", ""},
        {"1/admin,", SIO_DISCONNECT, 0, "/admin", "", ""},
        {"2[\"hello\",1]", SIO_EVENT, 0, "/", "", "[\"hello\",1]"},
        {"2/admin,456[\"a\"]", SIO_EVENT, 0, "/admin", "456", "[\"a\"]"},
        {"3/admin,456[]", SIO_ACK, 0, "/admin", "456", "[]"},
        {"51-[\"a\",{\"_placeholder\":true,\"num\":0}]", SIO_BINARY_EVENT, 1, "/", "",
         "[\"a\",{\"_placeholder\":true,\"num\":0}]"},
        {"62-/admin,7[]", SIO_BINARY_ACK, 2, "/admin", "7", "[]"},
        {"510-[\"a\"]", SIO_BINARY_EVENT, 10, "/", "", "[\"a\"]"},
        {"212345678901234567890[\"a\"]", SIO_EVENT, 0, "/", "12345678901234567890", "[\"a\"]"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct sio_packet p;
        if (!sio_packet_parse(str_of(CASES[i].text), 64, &p)) fail_msg("%s", CASES[i].text);
        assert_int_equal(p.type, CASES[i].type);
        assert_int_equal(p.attachment_count, CASES[i].attachment_count);
        assert_true(str_equal(p.nsp, str_of(CASES[i].nsp)));
        assert_true(str_equal(p.id, str_of(CASES[i].id)));
        assert_true(str_equal(p.payload, str_of(CASES[i].payload)));
    }
}

static void what_no_client_may_send_is_refused(void **state) {
    (void)state;
    static const char *const BAD[] = {"",
                                      "7",
                                      "x",
                                      "-",
                                      "0[]",
                                      "0\"x\"",
                                      "0null",
                                      "01",
                                      "01{}",
                                      "0{}{}",
                                      "1{}",
                                      "11",
                                      "2",
                                      "2{}",
                                      "2[]",
                                      "2[null]",
                                      "2[{}]",
                                      "2[\"a\"",
                                      "2 [\"a\"]",
                                      "2-1[\"a\"]",
                                      "2[\"connect\"]",
                                      "2[\"disconnect\"]",
                                      "2123456789012345678901[\"a\"]",
                                      "3",
                                      "3{}",
                                      "31",
                                      "4",
                                      "4{\"message\":\"x\"}",
                                      "5[\"a\"]",
                                      "5-[\"a\"]",
                                      "511-[\"a\"]",
                                      "5-1-[\"a\"]",
                                      "51[\"a\"]",
                                      "51-{}",
                                      "51-[]",
                                      "61-{}",
                                      "51",
                                      "51-[\"a\",{\"_placeholder\":true,\"num\":1}]"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct sio_packet p;
        if (sio_packet_parse(str_of(BAD[i]), 64, &p)) fail_msg("%s", BAD[i]);
    }
}

static void splitting_an_event_leaves_its_arguments_as_an_array(void **state) {
    (void)state;
    static const char *const CASES[][3] = {
        {"[\"a\"]", "a", "[]"},
        {"[ \"a\" ] ", "a", "[]"},
        {"[\"a\",1,[2]]", "a", "[1,[2]]"},
        {"[ \"a\" , 1 ]", "a", "[ 1 ]"},
        {"[\"\\u0061\\n\",{}]", "a\n", "[{}]"},
        {"[12,true]", "12", "[true]"},
        {"[\"\",null]", "", "[null]"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *text = mem_text(str_of(CASES[i][0]));
        struct strbuf name = {0};
        struct str args;
        sio_packet_split_event(str_of(text), &name, &args);
        assert_true(str_equal(strbuf_str(&name), str_of(CASES[i][1])));
        assert_true(str_equal(args, str_of(CASES[i][2])));
        strbuf_fini(&name);
        mem_free(text);
    }
}

static void heads_are_written_as_they_are_parsed(void **state) {
    (void)state;
    static const char *const HEADS[] = {"0{}",           "0/admin,{}",     "2[\"a\"]", "212[\"a\"]",
                                        "2/x,12[\"a\"]", "51-/x,3[\"a\"]", "62-5[]"};
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        struct sio_packet p;
        struct strbuf out = {0};
        assert_true(sio_packet_parse(str_of(HEADS[i]), 64, &p));
        sio_packet_begin(&out, &p);
        strbuf_add_str(&out, p.payload);
        assert_int_equal(out.at[0], '4');
        assert_string_equal(out.at + 1, HEADS[i]);
        strbuf_fini(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_packet_are_found),
        cmocka_unit_test(what_no_client_may_send_is_refused),
        cmocka_unit_test(splitting_an_event_leaves_its_arguments_as_an_array),
        cmocka_unit_test(heads_are_written_as_they_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
