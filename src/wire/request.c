/* request.c - request messages into checked model values. */
#include "wire/request.h"

#include "base/digest.h"
#include "base/limits.h"
#include "wire/backfill_codec.h"
#include "wire/fields.h"
#include "wire/match_codec.h"
#include "wire/name_list.h"
#include "wire/player_codec.h"
#include "wire/queue_json.h"
#include "wire/value_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct decoding {
    struct str payload;
    struct str request_id;
    const struct traceparent *trace;
    struct arena *arena;
    struct err_text *why;
};

static enum err malformed(const struct decoding *d) {
    return err_set(d->why, ERR_INVALID_ARGUMENT, "the payload is not the method's request message");
}

static enum err full(const struct decoding *d) {
    return err_set(d->why, ERR_RESOURCE_EXHAUSTED,
                   "the request needs more memory than its size allows");
}

static enum err check_id(const struct decoding *d, const char *field, struct str text,
                         struct id *out) {
    if (id_parse(text, out)) return ERR_OK;
    char value[VALUE_TEXT_BYTES];
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, field,
                         "%s %s; allowed is a ULID of 26 characters", field,
                         value_text(text, value));
}

static enum err check_name(const struct decoding *d, const char *field, struct str text) {
    if (str_name_valid(text)) return ERR_OK;
    char value[VALUE_TEXT_BYTES];
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, field,
                         "%s %s; allowed are 1..%d of [A-Za-z0-9_.-]", field,
                         value_text(text, value), LIMIT_NAME_BYTES);
}

/* ---- tickets ---- */

/* What makes a repeat the same request: the id, the method and the place in the batch. Journaled
 * with the ticket, so neither the text nor the hash may ever change. */
static struct id key_of(const struct decoding *d, enum method_id method, uint32_t index) {
    struct str name = str_of(method_row(method)->name);
    char text[2 * LIMIT_NAME_BYTES + 64], digits[10], *at = text;
    assert(d->request_id.size + name.size + 2 + sizeof digits <= sizeof text);
    at = mempcpy(at, d->request_id.at, d->request_id.size);
    *at++ = ' ';
    at = mempcpy(at, name.at, name.size);
    *at++ = ' ';
    char *first = digits + sizeof digits; /* "%u" by hand: a hundred times a message */
    do
        *--first = (char)('0' + index % 10);
    while (index /= 10);
    at = mempcpy(at, first, (size_t)(digits + sizeof digits - first));
    return digest128((struct str){text, (size_t)(at - text)});
}

static enum err read_queues(const struct decoding *d, struct str message, const char *path,
                            struct ticket_spec *out) {
    char field[64];
    uint32_t count;
    struct name_list queues;
    if (!pb_count(message, CreateTicketRequest_queues, &count)) return malformed(d);
    (void)snprintf(field, sizeof field, "%squeues", path);
    struct name_source source = {message, CreateTicketRequest_queues, 1, LIMIT_TICKET_QUEUES,
                                 field};
    enum err code = name_list_read(&source, d->arena, &queues, d->why);
    if (code != ERR_OK) return code;
    out->queues = queues.names;
    out->queue_count = queues.count;
    return ERR_OK;
}

/* A ticket is one journal record, which must fit into an entry. */
static enum err check_size(const struct decoding *d, struct str message, const char *path) {
    if (message.size <= LIMIT_TICKET_BYTES) return ERR_OK;
    char field[32];
    (void)snprintf(field, sizeof field, "%s", path);
    if (field[0]) field[strlen(field) - 1] = '\0'; /* the dot */
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, field,
                         "%s has %zu bytes; allowed are at most %d",
                         field[0] ? field : "the ticket", message.size, LIMIT_TICKET_BYTES);
}

/* One CreateTicketRequest. `path` is "" or "tickets[i].". */
static enum err read_ticket(const struct decoding *d, struct str message, const char *path,
                            struct command *out) {
    out->kind = COMMAND_CREATE_TICKET;
    out->create_ticket.trace = d->trace;
    struct ticket_spec *spec = &out->create_ticket.spec;
    enum err code = check_size(d, message, path);
    if (code == ERR_OK) code = read_queues(d, message, path, spec);
    struct player_source source = {message, CreateTicketRequest_players, path};
    return code == ERR_OK ? player_codec_read(&source, d->arena, spec, d->why) : code;
}

