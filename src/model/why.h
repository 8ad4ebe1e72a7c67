/* why.h - why a waiting ticket is not matched: counts, rules, the nearest miss, what is missing.
 *
 * Answered from live state with bounded work: the WHY_NEAR tickets nearest in skill are judged one
 * by one beside the asking ticket by the rules that two tickets can be judged by
 * (ruleset_rule_scope). Those that fit, also with each other, are put together as far as
 * teams have room; when they are enough, the group is judged as a whole, which tells of the rules
 * that only a match can be judged by. A group of near ones, not every group: "it may be why".
 * About 0.3 ms with five rules, at most 10 ms (WHY_WORK). Changes nothing.
 * Memory: everything in `out` is the arena's or borrowed from the realm, until its next change.
 * Thread safety: none.
 */
#ifndef MUSTER_MODEL_WHY_H
#define MUSTER_MODEL_WHY_H

#include "model/eta.h"
#include "model/queue.h"
#include "model/ticket.h"

#define WHY_NEAR 128    /* candidates judged; fewer where tickets are large: WHY_WORK */
#define WHY_WORK 400000 /* players times rules times regions, over all pairs */

enum why_reason {                 /* the numbers are those of muster.v1.WaitReason */
                  WHY_ALONE = 1,  /* nobody else waits whom the rules could ever put beside it */
                  WHY_OWN_VALUES, /* its own values fail a rule, at its age */
                  WHY_TOO_FEW,    /* all who wait nearby fit, but they are too few */
                  WHY_RULES, /* rules reject some who wait nearby, and the others are too few */
                  WHY_LACKING_ROLE, /* those who fit cannot fill a role */
                  WHY_WHOLE_MATCH,  /* enough fit; together they fail a rule that whole matches are
                                                     judged by */
                  WHY_SEARCHING, /* enough fit: a match is to come, unless others take them first */
                  WHY_PATIENCE, /* enough fit, but the queue waits for a better match than they make
                                 */
};

struct why_rule {
    struct str name;
    const char *type; /* "batchDistance"; static */
    struct str attribute;
    enum rule_scope scope;
    bool orders;      /* a sort: it rejects nobody */
    bool governed;    /* a compound names it: it need not hold by itself */
    bool own_failure; /* the ticket fails it alone */
    struct ruleset_number *numbers;
    uint32_t number_count;
    uint32_t rejected;       /* of the near candidates */
    uint32_t rejected_alone; /* of them: by no other rule */
    uint64_t elsewhere;      /* a rule that divides: tickets in the queue's other divisions */
    bool group_fails;        /* the group that was put together fails it */
    bool has_measured;
    double measured, bound; /* of own_failure or group_fails */
};

struct why_miss { /* the rejected candidate that fails the fewest rules by the least */
    const struct ticket *ticket; /* NULL: nobody was rejected */
    uint32_t rule;               /* the one it fails, of several the first */
    uint32_t failing;            /* how many */
    double distance;             /* between the keys */
    bool has_numbers;
    double measured, bound; /* `measured` is the bound that would admit it */
    int64_t admitted_in_ms; /* when an expansion does; INT64_MAX: none does */
    double admitting;       /* what the bound is then */
};

struct why_role {
    struct str name;
    uint32_t players_min, players_max; /* of a match, over all teams */
    uint32_t fitting;                  /* players who fit, own ones included, and may have it */
    uint32_t players;                  /* of the group who have it */
};

struct why_team {
    struct str name;
    uint32_t players_min, players_max;
    uint32_t players; /* of the group, the ticket's own included */
};

struct why {
    enum why_reason reason;
    uint64_t position, tickets_queued, players_queued;
    uint64_t tickets_elsewhere;        /* in other divisions of the queue: never beside it */
    int64_t age_ms, next_step_in_ms;   /* INT64_MAX: no expansion is to come */
    int64_t any_match_in_ms;           /* the queue is patient until then; 0: it is not */
    uint32_t near, near_players;       /* candidates judged */
    bool near_is_all;                  /* they are all there are in its division */
    uint32_t fitting, fitting_players; /* of them: no rule of pairs rejects them */
    struct why_rule *rules;
    uint32_t rule_count;
    uint32_t rule; /* OWN_VALUES, RULES, WHOLE_MATCH: the one to name first */
    struct why_miss miss;
    struct why_team *teams;
    uint32_t team_count;
    struct why_role *roles; /* where the queue has any */
    uint32_t role_count;
    uint32_t role;                     /* LACKING_ROLE: the one to name */
    uint32_t players_min, players_max; /* of a match, at its age */
    uint32_t own_players;
    uint32_t players, missing; /* of the group, own ones included; how many more a match needs */
    struct eta_wait wait;      /* what is left of it */
};

/* `place`: which of the ticket's queues; it waits there. */
void why_explain(const struct ticket *t, uint32_t place, int64_t now_ms, struct arena *arena,
                 struct why *out);

/* Sentences that may be shown to the player, a line each, appended to `out`. None of them names
 * another player. (why_text.c) */
void why_text(const struct why *w, struct strbuf *out);
/* The same of a ticket that does not wait. */
void why_text_ended(const struct ticket *t, struct strbuf *out);

#endif
