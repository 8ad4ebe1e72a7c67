/* ruleset_region.c - the regions that all players of a candidate reach, and latency rules there. */
#include "model/ruleset_judge.h"

#include <math.h>

/* Sum and maximum of all players' latencies to the region; false when one has none. */
static bool measure(const struct candidate *c, struct judge_region *region) {
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++) {
            int32_t ms = player_latency_ms(&spec->players[i], region->name);
            if (ms == 0) return false;
            region->sum_ms += ms;
            if (ms > region->worst_ms) region->worst_ms = ms;
        }
        region->players += spec->player_count;
    }
    return true;
}

bool ruleset_plays_in(const struct ruleset *r, struct str region) {
    for (uint32_t i = 0; i < r->region_count; i++) {
        if (str_equal(r->regions[i], region)) return true;
    }
    return r->region_count == 0;
}

uint32_t ruleset_region_common(const struct ruleset *r, const struct candidate *c,
                               struct judge_region *out) {
    uint32_t count = 0;
    if (c->ticket_count == 0) return 0;
    const struct player *first = &c->specs[0].players[0];
    for (uint32_t i = 0; i < first->latency_count; i++) {
        if (!ruleset_plays_in(r, first->latencies[i].region)) continue;
        out[count] = (struct judge_region){.name = first->latencies[i].region};
        if (measure(c, &out[count])) count++;
    }
    return count;
}

/* What the ticket's players have there together. */
static double party_ms(const struct ticket_spec *spec, struct str region,
                       enum party_aggregation party) {
    double least = INFINITY, most = 0, sum = 0;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        double ms = player_latency_ms(&spec->players[i], region);
        least = fmin(least, ms);
        most = fmax(most, ms);
        sum += ms;
    }
    return party == PARTY_MIN ? least : party == PARTY_MAX ? most : sum / spec->player_count;
}

bool ruleset_region_holds(const struct evaluation *e, const struct rule *rule,
                          const struct rule_bounds *b) {
    if (!e->region) return ruleset_judge_measured(e, INFINITY, b->max, false);
    if (rule->party == PARTY_MAX && isinf(b->distance)) {
        double worst = e->region->worst_ms;
        return ruleset_judge_measured(e, worst, b->max, worst <= b->max);
    }
    double least = INFINITY, most = 0, sum = 0;
    for (uint32_t t = 0; t < e->c->ticket_count; t++) {
        const struct ticket_spec *spec = &e->c->specs[t];
        double ms = party_ms(spec, e->region->name, rule->party);
        least = fmin(least, ms);
        most = fmax(most, ms);
        sum += ms * spec->player_count;
    }
    if (!ruleset_judge_measured(e, most, b->max, most <= b->max)) return false;
    double reference = rule->latency == LATENCY_MIN ? least : sum / e->region->players;
    double distance = fmax(most - reference, reference - least);
    return ruleset_judge_measured(e, distance, b->distance, distance <= b->distance);
}