static enum err decode_create(const struct decoding *d, struct request *out) {
    out->create.items = arena_try(d->arena, sizeof *out->create.items);
    if (!out->create.items) return full(d);
    out->create.count = 1;
    struct command *c = &out->create.items[0].command;
    c->create_ticket.request_key = key_of(d, METHOD_CREATE_TICKET, 0);
    c->create_ticket.request_hash = digest64(d->payload);
    return read_ticket(d, d->payload, "", c);
}

/* A bad ticket is kept with its reason: it does not spoil the others. */
static enum err read_item(const struct decoding *d, struct str message, uint32_t index,
                          struct request_ticket *item) {
    char path[32];
    struct err_text why;
    struct decoding one = *d;
    one.why = &why;
    item->command.create_ticket.request_key = key_of(d, METHOD_CREATE_TICKETS, index);
    item->command.create_ticket.request_hash = digest64(message);
    item->code = read_ticket(&one, message, "", &item->command);
    if (item->code == ERR_OK) return ERR_OK;
    /* Once more for the fields' whole paths, which the good ones do without. */
    (void)snprintf(path, sizeof path, "tickets[%" PRIu32 "].", index);
    item->command.create_ticket.spec = (struct ticket_spec){0};
    item->code = read_ticket(&one, message, path, &item->command);
    item->why = arena_try(d->arena, sizeof *item->why);
    if (!item->why || item->code == ERR_RESOURCE_EXHAUSTED) return full(d);
    *item->why = why;
    return ERR_OK;
}

static enum err decode_create_many(const struct decoding *d, struct request *out) {
    uint32_t count;
    if (!pb_count(d->payload, CreateTicketsRequest_tickets, &count)) return malformed(d);
    if (count < 1 || count > LIMIT_CREATE_TICKETS)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "tickets",
                             "tickets has %" PRIu32 " entries; allowed are 1..%d", count,
                             LIMIT_CREATE_TICKETS);
    out->create.items = arena_try(d->arena, count * sizeof *out->create.items);
    if (!out->create.items) return full(d);
    struct pb_reader r = pb_reader(d->payload);
    enum err code = ERR_OK;
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key != CreateTicketsRequest_tickets) continue;
        code = read_item(d, f.bytes, out->create.count, &out->create.items[out->create.count]);
        out->create.count++;
    }
    return code;
}

_Static_assert((int)ExplainTicketRequest_ticket_id == (int)GetTicketRequest_ticket_id &&
                   (int)ExplainTicketRequest_player_id == (int)GetTicketRequest_player_id,
               "ExplainTicket names its ticket as GetTicket does");

static enum err decode_get_ticket(const struct decoding *d, struct request *out) {
    struct pb_reader r = pb_reader(d->payload);
    struct pb_field f, last = {0};
    while (pb_next(&r, &f))
        if (f.key == GetTicketRequest_ticket_id || f.key == GetTicketRequest_player_id) last = f;
    if (r.malformed) return malformed(d);
    if (last.key == GetTicketRequest_player_id) {
        out->get_ticket.player_id = last.bytes;
        return check_name(d, "player_id", last.bytes);
    }
    return check_id(d, "ticket_id", last.bytes, &out->get_ticket.ticket_id);
}

/* The one text field of most small requests; the last one counts. False when malformed. */
static bool text_field(struct str payload, uint32_t key, struct str *out) {
    struct pb_reader r = pb_reader(payload);
    *out = STR_EMPTY;
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == key) *out = f.bytes;
    return !r.malformed;
}

static enum err decode_cancel(const struct decoding *d, struct request *out) {
    struct str text;
    if (!text_field(d->payload, CancelTicketRequest_ticket_id, &text)) return malformed(d);
    out->command.kind = COMMAND_CANCEL_TICKET;
    out->command.cancel_ticket.reason = STR("cancelled by request");
    return check_id(d, "ticket_id", text, &out->command.cancel_ticket.ticket_id);
}

