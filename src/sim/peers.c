/* peers.c - the table of other matchmakers' workloads. */
#include "sim/peers.h"

#include "wire/json_write.h"

#include <math.h>
#include <string.h>

#define TIMEOUT_S 300
#define BATTLE_REGIONS 20
#define SHOOTER_REGIONS 2
#define SHOOTER_MODES 125 /* of them 100 for "pl" and 25 for "cp" */
#define SHOOTER_SKILL_MAX 3
#define SHOOTER_SPREAD 0.01
#define SCORE 1200
#define SCORE_DISTANCE 100
#define AFFINITY 1000
#define AFFINITY_MARGIN 500
#define NEED_SETS 4 /* of PEER_NEEDS_4 */

#define DUEL 2, 1, 1, 50
#define FREE_4_TO_10 1, 4, 10, 50
#define NAKAMA "Nakama's ProcessTickets: "

const struct peer peers[] = {
    {"minimatch", "minimatch's load test: empty tickets, 1v1, a tick of 100 ms", PEER_EMPTY, 100, 0,
     0, 2, 1, 1, 100},
    {"firstmatch", "Open Match's firstmatch: empty tickets, 1v1", PEER_EMPTY, 100, 0, 0, DUEL},
    {"battleroyal", "Open Match's battleroyal: 100 players of one of 20 uneven regions",
     PEER_REGIONS, 100, 0, 0, 1, 100, 100, 50},
    {"teamshooter",
     "Open Match's teamshooter: 12 players of one region and mode, skills within 0.01",
     PEER_SHOOTER, 1000, 0, 0, 2, 6, 6, 50},
    {"nakama_100", NAKAMA "100 tickets of 1v1 beside 50", PEER_NEVER, 0, 100, 50, DUEL},
    {"nakama_500", NAKAMA "500 tickets of 1v1 beside 250", PEER_NEVER, 0, 500, 250, DUEL},
    {"nakama_1k", NAKAMA "1,000 tickets of 1v1 beside 100", PEER_NEVER, 0, 1000, 100, DUEL},
    {"nakama_10k", NAKAMA "10,000 of 1v1, which they leave out", PEER_NEVER, 0, 10000, 100, DUEL},
    {"nakama_100k", NAKAMA "100,000 of 1v1, left out too", PEER_NEVER, 0, 100000, 100, DUEL},
    {"nakama_100_4to10", NAKAMA "100 tickets, matches of 4 to 10, beside 10", PEER_NEVER, 0, 100,
     10, FREE_4_TO_10},
    {"nakama_500_4to10", NAKAMA "500 tickets, matches of 4 to 10, beside 50", PEER_NEVER, 0, 500,
     50, FREE_4_TO_10},
    {"nakama_1k_4to10", NAKAMA "1,000 tickets, matches of 4 to 10, beside 100", PEER_NEVER, 0, 1000,
     100, FREE_4_TO_10},
    {"nakama_10k_4to10", NAKAMA "10,000, matches of 4 to 10, which they leave out", PEER_NEVER, 0,
     10000, 100, FREE_4_TO_10},
    {"nakama_100k_4to10", NAKAMA "100,000, matches of 4 to 10, left out too", PEER_NEVER, 0, 100000,
     100, FREE_4_TO_10},
    {"distance_50", "Languege/flexmatch: 50 matches of 5v5, scores within 100", PEER_SCORE, 0, 500,
     0, 2, 5, 5, 50},
    {"distance_200", "Languege/flexmatch: 200 matches of 5v5", PEER_SCORE, 0, 2000, 0, 2, 5, 5, 50},
    {"distance_2k", "Languege/flexmatch: 2,000 matches of 5v5", PEER_SCORE, 0, 20000, 0, 2, 5, 5,
     50},
    {"crymatch_10k", "CryMatch: 10,000 of 1v1, twelve requirements and an affinity", PEER_NEEDS_4,
     0, 10000, 0, DUEL},
    {"crymatch_20k", "CryMatch: 20,000, the same", PEER_NEEDS_4, 0, 20000, 0, DUEL},
    {"crymatch_40k", "CryMatch: 40,000, the same", PEER_NEEDS_4, 0, 40000, 0, DUEL},
    {"crymatch_5k_normal", "CryMatch: 5,000 of 1v1, three requirements and an affinity", PEER_NEEDS,
     0, 5000, 0, DUEL},
    {"crymatch_50k_skill", "CryMatch: 50,000 of 1v1, an affinity alone", PEER_SOFT, 0, 50000, 0,
     DUEL},
};
const size_t peer_count = sizeof peers / sizeof peers[0];

