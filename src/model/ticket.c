/* ticket.c - deep copies of tickets in one block, and the table of legal moves. */
#include "model/ticket.h"

#include "base/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>

/* One block, filled twice with the same code: first without memory to learn its size. */
struct block {
    char *base; /* NULL while measuring */
    size_t used;
};

static void *take(struct block *b, size_t size, size_t alignment) {
    b->used = (b->used + alignment - 1) / alignment * alignment;
    void *at = b->base ? b->base + b->used : NULL;
    b->used += size;
    return at;
}

static struct str take_str(struct block *b, struct str s) {
    char *at = take(b, s.size, 1);
    if (at && s.size) memcpy(at, s.at, s.size);
    return (struct str){at, s.size};
}

static void copy_items(struct block *b, struct attribute *to, const struct attribute *from) {
    struct str *items = take(b, from->item_count * sizeof *items, alignof(struct str));
    double *numbers = NULL;
    if (from->numbers) {
        numbers = take(b, from->item_count * sizeof *numbers, alignof(double));
        if (numbers && from->item_count) {
            memcpy(numbers, from->numbers, from->item_count * sizeof *numbers);
        }
    }
    for (uint32_t i = 0; i < from->item_count; i++) {
        struct str item = take_str(b, from->items[i]);
        if (items) items[i] = item;
    }
    if (!to) return;
    to->items = items;
    to->numbers = numbers;
}

static void copy_attribute(struct block *b, struct attribute *to, const struct attribute *from) {
    if (to) *to = *from;
    struct str name = take_str(b, from->name);
    if (to) to->name = name;
    if (from->kind == ATTRIBUTE_TEXT) {
        struct str text = take_str(b, from->text);
        if (to) to->text = text;
    } else if (from->kind != ATTRIBUTE_NUMBER) {
        copy_items(b, to, from);
    }
}

static void copy_player(struct block *b, struct player *to, const struct player *from) {
    struct str id = take_str(b, from->id);
    struct attribute *attributes =
        take(b, from->attribute_count * sizeof *attributes, alignof(struct attribute));
    for (uint32_t i = 0; i < from->attribute_count; i++) {
        copy_attribute(b, attributes ? &attributes[i] : NULL, &from->attributes[i]);
    }
    struct latency *latencies =
        take(b, from->latency_count * sizeof *latencies, alignof(struct latency));
    for (uint32_t i = 0; i < from->latency_count; i++) {
        struct str region = take_str(b, from->latencies[i].region);
        if (latencies) latencies[i] = (struct latency){region, from->latencies[i].ms};
    }
    if (!to) return;
    *to = (struct player){.id = id,
                          .attributes = attributes,
                          .latencies = latencies,
                          .attribute_count = from->attribute_count,
                          .latency_count = from->latency_count};
}

static struct player *copy_players(struct block *b, const struct player *from, uint32_t count) {
    struct player *players = take(b, count * sizeof *players, alignof(struct player));
    for (uint32_t i = 0; i < count; i++) {
        copy_player(b, players ? &players[i] : NULL, &from[i]);
    }
    return players;
}

static struct ticket *copy_spec(struct block *b, const struct ticket_spec *from) {
    struct ticket *t = take(b, sizeof *t, alignof(struct ticket));
    struct player *players = copy_players(b, from->players, from->player_count);
    struct ticket_place *places =
        take(b, from->queue_count * sizeof *places, alignof(struct ticket_place));
    struct str *queues = take(b, from->queue_count * sizeof *queues, alignof(struct str));
    for (uint32_t i = 0; i < from->queue_count; i++) {
        struct str queue = take_str(b, from->queues[i]);
        if (queues) queues[i] = queue;
    }
    if (!t) return NULL;
    t->spec = (struct ticket_spec){queues, players, from->queue_count, from->player_count};
    t->places = places;
    return t;
}

struct ticket *ticket_new(struct id id, const struct ticket_spec *spec) {
    assert(!id_is_none(id));
    struct block measure = {0};
    copy_spec(&measure, spec);
    struct block block = {.base = mem_alloc(measure.used)};
    struct ticket *t = copy_spec(&block, spec);
    assert(block.used == measure.used);
    t->id = id;
    t->state = TICKET_QUEUED;
    return t;
}

void ticket_set_players(struct ticket *t, const struct player *players) {
    struct block measure = {0};
    copy_players(&measure, players, t->spec.player_count);
    struct block block = {.base = mem_alloc(measure.used)};
    t->spec.players = copy_players(&block, players, t->spec.player_count);
    assert(block.used == measure.used);
    mem_free(t->players_block);
    t->players_block = block.base;
}

void ticket_expect(const struct ticket *t) {
    enum { LINE_BYTES = 64, SPEC_LINES = 3 };
    const char *block = (const char *)t, *players = (const char *)(t + 1);
    __builtin_prefetch(block);
    for (int i = 0; i < SPEC_LINES; i++)
        __builtin_prefetch(players + (ptrdiff_t)i * LINE_BYTES);
}

void ticket_free(struct ticket *t) {
    if (!t) return;
    assert(!list_linked(&t->kept) && !list_linked(&t->recorded));
    for (uint32_t i = 0; i < t->spec.queue_count; i++)
        assert(!t->places[i].entry);
    assert(!heap_started(&t->expiry) && !heap_started(&t->pulse));
    mem_free((char *)t->reason.at);
    mem_free(t->players_block);
    mem_free(t->trace);
    mem_free(t);
}

bool ticket_is_open(const struct ticket *t) {
    return t->state == TICKET_QUEUED || t->state == TICKET_PROPOSED;
}

bool ticket_may_move(enum ticket_state from, enum ticket_state to) {
    static const unsigned char moves[TICKET_EXPIRED + 1] = {
        [TICKET_QUEUED] = 1u << TICKET_PROPOSED | 1u << TICKET_MATCHED | 1u << TICKET_CANCELLED |
                          1u << TICKET_EXPIRED,
        [TICKET_PROPOSED] = 1u << TICKET_QUEUED | 1u << TICKET_MATCHED | 1u << TICKET_CANCELLED |
                            1u << TICKET_EXPIRED,
    };
    assert(from >= TICKET_QUEUED && from <= TICKET_EXPIRED);
    assert(to >= TICKET_QUEUED && to <= TICKET_EXPIRED);
    return moves[from] >> to & 1;
}

void ticket_move(struct ticket *t, enum ticket_state to) {
    assert(ticket_may_move(t->state, to));
    t->state = to;
}

const char *ticket_state_name(enum ticket_state s) {
    static const char *const names[] = {
        [TICKET_QUEUED] = "QUEUED",   [TICKET_PROPOSED] = "PROPOSED",
        [TICKET_MATCHED] = "MATCHED", [TICKET_CANCELLED] = "CANCELLED",
        [TICKET_EXPIRED] = "EXPIRED",
    };
    assert(s >= TICKET_QUEUED && s <= TICKET_EXPIRED);
    return names[s];
}

const struct attribute *player_attribute(const struct player *p, struct str name) {
    uint32_t low = 0, high = p->attribute_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(p->attributes[middle].name, name);
        if (order == 0) return &p->attributes[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int32_t player_latency_ms(const struct player *p, struct str region) {
    uint32_t low = 0, high = p->latency_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(p->latencies[middle].region, region);
        if (order == 0) return p->latencies[middle].ms;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static int32_t shorter(int32_t a, int32_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

struct ticket_wait ticket_wait_first(struct ticket_wait a, struct ticket_wait b) {
    return (struct ticket_wait){shorter(a.p50_ms, b.p50_ms), shorter(a.p90_ms, b.p90_ms)};
}
