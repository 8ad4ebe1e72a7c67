/* ruleset_def.h - what a ruleset is built from, and its compiled fields.
 *
 * A reader (wire/ruleset_json.h) fills a struct ruleset_def: the document's shape, checked for
 * types and ranges, nothing else. ruleset_build checks what it means and compiles it:
 *
 *   def -> names resolved, expressions parsed and typed (ruleset_expr.h)
 *       -> one struct ruleset_step per distinct expansion age (ruleset_steps.c)
 *       -> key and partition attributes for the search
 *
 * Only src/model/ruleset*.c and whoever builds rulesets include this file.
 * Memory: everything, the definition's texts too, lives in the one arena the ruleset takes.
 */
#ifndef MUSTER_MODEL_RULESET_DEF_H
#define MUSTER_MODEL_RULESET_DEF_H

#include "base/limits.h"
#include "base/problems.h"
#include "model/ruleset.h"

#define RULESET_AGES_MAX 256     /* distinct expansion ages per ruleset: refused */
#define RULESET_WAIT_S_MAX 43200 /* the longest ticket timeout; a later step could never come */

#define RULESET_COUNT_MAX 20000 /* minCount, maxCount: all items of all lists of a match */
#define RULESET_COST_MAX 1000   /* points; 100 are the spread allowed at first: refused */

/* ---- definition ---- */

enum rule_kind {
    RULE_ABSOLUTE_SORT,
    RULE_BATCH_DISTANCE,
    RULE_COLLECTION,
    RULE_COMPARISON,
    RULE_COMPOUND,
    RULE_DISTANCE,
    RULE_DISTANCE_SORT,
    RULE_LATENCY, /* the last that a document's rules may have */
    RULE_ROLES,   /* Muster's additions that must hold, as rules of reserved names */
    RULE_AVOID,
};

/* How the players of one ticket count as one value: the first three for numbers, union and
 * intersection for lists. PARTY_EACH: every player's list stands for itself. */
enum party_aggregation {
    PARTY_AVG,
    PARTY_MIN,
    PARTY_MAX,
    PARTY_UNION,
    PARTY_INTERSECTION,
    PARTY_EACH,
};

enum comparison_operation { OP_EQUAL, OP_UNEQUAL, OP_LESS, OP_AT_MOST, OP_MORE, OP_AT_LEAST };
enum collection_operation { OP_CONTAINS, OP_INTERSECTION, OP_REFERENCE_INTERSECTION };

enum map_key { MAP_KEY_NONE, MAP_KEY_MIN, MAP_KEY_MAX };
enum latency_reference { LATENCY_MIN, LATENCY_AVG };

enum reference_kind { REFERENCE_NONE, REFERENCE_NUMBER, REFERENCE_TEXT, REFERENCE_LIST };

struct attribute_def {
    struct attribute value; /* name and kind; the default's content when has_default */
    bool has_default;
};

struct team_def {
    struct str name;
    uint32_t players_min, players_max, quantity; /* quantity >= 1 */
};

struct reference_def {
    enum reference_kind kind;
    double number;
    struct str text;         /* an expression or a literal */
    const struct str *items; /* LIST */
    uint32_t item_count;
};

struct rule_def {
    struct str name, description;
    enum rule_kind kind;
    struct str attribute;           /* batchDistance, sorts */
    bool descending;                /* sorts */
    enum map_key map_key;           /* sorts by a map */
    const struct str *measurements; /* collection, comparison, distance: expressions */
    uint32_t measurement_count;
    enum comparison_operation operation;
    enum collection_operation collection;
    enum party_aggregation party;
    struct reference_def reference;
    bool has_min, has_max;
    double min, max; /* distances or counts; `max` is also the latency rule's maxLatency in ms */
    bool has_distance, has_latency;
    double distance;                /* latency: maxDistance in ms */
    enum latency_reference latency; /* latency: what it is measured from */
    struct str statement;           /* compound */
};

struct step_def {
    int64_t wait_ms; /* 0..RULESET_WAIT_S_MAX * 1000 */
    double value;
    struct reference_def other; /* NONE: `value` it is; a numeric text gives both */
};

struct expansion_def {
    struct str target; /* "rules[name].property" or "teams[a,b].property" */
    const struct step_def *steps;
    uint32_t step_count; /* 1..LIMIT_EXPANSION_STEPS */
};

enum batching {
    BATCHING_UNSAID,
    BATCHING_RANDOM,
    BATCHING_SORTED,
    BATCHING_LARGEST_POPULATION,
    BATCHING_FASTEST_REGION,
};

