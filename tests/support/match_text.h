/* match_text.h - writes a candidate match as a line of text, for tests of rules.
 *
 *   "skill=10/skill=14 skill=12 | skill=11,mode=duel,@eu=30"
 *
 * `|` parts teams, a space tickets, `/` the players of a ticket, a comma one player's values.
 * A value is a number, a text, a list with pluses ("a+b", "a+"), or a map ("x:1+y:2"); `@eu=30` is
 * a latency. `-` is a team of nobody. Players are called p1, p2 ... in order.
 */
#ifndef MUSTER_TESTS_SUPPORT_MATCH_TEXT_H
#define MUSTER_TESTS_SUPPORT_MATCH_TEXT_H

#include "base/mem.h"
#include "model/ruleset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MATCH_TEXT_MAX 200

struct match_text {
    struct arena *arena;
    struct ticket_spec specs[MATCH_TEXT_MAX];
    uint32_t team_of[MATCH_TEXT_MAX];
    uint32_t ticket_count, player_count;
};

/* Cuts the part before the next `separator` off `rest`; false at the end. */
static inline bool match_text_part(struct str *rest, char separator, struct str *part) {
    if (!rest->at) return false;
    const char *end = rest->size ? memchr(rest->at, separator, rest->size) : NULL;
    *part = (struct str){rest->at, end ? (size_t)(end - rest->at) : rest->size};
    *rest = end ? (struct str){end + 1, rest->size - part->size - 1} : STR_EMPTY;
    return true;
}

static inline void match_text_items(struct arena *arena, struct str value, struct attribute *a) {
    struct str *items = arena_alloc(arena, 32 * sizeof *items);
    double *numbers = arena_alloc(arena, 32 * sizeof *numbers);
    struct str item;
    while (match_text_part(&value, '+', &item)) {
        if (item.size == 0) continue;
        const char *colon = memchr(item.at, ':', item.size);
        items[a->item_count] = item;
        if (colon) {
            size_t size = (size_t)(colon - item.at);
            items[a->item_count].size = size;
            struct str number = {colon + 1, item.size - size - 1};
            bool ok = str_to_double(number, &numbers[a->item_count]);
            assert(ok);
        }
        a->kind = colon ? ATTRIBUTE_MAP : ATTRIBUTE_LIST;
        a->item_count++;
    }
    a->items = items;
    a->numbers = numbers;
}

static inline int match_text_by_name(const void *x, const void *y) {
    return str_compare(((const struct attribute *)x)->name, ((const struct attribute *)y)->name);
}

static inline int match_text_by_region(const void *x, const void *y) {
    return str_compare(((const struct latency *)x)->region, ((const struct latency *)y)->region);
}

static inline void match_text_value(struct match_text *m, struct str text, struct player *p) {
    const char *equals = memchr(text.at, '=', text.size);
    assert(equals);
    struct str name = {text.at, (size_t)(equals - text.at)};
    struct str value = {equals + 1, text.size - name.size - 1};
    if (name.at[0] == '@') {
        int64_t ms;
        bool ok = str_to_int64(value, &ms);
        assert(ok);
        struct latency *l = (struct latency *)p->latencies + p->latency_count++;
        *l = (struct latency){{name.at + 1, name.size - 1}, (int32_t)ms};
        return;
    }
    struct attribute *a = (struct attribute *)p->attributes + p->attribute_count++;
    *a = (struct attribute){.name = name, .kind = ATTRIBUTE_TEXT, .text = value};
    if (str_to_double(value, &a->number))
        a->kind = ATTRIBUTE_NUMBER;
    else if (memchr(value.at, '+', value.size) || memchr(value.at, ':', value.size))
        match_text_items(m->arena, value, a);
}

static inline void match_text_player(struct match_text *m, struct str text, struct player *p) {
    struct attribute *attributes = arena_alloc(m->arena, 16 * sizeof *attributes);
    struct latency *latencies = arena_alloc(m->arena, 16 * sizeof *latencies);
    p->id = arena_printf(m->arena, "p%u", ++m->player_count);
    p->attributes = attributes;
    p->latencies = latencies;
    struct str value;
    while (match_text_part(&text, ',', &value)) {
        if (value.size) match_text_value(m, value, p);
    }
    qsort(attributes, p->attribute_count, sizeof *attributes, match_text_by_name);
    qsort(latencies, p->latency_count, sizeof *latencies, match_text_by_region);
}

static inline void match_text_ticket(struct match_text *m, struct str text, uint32_t team) {
    struct player *players = arena_alloc(m->arena, 16 * sizeof *players);
    static const struct str queue = {"q", 1};
    struct ticket_spec *spec = &m->specs[m->ticket_count];
    *spec = (struct ticket_spec){&queue, players, 1, 0};
    struct str player;
    while (match_text_part(&text, '/', &player)) {
        match_text_player(m, player, &players[spec->player_count++]);
    }
    m->team_of[m->ticket_count++] = team;
}

/* Everything is in `arena`, and borrows `text`. */
static inline struct match_text match_text_read(struct arena *arena, const char *text) {
    struct match_text m = {.arena = arena};
    struct str rest = str_of(text), team, ticket;
    for (uint32_t t = 0; match_text_part(&rest, '|', &team); t++) {
        while (match_text_part(&team, ' ', &ticket)) {
            bool nobody = ticket.size == 0 || str_equal(ticket, STR("-"));
            if (!nobody) match_text_ticket(&m, ticket, t);
        }
    }
    return m;
}

/* The verdict over the match at an age; its region borrows from `text`. */
static inline struct verdict match_text_judge(const struct ruleset *r, int64_t age_ms,
                                              const char *text) {
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, text);
    struct candidate c = {m.specs, m.team_of, m.ticket_count, age_ms};
    struct verdict v = ruleset_evaluate(r, &c, arena);
    arena_free(arena);
    return v;
}

static inline bool match_text_legal(const struct ruleset *r, int64_t age_ms, const char *text) {
    return match_text_judge(r, age_ms, text).legal;
}

#endif
