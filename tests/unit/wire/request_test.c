/* request_test.c - every method's request: what is accepted, and the exact words of refusals. */
#include "wire/request.h"

#include "muster/v1/tickets.pb-c.h"
#include "support/request_kit.h"
#include "support/wire_kit.h"
#include "wire/fields.h"
#include "wire/name_list.h"
#include "wire/player_codec.h"

/* ---- building requests field by field, right or wrong ---- */

static void add_attribute(struct strbuf *b, struct str key, struct str value) {
    size_t entry = pb_open(b, Player_attributes);
    pb_put_text(b, AttributesEntry_key, key);
    pb_add_text(b, AttributesEntry_value, value);
    pb_close(b, entry);
}

static void add_latency(struct strbuf *b, struct str region, int64_t ms) {
    size_t entry = pb_open(b, Player_latencies_ms);
    pb_put_text(b, LatenciesMsEntry_key, region);
    pb_put_int(b, LatenciesMsEntry_value, ms);
    pb_close(b, entry);
}

static void add_player(struct strbuf *b, struct str id) {
    size_t player = pb_open(b, CreateTicketRequest_players);
    pb_put_text(b, Player_player_id, id);
    pb_close(b, player);
}

/* A request of one player "p1" whose further fields are `player`, freed. */
static struct strbuf ticket_of(struct strbuf player) {
    struct strbuf b = {0};
    pb_put_text(&b, CreateTicketRequest_queues, STR("duel"));
    size_t at = pb_open(&b, CreateTicketRequest_players);
    pb_put_text(&b, Player_player_id, STR("p1"));
    strbuf_add_str(&b, strbuf_str(&player));
    pb_close(&b, at);
    strbuf_fini(&player);
    return b;
}

static void assert_player_refused(struct strbuf player, const char *field, const char *text) {
    struct strbuf b = ticket_of(player);
    assert_refused(METHOD_CREATE_TICKET, &b, field, text);
}

/* `value`: an AttributeValue's bytes, freed; refused as attribute "a" with `text` behind its path.
 */
static void assert_value_refused(struct strbuf value, const char *text) {
    struct strbuf player = {0}, expected = {0};
    add_attribute(&player, STR("a"), strbuf_str(&value));
    strbuf_printf(&expected, "players[0].attributes[\"a\"] %s", text);
    assert_player_refused(player, "players[0].attributes[\"a\"]", expected.at);
    strbuf_fini(&expected);
    strbuf_fini(&value);
}

/* ---- tickets ---- */

static void any_valid_ticket_is_read_as_it_was_meant(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int i = 0; i < 200; i++) {
        struct ticket_spec spec = wire_kit_spec(&k);
        struct strbuf b = {0}, again = {0};
        name_list_write(spec.queues, spec.queue_count, CreateTicketRequest_queues, &b);
        player_codec_write(&spec, CreateTicketRequest_players, &b);
        /* And once more as the library writes what it has read of it. */
        Muster__V1__CreateTicketRequest *m =
            muster__v1__create_ticket_request__unpack(NULL, b.size, (uint8_t *)b.at);
        assert_non_null(m);
        size_t size = muster__v1__create_ticket_request__get_packed_size(m);
        again.size =
            muster__v1__create_ticket_request__pack(m, (uint8_t *)strbuf_reserve(&again, size));
        muster__v1__create_ticket_request__free_unpacked(m, NULL);
        const struct strbuf *forms[] = {&b, &again};
        for (int f = 0; f < 2; f++) {
            struct decoded d = decode(METHOD_CREATE_TICKET, forms[f]);
            if (d.code != ERR_OK) fail_msg("%s", d.why.text);
            assert_int_equal(d.r.create.count, 1);
            assert_int_equal(d.r.create.items[0].command.kind, COMMAND_CREATE_TICKET);
            wire_kit_same_spec(&spec, &d.r.create.items[0].command.create_ticket.spec);
            decoded_free(&d);
        }
        strbuf_fini(&b);
        strbuf_fini(&again);
        arena_reset(k.arena);
    }
    wire_kit_free(&k);
}

static void a_ticket_names_1_to_8_queues_once_each(void **state) {
    (void)state;
    struct strbuf none = {0}, bad = {0}, twice = {0}, many = {0};
    add_player(&none, STR("p1"));
    assert_refused(METHOD_CREATE_TICKET, &none, "queues", "queues has 0 names; allowed are 1..8");
    pb_put_text(&bad, CreateTicketRequest_queues, STR("my queue"));
    assert_refused(METHOD_CREATE_TICKET, &bad, "queues[0]",
                   "queues[0] is \"my queue\"; allowed are 1..64 of [A-Za-z0-9_.-]");
    pb_put_text(&twice, CreateTicketRequest_queues, STR("a"));
    pb_put_text(&twice, CreateTicketRequest_queues, STR("b"));
    pb_put_text(&twice, CreateTicketRequest_queues, STR("a"));
    assert_refused(METHOD_CREATE_TICKET, &twice, "queues[2]", "queues[2] names \"a\" again");
    for (int i = 0; i < 9; i++)
        pb_put_text(&many, CreateTicketRequest_queues, STR("a"));
    assert_refused(METHOD_CREATE_TICKET, &many, "queues", "queues has 9 names; allowed are 1..8");
}

