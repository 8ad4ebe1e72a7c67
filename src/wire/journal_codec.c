/* journal_codec.c - journal entries as bytes. */
#include "wire/journal_codec.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/fields.h"
#include "wire/match_codec.h"
#include "wire/name_list.h"
#include "wire/queue_json.h"

#include <string.h>

enum { REQUEST_KEY_BYTES = 16 };

/* ---- writing ---- */

static void write_created(const struct record *r, struct strbuf *out) {
    struct ticket_view view = {
        .id = r->ticket_created.id,
        .state = r->ticket_created.state,
        .spec = r->ticket_created.spec,
        .created_ms = r->ticket_created.created_ms,
        .expires_ms = r->ticket_created.expires_ms,
        .ended_ms = r->ticket_created.ended_ms,
        .match_id = r->ticket_created.match_id,
        .reason = r->ticket_created.reason,
        .wait = r->ticket_created.promised,
    };
    size_t body = pb_open(out, Record_ticket_created);
    ticket_codec_write(&view, TicketCreated_ticket, out);
    struct id key = r->ticket_created.request_key;
    if (!id_is_none(key)) {
        char bytes[REQUEST_KEY_BYTES];
        for (int i = 0; i < 8; i++) {
            bytes[i] = (char)(key.hi >> (56 - 8 * i));
            bytes[8 + i] = (char)(key.lo >> (56 - 8 * i));
        }
        pb_add_text(out, TicketCreated_request_key, (struct str){bytes, sizeof bytes});
    }
    pb_put_fixed64(out, TicketCreated_request_hash, r->ticket_created.request_hash);
    pb_close(out, body);
}

static void write_ended(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Record_ticket_ended);
    pb_put_id(out, TicketEnded_ticket_id, r->ticket_ended.id);
    pb_put_uint(out, TicketEnded_state, r->ticket_ended.state);
    name_list_write(r->ticket_ended.queues, r->ticket_ended.queue_count, TicketEnded_queues, out);
    name_list_write(r->ticket_ended.player_ids, r->ticket_ended.player_count,
                    TicketEnded_player_ids, out);
    pb_put_text(out, TicketEnded_reason, r->ticket_ended.reason);
    pb_close(out, body);
}

static void write_body(const struct record *r, struct strbuf *out) {
    size_t body;
    switch (r->kind) {
    case RECORD_EPOCH_STARTED:
        body = pb_open(out, Record_epoch_started);
        pb_put_text(out, EpochStarted_owner, r->epoch_started.owner);
        pb_close(out, body);
        break;
    case RECORD_QUEUE_PUT:
        body = pb_open(out, Record_queue_put);
        pb_put_text(out, QueuePut_name, r->queue_put.name);
        pb_put_uint(out, QueuePut_version, r->queue_put.version);
        pb_put_text(out, QueuePut_definition_json, r->queue_put.json);
        pb_put_uint(out, QueuePut_allow_shrinking, r->queue_put.allow_shrinking);
        pb_close(out, body);
        break;
    case RECORD_QUEUE_DELETED:
        body = pb_open(out, Record_queue_deleted);
        pb_put_text(out, QueueDeleted_name, r->queue_deleted.name);
        pb_put_uint(out, QueueDeleted_version, r->queue_deleted.version);
        pb_close(out, body);
        break;
    case RECORD_TICKET_CREATED:
        write_created(r, out);
        break;
    case RECORD_TICKET_ENDED:
        write_ended(r, out);
        break;
    case RECORD_MATCH_CREATED:
        body = pb_open(out, Record_match_created);
        match_codec_write(&r->match_created, MatchCreated_match, out);
        pb_close(out, body);
        break;
    }
}

void journal_encode(const struct record *r, struct strbuf *entry) {
    size_t record = pb_open(entry, Entry_records);
    pb_put_int(entry, Record_time_ms, r->time_ms);
    pb_put_uint(entry, Record_carried, r->carried);
    write_body(r, entry);
    pb_close(entry, record);
}

void journal_encode_owner(struct str owner, struct strbuf *entry) {
    pb_put_text(entry, Entry_owner, owner);
}

/* ---- reading ---- */

struct reading { /* one record */
    struct arena *arena;
    struct err_text *why;
    struct str message; /* its Ticket or Match */
};

