/* history.c - recorded events as a trace and a list of matches. */
#include "sim/history.h"

#include "base/mem.h"
#include "wire/event_json.h"

#include <string.h>

struct reading {
    struct history *h;
    struct arena *arena; /* of the lines: texts of the trace borrow from it */
    struct record *records;
    size_t count, capacity;
    struct map players; /* of struct last_seen */
};

struct last_seen {
    struct str player;
    struct history_ticket *ticket; /* his latest */
};

/* ---- lines ---- */

static enum err read_line(struct reading *r, struct str line, size_t number, struct err_text *why) {
    struct record record;
    struct err_text what = {0};
    enum err code = event_json_read(line, r->arena, &record, &what);
    if (code != ERR_OK) return err_set(why, code, "line %zu: %.400s", number, what.text);
    if (record.kind == 0) return ERR_OK;
    if (r->count == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 1024;
        r->records = mem_grow(r->records, r->capacity, sizeof *r->records);
    }
    r->records[r->count++] = record;
    return ERR_OK;
}

static enum err read_lines(struct reading *r, struct str lines, struct err_text *why) {
    size_t number = 0;
    while (lines.size > 0) {
        const char *end = memchr(lines.at, '\n', lines.size);
        size_t size = end ? (size_t)(end - lines.at) : lines.size;
        number++;
        if (size > 0) {
            enum err code = read_line(r, (struct str){lines.at, size}, number, why);
            if (code != ERR_OK) return code;
        }
        size += end != NULL;
        lines.at += size;
        lines.size -= size;
    }
    return ERR_OK;
}

static bool waits_in(const struct ticket_spec *spec, struct str queue) {
    for (uint32_t i = 0; i < spec->queue_count; i++)
        if (str_equal(spec->queues[i], queue)) return true;
    return false;
}

static size_t tickets_of(const struct reading *r, struct str queue) {
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->records[i].kind == RECORD_TICKET_CREATED &&
             waits_in(&r->records[i].ticket_created.spec, queue);
    return n;
}

/* The queue that most tickets name first. */
static struct str busiest_queue(const struct reading *r) {
    struct str best = STR_EMPTY;
    size_t most = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->records[i].kind != RECORD_TICKET_CREATED) continue;
        struct str name = r->records[i].ticket_created.spec.queues[0];
        if (str_equal(name, best)) continue;
        size_t n = tickets_of(r, name);
        if (n > most) {
            most = n;
            best = name;
        }
        if (most * 2 >= r->count) break;
    }
    return best;
}

/* ---- records ---- */

static bool has_id(const void *value, const void *key) {
    return id_equal(((const struct history_ticket *)value)->id, *(const struct id *)key);
}

static struct history_ticket *ticket_of(const struct history *h, struct id id) {
    return map_get(&h->by_id, id_hash(id), has_id, &id);
}

static bool is_player(const void *value, const void *key) {
    return str_equal(((const struct last_seen *)value)->player, *(const struct str *)key);
}

/* Whoever comes again does not wait in his earlier ticket any more, whatever the rules. */
static void see_players(struct reading *r, struct history_ticket *t, int64_t at_ms) {
    const struct ticket_spec *spec = &r->h->trace.tickets[t->index].spec;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        struct str id = spec->players[i].id;
        struct last_seen *seen = map_get(&r->players, str_hash(id), is_player, &id);
        if (!seen) {
            seen = arena_alloc(r->arena, sizeof *seen);
            seen->player = id;
            map_put(&r->players, str_hash(id), seen);
        } else if (seen->ticket->cancel_ms >= at_ms) {
            seen->ticket->cancel_ms = at_ms > 0 ? at_ms - 1 : 0;
        }
        seen->ticket = t;
    }
}

static void take_ticket(struct reading *reading, const struct record *r) {
    struct history *h = reading->h;
    struct trace *t = &h->trace;
    if (ticket_of(h, r->ticket_created.id)) return; /* told once for each of its queues */
    if (t->count == 0) h->start_ms = r->ticket_created.created_ms;
    int64_t at_ms = r->ticket_created.created_ms - h->start_ms;
    if (t->count && at_ms < t->tickets[t->count - 1].at_ms) at_ms = t->tickets[t->count - 1].at_ms;
    struct history_ticket *own = &h->tickets[t->count];
    *own = (struct history_ticket){r->ticket_created.id, (uint32_t)t->count, INT64_MAX, INT64_MAX};
    struct trace_ticket ticket = {at_ms, INT64_MAX, r->ticket_created.spec};
    ticket.spec.queues = &h->plays_in;
    ticket.spec.queue_count = 1;
    trace_add(t, &ticket);
    map_put(&h->by_id, id_hash(own->id), own);
    see_players(reading, own, at_ms);
}

static void take_end(struct history *h, const struct record *r) {
    struct history_ticket *t = ticket_of(h, r->ticket_ended.id);
    if (!t || t->end_ms != INT64_MAX) return;
    t->end_ms = r->time_ms - h->start_ms;
    if (r->ticket_ended.state == TICKET_CANCELLED && t->end_ms < t->cancel_ms)
        t->cancel_ms = t->end_ms;
}

