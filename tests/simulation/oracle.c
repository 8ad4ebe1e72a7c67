/* oracle.c - walks the journal in its order, then holds every answer and event against it. */
#include "simulation/oracle.h"

#include "base/mem.h"
#include "model/realm.h"
#include "simulation/cluster.h"
#include "simulation/oracle_state.h"
#include "wire/journal_codec.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORTS_MAX = 12 };

struct event { /* what the journal makes public */
    struct position at;
    uint32_t index;
    struct str id;
    int64_t time_us;
};

void oracle_violation(struct oracle *o, const char *name, const char *format, ...) {
    if (o->violations++ >= REPORTS_MAX) return;
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("VIOLATION %s: %s\n", name, text);
}

static bool has_id(const void *value, const void *key) {
    return id_equal(((const struct known *)value)->id, *(const struct id *)key);
}

struct known *oracle_ticket(const struct oracle *o, struct id id) {
    return map_get(&o->tickets, id_hash(id), has_id, &id);
}

const char *oracle_text(struct id id) {
    static char text[4][ID_TEXT_BYTES];
    static unsigned next;
    char *out = text[next++ % 4];
    id_format(id, out);
    return out;
}

int oracle_player(struct str name) {
    int number = 0;
    for (size_t i = 1; i < name.size; i++)
        number = 10 * number + (name.at[i] - '0');
    return number;
}

static bool is_open(enum ticket_state s) {
    return s == TICKET_QUEUED || s == TICKET_PROPOSED;
}

/* ---- the journal ---- */

static void note_event(struct oracle *o, struct str id) {
    if (o->event_count == o->event_capacity) {
        o->event_capacity = o->event_capacity ? 2 * o->event_capacity : 512;
        o->events = mem_grow(o->events, o->event_capacity, sizeof *o->events);
    }
    o->events[o->event_count++] =
        (struct event){o->entry->at, o->index++, arena_str(o->arena, id), o->entry->time_us};
}

/* A ticket's news are told on the topic of each of its queues. */
static void note_events(struct oracle *o, struct id id, uint32_t queue_count) {
    for (uint32_t i = 0; i < queue_count; i++)
        note_event(o, str_of(oracle_text(id)));
}

void oracle_end_ticket(struct oracle *o, struct id id, enum ticket_state to) {
    struct known *t = oracle_ticket(o, id);
    if (!t) {
        oracle_violation(o, "I6", "%s ends, but was never created", oracle_text(id));
        return;
    }
    if (!is_open(t->state))
        oracle_violation(o, "I2", "%s ends as %s after %s", oracle_text(id), ticket_state_name(to),
                         ticket_state_name(t->state));
    t->state = to;
    t->ended_us = o->entry->time_us;
    for (uint32_t i = 0; i < t->player_count; i++)
        if (o->open_of[t->players[i]] == t) o->open_of[t->players[i]] = NULL;
}

static void walk_created(struct oracle *o, const struct record *r) {
    struct known *t = oracle_ticket(o, r->ticket_created.id);
    if (r->carried) {
        if (!t || t->state != r->ticket_created.state)
            oracle_violation(o, "I18", "%s was carried as %s", oracle_text(r->ticket_created.id),
                             ticket_state_name(r->ticket_created.state));
        return;
    }
    note_events(o, r->ticket_created.id, r->ticket_created.spec.queue_count);
    if (t) {
        oracle_violation(o, "I8", "%s was created twice", oracle_text(t->id));
        return;
    }
    t = arena_alloc(o->arena, sizeof *t);
    *t = (struct known){.id = r->ticket_created.id,
                        .state = TICKET_QUEUED,
                        .request_key = r->ticket_created.request_key,
                        .created_ms = r->ticket_created.created_ms,
                        .created_us = o->entry->time_us,
                        .player_count = r->ticket_created.spec.player_count};
    map_put(&o->tickets, id_hash(t->id), t);
    o->counts->tickets++;
    oracle_check_barred(o, r);
    for (uint32_t i = 0; i < t->player_count; i++) {
        int player = oracle_player(r->ticket_created.spec.players[i].id);
        t->players[i] = player;
        if (o->open_of[player])
            oracle_violation(o, "I1", "player p%d is in %s and %s", player,
                             oracle_text(o->open_of[player]->id), oracle_text(t->id));
        if (o->playing[player])
            oracle_violation(o, "I1", "player p%d plays in %s and waits in %s", player,
                             oracle_text(o->playing[player]->id), oracle_text(t->id));
        o->open_of[player] = t;
    }
}