struct algorithm_def {
    bool age_is_oldest, is_balanced;
    enum batching batching;
    enum ruleset_backfill backfill;
    struct str balanced; /* attribute; empty: not given */
    const struct str *sort_by;
    uint32_t sort_by_count;
};

/* ---- definition of Muster's additions: the section `muster` ---- */

struct role_def { /* in each of its teams that has players */
    struct str name;
    uint32_t players_min, players_max;
    const struct str *teams; /* as defined or generated; none: every team */
    uint32_t team_count;
};

struct weight_def {
    struct str rule;
    double points;
};

/* Empty names: the part was not given. */
struct additions_def {
    struct str roles_attribute; /* a string_list: a player's roles, the best first */
    const struct role_def *roles;
    uint32_t role_count;
    double role_points;         /* per step down a player's list, mean over players */
    struct str avoid_attribute; /* a string_list of player ids */
    bool avoid_in_team;         /* not in one team; else not in one match */
    struct str recent_attribute;
    double recent_points; /* per recent opponent that a player meets, mean over players */
    const struct weight_def *weights;
    uint32_t weight_count;
    const struct str *regions;
    uint32_t region_count; /* 0: every region counts */
};

struct ruleset_def {
    struct str name;
    struct algorithm_def algorithm;
    struct additions_def additions;
    bool allow_shrinking; /* accept an expansion step that is narrower than the one before it */
    struct problems *problems; /* collects all that is wrong; NULL: building ends at the first */
    struct attribute_def *attributes;
    struct team_def *teams;
    struct rule_def *rules;
    struct expansion_def *expansions;
    uint32_t attribute_count, team_count, rule_count, expansion_count;
};

/* Compiles `def`, whose memory is all in `arena`. On OK the ruleset in `*out` has taken the arena
 * (ruleset_free frees it); on error the caller keeps it and `*out` is NULL.
 * `notes`: what was read leniently is appended, one line each; may be NULL.
 * Error: INVALID_ARGUMENT; text and field name the place by its path in the document. */
enum err ruleset_build(struct arena *arena, const struct ruleset_def *def, struct ruleset **out,
                       struct strbuf *notes, struct err_text *why) ERR_CHECKED;

/* ---- compiled ---- */

struct ruleset_expr; /* ruleset_expr.h */

struct rule_bounds { /* what expansions make of a rule at one age */
    double min, max, reference;
    double distance;                       /* a latency rule's maxDistance; INFINITY: none */
    const struct ruleset_expr *expression; /* the reference; NULL: it is the number */
};

struct role_bounds {
    uint32_t players_min, players_max;
};

struct ruleset_step {
    struct ruleset_limits limits; /* first: limits_at hands it out */
    int64_t age_ms;
    struct ruleset_team *teams; /* limits.teams */
    struct rule_bounds *bounds; /* per rule */
    struct role_bounds *roles;  /* per role */
    const struct ruleset_order *order;
};

enum term_function { TERM_RULE, TERM_AND, TERM_OR, TERM_NOT, TERM_XOR };

struct ruleset_term { /* of a compound rule's statement */
    enum term_function function;
    uint32_t rule;                        /* RULE: its index */
    const struct ruleset_term *const *of; /* else: the arguments */
    uint32_t count;
};

enum sort_kind { SORT_ABSOLUTE, SORT_DISTANCE, SORT_REGION };

struct ruleset_sort { /* one number of a candidate's rank */
    enum sort_kind kind;
    const struct attribute_def *attribute; /* REGION: none */
    bool descending;
    enum map_key map_key;
    enum party_aggregation party;
};

/* In which order candidates are tried, and backfill among them: the algorithm section at one age,
 * behind the sort rules. */
struct ruleset_order {
    struct ruleset_sort sorts[RULESET_SORTS_MAX];
    uint32_t sort_count;
    enum batching batching;
    const struct attribute_def *balance; /* of strategy balanced; NULL: exhaustiveSearch */
    enum ruleset_backfill backfill;
};

struct rule {
    bool broken; /* a problem of it was told; it is not looked at any more */
    struct str name, description;
    enum rule_kind kind;
    enum party_aggregation party;
    enum comparison_operation operation;
    enum collection_operation collection;
    const struct attribute_def *attribute; /* batchDistance */
    const struct ruleset_expr *const *measurements;
    uint32_t measurement_count;
    bool has_reference, has_min, has_max;
    /* before any expansion; the step's bounds say what is in force */
    double min, max;
    const struct ruleset_expr *reference; /* NULL: the number */
    double reference_number;
    double distance; /* latency */
    bool has_distance;
    enum latency_reference latency;
    struct str statement;
    const struct ruleset_term *term; /* compound */
    bool governed;                   /* named by a compound: it need not hold by itself */
    bool by_region; /* latency, or a compound of latencies: judged region by region */
    double weight;  /* points of soft cost at the bound of age 0; 0: none */
};

