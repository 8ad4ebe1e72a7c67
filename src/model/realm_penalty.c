/* realm_penalty.c - who may not join which queue for a while, found by player and queue. */
#include "base/limits.h"
#include "model/realm_state.h"

#include <stdio.h>

struct penalty_key {
    struct str player_id, queue;
};

static uint64_t key_hash(struct str player_id, struct str queue) {
    return str_hash(player_id) * 31 + str_hash(queue);
}

static bool has_key(const void *value, const void *key) {
    const struct penalty *p = value;
    const struct penalty_key *k = key;
    return str_equal(p->player_id, k->player_id) && str_equal(p->queue, k->queue);
}

struct penalty *realm_find_penalty(const struct realm *r, struct str player_id, struct str queue) {
    struct penalty_key key = {player_id, queue};
    return map_get(&r->penalties, key_hash(player_id, queue), has_key, &key);
}

const struct penalty *realm_penalty(const struct realm *r, struct str player_id, struct str queue) {
    return realm_find_penalty(r, player_id, queue);
}

void realm_forget_penalty(struct realm *r, struct penalty *p) {
    map_remove(&r->penalties, key_hash(p->player_id, p->queue), p);
    heap_stop(&r->penalty_ends, &p->due);
    list_remove(&r->penalties_recorded, &p->recorded);
    penalty_free(p);
}

static struct penalty *add(struct realm *r, struct str player_id, struct str queue) {
    if (r->penalties.count == LIMIT_PENALTIES) {
        realm_forget_penalty(r, HEAP_OF(heap_first(&r->penalty_ends), struct penalty, due));
        r->counts.forgotten_early++;
    }
    struct penalty *p = penalty_new(player_id, queue);
    map_put(&r->penalties, key_hash(player_id, queue), p);
    return p;
}

void realm_apply_player_penalized(struct realm *r, const struct record *record) {
    struct str player_id = record->player_penalized.player_id;
    struct str queue = record->player_penalized.queue;
    struct penalty *p = realm_find_penalty(r, player_id, queue);
    if (!p) p = add(r, player_id, queue);
    if (list_linked(&p->recorded)) list_remove(&r->penalties_recorded, &p->recorded);
    list_append(&r->penalties_recorded, &p->recorded);
    p->recorded_ms = record->time_ms;
    p->recorded_in = r->carries;
    p->offences = record->player_penalized.offences;
    p->until_ms = record->player_penalized.until_ms;
    p->forget_ms = record->player_penalized.forget_ms;
    heap_start(&r->penalty_ends, &p->due, p->forget_ms);
}

/* ---- deciding ---- */

void realm_penalize(struct realm *r, const struct decision *d, struct str player_id,
                    const struct queue *q) {
    if (q->def->life.dodge.step_count == 0) return;
    const struct penalty *p = realm_find_penalty(r, player_id, q->def->name);
    struct penalty_sentence s = penalty_after(p, &q->def->life.dodge, d->now_ms);
    struct record *record = realm_new_record(d, RECORD_PLAYER_PENALIZED);
    record->player_penalized.player_id = arena_str(d->arena, player_id);
    record->player_penalized.queue = arena_str(d->arena, q->def->name);
    record->player_penalized.offences = s.offences;
    record->player_penalized.until_ms = s.until_ms;
    record->player_penalized.forget_ms = s.forget_ms;
    realm_emit(r, d, record);
}

enum err realm_check_penalties(const struct realm *r, const struct ticket_spec *spec,
                               const struct queue *q, int64_t now_ms, struct err_text *why) {
    if (r->penalties.count == 0 || q->def->life.dodge.step_count == 0) return ERR_OK;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        struct str player = spec->players[i].id;
        const struct penalty *p = realm_find_penalty(r, player, q->def->name);
        if (!p || p->until_ms <= now_ms) continue;
        char field[32];
        int64_t left_ms = p->until_ms - now_ms;
        snprintf(field, sizeof field, "players[%u].player_id", i);
        enum err e = err_set_field(
            why, ERR_FAILED_PRECONDITION, field,
            "player \"%.*s\" let matches of queue \"%.*s\" fail and may join it again in %lld s",
            STR_PRINT(player), STR_PRINT(q->def->name), (long long)(left_ms + 999) / 1000);
        if (why) why->retry_after_ms = left_ms;
        return e;
    }
    return ERR_OK;
}
