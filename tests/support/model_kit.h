/* model_kit.h - small rulesets, tickets and realms for tests of the model.
 *
 * A kit plays the matcher: it gives commands, keeps every record, and can replay them into another
 * realm. A queue's definition text is the number of its rules in the test's table, so that replay
 * can build the definition again. Include from one C file per program.
 */
#ifndef MUSTER_TESTS_SUPPORT_MODEL_KIT_H
#define MUSTER_TESTS_SUPPORT_MODEL_KIT_H

#include "base/limits.h"
#include "base/mem.h"
#include "model/realm.h"
#include "model/ruleset_def.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The one queue of a ticket_spec, in a block's lifetime. */
#define KIT_QUEUE(name) (&(const struct str){name, sizeof(name) - 1})

struct kit_step {
    int64_t wait_ms;
    double value;
};

struct kit_rule { /* comparison: measurement = number */
    const char *measurement;
    double number;
};

struct kit_rules {
    uint32_t teams, players_min, players_max; /* of each team, named a, b, c ... */
    double spread;                            /* of skill; 0: no such rule */
    struct kit_step steps[4];                 /* of the spread, ended by wait_ms 0 */
    int latency_ms;                           /* 0: no such rule */
    bool same_mode;                           /* equal attribute "mode" */
    bool age_is_oldest;
    bool alike_first;             /* candidates of near flag are tried first */
    struct kit_rule extra[3];     /* ended by NULL */
    int64_t timeout_ms;           /* 0: 600 s */
    int64_t tick_ms;              /* 0: 1 ms */
    double patience;              /* points per second; 0: the first legal match */
    int64_t deadline_ms;          /* of a patient queue; 0: 120 s */
    double scale;                 /* units of skill that are 100 points; 0: spread */
    const struct role_def *roles; /* by the list "roles"; NULL: none */
    uint32_t role_count;
    bool avoids;             /* by the list "avoids", the whole match */
    const char *uncertainty; /* attribute: the deviation of a player's skill; NULL: none */
    struct queue_life life;
    enum ruleset_backfill backfill; /* backfillPriority */
};

static inline struct rule_def *kit_next_rule(struct ruleset_def *def, const char *name,
                                             enum rule_kind kind) {
    struct rule_def *rule = &def->rules[def->rule_count++];
    rule->name = str_of(name);
    rule->kind = kind;
    return rule;
}

static inline void kit_add_rules(struct arena *a, struct ruleset_def *def,
                                 const struct kit_rules *k) {
    def->rules = arena_alloc(a, 8 * sizeof *def->rules);
    if (k->spread > 0) {
        struct rule_def *rule = kit_next_rule(def, "skill", RULE_BATCH_DISTANCE);
        rule->attribute = STR("skill");
        rule->has_max = true;
        rule->max = k->spread;
    }
    if (k->latency_ms) {
        struct rule_def *rule = kit_next_rule(def, "latency", RULE_LATENCY);
        rule->party = PARTY_MAX;
        rule->has_max = true;
        rule->max = k->latency_ms;
    }
    if (k->same_mode) {
        kit_next_rule(def, "mode", RULE_BATCH_DISTANCE)->attribute = STR("mode");
    }
    if (k->alike_first) {
        kit_next_rule(def, "alike", RULE_DISTANCE_SORT)->attribute = STR("flag");
    }
    for (int i = 0; i < 3 && k->extra[i].measurement; i++) {
        static const char *const names[] = {"extra_0", "extra_1", "extra_2"};
        struct rule_def *rule = kit_next_rule(def, names[i], RULE_COMPARISON);
        struct str *measurement = arena_alloc(a, sizeof *measurement);
        *measurement = str_of(k->extra[i].measurement);
        rule->measurements = measurement;
        rule->measurement_count = 1;
        rule->operation = OP_EQUAL;
        rule->reference.kind = REFERENCE_NUMBER;
        rule->reference.number = k->extra[i].number;
    }
}

static inline void kit_add_steps(struct arena *a, struct ruleset_def *def,
                                 const struct kit_rules *k) {
    uint32_t count = 0;
    while (count < 4 && k->steps[count].wait_ms)
        count++;
    if (count == 0) return;
    struct step_def *steps = arena_alloc(a, count * sizeof *steps);
    for (uint32_t i = 0; i < count; i++) {
        steps[i] = (struct step_def){.wait_ms = k->steps[i].wait_ms, .value = k->steps[i].value};
    }
    def->expansions = arena_alloc(a, sizeof *def->expansions);
    def->expansions[0] = (struct expansion_def){STR("rules[skill].maxDistance"), steps, count};
    def->expansion_count = 1;
}

