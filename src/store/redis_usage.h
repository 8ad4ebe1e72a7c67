/* redis_usage.h - what a Redis has used so far, and what a realm's journal takes there.
 *
 * For measuring: two readings, one before and one after. Blocks up to 2 s per step.
 * Thread safety: all functions.
 */
#ifndef MUSTER_STORE_REDIS_USAGE_H
#define MUSTER_STORE_REDIS_USAGE_H

#include "base/err.h"

#include <stdint.h>

struct redis_usage {
    double cpu_s;          /* user and system, of the main thread and its children */
    int64_t memory_bytes;  /* used_memory */
    int64_t file_bytes;    /* append-only file; 0: it has none. A rewrite makes it smaller */
    int64_t journal_bytes; /* memory of the realm's stream, estimated by Redis */
    int64_t journal_entries;
    char version[32];
};

/* `address`: as --redis takes it. `realm`: a valid name. UNAVAILABLE, UNAUTHENTICATED, and
 * INVALID_ARGUMENT for a malformed address. */
enum err redis_usage_read(struct redis_usage *out, const char *address, const char *realm,
                          struct err_text *why) ERR_CHECKED;

#endif