static enum err decode_watch(const struct decoding *d, struct request *out) {
    struct str text = STR_EMPTY;
    uint64_t state = 0;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == WatchTicketRequest_ticket_id) text = f.bytes;
        if (f.key == WatchTicketRequest_known_state) state = f.value;
    }
    if (r.malformed) return malformed(d);
    if (state > TICKET_EXPIRED)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "known_state",
                             "known_state is %" PRIu64 "; allowed are 0..%d", state,
                             TICKET_EXPIRED);
    out->watch.known_state = (int)state;
    return check_id(d, "ticket_id", text, &out->watch.ticket_id);
}

static enum err decode_update(const struct decoding *d, struct request *out) {
    struct str ticket;
    struct ticket_spec spec = {0};
    out->command.kind = COMMAND_UPDATE_TICKET;
    if (!text_field(d->payload, UpdateTicketRequest_ticket_id, &ticket)) return malformed(d);
    enum err code = check_id(d, "ticket_id", ticket, &out->command.update_ticket.ticket_id);
    if (code == ERR_OK) code = check_size(d, d->payload, "");
    struct player_source source = {d->payload, UpdateTicketRequest_players, ""};
    if (code == ERR_OK) code = player_codec_read(&source, d->arena, &spec, d->why);
    out->command.update_ticket.players = spec.players;
    out->command.update_ticket.player_count = spec.player_count;
    return code;
}

static enum err decode_heartbeat(const struct decoding *d, struct request *out) {
    uint32_t count;
    if (!pb_count(d->payload, HeartbeatTicketsRequest_ticket_ids, &count)) return malformed(d);
    if (count < 1 || count > LIMIT_HEARTBEATS)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "ticket_ids",
                             "ticket_ids has %" PRIu32 " entries; allowed are 1..%d", count,
                             LIMIT_HEARTBEATS);
    struct id *ids = arena_try(d->arena, count * sizeof *ids);
    if (!ids) return full(d);
    struct pb_reader r = pb_reader(d->payload);
    enum err code = ERR_OK;
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key != HeartbeatTicketsRequest_ticket_ids) continue;
        code = check_id(d, "ticket_ids", f.bytes, &ids[out->heartbeat.count++]);
    }
    out->heartbeat.ticket_ids = ids;
    return code;
}

static enum err check_page_size(const struct decoding *d, uint64_t size, uint64_t max) {
    if (size <= max) return ERR_OK;
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, "page_size",
                         "page_size is %" PRIu64 "; allowed are 0..%" PRIu64, size, max);
}

/* Decimal digits of a number; empty is 0. */
static enum err check_place(const struct decoding *d, struct str token, uint64_t *out) {
    enum { DIGITS_MAX = 19 };
    bool digits = token.size <= DIGITS_MAX;
    *out = 0;
    for (size_t i = 0; i < token.size && digits; i++) {
        digits = token.at[i] >= '0' && token.at[i] <= '9';
        *out = *out * 10 + (uint64_t)(token.at[i] - '0');
    }
    if (digits) return ERR_OK;
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, "page_token",
                         "page_token is none that ListTickets has answered");
}

static enum err decode_list_tickets(const struct decoding *d, struct request *out) {
    enum { PAGE_DEFAULT = 50, PAGE_MAX = 200 };
    struct str token = STR_EMPTY;
    uint64_t size = 0;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == ListTicketsRequest_queue) out->list_tickets.queue = f.bytes;
        if (f.key == ListTicketsRequest_page_size) size = f.value;
        if (f.key == ListTicketsRequest_page_token) token = f.bytes;
    }
    if (r.malformed) return malformed(d);
    enum err code = check_page_size(d, size, PAGE_MAX);
    if (code == ERR_OK) code = check_name(d, "queue", out->list_tickets.queue);
    if (code == ERR_OK) code = check_place(d, token, &out->list_tickets.from);
    out->list_tickets.page_size = size ? (uint32_t)size : PAGE_DEFAULT;
    return code;
}

