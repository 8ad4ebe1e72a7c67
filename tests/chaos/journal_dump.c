/* journal_dump.c - follows a realm's journal in Redis and writes each entry as a line of JSON.
 *
 *   journal_dump REDIS_ADDRESS REALM OUTPUT [replicated]
 *
 * The one witness that looks at Redis itself: a line per entry, in the order of the stream, and a
 * line {"op":"back"} when the stream has gone back below what was seen, to e-s (or, a hole, when
 * entries before e-s were trimmed unseen). SIGTERM ends it when it has
 * read to the stream's end.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "store/reader.h"
#include "wire/journal_codec.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile sig_atomic_t ending;
static int output;
static struct strbuf line;

static void note_end(int number) {
    (void)number;
    ending = 1;
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    strbuf_add(&line, text, (size_t)size);
}

static void put_id(const char *name, struct id id) {
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    put("\"%s\":\"%s\",", name, id_is_none(id) ? "" : text);
}

/* Names are of [A-Za-z0-9_.-]: nothing to escape. */
static void put_names(const char *name, const struct str *names, uint32_t count) {
    put("\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        put("%s\"%.*s\"", i ? "," : "", STR_PRINT(names[i]));
    put("],");
}

static void put_answers(const struct match_spec *m) {
    put("\"answers\":{");
    bool first = true;
    for (uint32_t i = 0; i < m->team_count; i++) {
        for (uint32_t k = 0; k < m->teams[i].member_count; k++, first = false)
            put("%s\"%.*s\":%d", first ? "" : ",", STR_PRINT(m->teams[i].members[k].player_id),
                (int)m->teams[i].members[k].answer);
    }
    put("},");
}

static void put_ids(const char *name, const struct id *ids, uint32_t count) {
    put("\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++) {
        char text[ID_TEXT_BYTES];
        id_format(ids[i], text);
        put("%s\"%s\"", i ? "," : "", text);
    }
    put("],");
}

static void put_match(const struct match_spec *m) {
    put_id("match", m->id);
    put_id("joins", m->joins_id);
    put_id("seeks", m->backfill_id);
    put("\"reason\":\"%.*s\",", STR_PRINT(m->reason));
    put_ids("tickets", m->ticket_ids, m->ticket_count);
    put("\"state\":%d,\"queue\":\"%.*s\",\"version\":%u,\"until\":%" PRId64 ",\"teams\":[",
        (int)m->state, STR_PRINT(m->queue), m->queue_version, m->until_ms);
    for (uint32_t i = 0; i < m->team_count; i++) {
        put("%s[", i ? "," : "");
        for (uint32_t k = 0; k < m->teams[i].member_count; k++)
            put("%s\"%.*s\"", k ? "," : "", STR_PRINT(m->teams[i].members[k].player_id));
        put("]");
    }
    put("],");
    put_answers(m);
}

static void put_fates(const struct record *r) {
    put("\"fates\":[");
    for (uint32_t i = 0; i < r->match_updated.fate_count; i++) {
        const struct ticket_fate *fate = &r->match_updated.fates[i];
        put("%s{", i ? "," : "");
        put_id("ticket", fate->id);
        put("\"state\":%d,\"made\":%" PRId64 "}", (int)fate->state, fate->created_ms);
    }
    put("],");
}

static void put_backfill(const struct backfill_spec *b) {
    put("\"backfill\":{");
    put_id("id", b->id);
    put_id("match", b->match_id);
    put_id("proposal", b->proposal_id);
    put("\"players\":[");
    bool first = true;
    for (uint32_t i = 0; i < b->party_count; i++) {
        for (uint32_t k = 0; k < b->parties[i].player_count; k++, first = false)
            put("%s\"%.*s\"", first ? "" : ",", STR_PRINT(b->parties[i].players[k].id));
    }
    put("],\"state\":%d},", (int)b->state);
}

static void put_roster(const struct record *r) {
    put_match(&r->roster_changed.spec);
    put_names("left", r->roster_changed.left, r->roster_changed.left_count);
    put_names("joined", r->roster_changed.joined, r->roster_changed.joined_count);
    put_ids("by", r->roster_changed.ticket_ids, r->roster_changed.ticket_count);
    put_id("proposal", r->roster_changed.proposal_id);
    if (!id_is_none(r->roster_changed.backfill.id)) put_backfill(&r->roster_changed.backfill);
}

static void put_penalty(const struct record *r) {
    put("\"player\":\"%.*s\",\"queue\":\"%.*s\",\"offences\":%u,\"until\":%" PRId64 ",",
        STR_PRINT(r->player_penalized.player_id), STR_PRINT(r->player_penalized.queue),
        r->player_penalized.offences, r->player_penalized.until_ms);
}