static inline struct ruleset *kit_ruleset(const struct kit_rules *k) {
    static const char *const team_names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct arena *a = arena_new(0);
    struct ruleset_def def = {.name = STR("kit"),
                              .algorithm.age_is_oldest = k->age_is_oldest,
                              .algorithm.backfill = k->backfill};
    def.attributes = arena_alloc(a, 5 * sizeof *def.attributes);
    def.attributes[0].value = (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER};
    def.attributes[1].value = (struct attribute){.name = STR("flag"), .kind = ATTRIBUTE_NUMBER};
    def.attributes[2].value =
        (struct attribute){.name = STR("mode"), .kind = ATTRIBUTE_TEXT, .text = STR("any")};
    for (int i = 0; i < 3; i++)
        def.attributes[i].has_default = true;
    def.attribute_count = 3;
    if (k->roles) {
        def.attributes[def.attribute_count++] = (struct attribute_def){
            .value = {.name = STR("roles"), .kind = ATTRIBUTE_LIST}, .has_default = true};
        def.additions.roles_attribute = STR("roles");
        def.additions.roles = k->roles;
        def.additions.role_count = k->role_count;
        def.additions.role_points = 20;
    }
    if (k->avoids) {
        def.attributes[def.attribute_count++] = (struct attribute_def){
            .value = {.name = STR("avoids"), .kind = ATTRIBUTE_LIST}, .has_default = true};
        def.additions.avoid_attribute = STR("avoids");
    }
    def.teams = arena_alloc(a, k->teams * sizeof *def.teams);
    for (uint32_t i = 0; i < k->teams; i++) {
        def.teams[i] = (struct team_def){str_of(team_names[i]), k->players_min, k->players_max, 1};
    }
    def.team_count = k->teams;
    kit_add_rules(a, &def, k);
    kit_add_steps(a, &def, k);
    struct ruleset *r;
    struct err_text why;
    def.allow_shrinking = true;
    if (ruleset_build(a, &def, &r, NULL, &why) != ERR_OK) fail_msg("%s", why.text);
    return r;
}

/* `json`: any text; what makes two definitions the same. */
static inline struct queue_def *kit_def(const char *name, const char *json,
                                        const struct kit_rules *k) {
    struct queue_def *d = mem_alloc(sizeof *d);
    d->name = (struct str){mem_text(str_of(name)), strlen(name)};
    d->json = (struct str){mem_text(str_of(json)), strlen(json)};
    d->ruleset = kit_ruleset(k);
    d->ticket_timeout_ms = k->timeout_ms ? k->timeout_ms : 600000;
    d->tick_ms = k->tick_ms ? k->tick_ms : 1;
    d->patience = (struct patience){
        k->patience > 0, false, k->patience, k->deadline_ms ? k->deadline_ms : 120000, {0},
        k->scale};
    if (k->uncertainty) {
        d->patience.uncertainty =
            (struct str){mem_text(str_of(k->uncertainty)), strlen(k->uncertainty)};
    }
    d->life = k->life;
    return d;
}

/* One player of a ticket, for kit_spec. NULL and 0 mean: not given. */
struct kit_player {
    const char *id;
    double skill;
    double flag;
    const char *mode;
    const char *roles[2];  /* his list "roles", the first first */
    const char *avoids[2]; /* his list "avoids" */
    double sigma;          /* of an attribute of that name */
    const char *regions[3];
    int latencies[3];
};

/* `items`: two, the second may be NULL. */
static inline struct attribute kit_list(struct arena *a, const char *name,
                                        const char *const *items) {
    struct str *texts = arena_alloc(a, 2 * sizeof *texts);
    struct attribute list = {.name = str_of(name), .kind = ATTRIBUTE_LIST, .items = texts};
    for (uint32_t i = 0; i < 2 && items[i]; i++)
        texts[list.item_count++] = arena_str(a, str_of(items[i]));
    return list;
}

