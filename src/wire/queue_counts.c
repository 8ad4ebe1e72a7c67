/* queue_counts.c - counts by name, the most frequent first. */
#include "wire/queue_counts.h"

#include "wire/fields.h"

enum { COUNTS_MAX = QUEUE_RULES + 2 };

struct counts {
    struct {
        struct str name;
        uint64_t count;
    } at[COUNTS_MAX];
    uint32_t used;
};

_Static_assert(RULESET_EXPANSIONS_COUNTED <= COUNTS_MAX, "expansions have room");

static void add(struct counts *c, struct str name, uint64_t count) {
    if (count == 0) return;
    uint32_t place = c->used++;
    for (; place > 0 && c->at[place - 1].count < count; place--)
        c->at[place] = c->at[place - 1];
    c->at[place].name = name;
    c->at[place].count = count;
}

static void write(const struct counts *c, uint32_t key, struct strbuf *out) {
    for (uint32_t i = 0; i < c->used; i++) {
        size_t one = pb_open(out, key);
        pb_put_text(out, RuleCount_name, c->at[i].name);
        pb_put_uint(out, RuleCount_count, c->at[i].count);
        pb_close(out, one);
    }
}

void queue_counts_write(const struct queue *q, struct strbuf *out) {
    const struct ruleset *r = q->def->ruleset;
    const struct queue_search_stats *s = &q->stats.search;
    struct counts rejections = {0}, expansions = {0};
    for (uint32_t i = 0; i < ruleset_rule_count(r); i++)
        add(&rejections, ruleset_rule_name(r, i), s->refused[i]);
    add(&rejections, STR(QUEUE_COUNTS_PATIENCE), s->refused_patience);
    add(&rejections, STR(QUEUE_COUNTS_PLAYERS), s->refused_few);
    for (uint32_t i = 0; i < ruleset_expansion_count(r); i++)
        add(&expansions, ruleset_expansion(r, i).target, s->expanded[i]);
    write(&rejections, GetQueueStatsResponse_rejections, out);
    write(&expansions, GetQueueStatsResponse_expansions, out);
}
