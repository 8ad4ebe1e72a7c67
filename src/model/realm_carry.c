/* realm_carry.c - records living objects again, so that the journal before them may be cut. */
#include "base/mem.h"
#include "model/realm_state.h"

static struct record *new_carried(const struct decision *d, enum record_kind kind) {
    struct record *record = arena_alloc(d->arena, sizeof *record);
    record->kind = kind;
    record->carried = true;
    record->time_ms = d->now_ms;
    return record;
}

static void carry_queue(struct realm *r, const struct queue *q, const struct decision *d) {
    struct record *record = new_carried(d, RECORD_QUEUE_PUT);
    record->queue_put.name = arena_str(d->arena, q->def->name);
    record->queue_put.json = arena_str(d->arena, q->def->json);
    record->queue_put.allow_shrinking = q->def->allow_shrinking;
    record->queue_put.version = q->version;
    record->queue_put.author = arena_str(d->arena, q->author);
    record->queue_put.comment = arena_str(d->arena, q->comment);
    record->queue_put.put_ms = q->updated_ms;
    record->queue_put.past = q->history.past;
    record->queue_put.past_count = q->history.count;
    realm_emit(r, d, record);
}

static void carry_ticket(struct realm *r, const struct ticket *t, const struct decision *d) {
    struct record *record = new_carried(d, RECORD_TICKET_CREATED);
    record->ticket_created.id = t->id;
    record->ticket_created.spec = ticket_spec(t, d->arena);
    record->ticket_created.state = t->state;
    record->ticket_created.created_ms = t->created_ms;
    record->ticket_created.expires_ms = ticket_expires_ms(t);
    record->ticket_created.ended_ms = ticket_ended_ms(t);
    record->ticket_created.heartbeat_ms = t->heartbeat_ms;
    record->ticket_created.match_id = ticket_match_id(t);
    record->ticket_created.reason = ticket_reason(t);
    record->ticket_created.request_key = ticket_request(t).key;
    record->ticket_created.request_hash = ticket_request(t).hash;
    record->ticket_created.promised = t->promised;
    realm_emit(r, d, record);
}

static void carry_match(struct realm *r, const struct match *m, const struct decision *d) {
    struct record *record = new_carried(d, RECORD_MATCH_CREATED);
    record->match_created = m->spec;
    realm_emit(r, d, record);
}

static void carry_penalty(struct realm *r, const struct penalty *p, const struct decision *d) {
    struct record *record = new_carried(d, RECORD_PLAYER_PENALIZED);
    record->player_penalized.player_id = p->player_id;
    record->player_penalized.queue = p->queue;
    record->player_penalized.offences = p->offences;
    record->player_penalized.until_ms = p->until_ms;
    record->player_penalized.forget_ms = p->forget_ms;
    realm_emit(r, d, record);
}

static void carry_backfill(struct realm *r, const struct backfill *b, const struct decision *d) {
    struct record *record = new_carried(d, RECORD_BACKFILL_PUT);
    record->backfill_put = b->spec;
    realm_emit(r, d, record);
}

/* The cursor is the number of this pass, which every whole record since it began knows: so what it
 * has recorded itself is not carried again. A carried object moves to the end of its list. */
bool realm_carry(struct realm *r, const struct decision *d, int64_t upto_ms, uint64_t *cursor,
                 unsigned max) {
    if (*cursor == 0) {
        for (uint32_t i = 0; i < r->queue_count; i++)
            carry_queue(r, r->queues[i], d);
        *cursor = ++r->carries;
    }
    unsigned carried = 0;
    for (struct list_node *n; (n = list_first(&r->tickets_recorded)); carried++) {
        const struct ticket *t = LIST_OF(n, struct ticket, recorded);
        if (t->recorded_in >= *cursor || t->recorded_ms > upto_ms) break;
        if (carried == max) return true;
        carry_ticket(r, t, d);
    }
    for (struct list_node *n; (n = list_first(&r->matches_recorded)); carried++) {
        const struct match *m = LIST_OF(n, struct match, recorded);
        if (m->recorded_in >= *cursor || m->recorded_ms > upto_ms) break;
        if (carried == max) return true;
        carry_match(r, m, d);
    }
    for (struct list_node *n; (n = list_first(&r->penalties_recorded)); carried++) {
        const struct penalty *p = LIST_OF(n, struct penalty, recorded);
        if (p->recorded_in >= *cursor || p->recorded_ms > upto_ms) break;
        if (carried == max) return true;
        carry_penalty(r, p, d);
    }
    for (struct list_node *n; (n = list_first(&r->backfills_recorded)); carried++) {
        const struct backfill *b = LIST_OF(n, struct backfill, recorded);
        if (b->recorded_in >= *cursor || b->recorded_ms > upto_ms) break;
        if (carried == max) return true;
        carry_backfill(r, b, d);
    }
    return false;
}