static inline struct player kit_player(struct arena *a, const struct kit_player *k) {
    struct player p = {.id = arena_str(a, str_of(k->id))};
    struct attribute *at = arena_alloc(a, 6 * sizeof *at);
    if (k->flag != 0) {
        at[p.attribute_count++] =
            (struct attribute){.name = STR("flag"), .kind = ATTRIBUTE_NUMBER, .number = k->flag};
    }
    if (k->mode) {
        at[p.attribute_count++] = (struct attribute){
            .name = STR("mode"), .kind = ATTRIBUTE_TEXT, .text = arena_str(a, str_of(k->mode))};
    }
    if (k->roles[0]) at[p.attribute_count++] = kit_list(a, "roles", k->roles);
    if (k->avoids[0]) at[p.attribute_count++] = kit_list(a, "avoids", k->avoids);
    if (k->sigma > 0) {
        at[p.attribute_count++] =
            (struct attribute){.name = STR("sigma"), .kind = ATTRIBUTE_NUMBER, .number = k->sigma};
    }
    at[p.attribute_count++] =
        (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = k->skill};
    p.attributes = at;
    struct latency *l = arena_alloc(a, 3 * sizeof *l);
    for (int i = 0; i < 3 && k->regions[i]; i++) {
        l[p.latency_count++] =
            (struct latency){arena_str(a, str_of(k->regions[i])), k->latencies[i]};
    }
    p.latencies = l;
    return p;
}

/* ---- a matcher in small ---- */

struct kit {
    struct realm *realm;
    struct rng rng;
    struct arena *arena; /* everything of the test, freed at its end */
    int64_t now_ms;
    const struct kit_rules *rules; /* the table that definitions name by number */
    struct record **journal;
    size_t record_count, record_capacity;
    struct ticket **ticket_copies;
    struct match **match_copies;
    struct backfill **backfill_copies;
    size_t ticket_copy_count, match_copy_count, backfill_copy_count;
    uint32_t match_count; /* not carried */
    uint32_t players_named;
    struct err_text why;
};

static inline bool kit_admits(const struct ruleset *r, const struct ticket *t) {
    struct arena *arena = arena_new(0);
    struct ticket_spec spec = ticket_spec(t, arena);
    struct err_text why;
    bool is = ruleset_admit(r, &spec, &why) == ERR_OK;
    arena_free(arena);
    return is;
}

/* The spec's texts are borrowed from the realm: they stay ours. */
static inline void kit_keep_match(struct kit *k, struct match_spec *spec) {
    struct match *copy = match_new(spec);
    k->match_copies = mem_grow(k->match_copies, k->match_copy_count + 1, sizeof copy);
    k->match_copies[k->match_copy_count++] = copy;
    *spec = copy->spec;
}

/* Past versions are borrowed from the realm: their list and texts stay ours. */
static inline void kit_keep_put(struct kit *k, struct record *r) {
    uint32_t count = r->queue_put.past_count;
    struct queue_version *past = arena_alloc(k->arena, (count + 1) * sizeof *past);
    for (uint32_t i = 0; i < count; i++) {
        past[i] = r->queue_put.past[i];
        past[i].json = arena_str(k->arena, past[i].json);
        past[i].author = arena_str(k->arena, past[i].author);
        past[i].comment = arena_str(k->arena, past[i].comment);
    }
    r->queue_put.past = past;
    r->queue_put.def = NULL;
}

static inline void kit_keep_backfill(struct kit *k, struct backfill_spec *spec) {
    struct backfill *copy = backfill_new(spec);
    k->backfill_copies = mem_grow(k->backfill_copies, k->backfill_copy_count + 1, sizeof copy);
    k->backfill_copies[k->backfill_copy_count++] = copy;
    *spec = copy->spec;
}

static inline void kit_sink(void *arg, struct record *from) {
    struct kit *k = arg;
    struct record *r = arena_alloc(k->arena, sizeof *r);
    *r = *from;
    if (r->kind == RECORD_QUEUE_PUT) kit_keep_put(k, r);
    if (r->kind == RECORD_TICKET_CREATED || r->kind == RECORD_TICKET_UPDATED) {
        struct ticket *copy = ticket_new(r->ticket_created.id, &r->ticket_created.spec, NULL);
        k->ticket_copies = mem_grow(k->ticket_copies, k->ticket_copy_count + 1, sizeof copy);
        k->ticket_copies[k->ticket_copy_count++] = copy;
        r->ticket_created.spec = ticket_spec(copy, k->arena);
        r->ticket_created.reason = arena_str(k->arena, r->ticket_created.reason);
    }
    if (r->kind == RECORD_MATCH_CREATED) {
        kit_keep_match(k, &r->match_created);
        k->match_count += !r->carried;
    }
    if (r->kind == RECORD_MATCH_UPDATED) kit_keep_match(k, &r->match_updated.spec);
    if (r->kind == RECORD_ROSTER_CHANGED) {
        kit_keep_match(k, &r->roster_changed.spec);
        if (!id_is_none(r->roster_changed.backfill.id))
            kit_keep_backfill(k, &r->roster_changed.backfill);
    }
    if (r->kind == RECORD_BACKFILL_PUT) kit_keep_backfill(k, &r->backfill_put);
    if (r->kind == RECORD_PLAYER_PENALIZED) {
        r->player_penalized.player_id = arena_str(k->arena, r->player_penalized.player_id);
        r->player_penalized.queue = arena_str(k->arena, r->player_penalized.queue);
    }
    if (k->record_count == k->record_capacity) {
        k->record_capacity = k->record_capacity ? k->record_capacity * 2 : 256;
        k->journal = mem_grow(k->journal, k->record_capacity, sizeof *k->journal);
    }
    k->journal[k->record_count++] = r;
}