static void a_ticket_has_1_to_200_players(void **state) {
    (void)state;
    struct strbuf none = {0}, many = {0};
    pb_put_text(&none, CreateTicketRequest_queues, STR("duel"));
    assert_refused(METHOD_CREATE_TICKET, &none, "players",
                   "players has 0 players; allowed are 1..200");
    pb_put_text(&many, CreateTicketRequest_queues, STR("duel"));
    for (int i = 0; i < 201; i++)
        add_player(&many, STR("p"));
    assert_refused(METHOD_CREATE_TICKET, &many, "players",
                   "players has 201 players; allowed are 1..200");
}

static void a_player_id_is_a_name(void **state) {
    (void)state;
    char big[300];
    memset(big, 'p', sizeof big);
    static const char *const texts[] = {
        "players[1].player_id is \"\"; allowed are 1..64 of [A-Za-z0-9_.-]",
        "players[1].player_id is \"a b\"; allowed are 1..64 of [A-Za-z0-9_.-]",
        "players[1].player_id is no UTF-8 text; allowed are 1..64 of [A-Za-z0-9_.-]",
        "players[1].player_id is no UTF-8 text; allowed are 1..64 of [A-Za-z0-9_.-]",
        "players[1].player_id has 300 bytes; allowed are 1..64 of [A-Za-z0-9_.-]",
    };
    const struct str ids[] = {STR_EMPTY, STR("a b"), STR("a\0b"), STR("\xC3"), {big, sizeof big}};
    for (int i = 0; i < 5; i++) {
        struct strbuf b = {0};
        pb_put_text(&b, CreateTicketRequest_queues, STR("duel"));
        add_player(&b, STR("p1"));
        add_player(&b, ids[i]);
        assert_refused(METHOD_CREATE_TICKET, &b, "players[1].player_id", texts[i]);
    }
}

static void a_player_is_in_a_ticket_once(void **state) {
    (void)state;
    struct strbuf b = {0};
    pb_put_text(&b, CreateTicketRequest_queues, STR("duel"));
    add_player(&b, STR("zoe"));
    add_player(&b, STR("ann"));
    add_player(&b, STR("bob"));
    add_player(&b, STR("ann"));
    assert_refused(METHOD_CREATE_TICKET, &b, "players[3].player_id",
                   "players[3].player_id \"ann\" is in the ticket twice");
}

static void an_attribute_has_one_value_of_a_known_kind(void **state) {
    (void)state;
    struct strbuf none = {0}, later = {0}, malformed = {0};
    assert_value_refused(none, "has no value; one of number, text, list, map is needed");
    pb_add_text(&later, PB_KEY(9, PB_BYTES), STR("x"));
    assert_value_refused(later, "has no value; one of number, text, list, map is needed");
    strbuf_add_str(&malformed, STR("\x09"));
    assert_value_refused(malformed, "is malformed");
}

static void numbers_are_finite(void **state) {
    (void)state;
    struct strbuf nan = {0}, inf = {0}, map = {0};
    pb_add_double(&nan, AttributeValue_number, __builtin_nan(""));
    assert_value_refused(nan, "is nan; allowed are finite numbers");
    pb_add_double(&inf, AttributeValue_number, -__builtin_inf());
    assert_value_refused(inf, "is -inf; allowed are finite numbers");
    size_t inner = pb_open(&map, AttributeValue_map), pair = pb_open(&map, NumberMap_values);
    pb_put_text(&map, ValuesEntry_key, STR("k"));
    pb_add_double(&map, ValuesEntry_value, __builtin_inf());
    pb_close(&map, pair);
    pb_close(&map, inner);
    assert_value_refused(map, "has a value that is not finite");
}

static void texts_are_utf_8_of_at_most_100_bytes(void **state) {
    (void)state;
    char big[101];
    memset(big, 'x', sizeof big);
    const struct str bad[] = {STR("\xED\xA0\x80"), STR("a\0b"), {big, sizeof big}};
    for (int i = 0; i < 3; i++) {
        struct strbuf text = {0}, list = {0}, map = {0};
        pb_add_text(&text, AttributeValue_text, bad[i]);
        assert_value_refused(text, "is no UTF-8 of at most 100 bytes");
        size_t inner = pb_open(&list, AttributeValue_list);
        pb_add_text(&list, StringList_values, bad[i]);
        pb_close(&list, inner);
        assert_value_refused(list, "has a string that is no UTF-8 of at most 100 bytes");
        inner = pb_open(&map, AttributeValue_map);
        size_t pair = pb_open(&map, NumberMap_values);
        pb_add_text(&map, ValuesEntry_key, bad[i]);
        pb_close(&map, pair);
        pb_close(&map, inner);
        assert_value_refused(map, "has a key that is no UTF-8 of at most 100 bytes");
    }
}

