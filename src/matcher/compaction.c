/* compaction.c - when to carry, and when to trim. */
#include "matcher/compaction.h"

#include "base/log.h"
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

static void drop_first_mark(struct compaction *c) {
    memmove(c->marks, c->marks + 1, --c->mark_count * sizeof c->marks[0]);
    c->carrying = c->carried = false;
    c->cursor = 0;
}

bool compaction_work(struct matcher *m) {
    struct compaction *c = &m->compaction;
    if (c->mark_count == 0) return false;
    struct compaction_mark mark = c->marks[0];
    if (!c->carrying && matcher_now_ms(m) - mark.time_ms < m->o.journal_keep_ms) return false;
    c->carrying = true;
    if (!c->carried) {
        struct decision d = matcher_decision(m);
        c->carried = !realm_carry(m->realm, &d, mark.time_ms, &c->cursor, CARRY_SLICE);
        matcher_decided(m);
        return !c->carried;
    }
    if (!batch_idle(&m->batch)) return false; /* the next acknowledgement brings us back */
    LOG_INFO("journal-trimmed", "below=%" PRIu64 "-%" PRIu64, mark.epoch, mark.seq);
    pump_trim(m->pump, mark.epoch, mark.seq);
    drop_first_mark(c);
    return false;
}
