/* problems.c - a bounded list of problems. */
#include "base/problems.h"

#include "base/mem.h"

void problems_add(struct problems *p, const struct err_text *what) {
    problems_add_at(p, what, 0, 0);
}

void problems_add_at(struct problems *p, const struct err_text *what, unsigned line,
                     unsigned column) {
    if (!p) return;
    if (p->count == PROBLEMS_MAX) {
        p->left_out++;
        return;
    }
    p->at = mem_grow(p->at, p->count + 1, sizeof *p->at);
    p->at[p->count++] = (struct problem){*what, line, column};
}

static bool is_behind(const struct problem *a, const struct problem *b) {
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

void problems_sort(struct problems *p) {
    for (size_t i = 1; i < p->count; i++) { /* at most PROBLEMS_MAX */
        struct problem moved = p->at[i];
        size_t k = i;
        for (; k > 0 && is_behind(&p->at[k - 1], &moved); k--)
            p->at[k] = p->at[k - 1];
        p->at[k] = moved;
    }
}

void problem_text(const struct problem *p, struct err_text *why) {
    if (p->line)
        err_set_field(why, ERR_INVALID_ARGUMENT, p->what.field, "line %u, column %u: %.460s",
                      p->line, p->column, p->what.text);
    else
        *why = p->what;
}

void problems_fini(struct problems *p) {
    mem_free(p->at);
    *p = (struct problems){0};
}
