/* journal_read.c - the bodies of journal records, checked. */
#include "wire/journal_read.h"

#include "base/limits.h"
#include "wire/backfill_codec.h"
#include "wire/fields.h"
#include "wire/match_codec.h"
#include "wire/name_list.h"
#include "wire/queue_codec.h"
#include "wire/queue_json.h"

enum { REQUEST_KEY_BYTES = 16 };

enum err journal_read_lost(struct err_text *why, const char *what) {
    return err_set(why, ERR_DATA_LOSS, "a journal record is malformed: %s", what);
}

static bool read_past(struct str bytes, struct arena *arena, struct record *out) {
    uint32_t count;
    if (!pb_count(bytes, QueuePut_past, &count) || count > LIMIT_QUEUE_VERSIONS) return false;
    struct queue_version *past = arena_alloc(arena, (count + 1) * sizeof *past);
    bool whole = true;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; whole && pb_next(&r, &f);)
        if (f.key == QueuePut_past)
            whole = queue_codec_read(f.bytes, &past[out->queue_put.past_count++]);
    out->queue_put.past = past;
    return whole;
}

static enum err read_queue_put(struct str bytes, struct journal_reading *reading,
                               struct record *out) {
    struct err_text *why = reading->why;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == QueuePut_name) out->queue_put.name = f.bytes;
        if (f.key == QueuePut_version) out->queue_put.version = (uint32_t)f.value;
        if (f.key == QueuePut_definition_json) out->queue_put.json = f.bytes;
        if (f.key == QueuePut_allow_shrinking) out->queue_put.allow_shrinking = f.value != 0;
        if (f.key == QueuePut_author) out->queue_put.author = f.bytes;
        if (f.key == QueuePut_comment) out->queue_put.comment = f.bytes;
        if (f.key == QueuePut_put_time_ms) out->queue_put.put_ms = (int64_t)f.value;
    }
    if (r.malformed || !str_name_valid(out->queue_put.name) ||
        !str_utf8_valid(out->queue_put.author) || !str_utf8_valid(out->queue_put.comment) ||
        !match_codec_time_valid(out->queue_put.put_ms))
        return journal_read_lost(why, "queue_put");
    if (!read_past(bytes, reading->arena, out)) return journal_read_lost(why, "queue_put.past");
    struct err_text cause;
    if (queue_json_parse(out->queue_put.json, out->queue_put.allow_shrinking, &out->queue_put.def,
                         NULL, &cause) != ERR_OK)
        return err_set(why, ERR_DATA_LOSS, "the definition of queue %.*s cannot be read: %.300s",
                       STR_PRINT(out->queue_put.name), cause.text);
    if (!str_equal(out->queue_put.name, out->queue_put.def->name))
        return journal_read_lost(why, "queue_put.name is not its definition's");
    return ERR_OK;
}

static bool read_request_key(struct str bytes, struct id *out) {
    *out = (struct id){0, 0};
    for (size_t i = 0; i < bytes.size && i < REQUEST_KEY_BYTES; i++) {
        uint64_t *half = i < 8 ? &out->hi : &out->lo;
        *half = *half << 8 | (unsigned char)bytes.at[i];
    }
    return bytes.size == 0 || bytes.size == REQUEST_KEY_BYTES;
}

static enum err read_created(struct str bytes, struct journal_reading *reading,
                             struct record *out) {
    struct pb_reader r = pb_reader(bytes);
    struct str key = STR_EMPTY;
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == TicketCreated_ticket) reading->message = f.bytes;
        if (f.key == TicketCreated_request_key) key = f.bytes;
        if (f.key == TicketCreated_request_hash) out->ticket_created.request_hash = f.value;
    }
    if (r.malformed || !read_request_key(key, &out->ticket_created.request_key))
        return journal_read_lost(reading->why, "ticket_created");
    struct ticket_view view;
    if (!ticket_codec_read(reading->message, reading->arena, &view, reading->why))
        return ERR_DATA_LOSS;
    out->ticket_created.id = view.id;
    out->ticket_created.state = view.state;
    out->ticket_created.spec = view.spec;
    out->ticket_created.created_ms = view.created_ms;
    out->ticket_created.expires_ms = view.expires_ms;
    out->ticket_created.ended_ms = view.ended_ms;
    out->ticket_created.heartbeat_ms = view.heartbeat_ms;
    out->ticket_created.match_id = view.match_id;
    out->ticket_created.reason = view.reason;
    out->ticket_created.promised = view.wait;
    return ERR_OK;
}