static void lists_and_maps_have_limits(void **state) {
    (void)state;
    struct strbuf list = {0}, map = {0}, twice = {0};
    size_t inner = pb_open(&list, AttributeValue_list);
    for (int i = 0; i < 101; i++)
        pb_add_text(&list, StringList_values, STR("x"));
    pb_close(&list, inner);
    assert_value_refused(list, "has 101 strings; allowed are 0..100");
    inner = pb_open(&map, AttributeValue_map);
    for (int i = 0; i < 11; i++)
        pb_add_text(&map, NumberMap_values, STR_EMPTY);
    pb_close(&map, inner);
    assert_value_refused(map, "has 11 pairs; allowed are 0..10");
    inner = pb_open(&twice, AttributeValue_map);
    pb_add_text(&twice, NumberMap_values, STR("\x0A\x01k"));
    pb_add_text(&twice, NumberMap_values, STR("\x0A\x01k"));
    pb_close(&twice, inner);
    assert_value_refused(twice, "has the key \"k\" twice");
}

static void attribute_names_are_unique_and_few(void **state) {
    (void)state;
    static const struct str number = {"\x09\0\0\0\0\0\0\0\0", 9};
    struct strbuf twice = {0}, many = {0}, empty = {0}, bad = {0};
    add_attribute(&twice, STR("skill"), number);
    add_attribute(&twice, STR("mode"), number);
    add_attribute(&twice, STR("skill"), number);
    assert_player_refused(twice, "players[0].attributes",
                          "players[0].attributes has \"skill\" twice");
    for (int i = 0; i < 11; i++)
        add_attribute(&many, STR("a"), number);
    assert_player_refused(many, "players[0].attributes",
                          "players[0].attributes has 11 entries; allowed are 0..10");
    add_attribute(&empty, STR_EMPTY, number);
    assert_player_refused(empty, "players[0].attributes",
                          "players[0].attributes has a name that is not 1..64 bytes of UTF-8");
    add_attribute(&bad, STR("a\xFF"), number);
    assert_player_refused(bad, "players[0].attributes",
                          "players[0].attributes has a name that is not 1..64 bytes of UTF-8");
}

static void latencies_are_1_to_60000_ms_by_unique_regions(void **state) {
    (void)state;
    struct strbuf zero = {0}, minus = {0}, big = {0}, twice = {0}, many = {0}, bad = {0};
    add_latency(&zero, STR("eu"), 0);
    assert_player_refused(zero, "players[0].latencies_ms[\"eu\"]",
                          "players[0].latencies_ms[\"eu\"] is 0 ms; allowed are 1..60000");
    add_latency(&minus, STR("eu"), -1);
    assert_player_refused(minus, "players[0].latencies_ms[\"eu\"]",
                          "players[0].latencies_ms[\"eu\"] is -1 ms; allowed are 1..60000");
    add_latency(&big, STR("eu"), 60001);
    assert_player_refused(big, "players[0].latencies_ms[\"eu\"]",
                          "players[0].latencies_ms[\"eu\"] is 60001 ms; allowed are 1..60000");
    add_latency(&twice, STR("eu"), 5);
    add_latency(&twice, STR("eu"), 6);
    assert_player_refused(twice, "players[0].latencies_ms",
                          "players[0].latencies_ms has \"eu\" twice");
    for (int i = 0; i < 65; i++)
        add_latency(&many, STR("eu"), 5);
    assert_player_refused(many, "players[0].latencies_ms",
                          "players[0].latencies_ms has 65 regions; allowed are 0..64");
    add_latency(&bad, STR_EMPTY, 5);
    assert_player_refused(bad, "players[0].latencies_ms",
                          "players[0].latencies_ms has a region that is not 1..64 bytes of UTF-8");
}

