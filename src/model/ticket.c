/* ticket.c - what a ticket's block holds where, and the table of legal moves. */
#include "model/ticket.h"

#include "base/limits.h"
#include "model/packed.h"
#include "model/ticket_home.h"

#include <assert.h>
#include <string.h>

/* ---- the block ---- */

/* The places of an open ticket and the end of an ended one have one room. */
static size_t room_bytes(uint32_t queue_count) {
    size_t places = queue_count * sizeof(struct ticket_place);
    return places > sizeof(struct ticket_end) ? places : sizeof(struct ticket_end);
}

static char *behind_room(const struct ticket *t) {
    return (char *)t->places + room_bytes(t->queue_count);
}

static struct ticket_request *request_of(const struct ticket *t) {
    return (struct ticket_request *)(void *)behind_room(t);
}

static char *trace_of(const struct ticket *t) {
    return behind_room(t) + t->has_request * sizeof(struct ticket_request);
}

/* Of those it came with; in their place, when they were changed, is a pointer to the new ones. */
static char *own_values(const struct ticket *t) {
    return trace_of(t) + t->has_trace * sizeof(struct traceparent);
}

static const char *values_of(const struct ticket *t) {
    char *values = own_values(t);
    if (t->was_changed) memcpy(&values, values, sizeof values);
    return values;
}

static size_t least_room(size_t values_bytes) {
    return values_bytes > sizeof(char *) ? values_bytes : sizeof(char *);
}

/* It stands in no pool, and no timer of it runs. */
static void assert_placeless(const struct ticket *t) {
    for (uint32_t i = 0; i < t->queue_count; i++)
        assert(!t->places[i].entry);
    assert(t->state != TICKET_QUEUED || (!heap_started(&t->expiry) && !heap_started(&t->pulse)));
}

struct ticket *ticket_new(struct id id, const struct ticket_spec *spec,
                          const struct ticket_origin *origin) {
    static const struct ticket_origin nowhere;
    if (!origin) origin = &nowhere;
    assert(!id_is_none(id));
    assert(spec->queue_count <= LIMIT_TICKET_QUEUES && spec->player_count <= LIMIT_TICKET_PLAYERS);
    enum { SMALL_BYTES = 512 }; /* are packed once, larger ones twice */
    MEM_UNCLEARED char small[SMALL_BYTES];
    size_t bytes = packed_values(spec->players, spec->player_count, small, sizeof small);
    struct ticket as = {.id = id,
                        .state = TICKET_QUEUED,
                        .queue_count = spec->queue_count & 0xFu,
                        .player_count = spec->player_count & 0xFFu,
                        .has_request = !id_is_none(origin->request.key),
                        .has_trace = origin->trace != NULL};
    size_t before = (size_t)(own_values(&as) - (char *)&as);
    unsigned units;
    struct ticket *t = ticket_home_take(origin->home, before + least_room(bytes), &units);
    *t = as;
    t->units = units & 0x1Fu;
    t->form = ticket_home_take_form(origin->home, spec);
    if (t->has_request) *request_of(t) = origin->request;
    if (t->has_trace) memcpy(trace_of(t), origin->trace, sizeof *origin->trace);
    if (bytes <= sizeof small)
        memcpy(own_values(t), small, bytes);
    else
        packed_values(spec->players, spec->player_count, own_values(t), bytes);
    return t;
}

static void drop_changed(struct ticket *t) {
    if (t->was_changed) mem_free((char *)values_of(t));
}

void ticket_change(struct ticket *t, const struct ticket_spec *spec) {
    assert(spec->player_count == t->player_count && spec->queue_count == t->queue_count);
    size_t bytes = packed_values(spec->players, spec->player_count, NULL, 0);
    char *values = mem_alloc(bytes);
    packed_values(spec->players, spec->player_count, values, bytes);
    struct form *form = ticket_home_take_form(t->form->home, spec);
    ticket_home_give_form(t->form);
    t->form = form;
    drop_changed(t);
    t->was_changed = true;
    memcpy(own_values(t), &values, sizeof values);
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
    drop_changed(t);
    struct ticket_home *home = t->form->home;
    ticket_home_give_form(t->form);
    ticket_home_give(home, t, t->units);
}

/* ---- what is in it ---- */

struct ticket_spec ticket_spec(const struct ticket *t, struct arena *arena) {
    return packed_read(t->form, values_of(t), arena);
}

const struct ticket_spec *ticket_specs(const struct ticket *const *tickets, uint32_t count,
                                       struct arena *arena) {
    struct ticket_spec *specs = arena_alloc(arena, count * sizeof *specs);
    for (uint32_t i = 0; i < count; i++)
        specs[i] = ticket_spec(tickets[i], arena);
    return specs;
}

struct str ticket_queue(const struct ticket *t, uint32_t index) {
    return packed_queue(t->form, index);
}

struct str ticket_next_player(const struct ticket *t, const char **at) {
    if (!*at) *at = values_of(t);
    return packed_next_id(at);
}

bool ticket_has_player(const struct ticket *t, struct str id) {
    const char *at = NULL;
    for (uint32_t i = 0; i < t->player_count; i++)
        if (str_equal(ticket_next_player(t, &at), id)) return true;
    return false;
}

void ticket_set_times(struct ticket *t, int64_t created_ms, int64_t expires_ms) {
    int64_t lasts_ms = expires_ms > created_ms ? expires_ms - created_ms : 0;
    t->created_ms = created_ms;
    t->lasts_ms = lasts_ms < UINT32_MAX ? (uint32_t)lasts_ms : UINT32_MAX;
}

int64_t ticket_expires_ms(const struct ticket *t) {
    return t->created_ms + t->lasts_ms;
}

struct ticket_request ticket_request(const struct ticket *t) {
    return t->has_request ? *request_of(t) : (struct ticket_request){0};
}

const struct traceparent *ticket_trace(const struct ticket *t) {
    return t->has_trace ? (const struct traceparent *)(const void *)trace_of(t) : NULL;
}

void ticket_expect(const struct ticket *t) {
    enum { LINE_BYTES = 64, LINES = 3 };
    for (int i = 0; i < LINES; i++)
        __builtin_prefetch((const char *)t + (ptrdiff_t)i * LINE_BYTES);
}

/* ---- states ---- */

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
