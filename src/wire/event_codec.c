/* event_codec.c - journal entries into events, grouped by topic. */
#include "wire/event_codec.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/backfill_codec.h"
#include "wire/fields.h"
#include "wire/journal_codec.h"
#include "wire/name_list.h"

#include <stdio.h>
#include <string.h>

enum event_type { /* the numbers are those of muster.v1.Event.Type */
                  EVENT_TICKET_QUEUED = 1,
                  EVENT_TICKET_CANCELLED,
                  EVENT_TICKET_EXPIRED,
                  EVENT_MATCH_FOUND,
                  EVENT_QUEUE_UPDATED,
                  EVENT_QUEUE_DELETED,
                  EVENT_TICKET_RETURNED,
                  EVENT_MATCH_PROPOSED,
                  EVENT_MATCH_ACCEPTANCE,
                  EVENT_MATCH_CANCELLED,
                  EVENT_MATCH_ASSIGNED,
                  EVENT_MATCH_COMPLETED,
                  EVENT_TICKET_UPDATED,
                  EVENT_MATCH_UPDATED,
                  EVENT_MATCH_JOINED,
                  EVENT_BACKFILL_UPDATED,
};

static const char *const event_names[] = {
    [EVENT_TICKET_QUEUED] = "ticket_queued",       [EVENT_TICKET_CANCELLED] = "ticket_cancelled",
    [EVENT_TICKET_EXPIRED] = "ticket_expired",     [EVENT_MATCH_FOUND] = "match_found",
    [EVENT_QUEUE_UPDATED] = "queue_updated",       [EVENT_QUEUE_DELETED] = "queue_deleted",
    [EVENT_TICKET_RETURNED] = "ticket_returned",   [EVENT_MATCH_PROPOSED] = "match_proposed",
    [EVENT_MATCH_ACCEPTANCE] = "match_acceptance", [EVENT_MATCH_CANCELLED] = "match_cancelled",
    [EVENT_MATCH_ASSIGNED] = "match_assigned",     [EVENT_MATCH_COMPLETED] = "match_completed",
    [EVENT_TICKET_UPDATED] = "ticket_updated",     [EVENT_MATCH_UPDATED] = "match_updated",
    [EVENT_MATCH_JOINED] = "match_joined",         [EVENT_BACKFILL_UPDATED] = "backfill_updated",
};

struct topic {
    struct str name; /* the batch's arena */
    struct str queue;
    enum event_type type;
    struct strbuf events; /* EventBatch.events fields, ready to be copied */
    uint32_t count;
};

/* An event's place in its topic's bytes, in entry order: what a replay walks. */
struct slice {
    uint32_t topic;
    size_t from, to; /* of topic.events, the whole field with its key */
};

struct event_batch {
    struct arena *arena;
    struct str realm;
    struct position at;
    struct topic *topics;
    size_t topic_count, topic_capacity;
    struct slice *slices;
    size_t slice_count, slice_capacity;
    struct strbuf event; /* the one being written */
    uint32_t index;      /* of the next event in the entry */
    struct event_trace *traces;
    size_t trace_count, trace_capacity;
};

int position_compare(struct position a, struct position b) {
    if (a.epoch != b.epoch) return a.epoch < b.epoch ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

static size_t topic_of(struct event_batch *b, struct str queue, enum event_type type) {
    for (size_t i = 0; i < b->topic_count; i++)
        if (b->topics[i].type == type && str_equal(b->topics[i].queue, queue)) return i;
    if (b->topic_count == b->topic_capacity) {
        b->topic_capacity = b->topic_capacity ? 2 * b->topic_capacity : 8;
        b->topics = mem_grow(b->topics, b->topic_capacity, sizeof *b->topics);
    }
    b->topics[b->topic_count] = (struct topic){
        .name = arena_printf(b->arena, "%.*s/%.*s/%s", STR_PRINT(b->realm), STR_PRINT(queue),
                             event_names[type]),
        .queue = arena_str(b->arena, queue),
        .type = type,
    };
    return b->topic_count++;
}

static void remember(struct event_batch *b, struct slice s) {
    if (b->slice_count == b->slice_capacity) {
        b->slice_capacity = b->slice_capacity ? 2 * b->slice_capacity : 16;
        b->slices = mem_grow(b->slices, b->slice_capacity, sizeof *b->slices);
    }
    b->slices[b->slice_count++] = s;
}

static void write_fate(const struct ticket_fate *t, int64_t time_ms, struct strbuf *out) {
    size_t ticket = pb_open(out, Event_ticket);
    pb_put_id(out, Ticket_ticket_id, t->id);
    pb_put_uint(out, Ticket_state, t->state);
    name_list_write(t->queues, t->queue_count, Ticket_queues, out);
    for (uint32_t i = 0; i < t->player_count; i++) {
        size_t player = pb_open(out, Ticket_players);
        pb_put_text(out, Player_player_id, t->player_ids[i]);
        pb_close(out, player);
    }
    pb_put_int(out, Ticket_create_time_ms, t->created_ms);
    if (t->state != TICKET_QUEUED) pb_put_int(out, Ticket_end_time_ms, time_ms);
    pb_put_text(out, Ticket_reason, t->reason);
    pb_close(out, ticket);
}

static void write_acceptance(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Event_acceptance);
    pb_put_id(out, Acceptance_match_id, r->match_accepted.id);
    name_list_write(r->match_accepted.accepted, r->match_accepted.accepted_count,
                    Acceptance_accepted_player_ids, out);
    name_list_write(r->match_accepted.waiting, r->match_accepted.waiting_count,
                    Acceptance_waiting_player_ids, out);
    pb_put_int(out, Acceptance_expire_time_ms, r->match_accepted.until_ms);
    pb_close(out, body);
}