static void a_long_path_in_an_error_is_whole(void **state) {
    (void)state;
    char name[LIMIT_NAME_BYTES];
    for (size_t i = 0; i < sizeof name; i += 2)
        memcpy(name + i, "é", 2);
    struct strbuf b = {0}, player = {0}, expected = {0};
    add_latency(&player, (struct str){name, sizeof name}, 0);
    for (int i = 0; i < 1000; i++) {
        size_t ticket = pb_open(&b, CreateTicketsRequest_tickets);
        pb_put_text(&b, CreateTicketRequest_queues, STR("duel"));
        if (i == 999) {
            char id[16];
            for (int p = 0; p < 199; p++) {
                (void)snprintf(id, sizeof id, "p%d", p);
                add_player(&b, str_of(id));
            }
            size_t last = pb_open(&b, CreateTicketRequest_players);
            pb_put_text(&b, Player_player_id, STR("last"));
            strbuf_add_str(&b, strbuf_str(&player));
            pb_close(&b, last);
        }
        pb_close(&b, ticket);
    }
    struct decoded d = decode(METHOD_CREATE_TICKETS, &b);
    assert_int_equal(d.code, ERR_OK);
    strbuf_printf(&expected, "tickets[999].players[199].latencies_ms[\"%.*s\"]", LIMIT_NAME_BYTES,
                  name);
    assert_string_equal(d.r.create.items[999].why->field, expected.at);
    decoded_free(&d);
    strbuf_fini(&expected);
    strbuf_fini(&player);
    strbuf_fini(&b);
}

/* 200 valid players may have 20 MB: one journal entry could not hold them. */
static void a_ticket_has_at_most_256_kib(void **state) {
    (void)state;
    struct strbuf b = {0}, batch = {0};
    pb_put_text(&b, CreateTicketRequest_queues, STR("duel"));
    add_player(&b, STR("p1"));
    size_t room =
        LIMIT_TICKET_BYTES - b.size - 5; /* an unknown field of 2 + 3 bytes and its text */
    struct strbuf filler = {0};
    memset(strbuf_reserve(&filler, room + 1), 'x', room + 1);
    size_t before = b.size;
    pb_add_text(&b, PB_KEY(100, PB_BYTES), (struct str){filler.at, room});
    assert_int_equal(b.size, LIMIT_TICKET_BYTES);
    struct decoded d = decode(METHOD_CREATE_TICKET, &b);
    assert_int_equal(d.code, ERR_OK);
    decoded_free(&d);
    b.size = before;
    pb_add_text(&b, PB_KEY(100, PB_BYTES), (struct str){filler.at, room + 1});
    pb_add_text(&batch, CreateTicketsRequest_tickets, strbuf_str(&b));
    d = decode(METHOD_CREATE_TICKETS, &batch);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.create.items[0].code, ERR_INVALID_ARGUMENT);
    assert_string_equal(d.r.create.items[0].why->text,
                        "tickets[0] has 262145 bytes; allowed are at most 262144");
    assert_string_equal(d.r.create.items[0].why->field, "tickets[0]");
    decoded_free(&d);
    assert_refused(METHOD_CREATE_TICKET, &b, "",
                   "the ticket has 262145 bytes; allowed are at most 262144");
    strbuf_fini(&filler);
    strbuf_fini(&batch);
}

/* ---- batches ---- */

static void a_bad_ticket_does_not_spoil_its_batch(void **state) {
    (void)state;
    struct strbuf b = {0};
    for (int i = 0; i < 3; i++) {
        size_t ticket = pb_open(&b, CreateTicketsRequest_tickets);
        pb_put_text(&b, CreateTicketRequest_queues, i == 1 ? STR("no queue") : STR("duel"));
        add_player(&b, STR("p1"));
        pb_close(&b, ticket);
    }
    struct decoded d = decode(METHOD_CREATE_TICKETS, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.create.count, 3);
    assert_int_equal(d.r.create.items[0].code, ERR_OK);
    assert_null(d.r.create.items[0].why);
    assert_int_equal(d.r.create.items[1].code, ERR_INVALID_ARGUMENT);
    assert_string_equal(
        d.r.create.items[1].why->text,
        "tickets[1].queues[0] is \"no queue\"; allowed are 1..64 of [A-Za-z0-9_.-]");
    assert_string_equal(d.r.create.items[1].why->field, "tickets[1].queues[0]");
    assert_int_equal(d.r.create.items[2].code, ERR_OK);
    decoded_free(&d);
    strbuf_fini(&b);
}

static void a_batch_has_1_to_1000_tickets(void **state) {
    (void)state;
    struct strbuf none = {0}, many = {0};
    assert_refused(METHOD_CREATE_TICKETS, &none, "tickets",
                   "tickets has 0 entries; allowed are 1..1000");
    for (int i = 0; i < 1001; i++)
        pb_add_text(&many, CreateTicketsRequest_tickets, STR_EMPTY);
    assert_refused(METHOD_CREATE_TICKETS, &many, "tickets",
                   "tickets has 1001 entries; allowed are 1..1000");
}

static void a_batch_of_1000_bad_tickets_keeps_every_reason(void **state) {
    (void)state;
    struct strbuf b = {0};
    for (int i = 0; i < 1000; i++)
        pb_add_text(&b, CreateTicketsRequest_tickets, STR_EMPTY);
    struct decoded d = decode(METHOD_CREATE_TICKETS, &b);
    assert_int_equal(d.code, ERR_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        char field[32];
        (void)snprintf(field, sizeof field, "tickets[%u].queues", i);
        assert_string_equal(d.r.create.items[i].why->field, field);
    }
    decoded_free(&d);
    strbuf_fini(&b);
}