const struct peer *peer_find(const char *name) {
    for (size_t i = 0; i < peer_count; i++)
        if (strcmp(peers[i].name, name) == 0) return &peers[i];
    return NULL;
}

/* ---- tickets ---- */

struct drawing {
    struct trace *trace;
    const struct peer *peer;
    struct rng rng;
    uint32_t players;
};

static struct attribute number_of(const char *name, double value) {
    return (struct attribute){.name = str_of(name), .kind = ATTRIBUTE_NUMBER, .number = value};
}

static struct attribute text_of(const char *name, struct str value) {
    return (struct attribute){.name = str_of(name), .kind = ATTRIBUTE_TEXT, .text = value};
}

static uint32_t draw_shooter(struct drawing *d, struct attribute *out) {
    bool payload = rng_below(&d->rng, SHOOTER_MODES) < 100;
    uint64_t region = rng_below(&d->rng, SHOOTER_REGIONS);
    double skill = rng_normal(&d->rng);
    out[0] = text_of("mode", payload ? STR("pl") : STR("cp"));
    out[1] = text_of("region", region ? STR("region_1") : STR("region_0"));
    out[2] = number_of("skill", fmin(SHOOTER_SKILL_MAX, fmax(-SHOOTER_SKILL_MAX, skill)));
    return 3;
}

/* By name, as a player's attributes must be. Returns how many. */
static uint32_t draw_attributes(struct drawing *d, struct attribute *out) {
    uint64_t region;
    switch (d->peer->kind) {
    case PEER_EMPTY:
    case PEER_NEVER:
        return 0;
    case PEER_REGIONS:
        region = rng_below(&d->rng, 1 + rng_below(&d->rng, BATTLE_REGIONS));
        out[0] = text_of("region", arena_printf(d->trace->arena, "region_%d", (int)region));
        return 1;
    case PEER_SHOOTER:
        return draw_shooter(d, out);
    case PEER_SCORE:
        out[0] = number_of("score", SCORE);
        return 1;
    case PEER_SOFT:
    case PEER_NEEDS:
    case PEER_NEEDS_4:
        out[0] = number_of("affinity", AFFINITY);
        if (d->peer->kind == PEER_SOFT) return 1;
        out[1] = number_of("slot0", 3);
        out[2] = number_of("slot1", 3);
        out[3] = number_of("slot2", 150);
        return 4;
    }
    return 0;
}

static struct player *draw_player(struct drawing *d) {
    struct arena *a = d->trace->arena;
    struct player *p = arena_alloc(a, sizeof *p);
    struct attribute *attributes = arena_alloc(a, 4 * sizeof *attributes);
    p->id = arena_printf(a, "p%u", d->players++);
    p->attribute_count = draw_attributes(d, attributes);
    p->attributes = attributes;
    return p;
}

static void add(struct drawing *d, double at_s, const struct player *player) {
    int64_t at_ms = (int64_t)(at_s * 1000);
    struct trace_ticket t = {at_ms, at_ms + TIMEOUT_S * 1000, {d->trace->queue, player, 1, 1}};
    trace_add(d->trace, &t);
}

/* Each of a kind of its own. */
static void draw_before(struct drawing *d) {
    struct arena *a = d->trace->arena;
    for (uint32_t i = 0; i < d->peer->before; i++) {
        struct player *p = draw_player(d);
        struct attribute *kind = arena_alloc(a, sizeof *kind);
        *kind = text_of("kind", arena_printf(a, "never-%u", i));
        p->attributes = kind;
        p->attribute_count = 1;
        add(d, 0, p);
    }
}

void peer_draw(struct trace *t, const struct peer_request *q) {
    *t = (struct trace){.arena = arena_new(0)};
    struct str *queue = arena_alloc(t->arena, sizeof *queue);
    *queue = arena_str(t->arena, q->queue);
    t->queue = queue;
    struct drawing d = {.trace = t, .peer = q->peer};
    rng_init(&d.rng, q->seed);
    draw_before(&d);
    for (uint32_t i = 0; q->peer->rate == 0 && i < q->peer->count; i++)
        add(&d, 0, draw_player(&d));
    double at_s = 0;
    while (q->peer->rate > 0 && (at_s -= log(1 - rng_unit(&d.rng)) / q->rate) < q->duration_s)
        add(&d, at_s, draw_player(&d));
    t->to_ms = (int64_t)(q->duration_s * 1000);
}

/* ---- rules ---- */

