/* packed_test.c - whatever a ticket asks for comes out of its block as it went in. */
#include "model/packed.h"

#include "base/limits.h"
#include "base/rng.h"
#include "model/ticket_home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rng rng;
static struct arena *arena;

static uint32_t below(uint32_t end) {
    return (uint32_t)rng_below(&rng, end);
}

/* UTF-8 of `bytes`: of one, two and four bytes a character. */
static struct str random_text(uint32_t bytes) {
    char *at = arena_alloc(arena, bytes + 1);
    for (uint32_t i = 0; i < bytes;) {
        const char *c = below(4) ? "x" : below(2) ? "\xc3\xa9" : "\xf0\x9f\x8e\xae";
        if (i + strlen(c) > bytes) c = "y";
        memcpy(at + i, c, strlen(c));
        i += (uint32_t)strlen(c);
    }
    return (struct str){at, bytes};
}

/* Names that sort as numbered, often the same from ticket to ticket. */
static struct str name_of(uint32_t i) {
    return arena_printf(arena, "n%02u%.*s", i, (int)below(below(8) ? 1 : 60),
                        "____________________________________________________________");
}

static double random_number(void) {
    static const double odd[] = {0, -0.0, 1e308, -1e308, 5e-324, 0.1};
    return below(3) ? (double)below(3000) : odd[below(sizeof odd / sizeof *odd)];
}

static struct attribute random_attribute(uint32_t i) {
    struct attribute a = {.name = name_of(i), .kind = (enum attribute_kind)below(4)};
    if (a.kind == ATTRIBUTE_NUMBER) a.number = random_number();
    if (a.kind == ATTRIBUTE_TEXT) a.text = random_text(below(LIMIT_TEXT_BYTES + 1));
    if (a.kind != ATTRIBUTE_LIST && a.kind != ATTRIBUTE_MAP) return a;
    a.item_count = below(a.kind == ATTRIBUTE_MAP ? LIMIT_MAP_ITEMS + 1 : LIMIT_LIST_ITEMS + 1);
    struct str *items = arena_alloc(arena, a.item_count * sizeof *items);
    double *numbers = arena_alloc(arena, a.item_count * sizeof *numbers);
    for (uint32_t k = 0; k < a.item_count; k++) {
        items[k] = random_text(below(below(9) ? 9 : LIMIT_TEXT_BYTES + 1));
        numbers[k] = random_number();
    }
    a.items = items;
    a.numbers = a.kind == ATTRIBUTE_MAP ? numbers : NULL;
    return a;
}

static struct player random_player(uint32_t i) {
    struct attribute *attributes = arena_alloc(arena, LIMIT_ATTRIBUTES * sizeof *attributes);
    struct latency *latencies = arena_alloc(arena, LIMIT_REGIONS * sizeof *latencies);
    struct player p = {arena_printf(arena, "p%u%.*s", i, (int)below(50),
                                    "..................................................."),
                       attributes, latencies, below(below(4) ? 3 : LIMIT_ATTRIBUTES + 1),
                       below(below(4) ? 5 : LIMIT_REGIONS + 1)};
    for (uint32_t k = 0; k < p.attribute_count; k++)
        attributes[k] = random_attribute(k);
    for (uint32_t k = 0; k < p.latency_count; k++)
        latencies[k] = (struct latency){name_of(k), 1 + (int32_t)below(LIMIT_LATENCY_MS)};
    return p;
}

/* Half of the players bring the same names as the one before, other values. */
static struct ticket_spec random_spec(void) {
    uint32_t most = below(4) ? 5 : below(9) ? 16 : LIMIT_TICKET_PLAYERS;
    uint32_t count = 1 + below(most), queue_count = 1 + below(below(2) ? LIMIT_TICKET_QUEUES : 1);
    struct str *queues = arena_alloc(arena, queue_count * sizeof *queues);
    struct player *players = arena_alloc(arena, count * sizeof *players);
    for (uint32_t i = 0; i < queue_count; i++)
        queues[i] = name_of(i);
    for (uint32_t i = 0; i < count; i++) {
        players[i] = random_player(i);
        if (i == 0 || below(2)) continue;
        struct str id = players[i].id;
        players[i] = players[i - 1];
        players[i].id = id;
    }
    return (struct ticket_spec){queues, players, queue_count, count};
}

static void assert_same_text(struct str a, struct str b) {
    assert_true(str_equal(a, b));
}

static void assert_same_attribute(const struct attribute *a, const struct attribute *b) {
    assert_same_text(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->item_count, b->item_count);
    if (a->kind == ATTRIBUTE_NUMBER) assert_memory_equal(&a->number, &b->number, sizeof a->number);
    if (a->kind == ATTRIBUTE_TEXT) assert_same_text(a->text, b->text);
    for (uint32_t i = 0; i < a->item_count; i++) {
        assert_same_text(a->items[i], b->items[i]);
        if (a->kind == ATTRIBUTE_MAP)
            assert_memory_equal(&a->numbers[i], &b->numbers[i], sizeof *a->numbers);
    }
}

