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

/* The places of an open ticket and the end of an ended one have one room. */
static size_t room_bytes(uint32_t queue_count) {
    size_t places = queue_count * sizeof(struct ticket_place);
    return places > sizeof(struct ticket_end) ? places : sizeof(struct ticket_end);
}

static struct ticket_request *request_of(const struct ticket *t) {
    return (struct ticket_request *)(void *)((char *)t->places + room_bytes(t->spec.queue_count));
}

static struct ticket *copy_spec(struct block *b, const struct ticket_spec *from, bool has_request) {
    struct ticket *t = take(b, sizeof *t, alignof(struct ticket));
    take(b, room_bytes(from->queue_count), alignof(struct ticket_place));
    if (has_request) take(b, sizeof(struct ticket_request), alignof(struct ticket_request));
    struct player *players = copy_players(b, from->players, from->player_count);
    struct str *queues = take(b, from->queue_count * sizeof *queues, alignof(struct str));
    for (uint32_t i = 0; i < from->queue_count; i++) {
        struct str queue = take_str(b, from->queues[i]);
        if (queues) queues[i] = queue;
    }
    if (!t) return NULL;
    t->spec = (struct ticket_spec){queues, players, from->queue_count, from->player_count};
    return t;
}

struct ticket *ticket_new(struct id id, const struct ticket_spec *spec,
                          const struct ticket_origin *origin) {
    assert(!id_is_none(id));
    bool has_request = origin && !id_is_none(origin->request.key);
    const struct traceparent *trace = origin ? origin->trace : NULL;
    struct block measure = {0};
    copy_spec(&measure, spec, has_request);
    size_t trace_bytes = trace ? sizeof *trace : 0;
    struct block block = {.base = mem_alloc(measure.used + trace_bytes)};
    struct ticket *t = copy_spec(&block, spec, has_request);
    assert(block.used == measure.used);
    t->id = id;
    t->state = TICKET_QUEUED;
    t->has_request = has_request;
    if (has_request) *request_of(t) = origin->request;
    t->trace_at = (uint32_t)block.used * (trace != NULL);
    if (trace) memcpy(block.base + block.used, trace, sizeof *trace);
    return t;
}

struct ticket_request ticket_request(const struct ticket *t) {
    return t->has_request ? *request_of(t) : (struct ticket_request){0};
}

const struct traceparent *ticket_trace(const struct ticket *t) {
    return t->trace_at ? (const struct traceparent *)((const char *)t + t->trace_at) : NULL;
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

const struct ticket_spec *ticket_specs(const struct ticket *const *tickets, uint32_t count,
                                       struct arena *arena) {
    struct ticket_spec *specs = arena_alloc(arena, count * sizeof *specs);
    for (uint32_t i = 0; i < count; i++)
        specs[i] = tickets[i]->spec;
    return specs;
}

void ticket_expect(const struct ticket *t) {
    enum { LINE_BYTES = 64, SPEC_LINES = 3 };
    const char *block = (const char *)t, *players = (const char *)(t + 1);
    __builtin_prefetch(block);
    for (int i = 0; i < SPEC_LINES; i++)
        __builtin_prefetch(players + (ptrdiff_t)i * LINE_BYTES);
}

/* It stands in no pool, and no timer of it runs. */
static void assert_placeless(const struct ticket *t) {
    for (uint32_t i = 0; i < t->spec.queue_count; i++)
        assert(!t->places[i].entry);
    assert(t->state != TICKET_QUEUED || (!heap_started(&t->expiry) && !heap_started(&t->pulse)));
}

void ticket_free(struct ticket *t) {
    if (!t) return;
    assert(!list_linked(&t->recorded));
    if (ticket_is_open(t)) {
        assert_placeless(t);
    } else {
        assert(!list_linked(&ticket_end(t)->kept));
        mem_free(ticket_end(t)->reason);
    }
    mem_free(t->players_block);
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
    assert_placeless(t);
    if (t->state == TICKET_QUEUED) t->match_id = (struct id){0, 0};
    t->state = to;
    if (to == TICKET_QUEUED) {
        t->alive_ms = 0;
        t->expiry = t->pulse = (struct heap_node){0};
    } else if (to != TICKET_PROPOSED) {
        *ticket_end(t) = (struct ticket_end){0};
    }
}

struct ticket_end *ticket_end(const struct ticket *t) {
    assert(!ticket_is_open(t));
    return (struct ticket_end *)(void *)t->places;
}

int64_t ticket_ended_ms(const struct ticket *t) {
    return ticket_is_open(t) ? 0 : ticket_end(t)->ended_ms;
}

struct str ticket_reason(const struct ticket *t) {
    return ticket_is_open(t) ? STR_EMPTY : str_of(ticket_end(t)->reason);
}

void ticket_set_reason(struct ticket *t, struct str reason) {
    struct ticket_end *end = ticket_end(t);
    assert(!end->reason);
    if (reason.size) end->reason = mem_text(reason);
}

struct id ticket_match_id(const struct ticket *t) {
    return t->state == TICKET_QUEUED ? (struct id){0, 0} : t->match_id;
}

void ticket_set_match(struct ticket *t, struct id match_id) {
    assert(t->state != TICKET_QUEUED);
    t->match_id = match_id;
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
