/* dashboard.h - the files of the dashboard, embedded when the binary was built, as HTTP serves
 * them.
 *
 * GET / and its parts, and /dashboard.json: how the page connects. Thread safety: all functions,
 * once it was made.
 */
#ifndef MUSTER_BRIDGE_DASHBOARD_H
#define MUSTER_BRIDGE_DASHBOARD_H

#include "base/str.h"

struct bridge_options;

struct dashboard {
    struct strbuf settings; /* /dashboard.json; empty: there is no dashboard */
};

void dashboard_init(struct dashboard *d, const struct bridge_options *o);
void dashboard_fini(struct dashboard *d);
/* Appends the file; false: there is none of that path. `*type` is static. */
bool dashboard_get(const struct dashboard *d, struct str path, struct strbuf *body,
                   const char **type);

/* One row per file of src/dashboard, written by its embed.cmake. */
struct dashboard_file {
    const char *path, *type;
    const unsigned char *bytes;
    size_t size;
};
extern const struct dashboard_file dashboard_files[];
extern const size_t dashboard_file_count;

#endif
