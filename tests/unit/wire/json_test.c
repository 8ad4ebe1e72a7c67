/* json_test.c - every message type there and back, exact output, and exact refusals. */
#include "wire/json.h"

#include "support/message_kit.h"

static struct err_text why;

static ProtobufCMessage *read_as(const ProtobufCMessageDescriptor *type, const char *json) {
    ProtobufCMessage *m;
    why = (struct err_text){0};
    if (json_to_message(str_of(json), type, &m, &why) != ERR_OK) assert_null(m);
    return m;
}

static void free_message(void *m) {
    protobuf_c_message_free_unpacked(m, NULL);
}

static void assert_refused(const ProtobufCMessageDescriptor *type, const char *json,
                           const char *field, const char *text) {
    if (read_as(type, json)) fail_msg("%s was accepted", json);
    assert_string_equal(why.text, text);
    assert_string_equal(why.field, field);
}

static void assert_json(const ProtobufCMessage *m, const char *expected) {
    struct strbuf out = {0};
    json_from_message(m, &out);
    assert_string_equal(out.at, expected);
    strbuf_fini(&out);
}

static void assert_string_json(struct str s, const char *expected) {
    struct strbuf out = {0};
    json_add_string(s, &out);
    assert_string_equal(out.at, expected);
    strbuf_fini(&out);
}

static void messages_of_every_type_come_back_the_same(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int round = 0; round < 40; round++)
        for (size_t t = 0; t < MESSAGE_KIT_TYPES; t++) {
            ProtobufCMessage *m = message_kit_random(&k, message_kit_types[t]), *again;
            struct strbuf json = {0}, bytes = message_kit_pack(m), bytes_again;
            json_from_message(m, &json);
            if (json_to_message(strbuf_str(&json), message_kit_types[t], &again, &why) != ERR_OK)
                fail_msg("%s: %s", json.at, why.text);
            bytes_again = message_kit_pack(again);
            if (!str_equal(strbuf_str(&bytes), strbuf_str(&bytes_again)))
                fail_msg("%s %s", message_kit_types[t]->name, json.at);
            free_message(m);
            free_message(again);
            strbuf_fini(&json);
            strbuf_fini(&bytes);
            strbuf_fini(&bytes_again);
            arena_reset(k.arena);
        }
    wire_kit_free(&k);
}

static void strings_are_escaped_as_browsers_do(void **state) {
    (void)state;
    assert_string_json(STR_EMPTY, "\"\"");
    assert_string_json(STR("a\"b\\c/\n\r\t\b"), "\"a\\\"b\\\\c/\\n\\r\\t\\u0008\"");
    assert_string_json(STR("\x01\x1F\x7F"), "\"\\u0001\\u001f\x7F\"");
    assert_string_json(STR("é語😀"), "\"é語😀\"");
}

