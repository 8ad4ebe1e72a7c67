/* journal_codec.c - journal entries as bytes. */
#include "wire/journal_codec.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/backfill_codec.h"
#include "wire/fields.h"
#include "wire/journal_read.h"
#include "wire/match_codec.h"
#include "wire/name_list.h"
#include "wire/queue_codec.h"

#include <string.h>

enum { REQUEST_KEY_BYTES = 16 };

/* ---- writing ---- */

static void write_request_key(struct id key, uint32_t field, struct strbuf *out) {
    if (id_is_none(key)) return;
    char bytes[REQUEST_KEY_BYTES];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (char)(key.hi >> (56 - 8 * i));
        bytes[8 + i] = (char)(key.lo >> (56 - 8 * i));
    }
    pb_add_text(out, field, (struct str){bytes, sizeof bytes});
}

static void write_created(const struct record *r, uint32_t record_key, struct strbuf *out) {
    struct ticket_view view = {
        .id = r->ticket_created.id,
        .state = r->ticket_created.state,
        .spec = r->ticket_created.spec,
        .created_ms = r->ticket_created.created_ms,
        .expires_ms = r->ticket_created.expires_ms,
        .ended_ms = r->ticket_created.ended_ms,
        .heartbeat_ms = r->ticket_created.heartbeat_ms,
        .match_id = r->ticket_created.match_id,
        .reason = r->ticket_created.reason,
        .wait = r->ticket_created.promised,
    };
    size_t body = pb_open(out, record_key);
    ticket_codec_write(&view, TicketCreated_ticket, out);
    write_request_key(r->ticket_created.request_key, TicketCreated_request_key, out);
    pb_put_fixed64(out, TicketCreated_request_hash, r->ticket_created.request_hash);
    pb_close(out, body);
}

static void write_fate(const struct ticket_fate *t, uint32_t key, struct strbuf *out) {
    size_t body = pb_open(out, key);
    pb_put_id(out, TicketFate_ticket_id, t->id);
    pb_put_uint(out, TicketFate_state, t->state);
    name_list_write(t->queues, t->queue_count, TicketFate_queues, out);
    name_list_write(t->player_ids, t->player_count, TicketFate_player_ids, out);
    pb_put_text(out, TicketFate_reason, t->reason);
    pb_put_int(out, TicketFate_create_time_ms, t->created_ms);
    pb_close(out, body);
}

static void write_accepted(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Record_match_accepted);
    pb_put_id(out, MatchAccepted_match_id, r->match_accepted.id);
    pb_put_text(out, MatchAccepted_queue, r->match_accepted.queue);
    name_list_write(r->match_accepted.accepted, r->match_accepted.accepted_count,
                    MatchAccepted_accepted_player_ids, out);
    name_list_write(r->match_accepted.waiting, r->match_accepted.waiting_count,
                    MatchAccepted_waiting_player_ids, out);
    pb_put_int(out, MatchAccepted_expire_time_ms, r->match_accepted.until_ms);
    pb_close(out, body);
}

static void write_updated(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Record_match_updated);
    match_codec_write(&r->match_updated.spec, MatchUpdated_match, out);
    for (uint32_t i = 0; i < r->match_updated.fate_count; i++)
        write_fate(&r->match_updated.fates[i], MatchUpdated_tickets, out);
    pb_close(out, body);
}

static void write_backfill(const struct backfill_spec *b, uint32_t key, struct strbuf *out) {
    size_t body = pb_open(out, key);
    backfill_codec_write(b, BackfillPut_backfill, out);
    write_request_key(b->request_key, BackfillPut_request_key, out);
    pb_put_fixed64(out, BackfillPut_request_hash, b->request_hash);
    pb_close(out, body);
}

static void write_roster(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Record_roster_changed);
    match_codec_write(&r->roster_changed.spec, RosterChanged_match, out);
    name_list_write(r->roster_changed.left, r->roster_changed.left_count,
                    RosterChanged_left_player_ids, out);
    name_list_write(r->roster_changed.joined, r->roster_changed.joined_count,
                    RosterChanged_joined_player_ids, out);
    for (uint32_t i = 0; i < r->roster_changed.ticket_count; i++)
        pb_add_id(out, RosterChanged_ticket_ids, r->roster_changed.ticket_ids[i]);
    pb_put_id(out, RosterChanged_proposal_match_id, r->roster_changed.proposal_id);
    const struct backfill_spec *backfill = &r->roster_changed.backfill;
    if (!id_is_none(backfill->id)) write_backfill(backfill, RosterChanged_backfill, out);
    pb_close(out, body);
}

static void write_penalized(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Record_player_penalized);
    pb_put_text(out, PlayerPenalized_player_id, r->player_penalized.player_id);
    pb_put_text(out, PlayerPenalized_queue, r->player_penalized.queue);
    pb_put_uint(out, PlayerPenalized_offences, r->player_penalized.offences);
    pb_put_int(out, PlayerPenalized_until_time_ms, r->player_penalized.until_ms);
    pb_put_int(out, PlayerPenalized_forget_time_ms, r->player_penalized.forget_ms);
    pb_close(out, body);
}

static void write_past(const struct queue_version *v, struct strbuf *out) {
    size_t past = pb_open(out, QueuePut_past);
    queue_codec_write(v, out);
    pb_close(out, past);
}