static void walk_match(struct oracle *o, const struct match_spec *m) {
    double low = INFINITY, high = -INFINITY;
    uint32_t players = 0, members = 0;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        struct known *t = oracle_ticket(o, m->ticket_ids[i]);
        double sum = 0; /* of a party the mean counts */
        for (uint32_t k = 0; t && k < t->player_count; k++, players++)
            sum += load_skill(t->players[k]);
        if (t) low = fmin(low, sum / t->player_count);
        if (t) high = fmax(high, sum / t->player_count);
    }
    uint32_t least = id_is_none(m->joins_id) ? load_team_min(m->queue) : 0;
    for (uint32_t i = 0; i < m->team_count; i++) {
        members += m->teams[i].member_count;
        if (m->teams[i].member_count < least || m->teams[i].member_count > load_team_max(m->queue))
            oracle_violation(o, "I6", "match %s has a team of %u", oracle_text(m->id),
                             m->teams[i].member_count);
    }
    if (m->team_count != 2 || members != players)
        oracle_violation(o, "I6", "match %s has %u teams, %u members of %u players",
                         oracle_text(m->id), m->team_count, members, players);
    if (high - low > LOAD_SKILL_DISTANCE)
        oracle_violation(o, "I6", "match %s spans %g", oracle_text(m->id), high - low);
}

static void walk_match_created(struct oracle *o, const struct record *r) {
    const struct match_spec *m = &r->match_created;
    if (r->carried) {
        oracle_check_carried_match(o, m);
        return;
    }
    note_event(o, str_of(oracle_text(m->id)));
    walk_match(o, m);
    bool asks = load_queue_asks(m->queue);
    if ((m->state == MATCH_PROPOSED) != asks)
        oracle_violation(o, "I17", "match %s of %.*s begins %s", oracle_text(m->id),
                         STR_PRINT(m->queue), match_state_name(m->state));
    if (asks) {
        oracle_walk_proposed(o, m);
        oracle_walk_asked(o, m);
        return;
    }
    o->counts->matches++;
    oracle_walk_begun(o, m);
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct known *t = oracle_ticket(o, m->ticket_ids[i]);
        if (t && t->state == TICKET_PROPOSED)
            oracle_violation(o, "I17", "%s is matched while it is proposed another",
                             oracle_text(t->id));
        oracle_end_ticket(o, m->ticket_ids[i], TICKET_MATCHED);
    }
}

static void walk_match_updated(struct oracle *o, const struct record *r) {
    note_event(o, str_of(oracle_text(r->match_updated.spec.id)));
    for (uint32_t i = 0; i < r->match_updated.fate_count; i++)
        note_events(o, r->match_updated.fates[i].id, r->match_updated.fates[i].queue_count);
    if (oracle_walk_over(o, &r->match_updated.spec)) return;
    if (load_queue_asks(r->match_updated.spec.queue)) oracle_walk_settled(o, r);
}

/* A match's news, those of who joined it, and its backfill's. */
static void walk_roster(struct oracle *o, const struct record *r) {
    struct id backfill = r->roster_changed.backfill.id;
    note_event(o, str_of(oracle_text(r->roster_changed.spec.id)));
    if (r->roster_changed.ticket_count > 0)
        note_event(o, str_of(oracle_text(r->roster_changed.spec.id)));
    if (!id_is_none(backfill)) note_event(o, str_of(oracle_text(backfill)));
    oracle_walk_roster(o, r);
}

static void walk_record(void *arg, struct record *r) {
    struct oracle *o = arg;
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
        walk_created(o, r);
        break;
    case RECORD_TICKET_ENDED:
        note_events(o, r->ticket_ended.id, r->ticket_ended.queue_count);
        oracle_end_ticket(o, r->ticket_ended.id, r->ticket_ended.state);
        break;
    case RECORD_MATCH_CREATED:
        walk_match_created(o, r);
        break;
    case RECORD_MATCH_ACCEPTED:
        note_event(o, str_of(oracle_text(r->match_accepted.id)));
        oracle_walk_accepted(o, r);
        break;
    case RECORD_MATCH_UPDATED:
        walk_match_updated(o, r);
        break;
    case RECORD_PLAYER_PENALIZED:
        oracle_walk_penalty(o, r);
        break;
    case RECORD_ROSTER_CHANGED:
        walk_roster(o, r);
        break;
    case RECORD_BACKFILL_PUT:
        if (!r->carried) note_event(o, str_of(oracle_text(r->backfill_put.id)));
        oracle_walk_backfill(o, r);
        break;
    case RECORD_QUEUE_PUT:
    case RECORD_QUEUE_DELETED:
        if (!r->carried) note_event(o, STR_EMPTY);
        break;
    default:
        break;
    }
    realm_apply(o->realm, r);
    journal_record_fini(r);
}