/* ---- matches ---- */

static enum err decode_get_match(const struct decoding *d, struct request *out) {
    struct str text = STR_EMPTY;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == GetMatchRequest_match_id) text = f.bytes;
        if (f.key == GetMatchRequest_with_tickets) out->get_match.with_tickets = f.value != 0;
    }
    if (r.malformed) return malformed(d);
    return check_id(d, "match_id", text, &out->get_match.match_id);
}

static enum err decode_list_matches(const struct decoding *d, struct request *out) {
    enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };
    struct str token = STR_EMPTY;
    uint64_t size = 0;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == ListMatchesRequest_queue) out->list_matches.queue = f.bytes;
        if (f.key == ListMatchesRequest_page_size) size = f.value;
        if (f.key == ListMatchesRequest_page_token) token = f.bytes;
    }
    if (r.malformed) return malformed(d);
    enum err code = check_page_size(d, size, PAGE_MAX);
    if (code != ERR_OK) return code;
    out->list_matches.page_size = size ? (uint32_t)size : PAGE_DEFAULT;
    if (out->list_matches.queue.size) code = check_name(d, "queue", out->list_matches.queue);
    if (code == ERR_OK && token.size)
        code = check_id(d, "page_token", token, &out->list_matches.after);
    return code;
}

/* Accept-, Decline- and LeaveMatchRequest are alike. */
static enum err read_answer(const struct decoding *d, uint32_t match_key, uint32_t players_key,
                            struct command *out) {
    struct str match;
    struct name_list players;
    if (!text_field(d->payload, match_key, &match)) return malformed(d);
    enum err code = check_id(d, "match_id", match, &out->answer_match.match_id);
    if (code != ERR_OK) return code;
    struct name_source source = {d->payload, players_key, 1, LIMIT_MATCH_PLAYERS, "player_ids"};
    code = name_list_read(&source, d->arena, &players, d->why);
    out->answer_match.player_ids = players.names;
    out->answer_match.player_count = players.count;
    return code;
}

static enum err decode_accept(const struct decoding *d, struct request *out) {
    out->command.kind = COMMAND_ACCEPT_MATCH;
    return read_answer(d, AcceptMatchRequest_match_id, AcceptMatchRequest_player_ids,
                       &out->command);
}

/* 0..max bytes of UTF-8. */
static enum err check_text(const struct decoding *d, const char *field, struct str text,
                           size_t max) {
    if (text.size <= max && str_utf8_valid(text)) return ERR_OK;
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, field, "%s is no UTF-8 of at most %zu bytes",
                         field, max);
}

/* 0..max bytes of UTF-8 that stay on one line of a terminal. */
static enum err check_line(const struct decoding *d, const char *field, struct str text,
                           size_t max) {
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return err_set_field(d->why, ERR_INVALID_ARGUMENT, field,
                                 "%s has a control character at byte %zu", field, i);
    return check_text(d, field, text, max);
}

static enum err decode_assign(const struct decoding *d, struct request *out) {
    struct str match, *connection = &out->command.assign_match.connection;
    out->command.kind = COMMAND_ASSIGN_MATCH;
    if (!text_field(d->payload, AssignMatchRequest_match_id, &match) ||
        !text_field(d->payload, AssignMatchRequest_connection, connection))
        return malformed(d);
    enum err code = check_id(d, "match_id", match, &out->command.assign_match.match_id);
    if (code == ERR_OK) code = check_text(d, "connection", *connection, LIMIT_CONNECTION_BYTES);
    if (code == ERR_OK && connection->size == 0)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "connection",
                             "connection is empty; say where to play");
    return code;
}

