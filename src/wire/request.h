/* request.h - the border: request messages become checked model values, or a clear refusal.
 *
 * Here and nowhere else every field is validated: UTF-8, length, charset, range, finiteness,
 * uniqueness, order. What comes out is trusted below. All memory is the arena's.
 * Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_REQUEST_H
#define MUSTER_WIRE_REQUEST_H

#include "model/realm.h"
#include "wire/method.h"

struct request_ticket { /* one of a CreateTickets: a command, or why it is none */
    struct command command;
    enum err code;
    struct err_text *why; /* NULL when code is OK */
};

struct request {
    enum method_id method;
    union {
        struct {
            struct request_ticket *items; /* CREATE_TICKET: one, code always OK */
            uint32_t count;
        } create;
        struct command command; /* the methods of one command each */
        struct {
            struct id ticket_id; /* none when by player */
            struct str player_id;
        } get_ticket; /* GET_TICKET, EXPLAIN_TICKET */
        struct {
            struct id ticket_id;
            int known_state; /* enum ticket_state; 0 = none known */
        } watch;
        struct {
            const struct id *ticket_ids;
            uint32_t count; /* 1..LIMIT_HEARTBEATS */
        } heartbeat;
        struct {
            struct str queue;
            uint32_t page_size; /* 1..200 */
            uint64_t from;      /* place in the pool's order of arrival; 0 = start */
        } list_tickets;
        struct {
            struct id match_id;
            bool with_tickets;
        } get_match;
        struct {
            struct id backfill_id; /* none when by match */
            struct id match_id;
        } get_backfill;
        struct {
            struct str queue;   /* empty = all */
            uint32_t page_size; /* 1..1000 */
            struct id after;    /* none = start */
        } list_matches;
        struct str name; /* LIST_QUEUE_VERSIONS, GET_QUEUE_STATS */
        struct {
            struct str name;
            uint32_t version; /* 0: the present one */
        } get_queue;
        struct {
            uint64_t epoch, after_seq;
            uint32_t max_entries;    /* 1..1000 */
            struct str topic_prefix; /* UTF-8, at most 256 bytes; empty = all */
            bool inclusive;
        } replay;
        struct {
            struct str json;
            bool allow_shrinking;
        } validate; /* VALIDATE_RULESET: any bytes */
    };
    struct str put_notes; /* PUT_QUEUE: leniencies, a line each */
};

struct request_source {
    struct str payload;              /* the method's request message; texts are borrowed from it */
    struct str request_id;           /* empty, or a valid name; a mutating method needs one */
    const struct traceparent *trace; /* of the caller; NULL: none. Borrowed by what is decoded */
};

/* Decodes and checks the payload of `m`. On error nothing is owned; the text names the field.
 * INVALID_ARGUMENT; RESOURCE_EXHAUSTED at the arena's cap.
 * A PUT_QUEUE request owns command.put_queue.def until realm_decide takes it: request_fini. */
enum err request_decode(const struct method *m, const struct request_source *source,
                        struct arena *arena, struct request *out, struct err_text *why) ERR_CHECKED;
void request_fini(struct request *r); /* frees what the arena does not own */

#endif
