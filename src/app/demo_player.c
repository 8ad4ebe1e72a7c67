/* demo_player.c - invents simulated players and notes what they are told. */
#include "app/demo_player.h"

#include "base/clock.h"

#include <string.h>

const char *const demo_regions[DEMO_REGIONS] = {"in-central", "us-east", "eu-west", "asia-se"};
static const int region_base_ms[DEMO_REGIONS] = {30, 180, 120, 80};

void demo_player_invent(struct demo_player *p, struct rng *rng) {
    p->skill = (double)(45 + rng_below(rng, 86));
    for (int r = 0; r < DEMO_REGIONS; r++) {
        int ms = region_base_ms[r] + (int)rng_below(rng, 50) - 25;
        p->latency_ms[r] = ms < 10 ? 10 : ms;
    }
}

struct ticket_spec demo_player_ticket(const struct demo_player *p, const struct str *queue,
                                      struct arena *a) {
    struct player *player = arena_alloc(a, sizeof *player);
    struct attribute *skill = arena_alloc(a, sizeof *skill);
    struct latency *latencies = arena_alloc(a, DEMO_REGIONS * sizeof *latencies);
    *skill = (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = p->skill};
    for (int r = 0; r < DEMO_REGIONS; r++)
        latencies[r] = (struct latency){str_of(demo_regions[r]), p->latency_ms[r]};
    *player = (struct player){.id = str_of(p->id),
                              .attributes = skill,
                              .latencies = latencies,
                              .attribute_count = 1,
                              .latency_count = DEMO_REGIONS};
    return (struct ticket_spec){queue, player, 1, 1};
}

void demo_player_told(struct demo_player *p, const char *match_id) {
    if (atomic_load(&p->told_us) && strcmp(p->match_id, match_id) == 0) return;
    atomic_fetch_add(&p->told_matches, 1);
    if (atomic_load(&p->told_us)) return;
    memcpy(p->match_id, match_id, sizeof p->match_id);
    atomic_store(&p->told_us, clock_mono_us());
}
