/* id.h - ids of tickets and matches: ULIDs (48 bits of milliseconds, 80 random bits).
 *
 * Text form: 26 characters of Crockford's base32, upper case; parsing takes lower case too.
 * Source: github.com/ulid/spec. Thread safety: all functions but for the rng passed in.
 */
#ifndef MUSTER_BASE_ID_H
#define MUSTER_BASE_ID_H

#include "base/rng.h"
#include "base/str.h"

#define ID_TEXT_BYTES 27                  /* 26 characters and a NUL */
#define ID_TIME_END_MS ((int64_t)1 << 48) /* an id's time is 0 or more and below it */

struct id {
    uint64_t hi, lo; /* both 0 = none */
};

struct id id_new(struct rng *rng, int64_t now_ms);
bool id_equal(struct id a, struct id b);
int id_compare(struct id a, struct id b);
bool id_is_none(struct id id);
uint64_t id_hash(struct id id);
void id_format(struct id id, char out[ID_TEXT_BYTES]);
bool id_parse(struct str text, struct id *out); /* false unless it is a ULID other than 0 */

#endif
