/* realm_digest.c - one number for all living state: queues, open tickets, timed matches, active
 * backfills.
 *
 * What has ended is left out: when it is forgotten is the owner's own business.
 */
#include "model/realm_state.h"

#include <string.h>

/* FNV-1a over 64-bit words with a final mix (that of SplitMix64): the same in every process. */
struct digest {
    uint64_t value;
};

static void add_number(struct digest *d, uint64_t n) {
    d->value = (d->value ^ n) * 0x100000001b3u;
    d->value ^= d->value >> 29;
}

static void add_double(struct digest *d, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    add_number(d, bits);
}

static void add_str(struct digest *d, struct str s) {
    add_number(d, s.size);
    for (size_t i = 0; i < s.size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, s.at + i, s.size - i < 8 ? s.size - i : 8);
        add_number(d, word);
    }
}

static uint64_t finish(const struct digest *d) {
    uint64_t z = d->value;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void add_player(struct digest *d, const struct player *p) {
    add_str(d, p->id);
    for (uint32_t i = 0; i < p->attribute_count; i++) {
        const struct attribute *a = &p->attributes[i];
        add_str(d, a->name);
        add_number(d, a->kind);
        if (a->kind == ATTRIBUTE_NUMBER) add_double(d, a->number);
        if (a->kind == ATTRIBUTE_TEXT) add_str(d, a->text);
        for (uint32_t k = 0; k < a->item_count; k++) {
            add_str(d, a->items[k]);
            if (a->numbers) add_double(d, a->numbers[k]);
        }
    }
    for (uint32_t i = 0; i < p->latency_count; i++) {
        add_str(d, p->latencies[i].region);
        add_number(d, (uint64_t)p->latencies[i].ms);
    }
}

static uint64_t digest_ticket(const struct ticket *t, struct arena *scratch) {
    struct ticket_spec spec = ticket_spec(t, scratch);
    struct digest d = {1};
    add_number(&d, t->id.hi);
    add_number(&d, t->id.lo);
    add_number(&d, t->state);
    for (uint32_t i = 0; i < spec.queue_count; i++)
        add_str(&d, spec.queues[i]);
    add_number(&d, (uint64_t)t->created_ms);
    add_number(&d, (uint64_t)ticket_expires_ms(t));
    struct ticket_request request = ticket_request(t);
    add_number(&d, request.key.hi);
    add_number(&d, request.key.lo);
    add_number(&d, request.hash);
    for (uint32_t i = 0; i < spec.player_count; i++)
        add_player(&d, &spec.players[i]);
    arena_reset(scratch);
    return finish(&d);
}

static void add_version(struct digest *d, const struct queue_version *v) {
    add_number(d, v->number);
    add_number(d, (uint64_t)v->put_ms);
    add_number(d, v->allow_shrinking);
    add_str(d, v->json);
    add_str(d, v->author);
    add_str(d, v->comment);
}

static uint64_t digest_queue(const struct queue *q) {
    struct digest d = {2};
    struct queue_version now = queue_version_now(q);
    add_str(&d, q->def->name);
    add_version(&d, &now);
    for (uint32_t i = 0; i < q->history.count; i++)
        add_version(&d, &q->history.past[i]);
    add_number(&d, q->tickets_queued);
    add_number(&d, q->tickets_open);
    add_number(&d, q->players_queued);
    return finish(&d);
}

static uint64_t digest_match(const struct match_spec *m) {
    struct digest d = {3};
    add_number(&d, m->id.hi);
    add_number(&d, m->id.lo);
    add_number(&d, m->state);
    add_number(&d, (uint64_t)m->until_ms);
    add_number(&d, (uint64_t)m->result_due_ms);
    add_str(&d, m->connection);
    add_number(&d, m->holds_players);
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            add_str(&d, m->teams[t].members[i].player_id);
            add_number(&d, m->teams[t].members[i].answer);
        }
    }
    return finish(&d);
}

static uint64_t digest_backfill(const struct backfill_spec *b) {
    struct digest d = {4};
    add_number(&d, b->id.hi);
    add_number(&d, b->id.lo);
    add_number(&d, b->match_id.lo);
    add_number(&d, b->state);
    add_number(&d, b->proposal_id.lo);
    add_number(&d, (uint64_t)b->created_ms);
    add_number(&d, (uint64_t)b->expires_ms);
    add_number(&d, (uint64_t)b->waited_ms);
    add_number(&d, b->automatic);
    add_str(&d, b->region);
    for (uint32_t i = 0; i < b->party_count; i++) {
        add_str(&d, b->parties[i].team);
        add_number(&d, b->parties[i].ticket_id.lo);
        for (uint32_t k = 0; k < b->parties[i].player_count; k++)
            add_player(&d, &b->parties[i].players[k]);
    }
    return finish(&d);
}

uint64_t realm_digest(const struct realm *r) {
    uint64_t sum = r->tickets_open + 31 * r->holders.count;
    size_t cursor = 0;
    for (const struct backfill *b; (b = map_next(&r->backfilled, &cursor));)
        sum += digest_backfill(&b->spec);
    for (uint32_t i = 0; i < r->queue_count; i++)
        sum += digest_queue(r->queues[i]);
    for (size_t i = 0; i < r->expiries.count; i++) { /* every QUEUED ticket has its expiry */
        sum += digest_ticket(HEAP_OF(heap_nth(&r->expiries, i), struct ticket, expiry), r->scratch);
    }
    for (size_t i = 0; i < r->match_ends.count; i++) {
        const struct match *m = HEAP_OF(heap_nth(&r->match_ends, i), struct match, due);
        sum += digest_match(&m->spec);
        for (uint32_t k = 0; k < m->spec.ticket_count; k++) {
            const struct ticket *t = realm_find_ticket(r, m->spec.ticket_ids[k]);
            if (t && t->state == TICKET_PROPOSED) sum += digest_ticket(t, r->scratch);
        }
    }
    return sum;
}