static enum err read_result(const struct decoding *d, struct str bytes, struct team_result *all,
                            uint32_t index) {
    char field[32];
    (void)snprintf(field, sizeof field, "results[%" PRIu32 "]", index);
    if (!match_codec_read_result(bytes, &all[index]))
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, field,
                             "%s is not a team's name, a rank of 1..%d and a finite score", field,
                             LIMIT_TEAMS);
    for (uint32_t i = 0; i < index; i++)
        if (str_equal(all[i].team, all[index].team))
            return err_set_field(d->why, ERR_INVALID_ARGUMENT, field, "%s names its team again",
                                 field);
    return ERR_OK;
}

static enum err decode_complete(const struct decoding *d, struct request *out) {
    struct str match;
    uint32_t count;
    out->command.kind = COMMAND_COMPLETE_MATCH;
    if (!text_field(d->payload, CompleteMatchRequest_match_id, &match) ||
        !pb_count(d->payload, CompleteMatchRequest_results, &count))
        return malformed(d);
    enum err code = check_id(d, "match_id", match, &out->command.complete_match.match_id);
    if (code == ERR_OK && count > LIMIT_TEAMS)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "results",
                             "results has %" PRIu32 " entries; allowed are 0..%d", count,
                             LIMIT_TEAMS);
    struct team_result *results = arena_try(d->arena, count * sizeof *results);
    if (!results) return full(d);
    uint32_t index = 0;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);)
        if (f.key == CompleteMatchRequest_results) code = read_result(d, f.bytes, results, index++);
    out->command.complete_match.results = results;
    out->command.complete_match.result_count = count;
    return code;
}

static enum err decode_cancel_match(const struct decoding *d, struct request *out) {
    enum { REASON_BYTES_MAX = 200 };
    struct str match = STR_EMPTY;
    out->command.kind = COMMAND_CANCEL_MATCH;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == CancelMatchRequest_match_id) match = f.bytes;
        if (f.key == CancelMatchRequest_reason) out->command.cancel_match.reason = f.bytes;
        if (f.key == CancelMatchRequest_requeue) out->command.cancel_match.requeue = f.value != 0;
    }
    if (r.malformed) return malformed(d);
    enum err code = check_id(d, "match_id", match, &out->command.cancel_match.match_id);
    if (code != ERR_OK) return code;
    return check_text(d, "reason", out->command.cancel_match.reason, REASON_BYTES_MAX);
}

static enum err decode_decline(const struct decoding *d, struct request *out) {
    out->command.kind = COMMAND_DECLINE_MATCH;
    return read_answer(d, DeclineMatchRequest_match_id, DeclineMatchRequest_player_ids,
                       &out->command);
}

static enum err decode_leave(const struct decoding *d, struct request *out) {
    out->command.kind = COMMAND_LEAVE_MATCH;
    return read_answer(d, LeaveMatchRequest_match_id, LeaveMatchRequest_player_ids, &out->command);
}

/* ---- backfills ---- */

/* One whose journal record must fit into an entry. */
static enum err read_parties(const struct decoding *d, uint32_t key, struct backfill_parties *out) {
    if (d->payload.size > LIMIT_BACKFILL_BYTES)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "parties",
                             "the request has %zu bytes; allowed are at most %d", d->payload.size,
                             LIMIT_BACKFILL_BYTES);
    return backfill_codec_parties(d->payload, key, d->arena, out, d->why);
}

static enum err check_ms(const struct decoding *d, const char *field, uint64_t ms) {
    enum { MS_MAX = 43200000 };
    if (ms <= MS_MAX) return ERR_OK;
    return err_set_field(d->why, ERR_INVALID_ARGUMENT, field,
                         "%s is %" PRIu64 "; allowed are 0..%d", field, ms, MS_MAX);
}

static bool read_create_backfill(const struct decoding *d, struct command *c, struct str *match) {
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == CreateBackfillRequest_match_id) *match = f.bytes;
        if (f.key == CreateBackfillRequest_queue) c->create_backfill.queue = f.bytes;
        if (f.key == CreateBackfillRequest_region) c->create_backfill.region = f.bytes;
        if (f.key == CreateBackfillRequest_connection) c->create_backfill.connection = f.bytes;
        if (f.key == CreateBackfillRequest_timeout_ms)
            c->create_backfill.timeout_ms = (int64_t)f.value;
        if (f.key == CreateBackfillRequest_waited_ms)
            c->create_backfill.waited_ms = (int64_t)f.value;
    }
    return !r.malformed;
}