static inline struct decision kit_decision(struct kit *k) {
    return (struct decision){k->now_ms, &k->rng, k->arena, kit_sink, k};
}

/* A turn of a leader that does little in each: a few expire, some are searched. */
static inline void kit_take_turn(struct kit *k) {
    struct decision d = kit_decision(k);
    realm_expire(k->realm, &d, 3);
    realm_search(k->realm, &d, 1 + rng_below(&k->rng, 60));
}

static inline void kit_init(struct kit *k, const struct kit_rules *rules, uint64_t seed) {
    *k = (struct kit){.realm = realm_new(3600000), .arena = arena_new(0), .now_ms = 1000000};
    k->rules = rules;
    rng_init(&k->rng, seed);
}

static inline void kit_fini(struct kit *k) {
    realm_free(k->realm);
    for (size_t i = 0; i < k->ticket_copy_count; i++)
        ticket_free(k->ticket_copies[i]);
    for (size_t i = 0; i < k->match_copy_count; i++)
        match_free(k->match_copies[i]);
    for (size_t i = 0; i < k->backfill_copy_count; i++)
        backfill_free(k->backfill_copies[i]);
    mem_free(k->backfill_copies);
    mem_free(k->ticket_copies);
    mem_free(k->match_copies);
    mem_free(k->journal);
    arena_free(k->arena);
}

/* Puts rules number `rule_index` of the table under the name. */
static inline enum err kit_try_put(struct kit *k, const char *name, unsigned rule_index,
                                   struct outcome *out) {
    char json[16];
    snprintf(json, sizeof json, "%u", rule_index);
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    c.put_queue.def = kit_def(name, json, &k->rules[rule_index]);
    struct decision d = kit_decision(k);
    enum err e = realm_decide(k->realm, &c, &d, out, &k->why);
    queue_def_free(c.put_queue.def);
    return e;
}

static inline void kit_put(struct kit *k, const char *name, unsigned rule_index) {
    struct outcome out;
    if (kit_try_put(k, name, rule_index, &out) != ERR_OK) fail_msg("%s", k->why.text);
}

/* `queues`: names with a blank between. */
static inline enum err kit_try_create(struct kit *k, const char *queues,
                                      const struct kit_player *players, uint32_t count,
                                      struct outcome *out) {
    struct str names[LIMIT_TICKET_QUEUES];
    uint32_t queue_count = 0;
    for (const char *at = queues; *at;) {
        size_t size = strcspn(at, " ");
        names[queue_count++] = (struct str){at, size};
        at += size + (at[size] == ' ');
    }
    struct player *list = arena_alloc(k->arena, count * sizeof *list);
    for (uint32_t i = 0; i < count; i++)
        list[i] = kit_player(k->arena, &players[i]);
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = (struct ticket_spec){names, list, queue_count, count};
    struct decision d = kit_decision(k);
    return realm_decide(k->realm, &c, &d, out, &k->why);
}

static inline struct id kit_create(struct kit *k, const char *queue,
                                   const struct kit_player *players, uint32_t count) {
    struct outcome out;
    if (kit_try_create(k, queue, players, count, &out) != ERR_OK) fail_msg("%s", k->why.text);
    return out.ticket->id;
}

/* A ticket of `count` new players of one skill. */
static inline struct id kit_party(struct kit *k, const char *queue, double skill, uint32_t count) {
    struct kit_player players[16] = {0};
    char names[16][16];
    assert_true(count <= 16);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "p%u", k->players_named++);
        players[i].id = names[i];
        players[i].skill = skill;
    }
    return kit_create(k, queue, players, count);
}

static inline struct id kit_solo(struct kit *k, const char *queue, double skill) {
    return kit_party(k, queue, skill, 1);
}

static inline enum err kit_cancel(struct kit *k, struct id ticket) {
    struct command c = {.kind = COMMAND_CANCEL_TICKET};
    c.cancel_ticket.ticket_id = ticket;
    c.cancel_ticket.reason = STR("cancelled by request");
    struct decision d = kit_decision(k);
    struct outcome out;
    return realm_decide(k->realm, &c, &d, &out, &k->why);
}

