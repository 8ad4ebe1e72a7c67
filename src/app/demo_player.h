/* demo_player.h - a simulated player: who he is and what happened to him. */
#ifndef MUSTER_APP_DEMO_PLAYER_H
#define MUSTER_APP_DEMO_PLAYER_H

#include "base/mem.h"
#include "base/rng.h"
#include "wire/player_codec.h"

#include <stdatomic.h>
#include <stdint.h>

enum { DEMO_REGIONS = 4 };
extern const char *const demo_regions[DEMO_REGIONS];

struct demo_player {
    char id[48];
    double skill;
    int32_t latency_ms[DEMO_REGIONS];
    int64_t due_us;           /* clock_mono_us when he is to come */
    int64_t asked_us;         /* clock_mono_us when he asked to join; 0 = not yet */
    _Atomic int64_t told_us;  /* when he heard of his match; 0 = not yet */
    _Atomic int told_matches; /* how many different matches he was told of: 1 is right */
    char match_id[27];        /* of the first; written before told_us */
    char error[160];          /* why he could not join; empty = he could */
    int64_t queued_ms;        /* the event stream's: when his ticket was created; 0 = not told */
    uint32_t p50_ms, p90_ms;  /* how long he was told to wait then; 0 = nothing was known */
};

/* The predecessor's players: skill 45..130; a fixed latency per region, give or take 25 ms. */
void demo_player_invent(struct demo_player *p, struct rng *rng);
/* His ticket in that queue; borrows both, further memory is the arena's. */
struct ticket_spec demo_player_ticket(const struct demo_player *p, const struct str *queue,
                                      struct arena *a);
/* Notes that the player was told of a match; the same match twice counts once. One thread per
 * player. */
void demo_player_told(struct demo_player *p, const char *match_id);

#endif
