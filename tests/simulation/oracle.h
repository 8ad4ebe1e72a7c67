/* oracle.h - the invariants, judged over a run's history; knows nothing of how the server works.
 *
 * I1 a player is in one open ticket · I2 a ticket ends once · I4 what was acknowledged is journaled
 * I5 epochs rise and have one writer · I6 matches are lawful · I7 a cancel that was acknowledged
 * holds · I8 one request id, one ticket · I9 no phantom event, none missing without a resync
 * I10 a ticket's state never goes back · I14 healed: led, and nothing is left waiting
 * I16 a rollback is announced · I17 a proposal is settled once, by what was said to it · I18
 * replaying the journal gives the leader's state · I20 a running match has no more players than
 * places, each place one ticket's, and one backfill at a time.
 */
#ifndef MUSTER_TESTS_SIMULATION_ORACLE_H
#define MUSTER_TESTS_SIMULATION_ORACLE_H

struct realm;

struct oracle_counts { /* what the journal tells of: added up over runs */
    unsigned long tickets, matches, proposals, proposals_failed, penalties;
    unsigned long left, joined; /* players of running matches, tickets by backfill */
    unsigned long joined_asked; /* of them, who were asked before */
    unsigned long named;        /* players who came by the game's word */
};

/* `leader`: its realm once all is healed, NULL when there is none. Prints each violation; returns
 * how many. */
unsigned oracle_judge(const struct realm *leader, struct oracle_counts *counts);

#endif
