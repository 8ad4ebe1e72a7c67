/* packed.h - a ticket_spec in few bytes: a form, which all who say the same by name share, and its
 * own values.
 *
 *   form    queues  "1v1_duel"          values  "ann"
 *           player  NUMBER "skill"              1512.5
 *                   to "eu", to "us"            31 ms, 120 ms
 *           player  as the one before           "bob"   1498   40 ms, 131 ms
 *
 * A form has what a game's tickets repeat: names of queues, attributes and regions. Forms are
 * counted and found by content among those of one `struct forms`. Their number and size are
 * bounded, because clients choose names: what finds no room there is its ticket's own, and costs
 * what it says, no more. Values are ids, numbers of 8 bytes, latencies of 2, and texts with their
 * length before them.
 *
 * Costs: packing and reading O(bytes); a solo ticket is read in about 20 ns when it is in the
 * cache. Memory: a form 40 bytes and its names; readers' arrays are their arena's, and the texts in
 * them those of the form and the values. Thread safety: none; forms of one table have one thread.
 */
#ifndef MUSTER_MODEL_PACKED_H
#define MUSTER_MODEL_PACKED_H

#include "base/mem.h"
#include "model/ticket.h"

#define FORMS_MAX 4096      /* shared ones of a table; further ones are their tickets' own */
#define FORM_BYTES_MAX 1024 /* likewise larger ones: so a table has 4 MiB of them at most */

struct forms;

struct form {
    struct forms *of; /* NULL: its ticket's own */
    uint32_t uses;
    uint32_t bytes;                 /* of content */
    uint32_t attributes, latencies; /* of all its players */
    char content[];
};

struct forms *forms_new(void);
void forms_free(struct forms *f); /* NULL is fine; no ticket has a form of it any more */
size_t forms_count(const struct forms *f);
uint64_t forms_unshared(const struct forms *f); /* how often a form found no room there */

/* The form of the spec, shared where `among` (NULL: nobody) has or takes it; give it back. */
struct form *form_take(struct forms *among, const struct ticket_spec *spec);
void form_give(struct form *f);
/* The queue's name: it lives as long as the form. */
struct str form_queue(const struct form *f, uint32_t index);

/* Writes the players' values to `out` as far as its `room` goes; returns the bytes they take, which
 * may be more. */
size_t packed_write(const struct player *players, uint32_t count, char *out, size_t room);

/* The spec that was packed. */
struct ticket_spec packed_read(const struct form *f, const char *values, struct arena *arena);

/* The ids of its players alone, one after the other: start with the values; moves on. */
struct str packed_next_id(const char **at);

#endif
