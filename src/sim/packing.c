/* packing.c - split_fits for every number of parties of each size. */
#include "sim/packing.h"

#include "base/mem.h"
#include "model/split.h"

/* All answers below `index` are there: who does not fit without one party does not fit with it. */
static bool parties_fit(const struct packing *p, uint32_t index, const struct ruleset_limits *l) {
    uint32_t sizes[LIMIT_MATCH_PLAYERS], count = 0, players = 0, rest = index;
    for (uint32_t size = PACKING_PARTY; size > 1; size--) {
        if (p->steps[size] == 0 || rest < p->steps[size]) continue;
        if (!p->fits[index - p->steps[size]]) return false;
        for (; rest >= p->steps[size]; rest -= p->steps[size]) {
            players += size;
            if (players > l->players_max) return false;
            sizes[count++] = size;
        }
    }
    return split_fits(sizes, count, l->teams, l->team_count);
}

void packing_init(struct packing *p, const struct ruleset_limits *l, uint32_t largest) {
    *p = (struct packing){0};
    uint64_t entries = 1;
    for (uint32_t size = 2; size <= largest && size <= PACKING_PARTY; size++) {
        p->steps[size] = (uint32_t)entries;
        entries *= l->players_max / size + 1;
        if (entries > PACKING_ENTRIES) return;
    }
    if (largest > PACKING_PARTY) return;
    p->fits = mem_array(entries, sizeof *p->fits);
    for (uint32_t i = 0; i < entries; i++)
        p->fits[i] = parties_fit(p, i, l);
}

void packing_fini(struct packing *p) {
    mem_free(p->fits);
    *p = (struct packing){0};
}