static enum err read_fate(struct str bytes, struct journal_reading *reading,
                          struct ticket_fate *out) {
    struct name_source from = {bytes, TicketFate_queues, 1, LIMIT_TICKET_QUEUES, "queues"};
    struct name_list queues, players;
    if (name_list_read(&from, reading->arena, &queues, reading->why) != ERR_OK)
        return journal_read_lost(reading->why, "ticket_fate.queues");
    from = (struct name_source){bytes, TicketFate_player_ids, 0, LIMIT_TICKET_PLAYERS, "players"};
    if (name_list_read(&from, reading->arena, &players, reading->why) != ERR_OK)
        return journal_read_lost(reading->why, "ticket_fate.player_ids");
    *out = (struct ticket_fate){.queues = queues.names,
                                .player_ids = players.names,
                                .queue_count = queues.count,
                                .player_count = players.count};
    bool ids = true;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == TicketFate_ticket_id) ids = id_parse(f.bytes, &out->id) && ids;
        if (f.key == TicketFate_state) out->state = (enum ticket_state)f.value;
        if (f.key == TicketFate_reason) out->reason = f.bytes;
        if (f.key == TicketFate_create_time_ms) out->created_ms = (int64_t)f.value;
    }
    if (out->state != TICKET_CANCELLED && out->state != TICKET_EXPIRED &&
        out->state != TICKET_QUEUED)
        return journal_read_lost(reading->why, "ticket_fate.state");
    bool whole = ids && !id_is_none(out->id) && str_utf8_valid(out->reason) &&
                 match_codec_time_valid(out->created_ms);
    return whole ? ERR_OK : journal_read_lost(reading->why, "ticket_fate");
}

static enum err read_ended(struct str bytes, struct journal_reading *reading, struct record *out) {
    enum err code = read_fate(bytes, reading, &out->ticket_ended);
    if (code == ERR_OK && out->ticket_ended.state == TICKET_QUEUED)
        return journal_read_lost(reading->why, "ticket_ended.state");
    return code;
}

static enum err read_deleted(struct str bytes, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == QueueDeleted_name) out->queue_deleted.name = f.bytes;
        if (f.key == QueueDeleted_version) out->queue_deleted.version = (uint32_t)f.value;
    }
    bool whole = !r.malformed && str_name_valid(out->queue_deleted.name);
    return whole ? ERR_OK : journal_read_lost(why, "queue_deleted");
}

static enum err read_match(struct str bytes, struct journal_reading *reading, struct record *out) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == MatchCreated_match) reading->message = f.bytes;
    if (r.malformed) return journal_read_lost(reading->why, "match_created");
    bool ok = match_codec_read(reading->message, reading->arena, &out->match_created, reading->why);
    return ok ? ERR_OK : ERR_DATA_LOSS;
}