static enum err lost(struct err_text *why, const char *what) {
    return err_set(why, ERR_DATA_LOSS, "a journal record is malformed: %s", what);
}

static enum err read_queue_put(struct str bytes, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == QueuePut_name) out->queue_put.name = f.bytes;
        if (f.key == QueuePut_version) out->queue_put.version = (uint32_t)f.value;
        if (f.key == QueuePut_definition_json) out->queue_put.json = f.bytes;
        if (f.key == QueuePut_allow_shrinking) out->queue_put.allow_shrinking = f.value != 0;
    }
    if (r.malformed || !str_name_valid(out->queue_put.name)) return lost(why, "queue_put");
    struct err_text cause;
    if (queue_json_parse(out->queue_put.json, out->queue_put.allow_shrinking, &out->queue_put.def,
                         NULL, &cause) != ERR_OK)
        return err_set(why, ERR_DATA_LOSS, "the definition of queue %.*s cannot be read: %.300s",
                       STR_PRINT(out->queue_put.name), cause.text);
    if (!str_equal(out->queue_put.name, out->queue_put.def->name))
        return lost(why, "queue_put.name is not its definition's");
    return ERR_OK;
}

static enum err read_created(struct str bytes, struct reading *reading, struct record *out) {
    struct pb_reader r = pb_reader(bytes);
    struct str key = STR_EMPTY;
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == TicketCreated_ticket) reading->message = f.bytes;
        if (f.key == TicketCreated_request_key) key = f.bytes;
        if (f.key == TicketCreated_request_hash) out->ticket_created.request_hash = f.value;
    }
    if (r.malformed || (key.size != 0 && key.size != REQUEST_KEY_BYTES))
        return lost(reading->why, "ticket_created");
    for (size_t i = 0; i < key.size; i++) {
        struct id *k = &out->ticket_created.request_key;
        uint64_t *half = i < 8 ? &k->hi : &k->lo;
        *half = *half << 8 | (unsigned char)key.at[i];
    }
    struct ticket_view view;
    if (!ticket_codec_read(reading->message, reading->arena, &view, reading->why))
        return ERR_DATA_LOSS;
    out->ticket_created.id = view.id;
    out->ticket_created.state = view.state;
    out->ticket_created.spec = view.spec;
    out->ticket_created.created_ms = view.created_ms;
    out->ticket_created.expires_ms = view.expires_ms;
    out->ticket_created.ended_ms = view.ended_ms;
    out->ticket_created.match_id = view.match_id;
    out->ticket_created.reason = view.reason;
    out->ticket_created.promised = view.wait;
    return ERR_OK;
}

static enum err read_ended(struct str bytes, struct arena *arena, struct record *out,
                           struct err_text *why) {
    struct name_source from = {bytes, TicketEnded_queues, 1, LIMIT_TICKET_QUEUES, "queues"};
    struct name_list queues, players;
    if (name_list_read(&from, arena, &queues, why) != ERR_OK)
        return lost(why, "ticket_ended.queues");
    from = (struct name_source){bytes, TicketEnded_player_ids, 0, LIMIT_TICKET_PLAYERS, "players"};
    if (name_list_read(&from, arena, &players, why) != ERR_OK)
        return lost(why, "ticket_ended.player_ids");
    out->ticket_ended.queues = queues.names;
    out->ticket_ended.queue_count = queues.count;
    out->ticket_ended.player_ids = players.names;
    out->ticket_ended.player_count = players.count;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == TicketEnded_ticket_id && !id_parse(f.bytes, &out->ticket_ended.id))
            return lost(why, "ticket_ended.ticket_id");
        if (f.key == TicketEnded_state) out->ticket_ended.state = (enum ticket_state)f.value;
        if (f.key == TicketEnded_reason) out->ticket_ended.reason = f.bytes;
    }
    if (out->ticket_ended.state != TICKET_CANCELLED && out->ticket_ended.state != TICKET_EXPIRED)
        return lost(why, "ticket_ended.state");
    bool whole = !id_is_none(out->ticket_ended.id) && str_utf8_valid(out->ticket_ended.reason);
    return whole ? ERR_OK : lost(why, "ticket_ended");
}