static void write_roster(const struct record *r, struct str match, struct strbuf *out) {
    size_t body = pb_open(out, Event_match_update);
    pb_add_text(out, MatchUpdate_match, match);
    name_list_write(r->roster_changed.left, r->roster_changed.left_count,
                    MatchUpdate_left_player_ids, out);
    name_list_write(r->roster_changed.joined, r->roster_changed.joined_count,
                    MatchUpdate_joined_player_ids, out);
    if (r->roster_changed.ticket_count > 0)
        pb_put_id(out, MatchUpdate_backfill_id, r->roster_changed.backfill.id);
    pb_close(out, body);
}

static void write_queue(struct str name, uint32_t version, const struct record *r,
                        struct strbuf *out) {
    size_t queue = pb_open(out, Event_queue_info);
    pb_put_text(out, Queue_name, name);
    pb_put_uint(out, Queue_version, version);
    if (r->kind == RECORD_QUEUE_PUT) pb_put_text(out, Queue_definition_json, r->queue_put.json);
    pb_put_int(out, Queue_update_time_ms, r->time_ms);
    if (r->kind == RECORD_QUEUE_PUT) {
        pb_put_text(out, Queue_author, r->queue_put.author);
        pb_put_text(out, Queue_comment, r->queue_put.comment);
        pb_put_uint(out, Queue_allow_shrinking, r->queue_put.allow_shrinking);
    }
    pb_close(out, queue);
}

/* What makes an event of the record. */
struct news {
    const struct record *record;
    struct str message;             /* the Ticket, Match or Backfill that the journal holds */
    const struct ticket_fate *fate; /* the event is about this ticket of it; or NULL */
    struct str queue;
    enum event_type type;
};

/* Tickets and matches are passed on as they were written. */
static void write_body(const struct news *n, struct strbuf *out) {
    const struct record *r = n->record;
    if (n->fate) {
        write_fate(n->fate, r->time_ms, out);
        return;
    }
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
    case RECORD_TICKET_UPDATED:
        pb_add_text(out, Event_ticket, n->message);
        break;
    case RECORD_MATCH_CREATED:
    case RECORD_MATCH_UPDATED:
        pb_add_text(out, Event_match, n->message);
        break;
    case RECORD_MATCH_ACCEPTED:
        write_acceptance(r, out);
        break;
    case RECORD_ROSTER_CHANGED:
        if (n->type == EVENT_BACKFILL_UPDATED)
            backfill_codec_write(&r->roster_changed.backfill, Event_backfill, out);
        else
            write_roster(r, n->message, out);
        break;
    case RECORD_BACKFILL_PUT:
        pb_add_text(out, Event_backfill, n->message);
        break;
    case RECORD_QUEUE_PUT:
        write_queue(r->queue_put.name, r->queue_put.version, r, out);
        break;
    case RECORD_QUEUE_DELETED:
        write_queue(r->queue_deleted.name, r->queue_deleted.version, r, out);
        break;
    default:
        break;
    }
}

static struct event_trace *next_trace(struct event_batch *b) {
    if (b->trace_count == b->trace_capacity) {
        b->trace_capacity = b->trace_capacity ? 2 * b->trace_capacity : 8;
        b->traces = mem_grow(b->traces, b->trace_capacity, sizeof *b->traces);
    }
    return &b->traces[b->trace_count++];
}

static void write_trace(struct event_batch *b, const struct news *n,
                        const struct traceparent *trace, struct strbuf *out) {
    if (traceparent_is_none(trace)) {
        pb_add_text(out, Event_traceparents, STR_EMPTY);
        return;
    }
    struct event_trace *t = next_trace(b);
    t->event = event_names[n->type];
    t->id = n->fate ? n->fate->id : record_subject(n->record);
    traceparent_format(trace, t->text);
    pb_add_text(out, Event_traceparents, str_of(t->text));
}

