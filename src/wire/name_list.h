/* name_list.h - repeated name fields (queues, player ids) from and to bytes.
 *
 * The one reader serves requests and the journal alike. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_NAME_LIST_H
#define MUSTER_WIRE_NAME_LIST_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct name_source {
    struct str message;
    uint32_t key;      /* of the repeated field */
    uint32_t min, max; /* how many names are allowed */
    const char *path;  /* the field in errors: "tickets[3].queues" */
};

struct name_list {
    const struct str *names; /* valid names, unique, in the order of the message */
    uint32_t count;
};

/* Texts are borrowed from the message, the array is the arena's. INVALID_ARGUMENT with the field
 * and what is allowed; RESOURCE_EXHAUSTED at the arena's cap. O(count^2). */
enum err name_list_read(const struct name_source *source, struct arena *arena,
                        struct name_list *out, struct err_text *why) ERR_CHECKED;

/* Adds each name as a field `key`. */
void name_list_write(const struct str *names, uint32_t count, uint32_t key, struct strbuf *out);

#endif
