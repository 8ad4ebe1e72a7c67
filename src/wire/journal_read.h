/* journal_read.h - the bodies of journal records; for journal_codec.c only. */
#ifndef MUSTER_WIRE_JOURNAL_READ_H
#define MUSTER_WIRE_JOURNAL_READ_H

#include "model/record.h"
#include "wire/pb.h"

struct journal_reading { /* one record */
    struct arena *arena;
    struct err_text *why;
    struct str message; /* its Ticket, Match or Backfill, as it was written */
};

/* Reads the field when it is a record's body, of a kind that this version knows: then out->kind is
 * set. Borrows from the field and the arena. DATA_LOSS: malformed, the text says what. */
enum err journal_read_body(const struct pb_field *f, struct journal_reading *reading,
                           struct record *out) ERR_CHECKED;

enum err journal_read_lost(struct err_text *why, const char *what) ERR_CHECKED; /* DATA_LOSS */

#endif
