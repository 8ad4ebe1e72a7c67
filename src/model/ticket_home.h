/* ticket_home.h - the memory that a realm's tickets share: blocks by size, and forms (packed.h).
 *
 * Blocks of up to 512 bytes come from slabs, one for each multiple of 32 bytes, in huge pages: what
 * a pass over a million tickets waits for is memory, and pages that the processor knows are half of
 * that. What tickets gave back is kept for others of their size, so a home holds what the most that
 * ever were of each size took; larger blocks are malloc's.
 *
 * Forms are counted, and found by content. Clients choose names, so there is a bound: what finds no
 * room among the shared ones is its ticket's own, costs what it says, and is counted.
 *
 * Memory: at most 4 MiB of shared forms; blocks as above, until the home is freed.
 * Thread safety: none; a home and its tickets have one thread.
 */
#ifndef MUSTER_MODEL_TICKET_HOME_H
#define MUSTER_MODEL_TICKET_HOME_H

#include "model/ticket.h"

#include <stddef.h>

#define TICKET_FORMS_MAX 4096      /* shared ones */
#define TICKET_FORM_BYTES_MAX 1024 /* a larger one is its ticket's own */

struct ticket_home *ticket_home_new(void);
void ticket_home_free(struct ticket_home *h); /* NULL is fine; no ticket lives there any more */

/* Zeroed; of a home, or where that is NULL malloc's. `*units` is to be given back with it. */
void *ticket_home_take(struct ticket_home *h, size_t bytes, unsigned *units);
void ticket_home_give(struct ticket_home *h, void *block, unsigned units);

/* The form of the spec, its ticket's own where `h` is NULL; give it back once for each take. */
struct form *ticket_home_take_form(struct ticket_home *h, const struct ticket_spec *spec);
void ticket_home_give_form(struct form *f);

size_t ticket_home_forms(const struct ticket_home *h);      /* shared ones */
uint64_t ticket_home_unshared(const struct ticket_home *h); /* how often there was no room */
size_t ticket_home_bytes(const struct ticket_home *h);      /* of all slabs */

#endif