static enum err read_accepted(struct str bytes, struct journal_reading *reading,
                              struct record *out) {
    struct name_source from = {bytes, MatchAccepted_accepted_player_ids, 0, LIMIT_MATCH_PLAYERS,
                               "accepted"};
    struct name_list accepted, waiting;
    if (name_list_read(&from, reading->arena, &accepted, reading->why) != ERR_OK)
        return journal_read_lost(reading->why, "match_accepted.accepted_player_ids");
    from.key = MatchAccepted_waiting_player_ids;
    if (name_list_read(&from, reading->arena, &waiting, reading->why) != ERR_OK)
        return journal_read_lost(reading->why, "match_accepted.waiting_player_ids");
    out->match_accepted.accepted = accepted.names;
    out->match_accepted.accepted_count = accepted.count;
    out->match_accepted.waiting = waiting.names;
    out->match_accepted.waiting_count = waiting.count;
    bool ids = true;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == MatchAccepted_match_id)
            ids = id_parse(f.bytes, &out->match_accepted.id) && ids;
        if (f.key == MatchAccepted_queue) out->match_accepted.queue = f.bytes;
        if (f.key == MatchAccepted_expire_time_ms) out->match_accepted.until_ms = (int64_t)f.value;
    }
    bool whole = ids && !id_is_none(out->match_accepted.id) &&
                 str_name_valid(out->match_accepted.queue) &&
                 match_codec_time_valid(out->match_accepted.until_ms);
    return whole ? ERR_OK : journal_read_lost(reading->why, "match_accepted");
}

static enum err read_updated(struct str bytes, struct journal_reading *reading,
                             struct record *out) {
    uint32_t count;
    if (!pb_count(bytes, MatchUpdated_tickets, &count) || count > LIMIT_MATCH_PLAYERS)
        return journal_read_lost(reading->why, "match_updated.tickets");
    struct ticket_fate *fates = arena_alloc(reading->arena, count * sizeof *fates);
    enum err code = ERR_OK;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key == MatchUpdated_match) reading->message = f.bytes;
        if (f.key == MatchUpdated_tickets)
            code = read_fate(f.bytes, reading, &fates[out->match_updated.fate_count++]);
    }
    out->match_updated.fates = fates;
    if (code != ERR_OK) return code;
    bool ok =
        match_codec_read(reading->message, reading->arena, &out->match_updated.spec, reading->why);
    return ok ? ERR_OK : ERR_DATA_LOSS;
}

static enum err read_backfill(struct str bytes, struct journal_reading *reading,
                              struct backfill_spec *out) {
    struct str backfill = STR_EMPTY, key = STR_EMPTY;
    uint64_t hash = 0;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == BackfillPut_backfill) backfill = f.bytes;
        if (f.key == BackfillPut_request_key) key = f.bytes;
        if (f.key == BackfillPut_request_hash) hash = f.value;
    }
    if (!backfill_codec_read(backfill, reading->arena, out, reading->why)) return ERR_DATA_LOSS;
    if (r.malformed || !read_request_key(key, &out->request_key))
        return journal_read_lost(reading->why, "backfill_put");
    out->request_hash = hash;
    reading->message = backfill;
    return ERR_OK;
}

static enum err read_players(struct str bytes, uint32_t key, struct journal_reading *reading,
                             struct name_list *out) {
    struct name_source from = {bytes, key, 0, LIMIT_MATCH_PLAYERS, "players"};
    if (name_list_read(&from, reading->arena, out, reading->why) == ERR_OK) return ERR_OK;
    return journal_read_lost(reading->why, "roster_changed's players");
}

static enum err read_roster_fields(struct str bytes, struct journal_reading *reading,
                                   struct record *out) {
    uint32_t count;
    if (!pb_count(bytes, RosterChanged_ticket_ids, &count) || count > LIMIT_MATCH_PLAYERS)
        return journal_read_lost(reading->why, "roster_changed.ticket_ids");
    struct id *tickets = arena_alloc(reading->arena, count * sizeof *tickets);
    struct str match = STR_EMPTY;
    enum err code = ERR_OK;
    bool ids = true;
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key == RosterChanged_match) match = f.bytes;
        if (f.key == RosterChanged_ticket_ids)
            ids = id_parse(f.bytes, &tickets[out->roster_changed.ticket_count++]) && ids;
        if (f.key == RosterChanged_proposal_match_id)
            ids = id_parse(f.bytes, &out->roster_changed.proposal_id) && ids;
        if (f.key == RosterChanged_backfill)
            code = read_backfill(f.bytes, reading, &out->roster_changed.backfill);
    }
    out->roster_changed.ticket_ids = tickets;
    reading->message = match;
    if (code == ERR_OK && !ids) return journal_read_lost(reading->why, "roster_changed's ids");
    return code;
}

