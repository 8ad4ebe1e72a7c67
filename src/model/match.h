/* match.h - a match: teams of players, a region, a quality; and its one state machine.
 *
 *   PROPOSED --> CONFIRMED --> ASSIGNED --> COMPLETED
 *    | '---.        |  '---------------------^ |
 *    v     +--------+-----------+--------------'      (a match without acceptance begins CONFIRMED)
 *   MERGED                      v
 *                           CANCELLED
 *
 * What asks newcomers to a running match (a backfill's) is a match of their own: MERGED when all
 * have accepted, as they are in that match then.
 *
 * A PROPOSED match waits until `until_ms` for each of its players to accept, a CONFIRMED one for
 * its server, an ASSIGNED one for its result. Owns everything it points to, in one block. Thread
 * safety: none.
 */
#ifndef MUSTER_MODEL_MATCH_H
#define MUSTER_MODEL_MATCH_H

#include "base/heap.h"
#include "base/id.h"
#include "base/list.h"

enum match_state {
    MATCH_PROPOSED = 1, /* the numbers are those of muster.v1.MatchState */
    MATCH_CONFIRMED,
    MATCH_ASSIGNED,
    MATCH_COMPLETED,
    MATCH_CANCELLED,
    MATCH_MERGED,
};

enum match_answer { /* a player's, to a proposal; the numbers are those of
                       muster.v1.TeamMember.Answer */
                    ANSWER_NONE,
                    ANSWER_ACCEPTED,
                    ANSWER_DECLINED,
};

struct team_member {
    struct str player_id;
    struct id ticket_id;
    struct str role; /* the one that the ruleset's roles gave him; empty without */
    enum match_answer answer;
};

struct match_team {
    struct str name; /* "red", or "trio_2" of a team with a quantity */
    const struct team_member *members;
    uint32_t member_count;
};

struct team_result {
    struct str team;
    uint32_t rank; /* 1 is best; equal ones drew */
    double score;
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
    int64_t until_ms;      /* not accepted, assigned or completed by then it ends; 0: never */
    int64_t result_due_ms; /* CANCELLED without a result by then; 0: never */
    int64_t ended_ms;      /* 0 while it lives */
    struct str reason;     /* why it was CANCELLED */
    struct str connection; /* where to play; empty before ASSIGNED */
    const struct team_result *results; /* COMPLETED: of some or all teams, each once */
    uint32_t result_count;
    bool holds_players;     /* from CONFIRMED to its end they may join nothing else */
    const struct str *left; /* players who left while it ran, at most LIMIT_MATCH_PLAYERS */
    uint32_t left_count;
    int64_t rules_age_ms;  /* the age at which its rules were judged */
    struct id backfill_id; /* of a proposal to newcomers: for that backfill, */
    struct id joins_id;    /* to join that match; else none */
};

struct match {
    struct match_spec spec;
    struct list_node kept;     /* realm.matches_kept, oldest first */
    struct heap_node due;      /* realm.match_dues: its end when it is timed, else its forgetting */
    struct list_node recorded; /* realm.matches_recorded, by the last record that holds it */
    int64_t recorded_ms;
    uint32_t recorded_in; /* realm.carries then */
};

/* A deep copy of `spec`; free with match_free. */
struct match *match_new(const struct match_spec *spec);
void match_free(struct match *m); /* NULL is fine; must be in no list or heap */

bool match_may_move(enum match_state from, enum match_state to);
bool match_is_live(const struct match_spec *m);   /* PROPOSED, CONFIRMED or ASSIGNED */
const char *match_state_name(enum match_state s); /* "MATCH_PROPOSED"; static */
uint32_t match_player_count(const struct match_spec *m);
/* The player's place in the match, NULL when he is not in it. O(players). */
const struct team_member *match_member(const struct match_spec *m, struct str player);
/* Whether he was in the match and left it. */
bool match_has_left(const struct match_spec *m, struct str player);
/* Notes a player's answer; false when he is not in the match. */
bool match_set_answer(struct match *m, struct str player, enum match_answer answer);
/* How many players have given this answer. */
uint32_t match_answers(const struct match_spec *m, enum match_answer answer);

#endif