static void assert_same_spec(const struct ticket_spec *a, const struct ticket_spec *b) {
    assert_int_equal(a->queue_count, b->queue_count);
    assert_int_equal(a->player_count, b->player_count);
    for (uint32_t i = 0; i < a->queue_count; i++)
        assert_same_text(a->queues[i], b->queues[i]);
    for (uint32_t i = 0; i < a->player_count; i++) {
        const struct player *p = &a->players[i], *q = &b->players[i];
        assert_same_text(p->id, q->id);
        assert_int_equal(p->attribute_count, q->attribute_count);
        assert_int_equal(p->latency_count, q->latency_count);
        for (uint32_t k = 0; k < p->attribute_count; k++)
            assert_same_attribute(&p->attributes[k], &q->attributes[k]);
        for (uint32_t k = 0; k < p->latency_count; k++) {
            assert_same_text(p->latencies[k].region, q->latencies[k].region);
            assert_int_equal(p->latencies[k].ms, q->latencies[k].ms);
        }
    }
}

/* As the ticket itself tells it, part by part and whole. */
static void assert_asks_for(const struct ticket *t, const struct ticket_spec *spec) {
    struct ticket_spec read = ticket_spec(t, arena);
    assert_same_spec(&read, spec);
    const char *at = NULL;
    for (uint32_t i = 0; i < spec->queue_count; i++)
        assert_same_text(ticket_queue(t, i), spec->queues[i]);
    for (uint32_t i = 0; i < spec->player_count; i++) {
        assert_same_text(ticket_next_player(t, &at), spec->players[i].id);
        assert_true(ticket_has_player(t, spec->players[i].id));
    }
    assert_false(ticket_has_player(t, STR("nobody")));
}

static void begin(void) {
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)(uintptr_t)&given >> 4;
    printf("TEST_SEED=%llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    arena = arena_new(0);
}

static void what_was_asked_for_is_read_as_it_was(void **state) {
    (void)state;
    begin();
    struct ticket_home *home = ticket_home_new();
    for (int i = 0; i < 1500; i++) {
        struct ticket_spec spec = random_spec(), changed = random_spec();
        struct ticket_origin origin = {{{below(2), 0}, 7}, NULL, below(2) ? home : NULL};
        struct traceparent trace = {{1}};
        if (below(2)) origin.trace = &trace;
        struct ticket *t = ticket_new((struct id){1, 2}, &spec, &origin);
        assert_asks_for(t, &spec);
        for (uint32_t rounds = below(3); rounds > 0; rounds--) { /* with what another brings */
            struct player *players = arena_alloc(arena, spec.player_count * sizeof *players);
            for (uint32_t k = 0; k < spec.player_count; k++) {
                players[k] = changed.players[(k + rounds) % changed.player_count];
                players[k].id = spec.players[k].id;
            }
            spec.players = players;
            ticket_change(t, &spec);
            assert_asks_for(t, &spec);
            assert_int_equal(ticket_request(t).hash, id_is_none(origin.request.key) ? 0 : 7);
        }
        ticket_free(t);
        arena_reset(arena);
    }
    assert_int_equal(ticket_home_forms(home), 0);
    ticket_home_free(home);
    arena_free(arena);
}

static struct ticket_spec one_of(struct str queue, struct str attribute) {
    struct str *queues = arena_alloc(arena, sizeof *queues);
    struct attribute *attributes = arena_alloc(arena, sizeof *attributes);
    struct player *player = arena_alloc(arena, sizeof *player);
    *queues = queue;
    *attributes = (struct attribute){.name = attribute, .number = below(3000)};
    *player = (struct player){STR("ann"), attributes, NULL, 1, 0};
    return (struct ticket_spec){queues, player, 1, 1};
}

static void values_say_how_many_bytes_they_take(void **state) {
    (void)state;
    begin();
    struct ticket_spec spec = one_of(STR("q"), STR("skill"));
    char out[64];
    memset(out, 0x55, sizeof out);
    assert_int_equal(packed_values(spec.players, 1, NULL, 0), 1 + 3 + 8);
    assert_int_equal(packed_values(spec.players, 1, out, 12), 12);
    assert_int_equal(out[12], 0x55);
    assert_memory_equal(out, "\3ann", 4);
    struct latency latencies[] = {{STR("eu"), 30}, {STR("us"), LIMIT_LATENCY_MS}};
    struct player p = spec.players[0];
    p.latencies = latencies;
    p.latency_count = 2;
    assert_int_equal(packed_values(&p, 1, out, 5), 16); /* nothing behind the room */
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_asked_for_is_read_as_it_was),
        cmocka_unit_test(values_say_how_many_bytes_they_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