/* Those of the record; of a ticket whose proposal failed, its own among them. */
static void write_traces(struct event_batch *b, const struct news *n, struct strbuf *out) {
    const struct record *r = n->record;
    bool one = n->fate && r->kind == RECORD_MATCH_UPDATED;
    for (uint32_t i = 0; i < r->trace_count; i++) {
        bool own = one && i < r->match_updated.spec.ticket_count &&
                   id_equal(r->match_updated.spec.ticket_ids[i], n->fate->id);
        if (!one || (own && !traceparent_is_none(&r->traces[i])))
            write_trace(b, n, &r->traces[i], out);
    }
}

static void add_event(struct event_batch *b, const struct news *n) {
    size_t at = topic_of(b, n->queue, n->type);
    struct topic *t = &b->topics[at];
    size_t from = t->events.size;
    struct strbuf *event = &b->event;
    strbuf_clear(event);
    pb_put_uint(event, Event_type, n->type);
    pb_put_uint(event, Event_epoch, b->at.epoch);
    pb_put_uint(event, Event_seq, b->at.seq);
    pb_put_uint(event, Event_index, b->index++);
    pb_put_int(event, Event_time_ms, n->record->time_ms);
    pb_put_text(event, Event_realm, b->realm);
    pb_put_text(event, Event_queue, n->queue);
    write_body(n, event);
    write_traces(b, n, event);
    pb_add_text(&t->events, EventBatch_events, strbuf_str(event));
    t->count++;
    remember(b, (struct slice){(uint32_t)at, from, t->events.size});
}

/* A ticket's news are told on the topic of each of its queues. */
static void add_to_each(struct event_batch *b, struct news *n, const struct str *queues,
                        uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        n->queue = queues[i];
        add_event(b, n);
    }
}

static void add_fate(struct event_batch *b, struct news *n, const struct ticket_fate *fate) {
    static const enum event_type types[] = {
        [TICKET_QUEUED] = EVENT_TICKET_RETURNED,
        [TICKET_CANCELLED] = EVENT_TICKET_CANCELLED,
        [TICKET_EXPIRED] = EVENT_TICKET_EXPIRED,
    };
    n->fate = fate;
    n->type = types[fate->state];
    add_to_each(b, n, fate->queues, fate->queue_count);
}

static void add_match(struct event_batch *b, struct news *n, const struct match_spec *m) {
    static const enum event_type types[] = {
        [MATCH_PROPOSED] = EVENT_MATCH_PROPOSED,   [MATCH_CONFIRMED] = EVENT_MATCH_FOUND,
        [MATCH_ASSIGNED] = EVENT_MATCH_ASSIGNED,   [MATCH_COMPLETED] = EVENT_MATCH_COMPLETED,
        [MATCH_CANCELLED] = EVENT_MATCH_CANCELLED,
    };
    n->queue = m->queue;
    n->type = types[m->state];
    add_event(b, n);
}

static void add_on(struct event_batch *b, struct news *n, struct str queue, enum event_type type) {
    n->queue = queue;
    n->type = type;
    add_event(b, n);
}

static void add_roster(struct event_batch *b, struct news *n) {
    const struct record *r = n->record;
    struct str queue = r->roster_changed.spec.queue;
    add_on(b, n, queue, EVENT_MATCH_UPDATED);
    if (r->roster_changed.ticket_count > 0) add_on(b, n, queue, EVENT_MATCH_JOINED);
    if (!id_is_none(r->roster_changed.backfill.id)) add_on(b, n, queue, EVENT_BACKFILL_UPDATED);
}

static void add_news(struct event_batch *b, struct news *n) {
    const struct record *r = n->record;
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
    case RECORD_TICKET_UPDATED:
        n->type = r->kind == RECORD_TICKET_UPDATED ? EVENT_TICKET_UPDATED : EVENT_TICKET_QUEUED;
        add_to_each(b, n, r->ticket_created.spec.queues, r->ticket_created.spec.queue_count);
        break;
    case RECORD_TICKET_ENDED:
        add_fate(b, n, &r->ticket_ended);
        break;
    case RECORD_MATCH_CREATED:
        add_match(b, n, &r->match_created);
        break;
    case RECORD_MATCH_ACCEPTED:
        add_on(b, n, r->match_accepted.queue, EVENT_MATCH_ACCEPTANCE);
        break;
    case RECORD_MATCH_UPDATED:
        add_match(b, n, &r->match_updated.spec);
        for (uint32_t i = 0; i < r->match_updated.fate_count; i++)
            add_fate(b, n, &r->match_updated.fates[i]);
        break;
    case RECORD_ROSTER_CHANGED:
        add_roster(b, n);
        break;
    case RECORD_BACKFILL_PUT:
        add_on(b, n, r->backfill_put.queue, EVENT_BACKFILL_UPDATED);
        break;
    case RECORD_QUEUE_PUT:
        add_on(b, n, r->queue_put.name, EVENT_QUEUE_UPDATED);
        break;
    case RECORD_QUEUE_DELETED:
        add_on(b, n, r->queue_deleted.name, EVENT_QUEUE_DELETED);
        break;
    case RECORD_EPOCH_STARTED:
    case RECORD_PLAYER_PENALIZED: /* nobody's business but his */
        break;
    }
}