static enum err check_create_backfill(const struct decoding *d, struct command *c,
                                      struct str match) {
    enum err code = ERR_OK;
    if (match.size) code = check_id(d, "match_id", match, &c->create_backfill.match_id);
    if (code == ERR_OK && c->create_backfill.queue.size)
        code = check_name(d, "queue", c->create_backfill.queue);
    if (code == ERR_OK) code = check_text(d, "region", c->create_backfill.region, LIMIT_NAME_BYTES);
    if (code == ERR_OK)
        code = check_text(d, "connection", c->create_backfill.connection, LIMIT_CONNECTION_BYTES);
    if (code == ERR_OK) code = check_ms(d, "timeout_ms", (uint64_t)c->create_backfill.timeout_ms);
    if (code == ERR_OK) code = check_ms(d, "waited_ms", (uint64_t)c->create_backfill.waited_ms);
    return code;
}

static enum err decode_create_backfill(const struct decoding *d, struct request *out) {
    struct command *c = &out->command;
    struct str match = STR_EMPTY;
    struct backfill_parties parties;
    c->kind = COMMAND_CREATE_BACKFILL;
    c->create_backfill.request_key = key_of(d, METHOD_CREATE_BACKFILL, 0);
    c->create_backfill.request_hash = digest64(d->payload);
    if (!read_create_backfill(d, c, &match)) return malformed(d);
    enum err code = check_create_backfill(d, c, match);
    if (code == ERR_OK) code = read_parties(d, CreateBackfillRequest_parties, &parties);
    if (code != ERR_OK) return code;
    c->create_backfill.parties = parties.at;
    c->create_backfill.party_count = parties.count;
    return ERR_OK;
}

static enum err decode_get_backfill(const struct decoding *d, struct request *out) {
    struct pb_reader r = pb_reader(d->payload);
    struct pb_field f, last = {0};
    while (pb_next(&r, &f))
        if (f.key == GetBackfillRequest_backfill_id || f.key == GetBackfillRequest_match_id)
            last = f;
    if (r.malformed) return malformed(d);
    if (last.key == GetBackfillRequest_match_id)
        return check_id(d, "match_id", last.bytes, &out->get_backfill.match_id);
    return check_id(d, "backfill_id", last.bytes, &out->get_backfill.backfill_id);
}

static enum err decode_update_backfill(const struct decoding *d, struct request *out) {
    struct command *c = &out->command;
    struct str backfill;
    struct backfill_parties parties = {0};
    c->kind = COMMAND_UPDATE_BACKFILL;
    if (!text_field(d->payload, UpdateBackfillRequest_backfill_id, &backfill)) return malformed(d);
    enum err code = check_id(d, "backfill_id", backfill, &c->update_backfill.backfill_id);
    if (code == ERR_OK) code = read_parties(d, UpdateBackfillRequest_parties, &parties);
    if (code == ERR_OK && parties.count == 0)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "parties",
                             "parties is empty; say who is in the match, or cancel it");
    c->update_backfill.parties = parties.at;
    c->update_backfill.party_count = parties.count;
    return code;
}

static enum err decode_cancel_backfill(const struct decoding *d, struct request *out) {
    struct str text;
    if (!text_field(d->payload, CancelBackfillRequest_backfill_id, &text)) return malformed(d);
    out->command.kind = COMMAND_CANCEL_BACKFILL;
    return check_id(d, "backfill_id", text, &out->command.cancel_backfill.backfill_id);
}

/* ---- queues ---- */

/* Notes are copied into the arena; what does not fit under its cap is left out. */
static struct str keep_notes(const struct decoding *d, struct strbuf *notes) {
    char *copy = arena_try(d->arena, notes->size + 1);
    if (!copy) return STR_EMPTY;
    for (size_t i = 0; i < notes->size; i++)
        copy[i] = notes->at[i];
    return (struct str){copy, notes->size};
}