/* `players`: ids with a blank between. */
static inline enum err kit_answer(struct kit *k, enum command_kind kind, struct id match,
                                  const char *players) {
    struct str *ids = arena_alloc(k->arena, LIMIT_MATCH_PLAYERS * sizeof *ids);
    struct command c = {.kind = kind};
    c.answer_match.match_id = match;
    c.answer_match.player_ids = ids;
    for (const char *at = players; *at;) {
        size_t size = strcspn(at, " ");
        ids[c.answer_match.player_count++] = (struct str){at, size};
        at += size + (at[size] == ' ');
    }
    struct decision d = kit_decision(k);
    struct outcome out;
    return realm_decide(k->realm, &c, &d, &out, &k->why);
}

static inline enum err kit_accept(struct kit *k, struct id match, const char *players) {
    return kit_answer(k, COMMAND_ACCEPT_MATCH, match, players);
}

static inline enum err kit_decline(struct kit *k, struct id match, const char *players) {
    return kit_answer(k, COMMAND_DECLINE_MATCH, match, players);
}

static inline enum err kit_leave(struct kit *k, struct id match, const char *players) {
    return kit_answer(k, COMMAND_LEAVE_MATCH, match, players);
}

static inline enum err kit_do(struct kit *k, struct command c, struct outcome *out) {
    struct decision d = kit_decision(k);
    return realm_decide(k->realm, &c, &d, out, &k->why);
}

static inline enum err kit_assign(struct kit *k, struct id match, const char *connection) {
    struct outcome out;
    struct command c = {.kind = COMMAND_ASSIGN_MATCH};
    c.assign_match.match_id = match;
    c.assign_match.connection = str_of(connection);
    return kit_do(k, c, &out);
}

/* `winner`: a team's name; empty: no result. */
static inline enum err kit_complete(struct kit *k, struct id match, const char *winner) {
    struct outcome out;
    struct team_result result = {str_of(winner), 1, 3};
    struct command c = {.kind = COMMAND_COMPLETE_MATCH};
    c.complete_match.match_id = match;
    c.complete_match.results = &result;
    c.complete_match.result_count = winner[0] != '\0';
    return kit_do(k, c, &out);
}

static inline enum err kit_cancel_match(struct kit *k, struct id match, bool requeue) {
    struct outcome out;
    struct command c = {.kind = COMMAND_CANCEL_MATCH};
    c.cancel_match.match_id = match;
    c.cancel_match.reason = STR("no server");
    c.cancel_match.requeue = requeue;
    return kit_do(k, c, &out);
}

static inline unsigned kit_expire_at(struct kit *k, int64_t now_ms) {
    k->now_ms = now_ms;
    struct decision d = kit_decision(k);
    return realm_expire(k->realm, &d, 1000);
}

/* Searches until nothing is due at this time. Returns how many matches were made. */
static inline uint32_t kit_search(struct kit *k) {
    uint32_t before = k->match_count;
    struct decision d = kit_decision(k);
    while (realm_search(k->realm, &d, 1000)) {
    }
    return k->match_count - before;
}

static inline uint32_t kit_search_at(struct kit *k, int64_t now_ms) {
    k->now_ms = now_ms;
    return kit_search(k);
}

static inline enum ticket_state kit_state(const struct kit *k, struct id ticket) {
    const struct ticket *t = realm_ticket(k->realm, ticket);
    assert_non_null(t);
    return t->state;
}

/* `live` makes its steps before, during and after a compaction: where the journal is cut. */
static inline size_t kit_live_over_cut(struct kit *k, void (*live)(uint32_t steps)) {
    live(200);
    k->now_ms += 1;
    int64_t upto_ms = k->now_ms;
    size_t cut = k->record_count;
    live(60);
    uint64_t cursor = 0;
    struct decision d = kit_decision(k);
    while (realm_carry(k->realm, &d, upto_ms, &cursor, 5)) {
        live(2);
        d = kit_decision(k);
    }
    live(60);
    return cut;
}

/* Applies records [from, to) to another realm. */
static inline void kit_replay(struct kit *k, struct realm *into, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        struct record r = *k->journal[i];
        if (r.kind == RECORD_QUEUE_PUT) {
            char name[LIMIT_NAME_BYTES + 1], json[16];
            snprintf(name, sizeof name, "%.*s", STR_PRINT(r.queue_put.name));
            snprintf(json, sizeof json, "%.*s", STR_PRINT(r.queue_put.json));
            r.queue_put.def = kit_def(name, json, &k->rules[atoi(json)]);
        }
        realm_apply(into, &r);
    }
}

#endif