static void write_attribute(struct json_write *w, const char *name, const char *type) {
    json_write_open(w, NULL, '{');
    json_write_text(w, "name", str_of(name));
    json_write_text(w, "type", str_of(type));
    if (strcmp(name, "kind") == 0) json_write_text(w, "default", STR("any"));
    json_write_close(w);
}

static void write_attributes(struct json_write *w, enum peer_kind kind) {
    json_write_open(w, "playerAttributes", '[');
    if (kind == PEER_NEVER) write_attribute(w, "kind", "string");
    if (kind == PEER_REGIONS || kind == PEER_SHOOTER) write_attribute(w, "region", "string");
    if (kind == PEER_SHOOTER) write_attribute(w, "mode", "string");
    if (kind == PEER_SHOOTER) write_attribute(w, "skill", "number");
    if (kind == PEER_SCORE) write_attribute(w, "score", "number");
    if (kind >= PEER_SOFT) write_attribute(w, "affinity", "number");
    if (kind > PEER_SOFT) write_attribute(w, "slot0", "number");
    if (kind > PEER_SOFT) write_attribute(w, "slot1", "number");
    if (kind > PEER_SOFT) write_attribute(w, "slot2", "number");
    json_write_close(w);
}

/* All alike in a text (`distance` 0), or within a distance in a number. */
static void write_alike(struct json_write *w, const char *attribute, double distance) {
    json_write_open(w, NULL, '{');
    json_write_text(w, "name", str_of(attribute));
    json_write_text(w, "type", STR("batchDistance"));
    json_write_text(w, "batchAttribute", str_of(attribute));
    if (distance > 0) json_write_number(w, "maxDistance", distance);
    json_write_close(w);
}

/* What everybody asks of everybody's slot: to be in `middle` plus or minus `distance`. */
static void write_need(struct json_write *w, int slot, int set, int middle, int distance) {
    struct strbuf text = {0};
    json_write_open(w, NULL, '{');
    strbuf_printf(&text, "slot%d-%d", slot, set);
    json_write_text(w, "name", strbuf_str(&text));
    json_write_text(w, "type", STR("distance"));
    strbuf_clear(&text);
    strbuf_printf(&text, "flatten(teams[*].players.attributes[slot%d])", slot);
    json_write_text(w, "measurements", strbuf_str(&text));
    json_write_int(w, "referenceValue", middle);
    json_write_int(w, "maxDistance", distance);
    json_write_close(w);
    strbuf_fini(&text);
}

/* Their score is measured from the lowest of all, which is the spread. */
static void write_rules(struct json_write *w, enum peer_kind kind) {
    int sets = kind == PEER_NEEDS ? 1 : kind == PEER_NEEDS_4 ? NEED_SETS : 0;
    json_write_open(w, "rules", '[');
    if (kind == PEER_NEVER) write_alike(w, "kind", 0);
    if (kind == PEER_REGIONS || kind == PEER_SHOOTER) write_alike(w, "region", 0);
    if (kind == PEER_SHOOTER) write_alike(w, "mode", 0);
    if (kind == PEER_SHOOTER) write_alike(w, "skill", SHOOTER_SPREAD);
    if (kind == PEER_SCORE) write_alike(w, "score", SCORE_DISTANCE);
    if (kind >= PEER_SOFT) write_alike(w, "affinity", AFFINITY_MARGIN);
    for (int set = 0; set < sets; set++) {
        write_need(w, 0, set, 2, 1);
        write_need(w, 1, set, 3, 0);
        write_need(w, 2, set, 200, 100);
    }
    json_write_close(w);
}

void peer_write_queue(const struct peer *p, struct str name, struct strbuf *out) {
    struct json_write w = json_write_to(out);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "name", name);
    json_write_text(&w, "description", str_of(p->text));
    json_write_int(&w, "ticketTimeoutSeconds", TIMEOUT_S);
    json_write_int(&w, "tickMs", p->tick_ms);
    json_write_open(&w, "ruleset", '{');
    json_write_text(&w, "ruleLanguageVersion", STR("1.0"));
    write_attributes(&w, p->kind);
    json_write_open(&w, "teams", '[');
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "name", STR("team"));
    json_write_int(&w, "quantity", p->teams);
    json_write_int(&w, "minPlayers", p->players_min);
    json_write_int(&w, "maxPlayers", p->players_max);
    json_write_close(&w);
    json_write_close(&w);
    write_rules(&w, p->kind);
    json_write_close(&w);
    json_write_close(&w);
}
