/* event_json.c - events in JSON back into records. */
#include "wire/event_json.h"

#include "wire/fields.h"
#include "wire/json.h"
#include "wire/match_codec.h"

#include <muster/v1/events.pb-c.h>

enum { /* the numbers are those of muster.v1.Event.type */
       TYPE_TICKET_QUEUED = 1,
       TYPE_TICKET_CANCELLED,
       TYPE_TICKET_EXPIRED,
       TYPE_MATCH_FOUND,
       TYPE_QUEUE_UPDATED,
       TYPE_QUEUE_DELETED,
};

struct event_parts {
    uint64_t type;
    struct str ticket, match, queue;
};

static enum err read_created(struct str ticket, struct arena *arena, struct record *out,
                             struct err_text *why) {
    struct ticket_view view;
    if (!ticket_codec_read(ticket, arena, &view, why)) return ERR_DATA_LOSS;
    out->kind = RECORD_TICKET_CREATED;
    out->ticket_created.id = view.id;
    out->ticket_created.state = view.state;
    out->ticket_created.spec = view.spec;
    out->ticket_created.created_ms = view.created_ms;
    out->ticket_created.expires_ms = view.expires_ms;
    return ERR_OK;
}

static enum err read_ended(struct str ticket, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(ticket);
    out->kind = RECORD_TICKET_ENDED;
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == Ticket_ticket_id && !id_parse(f.bytes, &out->ticket_ended.id))
            return err_set(why, ERR_DATA_LOSS, "an event's ticketId is no id");
        if (f.key == Ticket_state) out->ticket_ended.state = (enum ticket_state)f.value;
    }
    return ERR_OK;
}

static enum err read_match(struct str match, struct arena *arena, struct record *out,
                           struct err_text *why) {
    out->kind = RECORD_MATCH_CREATED;
    return match_codec_read(match, arena, &out->match_created, why) ? ERR_OK : ERR_DATA_LOSS;
}

static void read_queue(struct str queue, bool put, struct record *out) {
    struct pb_reader r = pb_reader(queue);
    out->kind = put ? RECORD_QUEUE_PUT : RECORD_QUEUE_DELETED;
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == Queue_name && put) out->queue_put.name = f.bytes;
        if (f.key == Queue_name && !put) out->queue_deleted.name = f.bytes;
        if (f.key == Queue_version && put) out->queue_put.version = (uint32_t)f.value;
        if (f.key == Queue_definition_json && put) out->queue_put.json = f.bytes;
    }
}

static enum err read_parts(const struct event_parts *p, struct arena *arena, struct record *out,
                           struct err_text *why) {
    switch (p->type) {
    case TYPE_TICKET_QUEUED:
        return read_created(p->ticket, arena, out, why);
    case TYPE_TICKET_CANCELLED:
    case TYPE_TICKET_EXPIRED:
        return read_ended(p->ticket, out, why);
    case TYPE_MATCH_FOUND:
        return read_match(p->match, arena, out, why);
    case TYPE_QUEUE_UPDATED:
    case TYPE_QUEUE_DELETED:
        read_queue(p->queue, p->type == TYPE_QUEUE_UPDATED, out);
        return ERR_OK;
    default:
        return ERR_OK;
    }
}

enum err event_json_read(struct str line, struct arena *arena, struct record *out,
                         struct err_text *why) {
    ProtobufCMessage *event;
    *out = (struct record){0};
    enum err code = json_to_message(line, &muster__v1__event__descriptor, &event, why);
    if (code != ERR_OK) return code;
    size_t size = protobuf_c_message_get_packed_size(event);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    protobuf_c_message_pack(event, bytes);
    protobuf_c_message_free_unpacked(event, NULL);
    struct pb_reader r = pb_reader((struct str){(char *)bytes, size});
    struct event_parts parts = {0};
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == Event_type) parts.type = f.value;
        if (f.key == Event_time_ms) out->time_ms = (int64_t)f.value;
        if (f.key == Event_ticket) parts.ticket = f.bytes;
        if (f.key == Event_match) parts.match = f.bytes;
        if (f.key == Event_queue_info) parts.queue = f.bytes;
    }
    if (!match_codec_time_valid(out->time_ms))
        return err_set(why, ERR_DATA_LOSS, "an event's timeMs is out of range");
    return read_parts(&parts, arena, out, why);
}
