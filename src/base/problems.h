/* problems.h - all that is wrong with one document, not only the first thing.
 *
 * A reader that collects goes on behind a problem where it can. Zeroed memory is an empty list.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_BASE_PROBLEMS_H
#define MUSTER_BASE_PROBLEMS_H

#include "base/err.h"

#include <stddef.h>

#define PROBLEMS_MAX 100 /* more are counted, not kept */

struct problem {
    struct err_text what;
    unsigned line, column; /* from 1; 0: not known */
};

struct problems {
    struct problem *at;
    size_t count, left_out;
};

void problems_add(struct problems *p, const struct err_text *what); /* NULL is fine: kept nowhere */
/* The same, where the place is known. */
void problems_add_at(struct problems *p, const struct err_text *what, unsigned line,
                     unsigned column);
/* By place; those of one place stay in the order in which they were added. */
void problems_sort(struct problems *p);
/* One as a text: with "line 3, column 5: " in front, where the place is known. */
void problem_text(const struct problem *p, struct err_text *why);
void problems_fini(struct problems *p);

#endif