static enum err decode_put_queue(const struct decoding *d, struct request *out) {
    struct str json = STR_EMPTY;
    bool allow_shrinking = false;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == PutQueueRequest_definition_json) json = f.bytes;
        if (f.key == PutQueueRequest_allow_shrinking) allow_shrinking = f.value != 0;
        if (f.key == PutQueueRequest_cancel_unfit)
            out->command.put_queue.cancel_unfit = f.value != 0;
        if (f.key == PutQueueRequest_author) out->command.put_queue.author = f.bytes;
        if (f.key == PutQueueRequest_comment) out->command.put_queue.comment = f.bytes;
    }
    if (r.malformed) return malformed(d);
    struct strbuf notes = {0};
    out->command.kind = COMMAND_PUT_QUEUE;
    enum err code = check_line(d, "author", out->command.put_queue.author, LIMIT_NAME_BYTES);
    if (code == ERR_OK)
        code = check_line(d, "comment", out->command.put_queue.comment, LIMIT_COMMENT_BYTES);
    if (code != ERR_OK) return code;
    code = queue_json_parse(json, allow_shrinking, &out->command.put_queue.def, &notes, d->why);
    if (code == ERR_OK) out->put_notes = keep_notes(d, &notes);
    strbuf_fini(&notes);
    return code;
}

/* What is wrong with the definition is the answer, not an error of the request. */
static enum err decode_validate(const struct decoding *d, struct request *out) {
    struct pb_reader r = pb_reader(d->payload);
    out->validate.json = STR_EMPTY;
    out->validate.allow_shrinking = false;
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == ValidateRulesetRequest_definition_json) out->validate.json = f.bytes;
        if (f.key == ValidateRulesetRequest_allow_shrinking)
            out->validate.allow_shrinking = f.value != 0;
    }
    return r.malformed ? malformed(d) : ERR_OK;
}

static enum err decode_queue_name(const struct decoding *d, uint32_t key, struct str *out) {
    if (!text_field(d->payload, key, out)) return malformed(d);
    return check_name(d, "name", *out);
}

static enum err decode_delete_queue(const struct decoding *d, struct request *out) {
    out->command.kind = COMMAND_DELETE_QUEUE;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == DeleteQueueRequest_cancel_tickets)
            out->command.delete_queue.cancel_tickets = f.value != 0;
    return decode_queue_name(d, DeleteQueueRequest_name, &out->command.delete_queue.name);
}

static enum err decode_get_queue(const struct decoding *d, struct request *out) {
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);)
        if (f.key == GetQueueRequest_version) out->get_queue.version = (uint32_t)f.value;
    return decode_queue_name(d, GetQueueRequest_name, &out->get_queue.name);
}

static enum err decode_queue_versions(const struct decoding *d, struct request *out) {
    return decode_queue_name(d, ListQueueVersionsRequest_name, &out->name);
}

static enum err decode_queue_stats(const struct decoding *d, struct request *out) {
    return decode_queue_name(d, GetQueueStatsRequest_name, &out->name);
}

/* ---- events, system ---- */

static enum err decode_replay(const struct decoding *d, struct request *out) {
    enum { ENTRIES_DEFAULT = 100, ENTRIES_MAX = 1000, PREFIX_BYTES_MAX = 256 };
    uint64_t max = 0;
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == ReplayEventsRequest_epoch) out->replay.epoch = f.value;
        if (f.key == ReplayEventsRequest_after_seq) out->replay.after_seq = f.value;
        if (f.key == ReplayEventsRequest_max_entries) max = f.value;
        if (f.key == ReplayEventsRequest_inclusive) out->replay.inclusive = f.value != 0;
        if (f.key == ReplayEventsRequest_topic_prefix) out->replay.topic_prefix = f.bytes;
    }
    if (r.malformed) return malformed(d);
    if (max > ENTRIES_MAX)
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "max_entries",
                             "max_entries is %" PRIu64 "; allowed are 0..%d", max, ENTRIES_MAX);
    if (out->replay.topic_prefix.size > PREFIX_BYTES_MAX ||
        !str_utf8_valid(out->replay.topic_prefix))
        return err_set_field(d->why, ERR_INVALID_ARGUMENT, "topic_prefix",
                             "topic_prefix is no UTF-8 of at most %d bytes", PREFIX_BYTES_MAX);
    out->replay.max_entries = max ? (uint32_t)max : ENTRIES_DEFAULT;
    return ERR_OK;
}