/* I5: epochs rise; within one, one owner writes without a hole. */
static void check_position(struct oracle *o, const struct entry *e) {
    bool first = e->at.epoch != o->epoch;
    if (e->at.epoch < o->epoch)
        oracle_violation(o, "I5", "epoch %" PRIu64 " wrote after epoch %" PRIu64, e->at.epoch,
                         o->epoch);
    else if (first ? e->at.seq != 1 : e->at.seq != o->seq + 1)
        oracle_violation(o, "I5", "%" PRIu64 "-%" PRIu64 " follows seq %" PRIu64, e->at.epoch,
                         e->at.seq, o->seq);
    if (!first && !str_equal(e->owner, o->owner))
        oracle_violation(o, "I5", "epoch %" PRIu64 " has two owners", e->at.epoch);
    o->epoch = e->at.epoch;
    o->seq = e->at.seq;
    o->owner = e->owner;
}

static void walk_journal(struct oracle *o) {
    const struct history *h = history();
    struct err_text why;
    for (size_t i = 0; i < h->entry_count; i++) {
        const struct entry *e = &h->entries[i];
        if (e->lost_us) continue;
        check_position(o, e);
        o->entry = e;
        o->index = 0;
        if (journal_decode(e->bytes, o->arena, walk_record, o, NULL, &why))
            oracle_violation(o, "I4", "an entry cannot be read: %.200s", why.text);
        oracle_check_entry(o);
    }
}

/* ---- answers ---- */

bool oracle_lost_since(int64_t begin_us) {
    const struct history *h = history();
    for (size_t i = h->entry_count; i-- > 0;)
        if (h->entries[i].lost_us > begin_us) return true;
    return false;
}

static void check_create(struct oracle *o, const struct op *op) {
    const struct known *t = oracle_ticket(o, op->ticket_id);
    if (!t) {
        if (!oracle_lost_since(op->begin_us))
            oracle_violation(o, "I4", "%s was acknowledged (%s) and is not in the journal",
                             oracle_text(op->ticket_id), op->request_id);
        return;
    }
    for (int i = 0; i < OP_PLAYERS_MAX; i++) {
        bool has = (uint32_t)i < t->player_count;
        if (has != (op->players[i] >= 0) || (has && t->players[i] != op->players[i]))
            oracle_violation(o, "I8", "%s answers %s with other players", oracle_text(t->id),
                             op->request_id);
    }
    if (t->created_us > op->end_us)
        oracle_violation(o, "I4", "%s was acknowledged before it was journaled",
                         oracle_text(t->id));
}

static void check_cancel(struct oracle *o, const struct op *op) {
    const struct known *t = oracle_ticket(o, op->ticket_id);
    if (!t || oracle_lost_since(op->begin_us)) return;
    if (op->code == ERR_OK && (t->state != TICKET_CANCELLED || t->ended_us > op->end_us))
        oracle_violation(o, "I7", "the cancel of %s was acknowledged, but it is %s",
                         oracle_text(t->id), ticket_state_name(t->state));
    if (op->code == ERR_FAILED_PRECONDITION && (is_open(t->state) || t->ended_us > op->end_us))
        oracle_violation(o, "I7", "the cancel of %s was too late, but nothing ended it",
                         oracle_text(t->id));
}

bool oracle_may_be_old(const struct op *read) {
    const struct history *h = history();
    for (size_t i = 0; i < h->jump_count; i++)
        if (h->jumps_us[i] <= read->end_us &&
            h->jumps_us[i] + CLUSTER_LEASE_MS * MS >= read->begin_us)
            return true;
    return false;
}

/* A read that began after another ended is not behind it; nor behind what it was told. */
static void check_reads(struct oracle *o, size_t place) {
    const struct history *h = history();
    const struct op *later = &h->ops[place];
    const struct known *t = oracle_ticket(o, later->ticket_id);
    if (!t || oracle_lost_since(0) || oracle_may_be_old(later)) return;
    if (later->code == ERR_NOT_FOUND)
        oracle_violation(o, "I10", "%s was acknowledged and is not found", oracle_text(t->id));
    if (later->code != ERR_OK) return;
    if (!is_open((enum ticket_state)later->state) &&
        ((int)t->state != later->state || t->ended_us > later->end_us))
        oracle_violation(o, "I10", "%s was read as %d, the journal has %d", oracle_text(t->id),
                         later->state, (int)t->state);
    for (size_t i = 0; i < place; i++) {
        const struct op *earlier = &h->ops[i];
        if (earlier->kind >= OP_ACCEPT) continue;
        if (!id_equal(earlier->ticket_id, later->ticket_id) || earlier->code != ERR_OK ||
            !earlier->end_us || earlier->end_us > later->begin_us)
            continue;
        if (!is_open((enum ticket_state)earlier->state) && is_open((enum ticket_state)later->state))
            oracle_violation(o, "I10", "%s was read as %d, then as %d", oracle_text(t->id),
                             earlier->state, later->state);
    }
}

