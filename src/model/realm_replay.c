/* realm_replay.c - many in a row: what only a live realm needs is built at the end of a replay, and
 * what records and commands will be looked up in is fetched ahead. */
#include "model/realm_state.h"

#include <assert.h>

void realm_replay_begin(struct realm *r) {
    assert(!r->replaying && r->tickets.count == 0 && r->queue_count == 0);
    r->replaying = true;
}

static void expect_new(const struct realm *r, const struct ticket_spec *spec, struct id key) {
    for (uint32_t i = 0; i < spec->player_count; i++)
        map_expect(&r->players, str_hash(spec->players[i].id));
    if (!id_is_none(key)) map_expect(&r->requests, id_hash(key));
}

void realm_expect_command(const struct realm *r, const struct command *c) {
    if (c->kind == COMMAND_CREATE_TICKET)
        expect_new(r, &c->create_ticket.spec, c->create_ticket.request_key);
}

void realm_expect(const struct realm *r, const struct record *record) {
    if (record->kind == RECORD_TICKET_CREATED) {
        map_expect(&r->tickets, id_hash(record->ticket_created.id));
        expect_new(r, &record->ticket_created.spec, record->ticket_created.request_key);
    } else if (record->kind == RECORD_TICKET_ENDED) {
        map_expect(&r->tickets, id_hash(record->ticket_ended.id));
    } else if (record->kind == RECORD_MATCH_CREATED) {
        map_expect(&r->matches, id_hash(record->match_created.id));
        for (uint32_t i = 0; i < record->match_created.ticket_count; i++)
            map_expect(&r->tickets, id_hash(record->match_created.ticket_ids[i]));
    } else if (record->kind == RECORD_MATCH_UPDATED) {
        map_expect(&r->matches, id_hash(record->match_updated.spec.id));
    } else if (record->kind == RECORD_ROSTER_CHANGED) {
        map_expect(&r->matches, id_hash(record->roster_changed.spec.id));
    }
}

void realm_replay_end(struct realm *r) {
    assert(r->replaying);
    r->replaying = false;
    LIST_EACH (&r->tickets_recorded, node) {
        struct ticket *t = LIST_OF(node, struct ticket, recorded);
        if (t->state != TICKET_QUEUED) continue;
        realm_start_timers(r, t);
        for (uint32_t i = 0; i < t->queue_count; i++) {
            if (t->places[i].queue) pool_fill(t->places[i].queue->pool, t, i);
        }
    }
    for (uint32_t i = 0; i < r->queue_count; i++) {
        pool_filled(r->queues[i]->pool);
        LIST_EACH (&r->queues[i]->backfills, node)
            realm_start_backfill(r, LIST_OF(node, struct backfill, kept));
        realm_set_turn(r, r->queues[i]);
    }
}
