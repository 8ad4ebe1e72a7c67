/* packed.h - a ticket_spec in few bytes: a form, which all who say the same by name share, and its
 * own values.
 *
 *   form    queues  "1v1_duel"          values  "ann"
 *           player  NUMBER "skill"              1512.5
 *                   to "eu", to "us"            31 ms, 120 ms
 *           player  as the one before           "bob"   1498   40 ms, 131 ms
 *
 * A form has what a game's tickets repeat: names of queues, attributes and regions (ticket_home.h
 * says who shares one). Values are ids, numbers of 8 bytes, latencies of 2, and texts with their
 * length before them.
 *
 * Costs: packing and reading O(bytes). In the cache a solo ticket is read in 17 ns, with 4 regions
 * in 30, a party of five in 64. Memory: arrays are the reader's arena's, and the texts in them
 * those of the form and the values. Thread safety: none.
 */
#ifndef MUSTER_MODEL_PACKED_H
#define MUSTER_MODEL_PACKED_H

#include "base/mem.h"
#include "model/ticket.h"

struct form {
    struct ticket_home *home; /* NULL: its ticket's own, and that is malloc's */
    uint32_t uses;
    uint32_t bytes;                 /* of content */
    uint32_t attributes, latencies; /* of all its players */
    bool shared;                    /* others of its home may find it */
    char content[];
};

/* Write the spec's names (a form's content), and the players' values, to `out` as far as its `room`
 * goes; return the bytes they take, which may be more. */
size_t packed_names(const struct ticket_spec *spec, char *out, size_t room);
size_t packed_values(const struct player *players, uint32_t count, char *out, size_t room);

/* The spec that was packed. */
struct ticket_spec packed_read(const struct form *f, const char *values, struct arena *arena);

/* The queue's name; it lives as long as the form. */
struct str packed_queue(const struct form *f, uint32_t index);
/* The ids of its players alone, one after the other: start with the values; moves on. */
struct str packed_next_id(const char **at);

#endif
