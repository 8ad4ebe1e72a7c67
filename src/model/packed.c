/* packed.c - names in a row, and values in the order in which the names stand. */
#include "model/packed.h"

#include <assert.h>
#include <string.h>

/* ---- bytes ---- */

struct writer {
    char *at;
    size_t room, used; /* `used` may pass `room`: nothing is written behind it */
};

static void put(struct writer *w, const void *bytes, size_t size) {
    if (size && w->used + size <= w->room) memcpy(w->at + w->used, bytes, size);
    w->used += size;
}

/* LEB128: seven bits a byte, the low ones first. */
static void put_count(struct writer *w, size_t n) {
    unsigned char bytes[10];
    size_t size = 0;
    for (; n >= 0x80; n >>= 7)
        bytes[size++] = (unsigned char)(n | 0x80);
    bytes[size++] = (unsigned char)n;
    put(w, bytes, size);
}

static void put_text(struct writer *w, struct str s) {
    put_count(w, s.size);
    put(w, s.at, s.size);
}

static inline size_t take_count(const char **at) {
    const unsigned char *p = (const unsigned char *)*at;
    size_t n = *p & 0x7Fu;
    for (unsigned shift = 7; *p & 0x80u; shift += 7)
        n |= (size_t)(*++p & 0x7Fu) << shift;
    *at = (const char *)(p + 1);
    return n;
}

static inline struct str take_text(const char **at) {
    size_t size = take_count(at);
    struct str s = {*at, size};
    *at += size;
    return s;
}

static inline double take_number(const char **at) {
    double n;
    memcpy(&n, *at, sizeof n);
    *at += sizeof n;
    return n;
}

/* ---- names ---- */

static bool names_alike(const struct player *a, const struct player *b) {
    if (a->attribute_count != b->attribute_count || a->latency_count != b->latency_count)
        return false;
    for (uint32_t i = 0; i < a->attribute_count; i++) {
        const struct attribute *x = &a->attributes[i], *y = &b->attributes[i];
        if (x->kind != y->kind || !str_equal(x->name, y->name)) return false;
    }
    for (uint32_t i = 0; i < a->latency_count; i++)
        if (!str_equal(a->latencies[i].region, b->latencies[i].region)) return false;
    return true;
}

/* A player's part begins with 1 + how many attributes he has; 0: it is as the one before. */
static void put_names(struct writer *w, const struct player *p) {
    put_count(w, 1 + (size_t)p->attribute_count);
    for (uint32_t i = 0; i < p->attribute_count; i++) {
        char kind = (char)p->attributes[i].kind;
        put(w, &kind, 1);
        put_text(w, p->attributes[i].name);
    }
    put_count(w, p->latency_count);
    for (uint32_t i = 0; i < p->latency_count; i++)
        put_text(w, p->latencies[i].region);
}

size_t packed_names(const struct ticket_spec *spec, char *out, size_t room) {
    struct writer w = {.at = out, .room = room};
    put_count(&w, spec->queue_count);
    for (uint32_t i = 0; i < spec->queue_count; i++)
        put_text(&w, spec->queues[i]);
    put_count(&w, spec->player_count);
    for (uint32_t i = 0; i < spec->player_count; i++) {
        if (i > 0 && names_alike(&spec->players[i - 1], &spec->players[i]))
            put_count(&w, 0);
        else
            put_names(&w, &spec->players[i]);
    }
    return w.used;
}

struct str packed_queue(const struct form *f, uint32_t index) {
    const char *at = f->content;
    size_t count = take_count(&at);
    assert(index < count);
    struct str name = take_text(&at);
    while (index-- > 0)
        name = take_text(&at);
    return name;
}

/* ---- values ---- */

static void put_value(struct writer *w, const struct attribute *a) {
    switch (a->kind) {
    case ATTRIBUTE_NUMBER:
        put(w, &a->number, sizeof a->number);
        return;
    case ATTRIBUTE_TEXT:
        put_text(w, a->text);
        return;
    case ATTRIBUTE_LIST:
    case ATTRIBUTE_MAP:
        put_count(w, a->item_count);
        for (uint32_t i = 0; i < a->item_count; i++) {
            put_text(w, a->items[i]);
            if (a->kind == ATTRIBUTE_MAP) put(w, &a->numbers[i], sizeof *a->numbers);
        }
        return;
    }
}