static void check_answers(struct oracle *o) {
    const struct history *h = history();
    for (size_t i = 0; i < h->op_count; i++) {
        const struct op *op = &h->ops[i];
        if (!op->end_us) {
            oracle_violation(o, "I12", "%s was never answered", op->request_id);
            continue;
        }
        if (op->kind == OP_CREATE && op->code == ERR_OK) check_create(o, op);
        if (op->kind == OP_CREATE && op->code == ERR_FAILED_PRECONDITION)
            oracle_check_refused(o, op);
        if (op->kind == OP_CANCEL) check_cancel(o, op);
        if (op->kind == OP_ACCEPT || op->kind == OP_DECLINE) oracle_check_answer(o, op);
        if (op->kind == OP_GET || op->kind == OP_WATCH) check_reads(o, i);
        if (op->kind >= OP_LOOK) oracle_check_look(o, op);
    }
}

/* One request id makes one ticket: each create of the load has its own, and so do its tickets. */
static void check_request_keys(struct oracle *o) {
    size_t a = 0;
    for (const struct known *t; (t = map_next(&o->tickets, &a));) {
        size_t b = a;
        for (const struct known *other; (other = map_next(&o->tickets, &b));)
            if (id_equal(t->request_key, other->request_key))
                oracle_violation(o, "I8", "one request made %s and %s", oracle_text(t->id),
                                 oracle_text(other->id));
    }
}

/* ---- events ---- */

static const struct event *event_at(const struct oracle *o, const struct heard *h) {
    size_t low = 0, high = o->event_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct event *e = &o->events[middle];
        int order = position_compare(e->at, h->at);
        if (order == 0 && e->index == h->index) return e;
        if (order < 0 || (order == 0 && e->index < h->index))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool resynced_after(const struct heard *h) {
    const struct history *all = history();
    for (size_t i = 0; i < all->heard_count; i++)
        if (all->heard[i].resync && all->heard[i].watcher == h->watcher &&
            all->heard[i].time_us >= h->time_us)
            return true;
    return false;
}

/* I9, I16: what one subscriber heard between two resyncs is a run of the journal without a hole;
 * an event that is not in the journal any more was followed by a resync. */
static void check_watcher(struct oracle *o, int watcher) {
    const struct history *all = history();
    bool *got = mem_alloc(o->event_count + 1);
    size_t first = o->event_count;
    for (size_t i = 0; i < all->heard_count; i++) {
        const struct heard *h = &all->heard[i];
        if (h->watcher != watcher) continue;
        if (h->resync) {
            first = o->event_count;
            memset(got, 0, o->event_count);
            continue;
        }
        const struct event *e = event_at(o, h);
        if (!e || !str_equal(e->id, h->id)) {
            if (!resynced_after(h))
                oracle_violation(o, "I9",
                                 "subscriber %d heard %" PRIu64 "-%" PRIu64 ".%u %.*s: no such"
                                 " event, and no resync",
                                 watcher, h->at.epoch, h->at.seq, h->index, STR_PRINT(h->id));
            continue;
        }
        size_t place = (size_t)(e - o->events);
        if (got[place]) oracle_violation(o, "I3", "subscriber %d heard an event twice", watcher);
        got[place] = true;
        if (place < first) first = place;
    }
    for (size_t i = first; i < o->event_count; i++)
        if (!got[i])
            oracle_violation(o, "I9", "subscriber %d never heard %" PRIu64 "-%" PRIu64 ".%u",
                             watcher, o->events[i].at.epoch, o->events[i].at.seq,
                             o->events[i].index);
    mem_free(got);
}

/* ---- all of it ---- */

static void check_end(struct oracle *o, const struct realm *leader) {
    size_t cursor = 0;
    for (const struct known *t; (t = map_next(&o->tickets, &cursor));)
        if (is_open(t->state)) oracle_violation(o, "I14", "%s is still open", oracle_text(t->id));
    oracle_check_settled(o);
    if (!leader) {
        oracle_violation(o, "I14", "nobody leads");
        return;
    }
    if (realm_digest(leader) != realm_digest(o->realm))
        oracle_violation(o, "I18", "the leader's state is not the journal's");
}

unsigned oracle_judge(const struct realm *leader, struct oracle_counts *counts) {
    struct oracle o = {.arena = arena_new(0), .realm = realm_new(60000), .counts = counts};
    walk_journal(&o);
    check_answers(&o);
    check_request_keys(&o);
    for (int i = 0; i < LOAD_WATCHERS; i++)
        check_watcher(&o, i);
    check_end(&o, leader);
    if (o.violations > REPORTS_MAX) printf("... and %u more\n", o.violations - REPORTS_MAX);
    realm_free(o.realm);
    map_fini(&o.tickets);
    map_fini(&o.proposals);
    map_fini(&o.running);
    map_fini(&o.looking);
    mem_free(o.events);
    arena_free(o.arena);
    return o.violations;
}