static void what_is_no_utf_8_becomes_a_replacement_character(void **state) {
    (void)state;
    assert_string_json(STR("a\xFF"
                           "b"),
                       "\"a\xEF\xBF\xBD"
                       "b\"");
    assert_string_json(STR("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_string_json(STR("a\0b"), "\"a\xEF\xBF\xBD"
                                    "b\"");
}

static void numbers_are_as_short_as_can_be(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *json;
    } cases[] = {
        {1500, "1500"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {1e21, "1e+21"},
        {-2.5, "-2.5"},
        {5e-324, "4.94065645841247e-324"},
        {0.1 + 0.2, "0.30000000000000004"},
        {__builtin_inf(), "\"Infinity\""},
        {-__builtin_inf(), "\"-Infinity\""},
        {__builtin_nan(""), "\"NaN\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Muster__V1__AttributeValue v = MUSTER__V1__ATTRIBUTE_VALUE__INIT;
        v.kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
        v.number = cases[i].value;
        assert_json(&v.base, cases[i].json);
    }
}

static void integers_above_2_53_are_strings(void **state) {
    (void)state;
    Muster__V1__Position p = MUSTER__V1__POSITION__INIT;
    p.epoch = (uint64_t)1 << 53;
    p.seq = p.epoch + 1;
    assert_json(&p.base, "{\"epoch\":9007199254740992,\"seq\":\"9007199254740993\"}");
    p.epoch = 0, p.seq = UINT64_MAX;
    assert_json(&p.base, "{\"seq\":\"18446744073709551615\"}");
}

static void a_ticket_is_written_as_the_mapping_says(void **state) {
    (void)state;
    Muster__V1__Ticket t = MUSTER__V1__TICKET__INIT;
    assert_json(&t.base, "{\"state\":\"TICKET_STATE_UNSPECIFIED\",\"queues\":[],\"players\":[]}");
    char *queues[] = {"duel"};
    Muster__V1__Player player = MUSTER__V1__PLAYER__INIT, *players[] = {&player};
    Muster__V1__Player__LatenciesMsEntry eu = MUSTER__V1__PLAYER__LATENCIES_MS_ENTRY__INIT;
    Muster__V1__Player__LatenciesMsEntry *latencies[] = {&eu};
    eu.key = "eu", eu.value = 20;
    player.player_id = "p1", player.latencies_ms = latencies, player.n_latencies_ms = 1;
    t.ticket_id = "T", t.state = MUSTER__V1__TICKET_STATE__QUEUED;
    t.queues = queues, t.n_queues = 1, t.players = players, t.n_players = 1;
    t.create_time_ms = 1700000000000;
    assert_json(&t.base, "{\"ticketId\":\"T\",\"state\":\"QUEUED\",\"queues\":[\"duel\"],"
                         "\"players\":[{\"playerId\":\"p1\",\"attributes\":{},"
                         "\"latenciesMs\":{\"eu\":20}}],\"createTimeMs\":1700000000000}");
    t.state = (Muster__V1__TicketState)77; /* of a later version */
    t.n_players = t.n_queues = 0;
    assert_json(&t.base, "{\"ticketId\":\"T\",\"state\":77,\"queues\":[],\"players\":[],"
                         "\"createTimeMs\":1700000000000}");
}

static void a_match_shows_its_numbers_even_at_0(void **state) {
    (void)state;
    Muster__V1__Match m = MUSTER__V1__MATCH__INIT;
    assert_json(&m.base, "{\"state\":\"MATCH_STATE_UNSPECIFIED\",\"queueVersion\":0,\"teams\":[],"
                         "\"ticketIds\":[],\"quality\":0,\"skillSpread\":0,\"teamGap\":0,"
                         "\"longestWaitMs\":0,\"meanLatencyMs\":0,\"createTimeMs\":0,"
                         "\"results\":[],\"winGap\":0,\"meanWaitMs\":0,\"worstLatencyMs\":0,"
                         "\"leftPlayerIds\":[],\"rulesAgeMs\":0}");
}

static void bytes_are_base64(void **state) {
    (void)state;
    static const char *const expected[] = {
        "{\"metadata\":[]}", "{\"payload\":\"AA==\",\"metadata\":[]}",
        "{\"payload\":\"AP8=\",\"metadata\":[]}", "{\"payload\":\"AP9+\",\"metadata\":[]}",
        "{\"payload\":\"AP9+Pw==\",\"metadata\":[]}"};
    for (size_t i = 0; i < 5; i++) {
        Muster__V1__Request r = MUSTER__V1__REQUEST__INIT;
        r.payload = (ProtobufCBinaryData){i, (uint8_t *)"\x00\xFF\x7E\x3F"};
        assert_json(&r.base, expected[i]);
    }
    assert_refused(&muster__v1__request__descriptor, "{\"payload\":\"AA==\"}", "payload",
                   "payload cannot be given in JSON");
}

#define PLAYER &muster__v1__player__descriptor

static const Muster__V1__AttributeValue *attribute_of(Muster__V1__Player *p) {
    if (!p) fail_msg("%s", why.text);
    assert_int_equal(p->n_attributes, 1);
    return p->attributes[0]->value;
}

static void an_attribute_is_bare_or_in_full(void **state) {
    (void)state;
    static const char *const forms[][2] = {
        {"{\"attributes\":{\"a\":1500}}", "{\"attributes\":{\"a\":{\"number\":1500}}}"},
        {"{\"attributes\":{\"a\":\"x\"}}", "{\"attributes\":{\"a\":{\"text\":\"x\"}}}"},
        {"{\"attributes\":{\"a\":[\"x\",\"y\"]}}",
         "{\"attributes\":{\"a\":{\"list\":{\"values\":[\"x\",\"y\"]}}}}"},
        {"{\"attributes\":{\"a\":{\"x\":1,\"y\":2}}}",
         "{\"attributes\":{\"a\":{\"map\":{\"values\":{\"x\":1,\"y\":2}}}}}"},
    };
    for (uint32_t i = 0; i < 4; i++)
        for (int f = 0; f < 2; f++) {
            Muster__V1__Player *p = (Muster__V1__Player *)read_as(PLAYER, forms[i][f]);
            assert_int_equal(attribute_of(p)->kind_case, i + 1);
            struct strbuf out = {0}, expected = {0};
            json_from_message(&p->base, &out);
            strbuf_printf(&expected, "%.*s,\"latenciesMs\":{}}", (int)strlen(forms[i][0]) - 1,
                          forms[i][0]);
            assert_string_equal(out.at, expected.at);
            strbuf_fini(&out);
            strbuf_fini(&expected);
            free_message(p);
        }
}

static void a_map_with_a_key_like_a_kind_is_written_in_full(void **state) {
    (void)state;
    static const char json[] =
        "{\"attributes\":{\"a\":{\"map\":{\"values\":{\"number\":5}}}},\"latenciesMs\":{}}";
    Muster__V1__Player *p = (Muster__V1__Player *)read_as(PLAYER, json);
    assert_int_equal(attribute_of(p)->kind_case, MUSTER__V1__ATTRIBUTE_VALUE__KIND_MAP);
    assert_json(&p->base, json);
    free_message(p);
}

static void original_names_strings_for_numbers_and_null_are_accepted(void **state) {
    (void)state;
    Muster__V1__Player *p = (Muster__V1__Player *)read_as(
        PLAYER, "{\"player_id\":\"p1\",\"latencies_ms\":{\"eu\":\"20\",\"us\":3e1},"
                "\"attributes\":null}");
    if (!p) fail_msg("%s", why.text);
    assert_string_equal(p->player_id, "p1");
    assert_int_equal(p->latencies_ms[0]->value, 20);
    assert_int_equal(p->latencies_ms[1]->value, 30);
    assert_int_equal(p->n_attributes, 0);
    free_message(p);
    Muster__V1__Ticket *t =
        (Muster__V1__Ticket *)read_as(&muster__v1__ticket__descriptor, "{\"state\":3}");
    assert_int_equal(t->state, MUSTER__V1__TICKET_STATE__MATCHED);
    free_message(t);
}

static void sixty_four_bits_are_read_whole(void **state) {
    (void)state;
    Muster__V1__Position *p = (Muster__V1__Position *)read_as(
        &muster__v1__position__descriptor,
        "{\"epoch\":\"18446744073709551615\",\"seq\":9223372036854775807}");
    if (!p) fail_msg("%s", why.text);
    assert_true(p->epoch == UINT64_MAX && p->seq == INT64_MAX);
    free_message(p);
    Muster__V1__Ticket *t = (Muster__V1__Ticket *)read_as(
        &muster__v1__ticket__descriptor, "{\"createTimeMs\":\"-9223372036854775808\"}");
    assert_true(t->create_time_ms == INT64_MIN);
    free_message(t);
    assert_refused(&muster__v1__position__descriptor, "{\"seq\":\"18446744073709551616\"}", "seq",
                   "seq is \"18446744073709551616\"; allowed is a whole number");
    assert_refused(&muster__v1__position__descriptor, "{\"seq\":-1}", "seq",
                   "seq is -1; allowed are 0..9223372036854775807");
}

/* Each name alone is unique, so the parser lets both pass; the second array was written behind the
 * first one's end. */
static void a_field_under_both_of_its_names_is_refused(void **state) {
    (void)state;
    assert_refused(PLAYER, "{\"latenciesMs\":{\"a\":1},\"latencies_ms\":{\"b\":2,\"c\":3}}",
                   "latencies_ms", "latencies_ms is given twice");
    assert_refused(PLAYER, "{\"playerId\":\"a\",\"player_id\":\"b\"}", "player_id",
                   "player_id is given twice");
    assert_refused(&muster__v1__ticket_update__descriptor,
                   "{\"ticket\":{\"ticketId\":\"a\",\"ticket_id\":\"b\"}}", "ticket.ticket_id",
                   "ticket.ticket_id is given twice");
}

static void a_value_of_another_type_is_refused_with_its_path(void **state) {
    (void)state;
    static const struct {
        const char *json, *field, *text;
    } cases[] = {
        {"{\"playerId\":5}", "playerId", "playerId is a number; allowed is a string"},
        {"{\"playerId\":[]}", "playerId", "playerId is an array; allowed is a string"},
        {"{\"attributes\":[]}", "attributes", "attributes is an array; allowed is an object"},
        {"{\"attributes\":{\"a\":true}}", "attributes[\"a\"]",
         "attributes[\"a\"] is a boolean; allowed are a number, a string, an array of strings, an "
         "object of numbers"},
        {"{\"attributes\":{\"a\":null}}", "attributes[\"a\"]",
         "attributes[\"a\"] is null; allowed are a number, a string, an array of strings, an "
         "object of numbers"},
        {"{\"attributes\":{\"a\":[1]}}", "attributes[\"a\"][0]",
         "attributes[\"a\"][0] is a number; allowed is a string"},
        {"{\"attributes\":{\"a\":{\"x\":\"y\"}}}", "attributes[\"a\"][\"x\"]",
         "attributes[\"a\"][\"x\"] is a string; allowed is a number"},
        {"{\"attributes\":{\"a\":{\"number\":\"NaN\"}}}", "attributes[\"a\"].number",
         "attributes[\"a\"].number is a string; allowed is a number"},
        {"{\"latenciesMs\":{\"eu\":1.5}}", "latenciesMs[\"eu\"]",
         "latenciesMs[\"eu\"] is a number; allowed is a whole number"},
        {"{\"latenciesMs\":{\"eu\":\"x\"}}", "latenciesMs[\"eu\"]",
         "latenciesMs[\"eu\"] is \"x\"; allowed is a whole number"},
        {"{\"latenciesMs\":{\"eu\":2147483648}}", "latenciesMs[\"eu\"]",
         "latenciesMs[\"eu\"] is 2147483648; allowed are -2147483648..2147483647"},
        {"{\"latencies\":{}}", "",
         "the JSON has an unknown field \"latencies\"; did you mean \"latenciesMs\"?"},
        {"{\"zzzzzz\":1}", "", "the JSON has an unknown field \"zzzzzz\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(PLAYER, cases[i].json, cases[i].field, cases[i].text);
    assert_refused(&muster__v1__ticket__descriptor, "{\"state\":\"LOST\"}", "state",
                   "state is no name of TicketState");
    assert_refused(&muster__v1__ticket__descriptor, "{\"state\":4294967297}", "state",
                   "state is no name of TicketState");
    assert_refused(&muster__v1__check_response__descriptor, "{\"serving\":1}", "serving",
                   "serving is a number; allowed are true, false");
    assert_refused(&muster__v1__get_ticket_request__descriptor,
                   "{\"ticketId\":\"a\",\"playerId\":\"b\"}", "playerId",
                   "playerId is given beside another member of its oneof");
}

static void what_is_no_json_object_is_refused(void **state) {
    (void)state;
    assert_refused(PLAYER, "", "",
                   "this is no JSON: line 1, column 0: '[' or '{' expected near "
                   "end of file");
    assert_refused(PLAYER, "[]", "", "the JSON is an array; allowed is an object");
    assert_null(read_as(PLAYER, "{\"playerId\":\"a\",\"playerId\":\"b\"}"));
    assert_null(read_as(PLAYER, "{\"playerId\":\"\\u0000\"}"));
    assert_null(read_as(PLAYER, "{\"playerId\":\"\xFF\"}"));
    assert_null(read_as(PLAYER, "{\"latenciesMs\":{\"eu\":99999999999999999999}}"));
    assert_null(read_as(PLAYER, "{\"attributes\":{\"a\":1e999}}"));
    assert_null(read_as(PLAYER, "{} x"));
}

static void depth_and_size_have_limits(void **state) {
    (void)state;
    struct strbuf deep = {0}, big = {0};
    for (int i = 0; i < 10000; i++)
        strbuf_add_str(&deep, STR("{\"attributes\":"));
    assert_null(read_as(PLAYER, deep.at));
    strbuf_add_str(&big, STR("{\"playerId\":\""));
    memset(strbuf_reserve(&big, JSON_BYTES_MAX), 'x', JSON_BYTES_MAX);
    big.size += JSON_BYTES_MAX;
    big.at[big.size] = '\0';
    assert_refused(PLAYER, big.at, "", "the JSON has 1048589 bytes; allowed are 1048576");
    struct strbuf out = {0};
    assert_false(json_member(strbuf_str(&big), "playerId", &out));
    assert_int_equal(out.size, 0);
    strbuf_fini(&deep);
    strbuf_fini(&big);
}

static void parts_of_texts_are_cut_out(void **state) {
    (void)state;
    struct strbuf out = {0};
    assert_true(json_member(STR("{ \"b\" : 1, \"data\" : [1, {\"x\": 0.5}] }"), "data", &out));
    assert_string_equal(out.at, "[1,{\"x\":0.5}]");
    strbuf_clear(&out);
    assert_true(json_element(STR("[\"name\", {\"z\":1,\"a\":2}]"), 1, &out));
    assert_string_equal(out.at, "{\"z\":1,\"a\":2}"); /* in the order given */
    strbuf_clear(&out);
    assert_true(json_element(STR("[\"na\\\"me\"]"), 0, &out));
    assert_string_equal(out.at, "\"na\\\"me\"");
    strbuf_clear(&out);
    assert_false(json_element(STR("[1]"), 1, &out));
    assert_false(json_element(STR("{\"0\":1}"), 0, &out));
    assert_false(json_member(STR("{\"a\":1}"), "b", &out));
    assert_false(json_member(STR("[\"a\"]"), "a", &out));
    assert_false(json_member(STR_EMPTY, "a", &out));
    assert_int_equal(out.size, 0);
    strbuf_fini(&out);
}

static void use(struct str bytes, bool whole) {
    (void)whole;
    struct strbuf out = {0};
    for (size_t t = 0; t < MESSAGE_KIT_TYPES; t += 3) {
        ProtobufCMessage *m;
        if (json_to_message(bytes, message_kit_types[t], &m, &why) == ERR_OK) free_message(m);
    }
    (void)json_member(bytes, "players", &out);
    (void)json_element(bytes, 0, &out);
    strbuf_fini(&out);
}

static void spoiled_json_is_read_or_refused_but_never_crashes(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int i = 0; i < 4; i++) {
        ProtobufCMessage *m = message_kit_random(&k, &muster__v1__join_queue_request__descriptor);
        struct strbuf json = {0};
        json_from_message(m, &json);
        wire_kit_spoil(&k, strbuf_str(&json), 200, use);
        strbuf_fini(&json);
        free_message(m);
    }
    wire_kit_free(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_every_type_come_back_the_same),
        cmocka_unit_test(strings_are_escaped_as_browsers_do),
        cmocka_unit_test(what_is_no_utf_8_becomes_a_replacement_character),
        cmocka_unit_test(numbers_are_as_short_as_can_be),
        cmocka_unit_test(integers_above_2_53_are_strings),
        cmocka_unit_test(a_ticket_is_written_as_the_mapping_says),
        cmocka_unit_test(a_match_shows_its_numbers_even_at_0),
        cmocka_unit_test(bytes_are_base64),
        cmocka_unit_test(an_attribute_is_bare_or_in_full),
        cmocka_unit_test(a_map_with_a_key_like_a_kind_is_written_in_full),
        cmocka_unit_test(original_names_strings_for_numbers_and_null_are_accepted),
        cmocka_unit_test(sixty_four_bits_are_read_whole),
        cmocka_unit_test(a_field_under_both_of_its_names_is_refused),
        cmocka_unit_test(a_value_of_another_type_is_refused_with_its_path),
        cmocka_unit_test(what_is_no_json_object_is_refused),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(parts_of_texts_are_cut_out),
        cmocka_unit_test(spoiled_json_is_read_or_refused_but_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