struct ruleset_role {
    struct str name;
    const bool *in_team; /* per generated team: whether its players may have it */
};

struct ruleset {
    struct arena *arena;
    struct str name;
    bool age_is_oldest;
    const struct attribute_def *attributes;
    const struct team_def *team_defs;
    struct rule *rules;
    struct ruleset_step *steps; /* by age; the first has age 0 */
    uint32_t attribute_count, team_def_count, rule_count, step_count;
    uint32_t team_count;       /* generated teams: sum of quantities */
    uint32_t team_players_max; /* the largest team at any age */
    bool has_latency;          /* a latency rule must hold: players without latencies never match */
    const struct attribute_def *key; /* NULL: none */
    enum party_aggregation key_party;
    const struct attribute_def *balance;    /* what teams are made even in; NULL: the key */
    struct ruleset_order first_order;       /* at age 0; while rules are built: their sorts */
    uint32_t rank_size;                     /* the most sorts of any age */
    const struct expansion_def *expansions; /* as they were defined */
    uint32_t expansion_count;
    const struct attribute_def **partition; /* string attributes equal within a match */
    uint32_t partition_count;
    /* Muster's additions; NULL and 0 where they were not given */
    const struct attribute_def *roles_attribute, *avoid, *recent;
    const struct ruleset_role *roles;
    uint32_t role_count;
    double role_points, recent_points;
    bool avoid_in_team, has_weights;
    const struct str *regions;
    uint32_t region_count;
};

/* ---- shared by the ruleset files ---- */

/* Where the parts of a build put their problems. */
struct ruleset_told {
    struct problems *all; /* the definition's; may be NULL */
    struct err_text *why; /* the first */
    struct err_text one;  /* the latest: what the functions of one item fill */
    bool any;
};

/* Takes the latest problem where `code` says there is one. Whether to go on with the next item. */
bool ruleset_go_on(struct ruleset_told *t, enum err code);

/* err_set_field with INVALID_ARGUMENT and the field's path in front of the text. */
enum err ruleset_refuse(struct err_text *why, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4))) ERR_CHECKED;

#define RULESET_HINT_BYTES 192

/* The name inside item `index` of a list, by stride and offset. */
struct ruleset_names {
    const void *items;
    size_t stride, offset;
    uint32_t count;
};
struct str ruleset_name_at(const struct ruleset_names *n, uint32_t index);
/* "; did you mean \"skill\"?" where one of the names is near, else the first of them: "; there are
 * red, blue". In `out`. */
const char *ruleset_hint(struct str word, const struct ruleset_names *n,
                         char out[RULESET_HINT_BYTES]);
/* What ruleset_refuse says of a name that playerAttributes does not declare. */
enum err ruleset_refuse_attribute(const struct ruleset *r, struct str name, const char *field,
                                  struct err_text *why) ERR_CHECKED;
/* Marks the generated teams that a name means: one, or all copies of a quantity. How many. */
uint32_t ruleset_mark_teams(const struct ruleset *r, struct str name, bool *marked);
const char *ruleset_kind_name(enum rule_kind kind); /* "batchDistance"; static */

/* ", after 5 s" for messages; empty at age 0. In `out`. */
const char *ruleset_after(int64_t age_ms, char out[40]);

/* At most 80 bytes of it, cut between characters: for quoting in messages. */
struct str ruleset_excerpt(struct str s);

/* The declared attribute, NULL when there is none. */
const struct attribute_def *ruleset_attribute(const struct ruleset *r, struct str name);
/* The player's value or the default; NULL when there is none of the declared type. */
const struct attribute *ruleset_value(const struct player *p, const struct attribute_def *a);
/* The ticket's number by partyAggregation; false when a player has none. */
bool ruleset_party_number(const struct ticket_spec *spec, const struct attribute_def *a,
                          enum party_aggregation party, double *out);
/* Mean that does not overflow for finite values. count >= 1. */
double ruleset_mean(const double *values, uint32_t count);

/* The step in force at an age. O(log steps). */
const struct ruleset_step *ruleset_step_at(const struct ruleset *r, int64_t age_ms);