size_t packed_values(const struct player *players, uint32_t count, char *out, size_t room) {
    struct writer w = {.at = out, .room = room};
    for (uint32_t i = 0; i < count; i++)
        put_text(&w, players[i].id);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < players[i].attribute_count; k++)
            put_value(&w, &players[i].attributes[k]);
        for (uint32_t k = 0; k < players[i].latency_count; k++) {
            assert(players[i].latencies[k].ms > 0 && players[i].latencies[k].ms <= UINT16_MAX);
            uint16_t ms = (uint16_t)players[i].latencies[k].ms;
            put(&w, &ms, sizeof ms);
        }
    }
    return w.used;
}

/* ---- reading ---- */

struct reader {
    const char *names, *values;
    struct attribute *attributes; /* the next of all players' */
    struct latency *latencies;
    struct arena *arena;
};

static void take_items(struct reader *r, struct attribute *a) {
    a->item_count = (uint32_t)take_count(&r->values);
    struct str *items = arena_alloc(r->arena, a->item_count * sizeof *items);
    double *numbers = NULL;
    if (a->kind == ATTRIBUTE_MAP) numbers = arena_alloc(r->arena, a->item_count * sizeof *numbers);
    for (uint32_t i = 0; i < a->item_count; i++) {
        items[i] = take_text(&r->values);
        if (numbers) numbers[i] = take_number(&r->values);
    }
    a->items = items;
    a->numbers = numbers;
}

static void take_attribute(struct reader *r, struct attribute *a) {
    a->kind = (enum attribute_kind) * r->names++;
    a->name = take_text(&r->names);
    if (a->kind == ATTRIBUTE_NUMBER)
        a->number = take_number(&r->values);
    else if (a->kind == ATTRIBUTE_TEXT)
        a->text = take_text(&r->values);
    else
        take_items(r, a);
}

/* `alike`: where the names of the one before begin. */
static void take_player(struct reader *r, struct player *p, const char **alike) {
    const char *own = r->names, *behind = own + 1;
    bool is_alike = *own == 0;
    if (is_alike)
        r->names = *alike;
    else
        *alike = own;
    p->attribute_count = (uint32_t)take_count(&r->names) - 1;
    p->attributes = r->attributes;
    for (uint32_t i = 0; i < p->attribute_count; i++)
        take_attribute(r, r->attributes++);
    p->latency_count = (uint32_t)take_count(&r->names);
    p->latencies = r->latencies;
    for (uint32_t i = 0; i < p->latency_count; i++, r->latencies++) {
        uint16_t ms;
        memcpy(&ms, r->values, sizeof ms);
        r->values += sizeof ms;
        *r->latencies = (struct latency){take_text(&r->names), ms};
    }
    if (is_alike) r->names = behind;
}

struct str packed_next_id(const char **at) {
    return take_text(at);
}

/* All arrays are one piece: queues, players, attributes, latencies, all of alignment 8. */
struct ticket_spec packed_read(const struct form *f, const char *values, struct arena *arena) {
    struct reader r = {.names = f->content, .values = values, .arena = arena};
    uint32_t queue_count = (uint32_t)take_count(&r.names);
    const char *queue_names = r.names;
    for (uint32_t i = 0; i < queue_count; i++)
        (void)take_text(&r.names);
    uint32_t count = (uint32_t)take_count(&r.names);
    struct str *queues;
    struct player *players;
    char *piece = arena_alloc(arena, queue_count * sizeof *queues + count * sizeof *players +
                                         f->attributes * sizeof *r.attributes +
                                         f->latencies * sizeof *r.latencies);
    queues = (struct str *)(void *)piece;
    players = (struct player *)(void *)(queues + queue_count);
    r.attributes = (struct attribute *)(void *)(players + count);
    r.latencies = (struct latency *)(void *)(r.attributes + f->attributes);
    for (uint32_t i = 0; i < queue_count; i++)
        queues[i] = take_text(&queue_names);
    for (uint32_t i = 0; i < count; i++)
        players[i].id = take_text(&r.values);
    const char *alike = NULL;
    for (uint32_t i = 0; i < count; i++)
        take_player(&r, &players[i], &alike);
    return (struct ticket_spec){queues, players, queue_count, count};
}
