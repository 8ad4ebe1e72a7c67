/* matcher_state.h - what the matcher's files share: its one thread's state.
 *
 * Only matcher_role.c makes it.
 */
#ifndef MUSTER_MATCHER_MATCHER_STATE_H
#define MUSTER_MATCHER_MATCHER_STATE_H

#include "base/rng.h"
#include "matcher/batch.h"
#include "matcher/compaction.h"
#include "matcher/counts.h"
#include "matcher/matcher_role.h"
#include "matcher/watch.h"
#include "model/realm.h"
#include "rt/call.h"
#include "rt/role_meter.h"
#include "rt/thread.h"
#include "store/pump.h"

#include <stdatomic.h>

struct standing {    /* as the pump told it last; zero = never */
    int64_t told_us; /* when the standby had applied everything */
    int64_t lease_us;
    uint64_t behind;
};

struct matcher {
    struct matcher_options o; /* texts are the arena's */
    struct arena *texts;
    struct inbox inbox;
    struct thread thread;
    struct pump *pump;
    struct rng rng;
    int64_t started_us;
    struct role_meter meter;

    struct realm *realm;  /* NULL unless leading */
    struct counts counts; /* of the realm, for metrics */
    /* of the last durable entry of this leadership, or applied by the standby */
    uint64_t epoch, seq;
    struct standing standing;
    int64_t clock_base_ms, clock_base_us; /* the realm's clock: PUMP_LEADING's + monotonic */
    struct err_text why; /* why it does not lead, or what keeps the store from writing */
    _Atomic bool leading, following;
    bool stopping;   /* holds no more long polls */
    bool stop_asked; /* the loop ends */
    bool pump_stopped;

    struct arena *arena; /* what one decision needs: reset after each */
    struct strbuf answer;
    struct batch batch;
    struct watches watches;
    struct compaction compaction;
};

#endif
