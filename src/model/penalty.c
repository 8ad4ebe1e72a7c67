/* penalty.c - how offences add up and are forgiven. */
#include "model/penalty.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

/* forget_ms is set `offences` decay times ahead, so what is left of it says how many are left. */
static uint32_t offences_left(const struct penalty *p, int64_t decay_ms, int64_t now_ms) {
    if (!p || p->forget_ms <= now_ms) return 0;
    int64_t left = (p->forget_ms - now_ms + decay_ms - 1) / decay_ms;
    return left < (int64_t)p->offences ? (uint32_t)left : p->offences;
}

struct penalty_sentence penalty_after(const struct penalty *p, const struct dodge_penalty *rules,
                                      int64_t now_ms) {
    assert(rules->step_count > 0 && rules->decay_ms > 0);
    uint32_t offences = offences_left(p, rules->decay_ms, now_ms) + 1;
    uint32_t step = offences < rules->step_count ? offences : rules->step_count;
    struct penalty_sentence s = {offences, now_ms + rules->steps_ms[step - 1],
                                 now_ms + (int64_t)offences * rules->decay_ms};
    if (s.forget_ms < s.until_ms) s.forget_ms = s.until_ms;
    return s;
}

struct penalty *penalty_new(struct str player_id, struct str queue) {
    struct penalty *p = mem_alloc(sizeof *p + player_id.size + queue.size);
    char *text = (char *)(p + 1);
    memcpy(text, player_id.at, player_id.size);
    memcpy(text + player_id.size, queue.at, queue.size);
    p->player_id = (struct str){text, player_id.size};
    p->queue = (struct str){text + player_id.size, queue.size};
    return p;
}

void penalty_free(struct penalty *p) {
    if (!p) return;
    assert(!heap_started(&p->due) && !list_linked(&p->recorded));
    mem_free(p);
}