static void the_arena_caps_what_a_request_may_cost(void **state) {
    (void)state;
    struct strbuf b = {0};
    for (int i = 0; i < 100; i++)
        pb_add_text(&b, CreateTicketsRequest_tickets, STR_EMPTY);
    for (size_t cap = 16; cap < 65536; cap += 1000) {
        struct decoded d = decode_capped(METHOD_CREATE_TICKETS, strbuf_str(&b), cap);
        assert_int_equal(d.code, ERR_RESOURCE_EXHAUSTED);
        assert_string_equal(d.why.text, "the request needs more memory than its size allows");
        decoded_free(&d);
    }
    strbuf_fini(&b);
}

/* A 1 MiB message of nothing but empty sub-messages, wherever sub-messages may be. */
static void a_flood_of_empty_sub_messages_is_refused_at_the_limit(void **state) {
    (void)state;
    static const uint32_t keys[] = {CreateTicketRequest_players, Player_attributes,
                                    Player_latencies_ms, StringList_values, NumberMap_values};
    struct strbuf flood = {0};
    for (int k = 0; k < 5; k++) {
        strbuf_clear(&flood);
        while (flood.size < 1 << 20)
            pb_add_text(&flood, keys[k], STR_EMPTY);
        struct strbuf b = {0};
        size_t ticket = pb_open(&b, CreateTicketsRequest_tickets);
        if (k > 0) {
            size_t player = pb_open(&b, CreateTicketRequest_players);
            pb_put_text(&b, Player_player_id, STR("p1"));
            strbuf_add_str(&b, strbuf_str(&flood));
            pb_close(&b, player);
        } else {
            strbuf_add_str(&b, strbuf_str(&flood));
        }
        pb_close(&b, ticket);
        struct decoded d = decode_capped(METHOD_CREATE_TICKETS, strbuf_str(&b), 65536);
        assert_int_equal(d.code, ERR_OK);
        assert_int_equal(d.r.create.items[0].code, ERR_INVALID_ARGUMENT);
        decoded_free(&d);
        strbuf_fini(&b);
    }
    strbuf_fini(&flood);
}

static void nesting_10000_deep_is_refused_without_descending(void **state) {
    (void)state;
    struct strbuf b = {0};
    size_t marks[10000];
    for (int i = 0; i < 10000; i++)
        marks[i] = pb_open(&b, PB_KEY(1 + i % 2, PB_BYTES));
    for (int i = 9999; i >= 0; i--)
        pb_close(&b, marks[i]);
    for (int m = 0; m < METHOD_COUNT; m++) {
        struct decoded d = decode((enum method_id)m, &b);
        decoded_free(&d);
    }
    strbuf_fini(&b);
}

/* ---- idempotency ---- */

static void a_mutating_method_needs_a_request_id(void **state) {
    (void)state;
    for (int m = 0; m < METHOD_COUNT; m++) {
        const struct method *method = method_row((enum method_id)m);
        if (!method->mutating) continue;
        struct request_source source = {STR_EMPTY, STR_EMPTY, NULL};
        struct arena *arena = arena_new(0);
        struct request r;
        struct err_text why;
        assert_int_equal(request_decode(method, &source, arena, &r, &why), ERR_INVALID_ARGUMENT);
        assert_string_equal(why.field, "request_id");
        arena_free(arena);
    }
}

static void created_with(struct str request_id, enum method_id method, const struct strbuf *payload,
                         struct id key[2], uint64_t hash[2]) {
    struct arena *arena = arena_new(0);
    struct request_source source = {strbuf_str(payload), request_id, NULL};
    struct request r;
    struct err_text why;
    assert_int_equal(request_decode(method_row(method), &source, arena, &r, &why), ERR_OK);
    for (uint32_t i = 0; i < r.create.count && i < 2; i++) {
        key[i] = r.create.items[i].command.create_ticket.request_key;
        hash[i] = r.create.items[i].command.create_ticket.request_hash;
    }
    arena_free(arena);
}

