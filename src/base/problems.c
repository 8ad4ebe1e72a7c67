/* problems.c - a bounded list of problems. */
#include "base/problems.h"

#include "base/mem.h"

void problems_add(struct problems *p, const struct err_text *what) {
    if (!p) return;
    if (p->count == PROBLEMS_MAX) {
        p->left_out++;
        return;
    }
    p->at = mem_grow(p->at, p->count + 1, sizeof *p->at);
    p->at[p->count++] = (struct problem){.what = *what};
}

void problems_fini(struct problems *p) {
    mem_free(p->at);
    *p = (struct problems){0};
}
