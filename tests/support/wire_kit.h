/* wire_kit.h - random tickets, matches and records, and how two of them compare; bytes to spoil.
 *
 * The seed is TEST_SEED or drawn, and printed: a failure can be repeated.
 */
#ifndef MUSTER_TESTS_SUPPORT_WIRE_KIT_H
#define MUSTER_TESTS_SUPPORT_WIRE_KIT_H

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define assert_text(s, literal)                                                   \
    do {                                                                          \
        struct str got = (s);                                                     \
        if (!str_equal(got, str_of(literal)))                                     \
            fail_msg("got \"%.*s\", expected \"%s\"", STR_PRINT(got), (literal)); \
    } while (0)

struct wire_kit {
    struct rng rng;
    struct arena *arena;
};

static inline struct wire_kit wire_kit_new(void) {
    struct wire_kit k = {.arena = arena_new(0)};
    const char *given = getenv("TEST_SEED");
    uint64_t seed;
    rng_secret(&seed, sizeof seed);
    if (given) seed = strtoull(given, NULL, 10);
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    rng_init(&k.rng, seed);
    return k;
}

static inline void wire_kit_free(struct wire_kit *k) {
    arena_free(k->arena);
}

static inline uint32_t wire_kit_below(struct wire_kit *k, uint32_t bound) {
    return (uint32_t)rng_below(&k->rng, bound);
}

/* Of [A-Za-z0-9_.-], ending in `index` (0..999), which makes it unique. */
static inline struct str wire_kit_name(struct wire_kit *k, uint32_t index) {
    static const char chars[] = "ABCXYZabcxyz019_.-";
    char text[32];
    uint32_t size = 1 + wire_kit_below(k, 24);
    for (uint32_t i = 0; i < size; i++)
        text[i] = chars[wire_kit_below(k, sizeof chars - 1)];
    return arena_printf(k->arena, "%.*s%03u", (int)size, text, index);
}

/* Any UTF-8 of 0..`max` characters, at most LIMIT_TEXT_BYTES for max = 25. */
static inline struct str wire_kit_text(struct wire_kit *k, uint32_t max) {
    static const char *const chars[] = {"a",    "Z", " ", "\"", "\\", "\n", "\x01",
                                        "\x7F", "é", "ß", "語", "€",  "😀",  "\xF4\x8F\xBF\xBF"};
    struct strbuf text = {0};
    uint32_t count = wire_kit_below(k, max + 1);
    for (uint32_t i = 0; i < count; i++)
        strbuf_add_str(&text, str_of(chars[wire_kit_below(k, sizeof chars / sizeof *chars)]));
    struct str copy = arena_str(k->arena, strbuf_str(&text));
    strbuf_fini(&text);
    return copy;
}

static inline double wire_kit_double(struct wire_kit *k) {
    static const double special[] = {0, -0.0, 1, 1500, 0.1, -1e308, 1e308, 5e-324, 1e21, 1.0 / 3};
    uint32_t pick = wire_kit_below(k, 20);
    if (pick < sizeof special / sizeof *special) return special[pick];
    return rng_normal(&k->rng) * 1e6;
}

static inline struct id wire_kit_id(struct wire_kit *k) {
    return id_new(&k->rng, (int64_t)rng_below(&k->rng, (uint64_t)ID_TIME_END_MS));
}

static inline int64_t wire_kit_time(struct wire_kit *k) {
    return wire_kit_below(k, 4) ? (int64_t)rng_below(&k->rng, (uint64_t)ID_TIME_END_MS) : 0;
}