static enum err decode_nothing(const struct decoding *d, struct request *out) {
    (void)out; /* there are no fields */
    struct pb_reader r = pb_reader(d->payload);
    for (struct pb_field f; pb_next(&r, &f);)
        continue;
    return r.malformed ? malformed(d) : ERR_OK;
}

typedef enum err (*decode_fn)(const struct decoding *d, struct request *out);

static const decode_fn decoders[METHOD_COUNT] = {
    [METHOD_CREATE_TICKET] = decode_create,
    [METHOD_CREATE_TICKETS] = decode_create_many,
    [METHOD_LIST_TICKETS] = decode_list_tickets,
    [METHOD_GET_TICKET] = decode_get_ticket,
    [METHOD_CANCEL_TICKET] = decode_cancel,
    [METHOD_WATCH_TICKET] = decode_watch,
    [METHOD_EXPLAIN_TICKET] = decode_get_ticket,
    [METHOD_GET_MATCH] = decode_get_match,
    [METHOD_LIST_MATCHES] = decode_list_matches,
    [METHOD_ACCEPT_MATCH] = decode_accept,
    [METHOD_DECLINE_MATCH] = decode_decline,
    [METHOD_ASSIGN_MATCH] = decode_assign,
    [METHOD_COMPLETE_MATCH] = decode_complete,
    [METHOD_CANCEL_MATCH] = decode_cancel_match,
    [METHOD_LEAVE_MATCH] = decode_leave,
    [METHOD_CREATE_BACKFILL] = decode_create_backfill,
    [METHOD_GET_BACKFILL] = decode_get_backfill,
    [METHOD_UPDATE_BACKFILL] = decode_update_backfill,
    [METHOD_CANCEL_BACKFILL] = decode_cancel_backfill,
    [METHOD_HEARTBEAT_TICKETS] = decode_heartbeat,
    [METHOD_UPDATE_TICKET] = decode_update,
    [METHOD_PUT_QUEUE] = decode_put_queue,
    [METHOD_GET_QUEUE] = decode_get_queue,
    [METHOD_LIST_QUEUE_VERSIONS] = decode_queue_versions,
    [METHOD_LIST_QUEUES] = decode_nothing,
    [METHOD_DELETE_QUEUE] = decode_delete_queue,
    [METHOD_VALIDATE_RULESET] = decode_validate,
    [METHOD_GET_QUEUE_STATS] = decode_queue_stats,
    [METHOD_REPLAY_EVENTS] = decode_replay,
    [METHOD_CHECK] = decode_nothing,
    [METHOD_GET_STATUS] = decode_nothing,
};

enum err request_decode(const struct method *m, const struct request_source *source,
                        struct arena *arena, struct request *out, struct err_text *why) {
    struct decoding d = {source->payload, source->request_id, source->trace, arena, why};
    memset(out, 0, sizeof *out); /* an initializer need not clear all of a union */
    out->method = m->id;
    if (m->mutating && !str_name_valid(source->request_id))
        return err_set_field(why, ERR_INVALID_ARGUMENT, "request_id",
                             "request_id is needed by %s: 1..%d of [A-Za-z0-9_.-], the same for "
                             "every repeat",
                             m->name, LIMIT_NAME_BYTES);
    enum err code = decoders[m->id](&d, out);
    if (code != ERR_OK) request_fini(out);
    return code;
}

void request_fini(struct request *r) {
    if (r->method != METHOD_PUT_QUEUE) return;
    queue_def_free(r->command.put_queue.def);
    r->command.put_queue.def = NULL;
}
