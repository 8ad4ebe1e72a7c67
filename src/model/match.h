/* match.h - a match: teams of players, a region, a quality.
 *
 *   PROPOSED -> CONFIRMED -> ASSIGNED -> COMPLETED;   any but COMPLETED -> CANCELLED
 *
 * Owns everything it points to, in one block. Thread safety: none.
 */
#ifndef MUSTER_MODEL_MATCH_H
#define MUSTER_MODEL_MATCH_H

#include "base/id.h"
#include "base/list.h"

enum match_state {
    MATCH_PROPOSED = 1, /* the numbers are those of muster.v1.MatchState */
    MATCH_CONFIRMED,
    MATCH_ASSIGNED,
    MATCH_COMPLETED,
    MATCH_CANCELLED,
};

struct team_member {
    struct str player_id;
    struct id ticket_id;
    struct str role; /* the one that the ruleset's roles gave him; empty without */
};

struct match_team {
    struct str name; /* "red", or "trio_2" of a team with a quantity */
    const struct team_member *members;
    uint32_t member_count;
};

/* What a match says; borrowed memory in a record, owned in a struct match. */
struct match_spec {
    struct id id;
    enum match_state state;
    struct str queue;
    uint32_t queue_version;
    struct str region; /* empty when no player gave a latency */
    const struct match_team *teams;
    const struct id *ticket_ids; /* oldest ticket first */
    uint32_t team_count;
    uint32_t ticket_count;
    double quality;         /* 0..100 */
    double skill_spread;    /* max - min of the queue's key attribute over players */
    double team_gap;        /* max - min of the team means of it */
    double mean_latency_ms; /* over players, in region; 0 without one */
    double win_gap;         /* how far the stronger team's chance to win is from a half: 0..0.5 */
    uint32_t worst_latency_ms; /* of a player, in region; 0 without one */
    double mean_wait_ms;       /* over players */
    int64_t longest_wait_ms;
    int64_t created_ms;
};

struct match {
    struct match_spec spec;
    struct list_node kept;     /* realm.matches_kept, oldest first */
    struct list_node recorded; /* realm.matches_recorded, by the last record that holds it */
    int64_t recorded_ms;
    uint64_t recorded_serial;
};

/* A deep copy of `spec`; free with match_free. */
struct match *match_new(const struct match_spec *spec);
void match_free(struct match *m); /* NULL is fine */

#endif