static enum err read_deleted(struct str bytes, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == QueueDeleted_name) out->queue_deleted.name = f.bytes;
        if (f.key == QueueDeleted_version) out->queue_deleted.version = (uint32_t)f.value;
    }
    bool whole = !r.malformed && str_name_valid(out->queue_deleted.name);
    return whole ? ERR_OK : lost(why, "queue_deleted");
}

static enum err read_match(struct str bytes, struct reading *reading, struct record *out) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == MatchCreated_match) reading->message = f.bytes;
    if (r.malformed) return lost(reading->why, "match_created");
    bool ok = match_codec_read(reading->message, reading->arena, &out->match_created, reading->why);
    return ok ? ERR_OK : ERR_DATA_LOSS;
}

static enum err read_epoch(struct str bytes, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == EpochStarted_owner) out->epoch_started.owner = f.bytes;
    return r.malformed ? lost(why, "epoch_started") : ERR_OK;
}

static enum err read_body(const struct pb_field *f, struct reading *reading, struct record *out) {
    switch (f->key) {
    case Record_epoch_started:
        out->kind = RECORD_EPOCH_STARTED;
        return read_epoch(f->bytes, out, reading->why);
    case Record_queue_put:
        out->kind = RECORD_QUEUE_PUT;
        return read_queue_put(f->bytes, out, reading->why);
    case Record_queue_deleted:
        out->kind = RECORD_QUEUE_DELETED;
        return read_deleted(f->bytes, out, reading->why);
    case Record_ticket_created:
        out->kind = RECORD_TICKET_CREATED;
        return read_created(f->bytes, reading, out);
    case Record_ticket_ended:
        out->kind = RECORD_TICKET_ENDED;
        return read_ended(f->bytes, reading->arena, out, reading->why);
    case Record_match_created:
        out->kind = RECORD_MATCH_CREATED;
        return read_match(f->bytes, reading, out);
    default:
        return ERR_OK;
    }
}

/* A record of a kind this version does not know is an error, not skipped: state would differ. */
static enum err read_record(struct str bytes, struct reading *reading, struct record *out) {
    struct pb_reader r = pb_reader(bytes);
    enum err code = ERR_OK;
    memset(out, 0, sizeof *out); /* an initializer need not clear all of a union */
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key == Record_time_ms)
            out->time_ms = (int64_t)f.value;
        else if (f.key == Record_carried)
            out->carried = f.value != 0;
        else if (out->kind == 0)
            code = read_body(&f, reading, out);
    }
    if (code == ERR_OK && (r.malformed || !match_codec_time_valid(out->time_ms)))
        code = lost(reading->why, "record");
    if (code == ERR_OK && out->kind == 0)
        code = lost(reading->why, "a kind this version does not know");
    if (code != ERR_OK) journal_record_fini(out);
    return code;
}

enum err journal_walk(struct str entry, struct arena *arena, journal_message_fn sink,
                      void *sink_arg, struct err_text *why) {
    struct pb_reader r = pb_reader(entry);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key != Entry_records) continue;
        struct reading reading = {arena, why, STR_EMPTY};
        struct record record;
        enum err code = read_record(f.bytes, &reading, &record);
        if (code != ERR_OK) return code;
        sink(sink_arg, &record, reading.message);
    }
    return r.malformed ? lost(why, "entry") : ERR_OK;
}

struct record_sink {
    record_fn take;
    void *arg;
};

static void drop_message(void *arg, struct record *r, struct str message) {
    const struct record_sink *sink = arg;
    (void)message;
    sink->take(sink->arg, r);
}

enum err journal_decode(struct str entry, struct arena *arena, record_fn sink, void *sink_arg,
                        struct str *owner, struct err_text *why) {
    if (owner) {
        struct pb_reader r = pb_reader(entry);
        *owner = STR_EMPTY;
        for (struct pb_field f; pb_next(&r, &f);)
            if (f.key == Entry_owner) *owner = f.bytes;
    }
    struct record_sink records = {sink, sink_arg};
    return journal_walk(entry, arena, drop_message, &records, why);
}

void journal_record_fini(struct record *r) {
    if (r->kind != RECORD_QUEUE_PUT) return;
    queue_def_free(r->queue_put.def);
    r->queue_put.def = NULL;
}
