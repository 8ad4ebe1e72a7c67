/* compaction.c - when to carry, and when to trim. */
#include "matcher/compaction.h"

#include "base/log.h"
#include "matcher/decide.h"
#include "matcher/matcher_state.h"

#include <inttypes.h>
#include <string.h>

enum { CARRY_SLICE = 500, MARKS_PER_KEEP = 8 };

void compaction_begin(struct compaction *c, struct compaction_mark at) {
    *c = (struct compaction){.mark_count = 1};
    c->marks[0] = at;
}

void compaction_note(struct compaction *c, struct compaction_mark at, int64_t keep_ms) {
    if (c->mark_count == COMPACTION_MARKS) return; /* trimming lags: the newest mark can wait */
    if (c->mark_count > 0 &&
        at.time_ms - c->marks[c->mark_count - 1].time_ms < keep_ms / MARKS_PER_KEEP)
        return;
    c->marks[c->mark_count++] = at;
}

static bool due(const struct matcher *m) {
    const struct compaction *c = &m->compaction;
    return c->mark_count > 0 && decide_now_ms(m) - c->marks[0].time_ms >= m->o.journal_keep_ms;
}

/* Re-records a slice; true when more is left. */
static bool carry(struct matcher *m) {
    struct compaction *c = &m->compaction;
    struct decision d = decide_now(m);
    bool more = realm_carry(m->realm, &d, c->marks[0].time_ms, &c->cursor, CARRY_SLICE);
    decide_done(m);
    if (more) return true;
    c->phase = COMPACTION_CARRIED;
    c->carried_tag = batch_tag(&m->batch);
    return false;
}

static void trim(struct matcher *m) {
    struct compaction *c = &m->compaction;
    struct compaction_mark mark = c->marks[0];
    LOG_INFO("journal-trimmed", "below=%" PRIu64 "-%" PRIu64, mark.epoch, mark.seq);
    pump_trim(m->pump, mark.epoch, mark.seq);
    memmove(c->marks, c->marks + 1, --c->mark_count * sizeof c->marks[0]);
    c->phase = COMPACTION_IDLE;
    c->cursor = 0;
}

bool compaction_work(struct matcher *m) {
    struct compaction *c = &m->compaction;
    if (c->phase == COMPACTION_IDLE && due(m)) c->phase = COMPACTION_CARRYING;
    if (c->phase == COMPACTION_CARRYING) return carry(m);
    /* Not when the batches come to rest: under load they never do. */
    if (c->phase == COMPACTION_CARRIED && m->batch.durable_tag >= c->carried_tag) trim(m);
    return false;
}