/* Compiles r->rules (ruleset_rules.c). `notes` may be NULL. */
void ruleset_rules_build(struct ruleset *r, const struct ruleset_def *def, struct strbuf *notes,
                         struct ruleset_told *told);
struct ruleset_place { /* where a message says the problem is */
    const char *field;
    struct err_text *why;
};

/* Compiles a reference of the rule, its own or one that an expansion gives it: sets
 * `out->expression`, or `out->reference` and no expression. */
enum err ruleset_rules_reference(const struct ruleset *r, const struct rule *rule,
                                 const struct reference_def *d, struct rule_bounds *out,
                                 struct ruleset_place at) ERR_CHECKED;

/* Adds a sort rule to r->first_order (ruleset_sort.c). */
enum err ruleset_sort_rule(struct ruleset *r, const struct rule_def *d, uint32_t index,
                           struct err_text *why) ERR_CHECKED;
/* Adds what the algorithm section says to `order`, which holds the sort rules, and sets r->balance
 * where it has none yet. What it does not use of the section is not refused when an expansion may
 * come to use it. */
struct ruleset_later {
    bool strategy, batching; /* an expansion changes it */
};
enum err ruleset_sort_build(struct ruleset *r, const struct algorithm_def *a,
                            struct ruleset_later later, struct ruleset_order *order,
                            struct err_text *why) ERR_CHECKED;

/* Expansions of the algorithm section (ruleset_algorithm.c). */
bool ruleset_is_algorithm_target(struct str target);
struct ruleset_later ruleset_algorithm_later(const struct ruleset_def *def);
/* Whether the expansion's target and values are allowed. */
enum err ruleset_algorithm_check(const struct ruleset_def *def, uint32_t expansion,
                                 struct err_text *why) ERR_CHECKED;
/* The order in force at each of r->steps. `sorts`: the sort rules alone. */
enum err ruleset_algorithm_build(struct ruleset *r, const struct ruleset_def *def,
                                 const struct ruleset_order *sorts,
                                 struct err_text *why) ERR_CHECKED;

/* Parses a statement and marks the rules it names as governed; their kinds and names are known.
 * NULL on error, `at.why` filled. */
const struct ruleset_term *ruleset_compound_parse(struct ruleset *r, struct str statement,
                                                  struct ruleset_place at);
/* Whether a compound may name such a rule. */
bool ruleset_kind_in_compound(enum rule_kind kind);

/* Resolves the section `muster` and adds its rules behind those of the document
 * (ruleset_additions.c). r->rules has room for RULESET_ADDED_MAX more. */
#define RULESET_ADDED_MAX 2
void ruleset_additions_build(struct ruleset *r, const struct ruleset_def *def,
                             struct ruleset_told *told);

/* Computes r->steps from the base values and the expansions (ruleset_steps.c). */
void ruleset_steps_build(struct ruleset *r, const struct ruleset_def *def,
                         struct ruleset_told *told);
/* Chooses key and partition, and fills the steps' key_spread_max (ruleset_key.c). */
void ruleset_key_build(struct ruleset *r);

/* Notes what can hardly be meant, such as rules that can hold for no match (ruleset_warn.c). */
void ruleset_warn(const struct ruleset *r, const struct ruleset_def *def, struct strbuf *notes);

/* The language's words, NULL at the end. */
extern const char *const ruleset_kind_names[];       /* by enum rule_kind, those of documents */
extern const char *const ruleset_strategy_names[];   /* exhaustiveSearch, balanced */
extern const char *const ruleset_age_names[];        /* newest, oldest */
extern const char *const ruleset_direction_names[];  /* ascending, descending */
extern const char *const ruleset_map_key_names[];    /* by enum map_key, from MAP_KEY_MIN on */
extern const char *const ruleset_latency_names[];    /* by enum latency_reference */
extern const char *const ruleset_scope_names[];      /* of avoid: match, team */
extern const char *const ruleset_backfill_names[];   /* by enum ruleset_backfill */
extern const char *const ruleset_batching_names[];   /* by enum batching; the first is none */
extern const char *const ruleset_party_names[];      /* by enum party_aggregation: numbers */
extern const char *const ruleset_list_party_names[]; /* those from PARTY_UNION on */
extern const char *const ruleset_operation_names[];  /* by enum comparison_operation */
extern const char *const ruleset_collection_names[]; /* by enum collection_operation */
extern const char *const ruleset_type_names[];       /* by enum attribute_kind */

#endif