/* Keys are in journals: a release that made others would create tickets twice. */
static void request_keys_never_change(void **state) {
    (void)state;
    struct strbuf one = {0}, two = {0};
    pb_put_text(&one, CreateTicketRequest_queues, STR("duel"));
    add_player(&one, STR("p1"));
    pb_add_text(&two, CreateTicketsRequest_tickets, strbuf_str(&one));
    pb_add_text(&two, CreateTicketsRequest_tickets, strbuf_str(&one));
    struct id a[2], b[2], c[2];
    uint64_t x[2], y[2], z[2];
    char text[ID_TEXT_BYTES];
    created_with(STR("req-1"), METHOD_CREATE_TICKET, &one, a, x);
    created_with(STR("req-1"), METHOD_CREATE_TICKETS, &two, b, y);
    created_with(STR("req-2"), METHOD_CREATE_TICKET, &one, c, z);
    id_format(a[0], text);
    assert_string_equal(text, "6E72AN9CK10HQF51SNWYZXM3KV");
    assert_true(x[0] == 0x0915F03858E6ADA6u);
    assert_false(id_equal(a[0], b[0]));                        /* another method */
    assert_false(id_equal(b[0], b[1]));                        /* another place */
    assert_false(id_equal(a[0], c[0]));                        /* another request id */
    assert_true(x[0] == y[0] && y[0] == y[1] && x[0] == z[0]); /* the same content */
    strbuf_fini(&one);
    strbuf_fini(&two);
}

/* ---- reading methods ---- */

#define ULID "01JD9Z0000ABCDEFGHJKMNPQRS"

static struct strbuf text_of(uint32_t key, const char *text) {
    struct strbuf b = {0};
    pb_put_text(&b, key, str_of(text));
    return b;
}

static void a_ticket_is_asked_for_by_id_or_player(void **state) {
    (void)state;
    struct strbuf both = text_of(GetTicketRequest_player_id, "p1");
    struct decoded d = decode(METHOD_GET_TICKET, &both);
    assert_int_equal(d.code, ERR_OK);
    assert_text(d.r.get_ticket.player_id, "p1");
    assert_true(id_is_none(d.r.get_ticket.ticket_id));
    decoded_free(&d);
    pb_put_text(&both, GetTicketRequest_ticket_id, STR(ULID)); /* of a oneof the last one counts */
    d = decode(METHOD_GET_TICKET, &both);
    assert_int_equal(d.code, ERR_OK);
    assert_false(id_is_none(d.r.get_ticket.ticket_id));
    assert_int_equal(d.r.get_ticket.player_id.size, 0);
    decoded_free(&d);
    strbuf_fini(&both);
    struct strbuf none = {0}, bad = text_of(GetTicketRequest_player_id, "a/b");
    struct strbuf explain = text_of(ExplainTicketRequest_player_id, "p1");
    d = decode(METHOD_EXPLAIN_TICKET, &explain);
    assert_int_equal(d.code, ERR_OK);
    assert_text(d.r.get_ticket.player_id, "p1");
    decoded_free(&d);
    strbuf_fini(&explain);
    assert_refused(METHOD_GET_TICKET, &none, "ticket_id",
                   "ticket_id is \"\"; allowed is a ULID of 26 characters");
    assert_refused(METHOD_GET_TICKET, &bad, "player_id",
                   "player_id is \"a/b\"; allowed are 1..64 of [A-Za-z0-9_.-]");
}

static void ids_are_ulids(void **state) {
    (void)state;
    struct strbuf cancel = text_of(CancelTicketRequest_ticket_id, "42");
    struct strbuf match = text_of(GetMatchRequest_match_id, "\xFF");
    struct strbuf watch = text_of(WatchTicketRequest_ticket_id, ULID ULID ULID ULID);
    struct strbuf page = text_of(ListMatchesRequest_page_token, "x");
    assert_refused(METHOD_CANCEL_TICKET, &cancel, "ticket_id",
                   "ticket_id is \"42\"; allowed is a ULID of 26 characters");
    assert_refused(METHOD_GET_MATCH, &match, "match_id",
                   "match_id is no UTF-8 text; allowed is a ULID of 26 characters");
    assert_refused(METHOD_WATCH_TICKET, &watch, "ticket_id",
                   "ticket_id has 104 bytes; allowed is a ULID of 26 characters");
    assert_refused(METHOD_LIST_MATCHES, &page, "page_token",
                   "page_token is \"x\"; allowed is a ULID of 26 characters");
}

static void a_watch_knows_a_state(void **state) {
    (void)state;
    struct strbuf b = text_of(WatchTicketRequest_ticket_id, ULID);
    struct decoded d = decode(METHOD_WATCH_TICKET, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.watch.known_state, 0);
    decoded_free(&d);
    pb_put_uint(&b, WatchTicketRequest_known_state, 6);
    assert_refused(METHOD_WATCH_TICKET, &b, "known_state", "known_state is 6; allowed are 0..5");
}