static inline struct attribute wire_kit_attribute(struct wire_kit *k, struct str name) {
    struct attribute a = {.name = name, .kind = (enum attribute_kind)wire_kit_below(k, 4)};
    uint32_t count = wire_kit_below(k, a.kind == ATTRIBUTE_MAP ? LIMIT_MAP_ITEMS + 1 : 20);
    struct str *items = arena_alloc(k->arena, 100 * sizeof *items);
    double *numbers = arena_alloc(k->arena, 100 * sizeof *numbers);
    if (a.kind == ATTRIBUTE_NUMBER) a.number = wire_kit_double(k);
    if (a.kind == ATTRIBUTE_TEXT) a.text = wire_kit_text(k, 25);
    if (a.kind != ATTRIBUTE_LIST && a.kind != ATTRIBUTE_MAP) return a;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = a.kind == ATTRIBUTE_MAP ? wire_kit_name(k, i) : wire_kit_text(k, 25);
        numbers[i] = wire_kit_double(k);
    }
    a.items = items;
    a.item_count = count;
    if (a.kind == ATTRIBUTE_MAP) a.numbers = numbers;
    return a;
}

static inline int wire_kit_by_name(const void *a, const void *b) {
    return str_compare(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

static inline int wire_kit_by_region(const void *a, const void *b) {
    return str_compare(((const struct latency *)a)->region, ((const struct latency *)b)->region);
}

static inline const struct str *wire_kit_names(struct wire_kit *k, uint32_t count) {
    struct str *names = arena_alloc(k->arena, count * sizeof *names);
    for (uint32_t i = 0; i < count; i++)
        names[i] = wire_kit_name(k, i);
    return names;
}

static inline struct player wire_kit_player(struct wire_kit *k, uint32_t index) {
    struct player p = {.id = wire_kit_name(k, index)};
    struct attribute *attributes = arena_alloc(k->arena, LIMIT_ATTRIBUTES * sizeof *attributes);
    struct latency *latencies = arena_alloc(k->arena, LIMIT_REGIONS * sizeof *latencies);
    p.attribute_count = wire_kit_below(k, LIMIT_ATTRIBUTES + 1);
    p.latency_count = wire_kit_below(k, 8) ? wire_kit_below(k, 5) : LIMIT_REGIONS;
    for (uint32_t i = 0; i < p.attribute_count; i++)
        attributes[i] = wire_kit_attribute(k, wire_kit_name(k, i));
    for (uint32_t i = 0; i < p.latency_count; i++)
        latencies[i] =
            (struct latency){wire_kit_name(k, i), 1 + (int32_t)wire_kit_below(k, LIMIT_LATENCY_MS)};
    qsort(attributes, p.attribute_count, sizeof *attributes, wire_kit_by_name);
    qsort(latencies, p.latency_count, sizeof *latencies, wire_kit_by_region);
    p.attributes = attributes;
    p.latencies = latencies;
    return p;
}

static inline struct ticket_spec wire_kit_spec(struct wire_kit *k) {
    uint32_t count = 1 + wire_kit_below(k, 6);
    struct player *players = arena_alloc(k->arena, count * sizeof *players);
    for (uint32_t i = 0; i < count; i++)
        players[i] = wire_kit_player(k, i);
    uint32_t queues = 1 + wire_kit_below(k, 3);
    return (struct ticket_spec){wire_kit_names(k, queues), players, queues, count};
}

static inline struct match_spec wire_kit_match(struct wire_kit *k) {
    struct match_spec m = {
        .id = wire_kit_id(k),
        .state = MATCH_PROPOSED + wire_kit_below(k, 6),
        .queue = wire_kit_name(k, 0),
        .queue_version = (uint32_t)rng_next(&k->rng),
        .region = wire_kit_below(k, 2) ? wire_kit_name(k, 0) : STR_EMPTY,
        .team_count = wire_kit_below(k, 4),
        .ticket_count = wire_kit_below(k, 6),
        .quality = wire_kit_double(k),
        .skill_spread = wire_kit_double(k),
        .team_gap = wire_kit_double(k),
        .mean_latency_ms = wire_kit_double(k),
        .longest_wait_ms = wire_kit_time(k),
        .created_ms = wire_kit_time(k),
        .until_ms = wire_kit_below(k, 2) ? wire_kit_time(k) : 0,
        .ended_ms = wire_kit_below(k, 2) ? wire_kit_time(k) : 0,
        .reason = wire_kit_text(k, 20),
        .connection = wire_kit_text(k, 20),
        .result_due_ms = wire_kit_time(k),
        .holds_players = wire_kit_below(k, 2),
        .result_count = wire_kit_below(k, 4),
        .left_count = wire_kit_below(k, 4),
        .rules_age_ms = wire_kit_time(k),
        .backfill_id = wire_kit_below(k, 2) ? wire_kit_id(k) : (struct id){0, 0},
        .joins_id = wire_kit_below(k, 2) ? wire_kit_id(k) : (struct id){0, 0},
    };
    m.left = wire_kit_names(k, m.left_count);
    struct team_result *results = arena_alloc(k->arena, (m.result_count + 1) * sizeof *results);
    for (uint32_t i = 0; i < m.result_count; i++)
        results[i] =
            (struct team_result){wire_kit_name(k, i), 1 + wire_kit_below(k, 9), wire_kit_double(k)};
    m.results = results;
    struct match_team *teams = arena_alloc(k->arena, (m.team_count + 1) * sizeof *teams);
    struct id *ids = arena_alloc(k->arena, (m.ticket_count + 1) * sizeof *ids);
    for (uint32_t i = 0; i < m.ticket_count; i++)
        ids[i] = wire_kit_id(k);
    for (uint32_t t = 0; t < m.team_count; t++) {
        uint32_t count = wire_kit_below(k, 5);
        struct team_member *members = arena_alloc(k->arena, (count + 1) * sizeof *members);
        for (uint32_t i = 0; i < count; i++)
            members[i] =
                (struct team_member){wire_kit_name(k, i), wire_kit_id(k),
                                     wire_kit_below(k, 2) ? wire_kit_name(k, i) : STR_EMPTY,
                                     (enum match_answer)wire_kit_below(k, 3)};
        teams[t] = (struct match_team){wire_kit_name(k, t), members, count};
    }
    m.teams = teams;
    m.ticket_ids = ids;
    return m;
}

static inline struct backfill_spec wire_kit_backfill(struct wire_kit *k) {
    struct backfill_spec b = {.id = wire_kit_id(k),
                              .match_id = wire_kit_id(k),
                              .state = BACKFILL_OPEN + wire_kit_below(k, 5),
                              .queue = wire_kit_name(k, 0),
                              .region = wire_kit_text(k, 10),
                              .party_count = 1 + wire_kit_below(k, 3),
                              .created_ms = wire_kit_time(k),
                              .expires_ms = wire_kit_time(k),
                              .ended_ms = wire_kit_time(k),
                              .waited_ms = wire_kit_time(k),
                              .automatic = wire_kit_below(k, 2),
                              .reason = wire_kit_text(k, 20),
                              .request_hash = rng_next(&k->rng)};
    if (wire_kit_below(k, 2)) b.proposal_id = wire_kit_id(k);
    if (wire_kit_below(k, 2)) b.request_key = wire_kit_id(k);
    struct backfill_party *parties = arena_alloc(k->arena, b.party_count * sizeof *parties);
    for (uint32_t i = 0; i < b.party_count; i++) {
        struct ticket_spec spec = wire_kit_spec(k);
        parties[i] = (struct backfill_party){.team = wire_kit_text(k, 10),
                                             .players = spec.players,
                                             .player_count = spec.player_count};
        if (wire_kit_below(k, 2)) parties[i].ticket_id = wire_kit_id(k);
    }
    b.parties = parties;
    return b;
}

/* ---- a queue that can be put ---- */

#define WIRE_KIT_QUEUE                                                                   \
    "{\"name\":\"duel\",\"ruleset\":{\"name\":\"duel\",\"ruleLanguageVersion\":\"1.0\"," \
    "\"teams\":[{\"name\":\"red\",\"minPlayers\":1,\"maxPlayers\":1},"                   \
    "{\"name\":\"blue\",\"minPlayers\":1,\"maxPlayers\":1}]}}"

/* ---- comparing ---- */

static inline void wire_kit_same_double(double a, double b) {
    if (!(a == b)) fail_msg("%.17g is not %.17g", a, b);
}

static inline void wire_kit_same_text(struct str a, struct str b) {
    if (!str_equal(a, b)) fail_msg("\"%.*s\" is not \"%.*s\"", STR_PRINT(a), STR_PRINT(b));
}

static inline void wire_kit_same_attribute(const struct attribute *a, const struct attribute *b) {
    wire_kit_same_text(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    if (a->kind == ATTRIBUTE_NUMBER) wire_kit_same_double(a->number, b->number);
    if (a->kind == ATTRIBUTE_TEXT) wire_kit_same_text(a->text, b->text);
    assert_int_equal(a->item_count, b->item_count);
    for (uint32_t i = 0; i < a->item_count; i++) {
        wire_kit_same_text(a->items[i], b->items[i]);
        if (a->kind == ATTRIBUTE_MAP) wire_kit_same_double(a->numbers[i], b->numbers[i]);
    }
}

static inline void wire_kit_same_spec(const struct ticket_spec *a, const struct ticket_spec *b) {
    assert_int_equal(a->queue_count, b->queue_count);
    for (uint32_t i = 0; i < a->queue_count; i++)
        wire_kit_same_text(a->queues[i], b->queues[i]);
    assert_int_equal(a->player_count, b->player_count);
    for (uint32_t i = 0; i < a->player_count; i++) {
        const struct player *p = &a->players[i], *q = &b->players[i];
        wire_kit_same_text(p->id, q->id);
        assert_int_equal(p->attribute_count, q->attribute_count);
        assert_int_equal(p->latency_count, q->latency_count);
        for (uint32_t n = 0; n < p->attribute_count; n++)
            wire_kit_same_attribute(&p->attributes[n], &q->attributes[n]);
        for (uint32_t n = 0; n < p->latency_count; n++) {
            wire_kit_same_text(p->latencies[n].region, q->latencies[n].region);
            assert_int_equal(p->latencies[n].ms, q->latencies[n].ms);
        }
    }
}

static inline void wire_kit_same_match(const struct match_spec *a, const struct match_spec *b) {
    assert_true(id_equal(a->id, b->id));
    assert_int_equal(a->state, b->state);
    wire_kit_same_text(a->queue, b->queue);
    assert_int_equal(a->queue_version, b->queue_version);
    wire_kit_same_text(a->region, b->region);
    wire_kit_same_double(a->quality, b->quality);
    wire_kit_same_double(a->skill_spread, b->skill_spread);
    wire_kit_same_double(a->team_gap, b->team_gap);
    wire_kit_same_double(a->mean_latency_ms, b->mean_latency_ms);
    assert_int_equal(a->longest_wait_ms, b->longest_wait_ms);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->until_ms, b->until_ms);
    assert_int_equal(a->ended_ms, b->ended_ms);
    wire_kit_same_text(a->reason, b->reason);
    wire_kit_same_text(a->connection, b->connection);
    assert_int_equal(a->result_due_ms, b->result_due_ms);
    assert_int_equal(a->holds_players, b->holds_players);
    assert_int_equal(a->rules_age_ms, b->rules_age_ms);
    assert_true(id_equal(a->backfill_id, b->backfill_id));
    assert_true(id_equal(a->joins_id, b->joins_id));
    assert_int_equal(a->left_count, b->left_count);
    for (uint32_t i = 0; i < a->left_count; i++)
        wire_kit_same_text(a->left[i], b->left[i]);
    assert_int_equal(a->result_count, b->result_count);
    for (uint32_t i = 0; i < a->result_count; i++) {
        wire_kit_same_text(a->results[i].team, b->results[i].team);
        assert_int_equal(a->results[i].rank, b->results[i].rank);
        wire_kit_same_double(a->results[i].score, b->results[i].score);
    }
    assert_int_equal(a->ticket_count, b->ticket_count);
    for (uint32_t i = 0; i < a->ticket_count; i++)
        assert_true(id_equal(a->ticket_ids[i], b->ticket_ids[i]));
    assert_int_equal(a->team_count, b->team_count);
    for (uint32_t t = 0; t < a->team_count; t++) {
        wire_kit_same_text(a->teams[t].name, b->teams[t].name);
        assert_int_equal(a->teams[t].member_count, b->teams[t].member_count);
        for (uint32_t i = 0; i < a->teams[t].member_count; i++) {
            const struct team_member *m = &a->teams[t].members[i], *n = &b->teams[t].members[i];
            wire_kit_same_text(m->player_id, n->player_id);
            assert_true(id_equal(m->ticket_id, n->ticket_id));
            wire_kit_same_text(m->role, n->role);
            assert_int_equal(m->answer, n->answer);
        }
    }
}

/* ---- spoiling ---- */

/* Runs `use` on exact copies (ASan sees a byte too far) of every prefix of `bytes` shorter than
 * it, at most 2000 of them, then on `count` copies with 1..8 bytes changed. */
static inline void wire_kit_spoil(struct wire_kit *k, struct str bytes, unsigned count,
                                  void (*use)(struct str bytes, bool whole)) {
    size_t step = bytes.size / 2000 + 1;
    for (size_t size = 0; size < bytes.size; size += step) {
        char *copy = mem_alloc(size);
        if (size) memcpy(copy, bytes.at, size);
        use((struct str){copy, size}, false);
        mem_free(copy);
    }
    for (unsigned i = 0; i < count; i++) {
        char *copy = mem_alloc(bytes.size);
        memcpy(copy, bytes.at, bytes.size);
        for (uint32_t n = 1 + wire_kit_below(k, 8); n > 0; n--)
            copy[wire_kit_below(k, (uint32_t)bytes.size)] ^= (char)(1 << wire_kit_below(k, 8));
        use((struct str){copy, bytes.size}, true);
        mem_free(copy);
    }
}

static inline void wire_kit_same_backfill(const struct backfill_spec *a,
                                          const struct backfill_spec *b) {
    assert_true(id_equal(a->id, b->id));
    assert_true(id_equal(a->match_id, b->match_id));
    assert_int_equal(a->state, b->state);
    wire_kit_same_text(a->queue, b->queue);
    wire_kit_same_text(a->region, b->region);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->expires_ms, b->expires_ms);
    assert_int_equal(a->ended_ms, b->ended_ms);
    assert_int_equal(a->waited_ms, b->waited_ms);
    assert_int_equal(a->automatic, b->automatic);
    wire_kit_same_text(a->reason, b->reason);
    assert_true(id_equal(a->proposal_id, b->proposal_id));
    assert_true(id_equal(a->request_key, b->request_key));
    assert_true(a->request_hash == b->request_hash);
    assert_int_equal(a->party_count, b->party_count);
    for (uint32_t i = 0; i < a->party_count; i++) {
        const struct backfill_party *p = &a->parties[i], *q = &b->parties[i];
        struct ticket_spec x = {NULL, p->players, 0, p->player_count};
        struct ticket_spec y = {NULL, q->players, 0, q->player_count};
        wire_kit_same_text(p->team, q->team);
        assert_true(id_equal(p->ticket_id, q->ticket_id));
        wire_kit_same_spec(&x, &y);
    }
}

/* The caller frees it. */
static inline struct ticket *wire_kit_ticket(struct wire_kit *k, enum ticket_state state) {
    struct ticket_spec spec = wire_kit_spec(k);
    struct ticket *t = ticket_new(wire_kit_id(k), &spec, NULL);
    int64_t created_ms = wire_kit_time(k);
    ticket_set_times(t, created_ms, created_ms + wire_kit_below(k, 43200000));
    if (state == TICKET_QUEUED) return t;
    ticket_move(t, state);
    if (wire_kit_below(k, 2)) ticket_set_match(t, wire_kit_id(k));
    if (ticket_is_open(t)) return t;
    ticket_end(t)->ended_ms = wire_kit_time(k);
    ticket_set_reason(t, wire_kit_text(k, 20));
    return t;
}

#endif
