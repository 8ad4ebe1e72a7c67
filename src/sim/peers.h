/* peers.h - the workloads by which other matchmakers are measured, with their own distributions.
 *
 * A row of one table each, beside workload.h's. peer_draw gives the tickets, peer_write_queue the
 * rules; both say nothing that the source does not. All tickets are single players of one region.
 * Sources: minimatch loadtest/; Open Match examples/scale; Nakama server/matchmaker_test.go
 * (benchmarkMatchmakerProcessTickets); Languege/flexmatch TestMatchmaking_TicketInput; CryMatch
 * CryMatchTests/MatchSpeedTests.cs.
 * Thread safety: all functions.
 */
#ifndef MUSTER_SIM_PEERS_H
#define MUSTER_SIM_PEERS_H

#include "base/rng.h"
#include "sim/trace.h"

enum peer_kind {
    PEER_EMPTY,   /* tickets that say nothing */
    PEER_NEVER,   /* the same, beside some of another kind each, whom nobody matches */
    PEER_REGIONS, /* one of twenty regions, the low ones fuller */
    PEER_SHOOTER, /* region, mode, skill */
    PEER_SCORE,   /* all of one score, which must be near */
    PEER_SOFT,    /* an affinity: alike in a number, no requirement */
    PEER_NEEDS,   /* three requirements on the others, which all keep, and the affinity */
    PEER_NEEDS_4, /* the same three four times over: twelve to check */
};

struct peer {
    const char *name, *text;
    enum peer_kind kind;
    double rate;     /* tickets per second; 0: all `count` at once */
    uint32_t count;  /* of them */
    uint32_t before; /* tickets that wait already, and that nobody matches */
    uint32_t teams, players_min, players_max, tick_ms;
};

extern const struct peer peers[];
extern const size_t peer_count;

const struct peer *peer_find(const char *name); /* NULL: none of that name */
/* Appends the queue definition as JSON, under that name. */
void peer_write_queue(const struct peer *p, struct str name, struct strbuf *out);

struct peer_request {
    const struct peer *peer;
    struct str queue;  /* its name */
    double rate;       /* tickets per second, Poisson; not of those that come at once */
    double duration_s; /* of their arrivals */
    uint64_t seed;
};
/* The first peer->before tickets are those that wait already, at 0 as all are that come at once. */
void peer_draw(struct trace *t, const struct peer_request *request);

#endif
