/* workload.h - the named workloads: who arrives when, and the rules they wait under.
 *
 * A workload is a row of one table: match shape, arrival rate, population. trace_generate draws a
 * trace from it; workload_write_queue writes its rules as a queue definition with nothing but hard
 * limits (team sizes, latency, roles) and a patience derived from the arrivals.
 * Skill is in rating points, Elo-like: 200 points of noise per player and game.
 * Thread safety: all functions.
 */
#ifndef MUSTER_SIM_WORKLOAD_H
#define MUSTER_SIM_WORKLOAD_H

#include "base/str.h"

#define WORKLOAD_REGIONS 6
#define WORKLOAD_SIZES 5
#define WORKLOAD_RATES 4
#define WORKLOAD_ROLES 3

enum workload_shape {
    SHAPE_STEADY, /* Poisson */
    SHAPE_FLASH,  /* steady, and 2000 times the rate's tickets in ten seconds after a minute */
    SHAPE_DAY,    /* each region follows its own day: 0.1 to 1.0 of its peak */
    SHAPE_STRESS, /* `crowd` parties of three at once, then ones and twos */
};

struct workload {
    const char *name, *text;
    uint32_t teams, team_players;
    double rates[WORKLOAD_RATES]; /* tickets per second; the first is the default, 0 ends them */
    int timeout_s;                /* a ticket still waiting then expires */
    enum workload_shape shape;
    uint32_t crowd;                 /* STRESS */
    double skill_mean, skill_sd;    /* clipped to 300..3300 */
    double expert_share;            /* of tickets drawn from the second normal distribution */
    double expert_mean, expert_sd;  /* of it */
    double sizes[WORKLOAD_SIZES];   /* share of tickets of 1..5 players */
    double homes[WORKLOAD_REGIONS]; /* share of tickets by home region; [1] = 0: one region */
    int latency_ms;                 /* hard limit; 0: none, and players give no latencies */
    double roles[WORKLOAD_ROLES];   /* share of players by first role; [0] = 0: no roles */
    double second_role;             /* share of players that accept a second role */
};

extern const struct workload workloads[];
extern const size_t workload_count;

const struct workload *workload_find(const char *name); /* NULL: none of that name */
/* Seconds of arrivals that are measured by default: about 6,000 tickets, but a whole day of W7. */
double workload_duration_s(const struct workload *w, double rate);

/* Names in the order of workload.homes; and in the order of names. Static. */
extern const char *const workload_regions[WORKLOAD_REGIONS];
extern const int workload_regions_by_name[WORKLOAD_REGIONS];
/* Round trip between the regions' data centres, ms. */
extern const int workload_rtt_ms[WORKLOAD_REGIONS][WORKLOAD_REGIONS];
/* "tank", "dps", "support", and how many of each a team has. */
extern const char *const workload_roles[WORKLOAD_ROLES];
extern const uint32_t workload_role_slots[WORKLOAD_ROLES];

/* Appends the queue definition as JSON, under that name. */
void workload_write_queue(const struct workload *w, struct str name, struct strbuf *out);

#endif