static void write_put(const struct record *r, struct strbuf *out) {
    size_t body = pb_open(out, Record_queue_put);
    pb_put_text(out, QueuePut_name, r->queue_put.name);
    pb_put_uint(out, QueuePut_version, r->queue_put.version);
    pb_put_text(out, QueuePut_definition_json, r->queue_put.json);
    pb_put_uint(out, QueuePut_allow_shrinking, r->queue_put.allow_shrinking);
    pb_put_text(out, QueuePut_author, r->queue_put.author);
    pb_put_text(out, QueuePut_comment, r->queue_put.comment);
    pb_put_int(out, QueuePut_put_time_ms, r->queue_put.put_ms);
    for (uint32_t i = 0; i < r->queue_put.past_count; i++)
        write_past(&r->queue_put.past[i], out);
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
        write_put(r, out);
        break;
    case RECORD_QUEUE_DELETED:
        body = pb_open(out, Record_queue_deleted);
        pb_put_text(out, QueueDeleted_name, r->queue_deleted.name);
        pb_put_uint(out, QueueDeleted_version, r->queue_deleted.version);
        pb_close(out, body);
        break;
    case RECORD_TICKET_CREATED:
        write_created(r, Record_ticket_created, out);
        break;
    case RECORD_TICKET_UPDATED:
        write_created(r, Record_ticket_updated, out);
        break;
    case RECORD_TICKET_ENDED:
        write_fate(&r->ticket_ended, Record_ticket_ended, out);
        break;
    case RECORD_MATCH_CREATED:
        body = pb_open(out, Record_match_created);
        match_codec_write(&r->match_created, MatchCreated_match, out);
        pb_close(out, body);
        break;
    case RECORD_MATCH_ACCEPTED:
        write_accepted(r, out);
        break;
    case RECORD_MATCH_UPDATED:
        write_updated(r, out);
        break;
    case RECORD_ROSTER_CHANGED:
        write_roster(r, out);
        break;
    case RECORD_BACKFILL_PUT:
        write_backfill(&r->backfill_put, Record_backfill_put, out);
        break;
    case RECORD_PLAYER_PENALIZED:
        write_penalized(r, out);
        break;
    }
}

static struct str trace_bytes(const struct traceparent *t) {
    bool none = traceparent_is_none(t);
    return (struct str){(const char *)t->bytes, none ? 0 : TRACEPARENT_BYTES};
}

void journal_encode(const struct record *r, struct strbuf *entry) {
    size_t record = pb_open(entry, Entry_records);
    pb_put_int(entry, Record_time_ms, r->time_ms);
    pb_put_uint(entry, Record_carried, r->carried);
    for (uint32_t i = 0; i < r->trace_count; i++)
        pb_add_text(entry, Record_traces, trace_bytes(&r->traces[i]));
    write_body(r, entry);
    pb_close(entry, record);
}

void journal_encode_owner(struct str owner, struct strbuf *entry) {
    pb_put_text(entry, Entry_owner, owner);
}

/* ---- reading ---- */

static bool read_traces(struct str bytes, struct arena *arena, struct record *out) {
    uint32_t count;
    if (!pb_count(bytes, Record_traces, &count) || count > LIMIT_MATCH_PLAYERS) return false;
    struct traceparent *traces = arena_alloc(arena, count * sizeof *traces);
    out->traces = traces;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key != Record_traces) continue;
        if (f.bytes.size != TRACEPARENT_BYTES && f.bytes.size != 0) return false;
        struct traceparent *t = &traces[out->trace_count++];
        memset(t, 0, sizeof *t);
        if (f.bytes.size) memcpy(t->bytes, f.bytes.at, TRACEPARENT_BYTES);
    }
    return true;
}

/* A record of a kind this version does not know is an error, not skipped: state would differ. */
static enum err read_record(struct str bytes, struct journal_reading *reading, struct record *out) {
    struct pb_reader r = pb_reader(bytes);
    enum err code = ERR_OK;
    bool traced = false;
    memset(out, 0, sizeof *out); /* an initializer need not clear all of a union */
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key == Record_time_ms)
            out->time_ms = (int64_t)f.value;
        else if (f.key == Record_carried)
            out->carried = f.value != 0;
        else if (f.key == Record_traces)
            traced = true;
        else if (out->kind == 0)
            code = journal_read_body(&f, reading, out);
    }
    if (code == ERR_OK && traced && !read_traces(bytes, reading->arena, out))
        code = journal_read_lost(reading->why, "traces");
    if (code == ERR_OK && (r.malformed || !match_codec_time_valid(out->time_ms)))
        code = journal_read_lost(reading->why, "record");
    if (code == ERR_OK && out->kind == 0)
        code = journal_read_lost(reading->why, "a kind this version does not know");
    if (code != ERR_OK) journal_record_fini(out);
    return code;
}

enum err journal_walk(struct str entry, struct arena *arena, journal_message_fn sink,
                      void *sink_arg, struct err_text *why) {
    struct pb_reader r = pb_reader(entry);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key != Entry_records) continue;
        struct journal_reading reading = {arena, why, STR_EMPTY};
        struct record record;
        enum err code = read_record(f.bytes, &reading, &record);
        if (code != ERR_OK) return code;
        sink(sink_arg, &record, reading.message);
    }
    return r.malformed ? journal_read_lost(why, "entry") : ERR_OK;
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
