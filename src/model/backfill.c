/* backfill.c - deep copies of backfills, and the table of legal moves. */
#include "model/backfill.h"

#include "base/mem.h"

#include <assert.h>

struct backfill *backfill_new(const struct backfill_spec *spec) {
    assert(!id_is_none(spec->id));
    uint32_t count = spec->party_count;
    struct arena *arena = arena_new(0);
    struct backfill *b = arena_alloc(arena, sizeof *b);
    struct backfill_party *parties = arena_alloc(arena, count * sizeof *parties);
    b->arena = arena;
    b->tickets = arena_alloc(arena, count * sizeof(struct ticket *));
    b->team_of = arena_alloc(arena, count * sizeof *b->team_of);
    b->spec = *spec;
    b->spec.queue = arena_str(arena, spec->queue);
    b->spec.region = arena_str(arena, spec->region);
    b->spec.reason = arena_str(arena, spec->reason);
    b->spec.parties = parties;
    for (uint32_t i = 0; i < count; i++) {
        const struct backfill_party *from = &spec->parties[i];
        struct ticket_spec t = {&b->spec.queue, from->players, 1, from->player_count};
        b->tickets[i] =
            ticket_new(id_is_none(from->ticket_id) ? spec->id : from->ticket_id, &t, NULL);
        parties[i] = *from;
        parties[i].team = arena_str(arena, from->team);
        parties[i].players = ticket_spec(b->tickets[i], arena).players;
        b->player_count += from->player_count;
    }
    return b;
}

struct ticket_spec backfill_spec_of(const struct backfill *b, uint32_t index) {
    const struct backfill_party *p = &b->spec.parties[index];
    return (struct ticket_spec){&b->spec.queue, p->players, 1, p->player_count};
}

void backfill_free(struct backfill *b) {
    if (!b) return;
    assert(!list_linked(&b->kept) && !list_linked(&b->recorded));
    assert(!heap_started(&b->due) && !heap_started(&b->expiry));
    for (uint32_t i = 0; i < b->spec.party_count; i++)
        ticket_free(b->tickets[i]);
    arena_free(b->arena);
}

bool backfill_may_move(enum backfill_state from, enum backfill_state to) {
    static const unsigned char moves[BACKFILL_EXPIRED + 1] = {
        [BACKFILL_OPEN] = 1u << BACKFILL_OPEN | 1u << BACKFILL_PROPOSED | 1u << BACKFILL_FILLED |
                          1u << BACKFILL_CANCELLED | 1u << BACKFILL_EXPIRED,
        [BACKFILL_PROPOSED] =
            1u << BACKFILL_OPEN | 1u << BACKFILL_FILLED | 1u << BACKFILL_CANCELLED,
    };
    assert(from >= BACKFILL_OPEN && from <= BACKFILL_EXPIRED);
    assert(to >= BACKFILL_OPEN && to <= BACKFILL_EXPIRED);
    return moves[from] >> to & 1;
}

bool backfill_is_active(const struct backfill_spec *b) {
    return b->state == BACKFILL_OPEN || b->state == BACKFILL_PROPOSED;
}

const char *backfill_state_name(enum backfill_state s) {
    static const char *const names[] = {
        [BACKFILL_OPEN] = "BACKFILL_OPEN",       [BACKFILL_PROPOSED] = "BACKFILL_PROPOSED",
        [BACKFILL_FILLED] = "BACKFILL_FILLED",   [BACKFILL_CANCELLED] = "BACKFILL_CANCELLED",
        [BACKFILL_EXPIRED] = "BACKFILL_EXPIRED",
    };
    assert(s >= BACKFILL_OPEN && s <= BACKFILL_EXPIRED);
    return names[s];
}

int64_t backfill_age_ms(const struct backfill_spec *b, int64_t now_ms) {
    return b->waited_ms + (now_ms > b->created_ms ? now_ms - b->created_ms : 0);
}

bool backfill_has_player(const struct backfill_spec *b, struct str player) {
    for (uint32_t i = 0; i < b->party_count; i++) {
        for (uint32_t k = 0; k < b->parties[i].player_count; k++)
            if (str_equal(b->parties[i].players[k].id, player)) return true;
    }
    return false;
}
