/* history.h - one queue's recorded past: who came when, who left, and which matches were made.
 *
 * Read from events as JSON lines (wire/event_json.h). Times are from the first ticket of the queue.
 * Of a queue's definitions the one that judged its last match is taken (the newest, before any).
 * A ticket that was matched in another queue has left this one then.
 * Thread safety: none.
 */
#ifndef MUSTER_SIM_HISTORY_H
#define MUSTER_SIM_HISTORY_H

#include "base/map.h"
#include "sim/play.h"

struct history_ticket {
    struct id id;
    uint32_t index;
    int64_t end_ms;    /* recorded: matched, left or expired; INT64_MAX: the record ends before */
    int64_t cancel_ms; /* when it leaves whoever matches: it was cancelled, was matched in another
                        * queue, or one of its players came again; INT64_MAX: it did not */
};

struct history_match {
    int64_t at_ms;
    struct str region;
    uint32_t first, count; /* in members */
};

struct history {
    struct trace trace; /* leave_ms as recorded */
    struct history_ticket *tickets;
    size_t ticket_capacity;
    struct map by_id;
    struct history_match *matches;
    size_t match_count, match_capacity;
    struct play_member *members;
    size_t member_count, member_capacity;
    struct str queue, queue_json; /* the definition; empty: none was recorded */
    struct str plays_in;        /* the queue that the tickets of the trace name: set it to the name
                                 * of the definition that is played */
    uint32_t version, versions; /* of it; how many there were */
    int64_t start_ms, end_ms;   /* wall clock of the first ticket; end from there */
};

/* `queue`: empty takes the queue of the most recorded tickets. INVALID_ARGUMENT or DATA_LOSS: a
 * line is no event (the text says which line); NOT_FOUND: no ticket of that queue. */
enum err history_read(struct history *h, struct str lines, struct str queue,
                      struct err_text *why) ERR_CHECKED;
void history_fini(struct history *h); /* zeroed memory is fine */

/* Sets when tickets leave: as recorded, or at the latest after `timeout_ms` when they are matched
 * by others than those of the record. */
void history_leave_as_recorded(struct history *h);
void history_leave_after(struct history *h, int64_t timeout_ms);

/* The recorded matches as a play over the field (of the history's trace). */
void history_play(const struct history *h, const struct field *f, struct play *out);

#endif