static void take_record(void *arg, struct record *r, struct str message) {
    struct news n = {.record = r, .message = message};
    if (!r->carried) add_news(arg, &n);
    journal_record_fini(r);
}

enum err event_batch_new(struct str entry, struct position at, struct str realm,
                         struct event_batch **out, struct err_text *why) {
    struct event_batch *b = mem_alloc(sizeof *b);
    b->arena = arena_new(0);
    b->realm = arena_str(b->arena, realm);
    b->at = at;
    enum err code = journal_walk(entry, b->arena, take_record, b, why);
    if (code != ERR_OK) {
        event_batch_free(b);
        b = NULL;
    }
    *out = b;
    return code;
}

void event_batch_free(struct event_batch *b) {
    if (!b) return;
    for (size_t i = 0; i < b->topic_count; i++)
        strbuf_fini(&b->topics[i].events);
    mem_free(b->topics);
    mem_free(b->slices);
    mem_free(b->traces);
    strbuf_fini(&b->event);
    arena_free(b->arena);
    mem_free(b);
}

size_t event_batch_topics(const struct event_batch *b) {
    return b->topic_count;
}

struct str event_batch_topic(const struct event_batch *b, size_t index) {
    return b->topics[index].name;
}

size_t event_batch_count(const struct event_batch *b, size_t index) {
    return b->topics[index].count;
}

const struct event_trace *event_batch_traces(const struct event_batch *b, size_t *count) {
    *count = b->trace_count;
    return b->traces;
}

void event_batch_encode(const struct event_batch *b, size_t index, struct position previous,
                        struct strbuf *out) {
    const struct topic *t = &b->topics[index];
    strbuf_add_str(out, t->name);
    strbuf_add_char(out, '\0');
    pb_put_uint(out, EventBatch_epoch, b->at.epoch);
    pb_put_uint(out, EventBatch_seq, b->at.seq);
    pb_put_uint(out, EventBatch_previous_epoch, previous.epoch);
    pb_put_uint(out, EventBatch_previous_seq, previous.seq);
    pb_put_uint(out, EventBatch_entry_events, b->index);
    strbuf_add_str(out, strbuf_str(&t->events));
}

void event_encode_heartbeat(struct str realm, const struct event_heartbeat *h, struct strbuf *out) {
    strbuf_printf(out, "%.*s/-/heartbeat", STR_PRINT(realm));
    strbuf_add_char(out, '\0');
    pb_put_uint(out, EventBatch_epoch, h->last.epoch);
    pb_put_uint(out, EventBatch_seq, h->last.seq);
    pb_put_uint(out, EventBatch_previous_epoch, h->start.epoch);
    pb_put_uint(out, EventBatch_previous_seq, h->start.seq);
    for (size_t i = 0; i < h->topic_count; i++) {
        size_t topic = pb_open(out, EventBatch_topics);
        pb_put_text(out, TopicPosition_topic, h->topics[i].topic);
        pb_put_uint(out, TopicPosition_epoch, h->topics[i].at.epoch);
        pb_put_uint(out, TopicPosition_seq, h->topics[i].at.seq);
        pb_close(out, topic);
    }
}

/* EventBatch.events and ReplayEventsResponse.events differ in their field numbers only. */
void event_replay_add(const struct event_batch *b, struct str topic_prefix, struct strbuf *out) {
    for (size_t i = 0; i < b->slice_count; i++) {
        const struct topic *t = &b->topics[b->slices[i].topic];
        if (!str_starts(t->name, topic_prefix)) continue;
        struct str field = {t->events.at + b->slices[i].from, b->slices[i].to - b->slices[i].from};
        struct pb_reader r = pb_reader(field);
        struct pb_field f;
        if (pb_next(&r, &f)) pb_add_text(out, ReplayEventsResponse_events, f.bytes);
    }
}

void event_replay_finish(struct position last, bool more, struct strbuf *out) {
    size_t position = pb_open(out, ReplayEventsResponse_position);
    pb_put_uint(out, Position_epoch, last.epoch);
    pb_put_uint(out, Position_seq, last.seq);
    pb_close(out, position);
    pb_put_uint(out, ReplayEventsResponse_more, more);
}