static void add_match(struct history *h, const struct match_spec *m, int64_t at_ms) {
    if (h->match_count == h->match_capacity) {
        h->match_capacity = h->match_capacity ? 2 * h->match_capacity : 256;
        h->matches = mem_grow(h->matches, h->match_capacity, sizeof *h->matches);
    }
    if (h->member_count + m->ticket_count > h->member_capacity) {
        h->member_capacity = 2 * (h->member_capacity + m->ticket_count);
        h->members = mem_grow(h->members, h->member_capacity, sizeof *h->members);
    }
    struct history_match *own = &h->matches[h->match_count];
    *own = (struct history_match){at_ms, m->region, (uint32_t)h->member_count, 0};
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct history_ticket *t = ticket_of(h, m->ticket_ids[i]);
        if (!t) continue;
        uint32_t team = 0;
        for (uint32_t n = 0; n < m->team_count; n++)
            for (uint32_t k = 0; k < m->teams[n].member_count; k++)
                if (id_equal(m->teams[n].members[k].ticket_id, t->id)) team = n;
        h->members[h->member_count++] = (struct play_member){t->index, team};
        own->count++;
    }
    if (own->count == m->ticket_count)
        h->match_count++;
    else
        h->member_count = own->first; /* some came before the record begins */
}

static void take_match(struct history *h, const struct record *r) {
    const struct match_spec *m = &r->match_created;
    int64_t at_ms = r->time_ms - h->start_ms;
    bool here = str_equal(m->queue, h->queue);
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        struct history_ticket *t = ticket_of(h, m->ticket_ids[i]);
        if (!t || t->end_ms != INT64_MAX) continue;
        t->end_ms = at_ms;
        if (!here && at_ms < t->cancel_ms) t->cancel_ms = at_ms;
    }
    if (here) add_match(h, m, at_ms);
}

static void take_queue(struct history *h, const struct record *r, uint32_t judge) {
    if (!str_equal(r->queue_put.name, h->queue) || r->queue_put.json.size == 0) return;
    if (r->queue_put.version > h->versions) h->versions = r->queue_put.version;
    bool better = judge ? r->queue_put.version == judge : r->queue_put.version >= h->version;
    if (h->queue_json.size && !better) return;
    h->queue_json = r->queue_put.json;
    h->version = r->queue_put.version;
}

static void take_records(struct reading *r) {
    struct history *h = r->h;
    uint32_t judge = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct record *record = &r->records[i];
        if (record->time_ms - h->start_ms > h->end_ms && h->trace.count)
            h->end_ms = record->time_ms - h->start_ms;
        if (record->kind == RECORD_TICKET_CREATED &&
            waits_in(&record->ticket_created.spec, h->queue))
            take_ticket(r, record);
        if (record->kind == RECORD_TICKET_ENDED) take_end(h, record);
        if (record->kind == RECORD_MATCH_CREATED) {
            take_match(h, record);
            if (str_equal(record->match_created.queue, h->queue))
                judge = record->match_created.queue_version;
        }
    }
    for (size_t i = 0; i < r->count; i++)
        if (r->records[i].kind == RECORD_QUEUE_PUT) take_queue(h, &r->records[i], judge);
}

enum err history_read(struct history *h, struct str lines, struct str queue, struct err_text *why) {
    *h = (struct history){.trace.arena = arena_new(0)};
    struct reading r = {.h = h, .arena = h->trace.arena};
    enum err code = read_lines(&r, lines, why);
    if (code == ERR_OK) {
        h->queue = queue.size ? arena_str(r.arena, queue) : busiest_queue(&r);
        h->plays_in = h->queue;
        size_t count = tickets_of(&r, h->queue);
        h->tickets = mem_array(count + 1, sizeof *h->tickets);
        take_records(&r);
        if (count == 0)
            code = err_set(why, ERR_NOT_FOUND, "no ticket of queue \"%.*s\" is in the recording",
                           STR_PRINT(h->queue));
    }
    mem_free(r.records);
    map_fini(&r.players);
    h->trace.to_ms = h->end_ms - h->end_ms / 10; /* the last ones' matches are not recorded */
    if (h->trace.to_ms <= 0) h->trace.to_ms = h->end_ms + 1;
    return code;
}

void history_fini(struct history *h) {
    trace_fini(&h->trace);
    mem_free(h->tickets);
    mem_free(h->matches);
    mem_free(h->members);
    map_fini(&h->by_id);
    *h = (struct history){0};
}

void history_leave_as_recorded(struct history *h) {
    for (size_t i = 0; i < h->trace.count; i++) {
        int64_t end_ms = h->tickets[i].end_ms;
        h->trace.tickets[i].leave_ms = end_ms == INT64_MAX ? h->end_ms : end_ms;
    }
}

void history_leave_after(struct history *h, int64_t timeout_ms) {
    for (size_t i = 0; i < h->trace.count; i++) {
        int64_t cancel_ms = h->tickets[i].cancel_ms;
        int64_t expiry_ms = h->trace.tickets[i].at_ms + timeout_ms;
        h->trace.tickets[i].leave_ms = cancel_ms < expiry_ms ? cancel_ms : expiry_ms;
    }
}

void history_play(const struct history *h, const struct field *f, struct play *out) {
    *out = (struct play){.field = f, .match_count = h->match_count, .end_ms = h->end_ms};
    out->arrived = f->trace->count;
    out->matches = mem_array(h->match_count + 1, sizeof *out->matches);
    out->members = mem_array(h->member_count + 1, sizeof *out->members);
    out->match_of = mem_array(f->trace->count + 1, sizeof *out->match_of);
    out->promises = mem_array(f->trace->count + 1, sizeof *out->promises);
    for (size_t i = 0; i < f->trace->count; i++)
        out->match_of[i] = FIELD_NONE;
    for (size_t i = 0; i < h->member_count; i++)
        out->members[i] = h->members[i];
    for (size_t i = 0; i < h->match_count; i++) {
        const struct history_match *m = &h->matches[i];
        uint32_t region = m->region.size ? field_region(f, m->region) : FIELD_NONE;
        out->matches[i] = (struct play_match){m->at_ms, m->first, m->count, region};
        for (uint32_t k = 0; k < m->count; k++)
            out->match_of[h->members[m->first + k].ticket] = (uint32_t)i;
    }
    out->member_count = h->member_count;
}
