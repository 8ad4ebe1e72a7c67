/* event_codec.c - journal entries into events, grouped by topic. */
#include "wire/event_codec.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/fields.h"
#include "wire/journal_codec.h"
#include "wire/name_list.h"

#include <stdio.h>
#include <string.h>

enum event_type { /* the numbers are those of muster.v1.EventType */
                  EVENT_TICKET_QUEUED = 1,
                  EVENT_TICKET_CANCELLED,
                  EVENT_TICKET_EXPIRED,
                  EVENT_MATCH_FOUND,
                  EVENT_QUEUE_UPDATED,
                  EVENT_QUEUE_DELETED,
};

static const char *const event_names[] = {
    [EVENT_TICKET_QUEUED] = "ticket_queued",   [EVENT_TICKET_CANCELLED] = "ticket_cancelled",
    [EVENT_TICKET_EXPIRED] = "ticket_expired", [EVENT_MATCH_FOUND] = "match_found",
    [EVENT_QUEUE_UPDATED] = "queue_updated",   [EVENT_QUEUE_DELETED] = "queue_deleted",
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

static void write_ended(const struct record *r, struct strbuf *out) {
    size_t ticket = pb_open(out, Event_ticket);
    pb_put_id(out, Ticket_ticket_id, r->ticket_ended.id);
    pb_put_uint(out, Ticket_state, r->ticket_ended.state);
    name_list_write(r->ticket_ended.queues, r->ticket_ended.queue_count, Ticket_queues, out);
    for (uint32_t i = 0; i < r->ticket_ended.player_count; i++) {
        size_t player = pb_open(out, Ticket_players);
        pb_put_text(out, Player_player_id, r->ticket_ended.player_ids[i]);
        pb_close(out, player);
    }
    pb_put_int(out, Ticket_end_time_ms, r->time_ms);
    pb_put_text(out, Ticket_reason, r->ticket_ended.reason);
    pb_close(out, ticket);
}

static void write_queue(struct str name, uint32_t version, const struct record *r,
                        struct strbuf *out) {
    size_t queue = pb_open(out, Event_queue_info);
    pb_put_text(out, Queue_name, name);
    pb_put_uint(out, Queue_version, version);
    if (r->kind == RECORD_QUEUE_PUT) pb_put_text(out, Queue_definition_json, r->queue_put.json);
    pb_put_int(out, Queue_update_time_ms, r->time_ms);
    pb_close(out, queue);
}

/* `message` is the Ticket or the Match that the journal holds: news are passed on as written. */
static void write_body(const struct record *r, struct str message, struct strbuf *out) {
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
        pb_add_text(out, Event_ticket, message);
        break;
    case RECORD_TICKET_ENDED:
        write_ended(r, out);
        break;
    case RECORD_MATCH_CREATED:
        pb_add_text(out, Event_match, message);
        break;
    case RECORD_QUEUE_PUT:
        write_queue(r->queue_put.name, r->queue_put.version, r, out);
        break;
    case RECORD_QUEUE_DELETED:
        write_queue(r->queue_deleted.name, r->queue_deleted.version, r, out);
        break;
    case RECORD_EPOCH_STARTED:
        break;
    }
}

/* What makes an event of the record. */
struct news {
    const struct record *record;
    struct str message;
    struct str queue;
    enum event_type type;
};

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
    write_body(n->record, n->message, event);
    pb_add_text(&t->events, EventBatch_events, strbuf_str(event));
    t->count++;
    remember(b, (struct slice){(uint32_t)at, from, t->events.size});
}

/* A ticket's news are told on the topic of each of its queues. */
static void add_ticket_events(struct event_batch *b, struct news *n, const struct str *queues,
                              uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        n->queue = queues[i];
        add_event(b, n);
    }
}

static void add_news(struct event_batch *b, struct news *n) {
    const struct record *r = n->record;
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
        n->type = EVENT_TICKET_QUEUED;
        add_ticket_events(b, n, r->ticket_created.spec.queues, r->ticket_created.spec.queue_count);
        break;
    case RECORD_TICKET_ENDED:
        n->type =
            r->ticket_ended.state == TICKET_EXPIRED ? EVENT_TICKET_EXPIRED : EVENT_TICKET_CANCELLED;
        add_ticket_events(b, n, r->ticket_ended.queues, r->ticket_ended.queue_count);
        break;
    case RECORD_MATCH_CREATED:
        n->queue = r->match_created.queue;
        n->type = EVENT_MATCH_FOUND;
        add_event(b, n);
        break;
    case RECORD_QUEUE_PUT:
        n->queue = r->queue_put.name;
        n->type = EVENT_QUEUE_UPDATED;
        add_event(b, n);
        break;
    case RECORD_QUEUE_DELETED:
        n->queue = r->queue_deleted.name;
        n->type = EVENT_QUEUE_DELETED;
        add_event(b, n);
        break;
    case RECORD_EPOCH_STARTED:
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
