/* matcher.c - the list of matchers. */
#include "sim/matcher.h"

#include <string.h>

static const struct matcher_kind *const kinds[] = {
    &muster_matcher,     &anchor_matcher,    &nakama_matcher,
    &open_match_matcher, &flexmatch_matcher, &faf_matcher,
};

size_t matcher_count(void) {
    return sizeof kinds / sizeof kinds[0];
}

const struct matcher_kind *matcher_at(size_t index) {
    return kinds[index];
}

const struct matcher_kind *matcher_find(const char *name) {
    for (size_t i = 0; i < matcher_count(); i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}