static void put_created(const struct record *r) {
    put_id("ticket", r->ticket_created.id);
    put_id("key", r->ticket_created.request_key);
    put_names("queues", r->ticket_created.spec.queues, r->ticket_created.spec.queue_count);
    put("\"state\":%d,\"made\":%" PRId64 ",\"players\":[", (int)r->ticket_created.state,
        r->ticket_created.created_ms);
    for (uint32_t i = 0; i < r->ticket_created.spec.player_count; i++)
        put("%s\"%.*s\"", i ? "," : "", STR_PRINT(r->ticket_created.spec.players[i].id));
    put("],");
}

static void put_content(const struct record *r) {
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
        put_created(r);
        break;
    case RECORD_TICKET_ENDED:
        put_id("ticket", r->ticket_ended.id);
        put("\"state\":%d,", (int)r->ticket_ended.state);
        break;
    case RECORD_MATCH_CREATED:
        put_match(&r->match_created);
        break;
    case RECORD_MATCH_ACCEPTED:
        put_id("match", r->match_accepted.id);
        put_names("accepted", r->match_accepted.accepted, r->match_accepted.accepted_count);
        break;
    case RECORD_MATCH_UPDATED:
        put_match(&r->match_updated.spec);
        put_fates(r);
        break;
    case RECORD_ROSTER_CHANGED:
        put_roster(r);
        break;
    case RECORD_BACKFILL_PUT:
        put_backfill(&r->backfill_put);
        break;
    case RECORD_PLAYER_PENALIZED:
        put_penalty(r);
        break;
    default:
        break;
    }
}

static void put_record(void *arg, struct record *r) {
    bool *first = arg;
    static const char *const names[] = {
        [RECORD_EPOCH_STARTED] = "epoch",        [RECORD_QUEUE_PUT] = "queue",
        [RECORD_QUEUE_DELETED] = "deleted",      [RECORD_TICKET_CREATED] = "created",
        [RECORD_TICKET_ENDED] = "ended",         [RECORD_MATCH_CREATED] = "match",
        [RECORD_MATCH_ACCEPTED] = "accepted",    [RECORD_MATCH_UPDATED] = "updated",
        [RECORD_PLAYER_PENALIZED] = "penalized", [RECORD_ROSTER_CHANGED] = "roster",
        [RECORD_BACKFILL_PUT] = "backfill",
    };
    put("%s{", *first ? "" : ",");
    *first = false;
    put_content(r);
    bool named = r->kind < sizeof names / sizeof names[0] && names[r->kind];
    put("\"k\":\"%s\",\"carried\":%s,\"ms\":%" PRId64 "}", named ? names[r->kind] : "other",
        r->carried ? "true" : "false", r->time_ms);
    journal_record_fini(r);
}

static void write_line(void) {
    strbuf_add(&line, "\n", 1);
    if (write(output, line.at, line.size) != (ssize_t)line.size) abort();
    strbuf_clear(&line);
}

static void write_entry(const struct reader_entry *e, struct arena *arena) {
    struct err_text why;
    bool first = true;
    put("{\"op\":\"entry\",\"t\":%" PRId64 ",\"e\":%" PRIu64 ",\"s\":%" PRIu64 ",\"records\":[",
        clock_mono_us() * 1000, e->at.epoch, e->at.seq);
    if (journal_decode(e->bytes, arena, put_record, &first, NULL, &why)) {
        fprintf(stderr, "unreadable entry: %s\n", why.text);
        abort();
    }
    put("],\"owner\":\"%.*s\"}", STR_PRINT(e->owner));
    write_line();
    arena_reset(arena);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, note_end);
    output = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct reader_options o = {
        .redis = argv[1], .realm = argv[2], .operation_ms = 5000, .replicated = argc > 4};
    struct reader *reader;
    struct err_text why;
    if (output < 0 || reader_new(&reader, &o, &why)) return 1;
    struct arena *arena = arena_new(0);
    struct reader_entry entries[64];
    reader_follow(reader, (struct position){0, 1}); /* before everything */
    int64_t quiet_since_us = clock_mono_us();
    bool written = false;
    while (!ending || clock_mono_us() - quiet_since_us < 500000) {
        struct pollfd fd = {reader_fd(reader), POLLIN, 0};
        int64_t due_ms = reader_due_ms(reader);
        (void)poll(&fd, fd.fd >= 0, due_ms >= 0 && due_ms < 100 ? (int)due_ms : 100);
        bool jumped = false;
        size_t count = reader_next(reader, entries, 64, &jumped);
        if (jumped && written) {
            struct position end = count ? entries[0].at : reader_last(reader);
            put("{\"op\":\"back\",\"t\":%" PRId64 ",\"hole\":%s,\"e\":%" PRIu64 ",\"s\":%" PRIu64
                "}",
                clock_mono_us() * 1000, count ? "true" : "false", end.epoch, end.seq);
            write_line();
        }
        for (size_t i = 0; i < count; i++)
            write_entry(&entries[i], arena);
        written = written || count > 0;
        if (count || reader_fd(reader) < 0) quiet_since_us = clock_mono_us();
    }
    reader_free(reader);
    arena_free(arena);
    strbuf_fini(&line);
    return 0;
}