static void a_replay_has_1_to_1000_entries(void **state) {
    (void)state;
    struct strbuf b = {0};
    pb_put_uint(&b, ReplayEventsRequest_epoch, UINT64_MAX);
    pb_put_uint(&b, ReplayEventsRequest_after_seq, 9);
    struct decoded d = decode(METHOD_REPLAY_EVENTS, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_int_equal(d.r.replay.max_entries, 100);
    assert_true(d.r.replay.epoch == UINT64_MAX && d.r.replay.after_seq == 9);
    decoded_free(&d);
    pb_put_uint(&b, ReplayEventsRequest_max_entries, 1001);
    assert_refused(METHOD_REPLAY_EVENTS, &b, "max_entries",
                   "max_entries is 1001; allowed are 0..1000");
    struct strbuf prefix = text_of(ReplayEventsRequest_topic_prefix, "game/\xC3");
    assert_refused(METHOD_REPLAY_EVENTS, &prefix, "topic_prefix",
                   "topic_prefix is no UTF-8 of at most 256 bytes");
}

static void queues_are_asked_for_by_name(void **state) {
    (void)state;
    static const struct {
        enum method_id method;
        uint32_t key;
    } cases[] = {{METHOD_LIST_QUEUE_VERSIONS, ListQueueVersionsRequest_name},
                 {METHOD_DELETE_QUEUE, DeleteQueueRequest_name},
                 {METHOD_GET_QUEUE_STATS, GetQueueStatsRequest_name}};
    for (int i = 0; i < 3; i++) {
        struct strbuf good = text_of(cases[i].key, "duel"), none = {0};
        struct decoded d = decode(cases[i].method, &good);
        assert_int_equal(d.code, ERR_OK);
        assert_text(cases[i].method == METHOD_DELETE_QUEUE ? d.r.command.delete_queue.name
                                                           : d.r.name,
                    "duel");
        decoded_free(&d);
        strbuf_fini(&good);
        assert_refused(cases[i].method, &none, "name",
                       "name is \"\"; allowed are 1..64 of [A-Za-z0-9_.-]");
    }
}

static void a_queue_is_asked_for_by_version(void **state) {
    (void)state;
    struct strbuf b = text_of(GetQueueRequest_name, "duel");
    pb_put_uint(&b, GetQueueRequest_version, 3);
    struct decoded d = decode(METHOD_GET_QUEUE, &b);
    assert_int_equal(d.code, ERR_OK);
    assert_text(d.r.get_queue.name, "duel");
    assert_int_equal(d.r.get_queue.version, 3);
    decoded_free(&d);
    strbuf_fini(&b);
}

static void what_is_said_of_a_version_is_one_short_line(void **state) {
    (void)state;
    struct strbuf good = text_of(PutQueueRequest_definition_json, WIRE_KIT_QUEUE);
    pb_put_text(&good, PutQueueRequest_author, STR("Ann \xc3\xa9 <ann@studio.example>"));
    pb_put_text(&good, PutQueueRequest_comment, STR("wider at night"));
    struct decoded d = decode(METHOD_PUT_QUEUE, &good);
    assert_int_equal(d.code, ERR_OK);
    assert_text(d.r.command.put_queue.comment, "wider at night");
    decoded_free(&d);
    strbuf_fini(&good);
    struct strbuf escape = text_of(PutQueueRequest_author, "a\x1b[2J");
    assert_refused(METHOD_PUT_QUEUE, &escape, "author", "author has a control character at byte 1");
    char longer[LIMIT_COMMENT_BYTES + 2] = {0};
    memset(longer, 'x', sizeof longer - 1);
    struct strbuf many = text_of(PutQueueRequest_comment, longer);
    assert_refused(METHOD_PUT_QUEUE, &many, "comment", "comment is no UTF-8 of at most 256 bytes");
}

static void a_put_queue_owns_its_definition_until_taken(void **state) {
    (void)state;
    struct strbuf b = text_of(PutQueueRequest_definition_json, WIRE_KIT_QUEUE);
    struct decoded d = decode(METHOD_PUT_QUEUE, &b);
    if (d.code != ERR_OK) fail_msg("%s", d.why.text);
    assert_int_equal(d.r.command.kind, COMMAND_PUT_QUEUE);
    assert_text(d.r.command.put_queue.def->name, "duel");
    decoded_free(&d); /* LeakSanitizer: nobody took it */
    d = decode(METHOD_PUT_QUEUE, &b);
    queue_def_free(d.r.command.put_queue.def);
    d.r.command.put_queue.def = NULL; /* as realm_decide does */
    decoded_free(&d);
    strbuf_fini(&b);
    struct strbuf any = text_of(ValidateRulesetRequest_definition_json, "{");
    d = decode(METHOD_VALIDATE_RULESET, &any);
    assert_int_equal(d.code, ERR_OK); /* what is wrong with it is the answer */
    assert_text(d.r.validate.json, "{");
    decoded_free(&d);
    strbuf_fini(&any);
}

static void no_method_reads_malformed_bytes(void **state) {
    (void)state;
    for (int m = 0; m < METHOD_COUNT; m++) {
        struct strbuf b = {0};
        strbuf_add_str(&b, STR("\xFF"));
        assert_refused((enum method_id)m, &b, "",
                       "the payload is not the method's request message");
    }
}

static void unknown_fields_are_skipped_at_every_depth(void **state) {
    (void)state;
    struct strbuf player = {0};
    pb_put_uint(&player, PB_KEY(99, PB_VARINT), 1);
    size_t entry = pb_open(&player, Player_attributes);
    pb_put_text(&player, AttributesEntry_key, STR("a"));
    size_t value = pb_open(&player, AttributesEntry_value);
    pb_add_double(&player, AttributeValue_number, 5);
    pb_put_uint(&player, PB_KEY(99, PB_VARINT), 1);
    pb_close(&player, value);
    pb_put_uint(&player, PB_KEY(99, PB_VARINT), 1);
    pb_close(&player, entry);
    struct strbuf b = ticket_of(player);
    pb_add_text(&b, PB_KEY(99, PB_BYTES), STR("\xFF\0"));
    struct decoded d = decode(METHOD_CREATE_TICKET, &b);
    assert_int_equal(d.code, ERR_OK);
    const struct ticket_spec *spec = &d.r.create.items[0].command.create_ticket.spec;
    assert_int_equal(spec->players[0].attribute_count, 1);
    assert_true(spec->players[0].attributes[0].number == 5);
    decoded_free(&d);
    strbuf_fini(&b);
}

/* ---- spoiled ---- */

static void use(struct str bytes, bool whole) {
    (void)whole;
    for (int m = 0; m < METHOD_COUNT; m++) {
        struct decoded d = decode_capped((enum method_id)m, bytes,
                                         bytes.size * LIMIT_DECODE_FACTOR + LIMIT_DECODE_BYTES);
        assert_true(d.code == ERR_OK || d.why.text[0] != '\0');
        decoded_free(&d);
    }
}

static void no_bytes_crash_any_method(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int i = 0; i < 3; i++) {
        struct ticket_spec spec = wire_kit_spec(&k);
        struct strbuf b = {0}, batch = {0};
        name_list_write(spec.queues, spec.queue_count, CreateTicketRequest_queues, &b);
        player_codec_write(&spec, CreateTicketRequest_players, &b);
        pb_add_text(&batch, CreateTicketsRequest_tickets, strbuf_str(&b));
        wire_kit_spoil(&k, strbuf_str(&b), 200, use);
        wire_kit_spoil(&k, strbuf_str(&batch), 200, use);
        strbuf_fini(&b);
        strbuf_fini(&batch);
    }
    wire_kit_free(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_valid_ticket_is_read_as_it_was_meant),
        cmocka_unit_test(a_ticket_names_1_to_8_queues_once_each),
        cmocka_unit_test(a_ticket_has_1_to_200_players),
        cmocka_unit_test(a_player_id_is_a_name),
        cmocka_unit_test(a_player_is_in_a_ticket_once),
        cmocka_unit_test(an_attribute_has_one_value_of_a_known_kind),
        cmocka_unit_test(numbers_are_finite),
        cmocka_unit_test(texts_are_utf_8_of_at_most_100_bytes),
        cmocka_unit_test(lists_and_maps_have_limits),
        cmocka_unit_test(attribute_names_are_unique_and_few),
        cmocka_unit_test(latencies_are_1_to_60000_ms_by_unique_regions),
        cmocka_unit_test(a_long_path_in_an_error_is_whole),
        cmocka_unit_test(a_ticket_has_at_most_256_kib),
        cmocka_unit_test(a_bad_ticket_does_not_spoil_its_batch),
        cmocka_unit_test(a_batch_has_1_to_1000_tickets),
        cmocka_unit_test(a_batch_of_1000_bad_tickets_keeps_every_reason),
        cmocka_unit_test(the_arena_caps_what_a_request_may_cost),
        cmocka_unit_test(a_flood_of_empty_sub_messages_is_refused_at_the_limit),
        cmocka_unit_test(nesting_10000_deep_is_refused_without_descending),
        cmocka_unit_test(a_mutating_method_needs_a_request_id),
        cmocka_unit_test(request_keys_never_change),
        cmocka_unit_test(a_ticket_is_asked_for_by_id_or_player),
        cmocka_unit_test(ids_are_ulids),
        cmocka_unit_test(a_watch_knows_a_state),
        cmocka_unit_test(a_replay_has_1_to_1000_entries),
        cmocka_unit_test(queues_are_asked_for_by_name),
        cmocka_unit_test(a_queue_is_asked_for_by_version),
        cmocka_unit_test(what_is_said_of_a_version_is_one_short_line),
        cmocka_unit_test(a_put_queue_owns_its_definition_until_taken),
        cmocka_unit_test(no_method_reads_malformed_bytes),
        cmocka_unit_test(unknown_fields_are_skipped_at_every_depth),
        cmocka_unit_test(no_bytes_crash_any_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