static enum err read_roster(struct str bytes, struct journal_reading *reading, struct record *out) {
    struct name_list left = {0}, joined = {0};
    enum err code = read_players(bytes, RosterChanged_left_player_ids, reading, &left);
    if (code == ERR_OK)
        code = read_players(bytes, RosterChanged_joined_player_ids, reading, &joined);
    if (code == ERR_OK) code = read_roster_fields(bytes, reading, out);
    if (code != ERR_OK) return code;
    out->roster_changed.left = left.names;
    out->roster_changed.left_count = left.count;
    out->roster_changed.joined = joined.names;
    out->roster_changed.joined_count = joined.count;
    struct match_spec *spec = &out->roster_changed.spec;
    bool ok = match_codec_read(reading->message, reading->arena, spec, reading->why);
    return ok ? ERR_OK : ERR_DATA_LOSS;
}

static enum err read_penalized(struct str bytes, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == PlayerPenalized_player_id) out->player_penalized.player_id = f.bytes;
        if (f.key == PlayerPenalized_queue) out->player_penalized.queue = f.bytes;
        if (f.key == PlayerPenalized_offences) out->player_penalized.offences = (uint32_t)f.value;
        if (f.key == PlayerPenalized_until_time_ms)
            out->player_penalized.until_ms = (int64_t)f.value;
        if (f.key == PlayerPenalized_forget_time_ms)
            out->player_penalized.forget_ms = (int64_t)f.value;
    }
    bool whole = !r.malformed && str_name_valid(out->player_penalized.player_id) &&
                 str_name_valid(out->player_penalized.queue) &&
                 match_codec_time_valid(out->player_penalized.until_ms) &&
                 match_codec_time_valid(out->player_penalized.forget_ms);
    return whole ? ERR_OK : journal_read_lost(why, "player_penalized");
}

static enum err read_epoch(struct str bytes, struct record *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == EpochStarted_owner) out->epoch_started.owner = f.bytes;
    return r.malformed ? journal_read_lost(why, "epoch_started") : ERR_OK;
}

enum err journal_read_body(const struct pb_field *f, struct journal_reading *reading,
                           struct record *out) {
    switch (f->key) {
    case Record_epoch_started:
        out->kind = RECORD_EPOCH_STARTED;
        return read_epoch(f->bytes, out, reading->why);
    case Record_queue_put:
        out->kind = RECORD_QUEUE_PUT;
        return read_queue_put(f->bytes, reading, out);
    case Record_queue_deleted:
        out->kind = RECORD_QUEUE_DELETED;
        return read_deleted(f->bytes, out, reading->why);
    case Record_ticket_created:
        out->kind = RECORD_TICKET_CREATED;
        return read_created(f->bytes, reading, out);
    case Record_ticket_updated:
        out->kind = RECORD_TICKET_UPDATED;
        return read_created(f->bytes, reading, out);
    case Record_ticket_ended:
        out->kind = RECORD_TICKET_ENDED;
        return read_ended(f->bytes, reading, out);
    case Record_match_created:
        out->kind = RECORD_MATCH_CREATED;
        return read_match(f->bytes, reading, out);
    case Record_match_accepted:
        out->kind = RECORD_MATCH_ACCEPTED;
        return read_accepted(f->bytes, reading, out);
    case Record_match_updated:
        out->kind = RECORD_MATCH_UPDATED;
        return read_updated(f->bytes, reading, out);
    case Record_roster_changed:
        out->kind = RECORD_ROSTER_CHANGED;
        return read_roster(f->bytes, reading, out);
    case Record_backfill_put:
        out->kind = RECORD_BACKFILL_PUT;
        return read_backfill(f->bytes, reading, &out->backfill_put);
    case Record_player_penalized:
        out->kind = RECORD_PLAYER_PENALIZED;
        return read_penalized(f->bytes, out, reading->why);
    default:
        return ERR_OK;
    }
}
