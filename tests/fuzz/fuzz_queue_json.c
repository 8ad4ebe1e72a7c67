/* fuzz_queue_json.c - any bytes as a queue definition; what is accepted must be usable. */
#include "base/limits.h"
#include "model/ruleset.h"
#include "wire/queue_json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two players' tickets with extreme numbers, one in each of the first two teams. */
static void evaluate(const struct ruleset *r) {
    static const struct str items[] = {{"a", 1}, {"b", 1}};
    static const double numbers[] = {-0.0, 1e308};
    static const struct latency latencies[] = {{{"eu", 2}, 50}, {{"us", 2}, 60000}};
    static const struct attribute attributes[] = {
        {.name = {"maps", 4},
         .kind = ATTRIBUTE_MAP,
         .items = items,
         .numbers = numbers,
         .item_count = 2},
        {.name = {"mode", 4}, .kind = ATTRIBUTE_TEXT, .text = {"duel", 4}},
        {.name = {"roles", 5}, .kind = ATTRIBUTE_LIST, .items = items, .item_count = 2},
        {.name = {"skill", 5}, .kind = ATTRIBUTE_NUMBER, .number = -1e308},
    };
    static const struct player players[] = {
        {{"p1", 2}, attributes, latencies, 4, 2},
        {{"p2", 2}, attributes, latencies, 3, 1},
    };
    static const struct str queue = {"q", 1};
    static const struct ticket_spec both[] = {
        {&queue, &players[0], 1, 1},
        {&queue, &players[1], 1, 1},
    };
    struct arena *scratch = arena_new(0);
    for (int64_t age = 0; age < INT64_MAX; age = ruleset_next_step_ms(r, age)) {
        uint32_t teams = ruleset_limits_at(r, age)->team_count;
        uint32_t team_of[] = {0, teams > 1 ? 1 : 0};
        for (uint32_t count = 0; count <= 2; count++) {
            struct candidate c = {both, team_of, count, age};
            struct verdict v = ruleset_evaluate(r, &c, scratch);
            if (v.legal && v.failed_rule != RULESET_NONE) abort();
        }
        arena_reset(scratch);
    }
    struct err_text why;
    for (int i = 0; i < 2; i++) {
        if (ruleset_admit(r, &both[i], &why) != ERR_OK) continue;
        (void)ruleset_key(r, &both[i]);
        (void)ruleset_partition(r, &both[i]);
    }
    arena_free(scratch);
}

/* As many players as a match may have, in teams as they fill up: every rule, role and cost is asked
 * whatever the verdict. */
static void evaluate_full(const struct ruleset *r) {
    static struct str lists[] = {{"a", 1}, {"p7", 2}, {"tank", 4}};
    static struct attribute attributes[LIMIT_MATCH_PLAYERS];
    static struct player players[LIMIT_MATCH_PLAYERS];
    static struct ticket_spec all[LIMIT_MATCH_PLAYERS];
    static char ids[LIMIT_MATCH_PLAYERS][8];
    struct rule_report reports[LIMIT_RULES + 2];
    struct str roles[LIMIT_MATCH_PLAYERS];
    uint32_t team_of[LIMIT_MATCH_PLAYERS], n = 0;
    const struct ruleset_limits *l = ruleset_limits_at(r, 0);
    for (uint32_t t = 0; t < l->team_count; t++) {
        for (uint32_t i = 0; i < l->teams[t].players_max; i++, n++) {
            attributes[n] = (struct attribute){
                .name = STR("roles"), .kind = ATTRIBUTE_LIST, .items = lists, .item_count = n % 4};
            (void)snprintf(ids[n], sizeof ids[n], "p%u", n);
            players[n] = (struct player){str_of(ids[n]), &attributes[n], NULL, n % 2, 0};
            all[n] = (struct ticket_spec){.players = &players[n], .player_count = 1};
            team_of[n] = t;
        }
    }
    struct arena *scratch = arena_new(0);
    struct candidate c = {all, team_of, n, 0};
    struct verdict v = ruleset_explain(r, &c, reports, scratch);
    ruleset_assign_roles(r, &c, roles, scratch);
    double cost = ruleset_soft_cost(r, &c, v.region, scratch);
    if (!(cost >= 0) || !isfinite(cost)) abort();
    if (n > 1) (void)ruleset_keeps_apart(r, &all[0], &all[1]);
    for (uint32_t i = 0; i < n; i++) {
        struct err_text why;
        enum err code = ruleset_admit(r, &all[i], &why);
        (void)code;
    }
    arena_free(scratch);
}

/* The reading that collects and the one that ends at the first problem say the same. */
static void check_definition(struct str json, bool allow_shrinking, const struct err_text *first) {
    struct queue_def *def;
    struct problems all = {0};
    bool ok = queue_json_check(json, allow_shrinking, &def, NULL, &all) == ERR_OK;
    if (ok != !first || ok != (all.count == 0)) abort();
    bool told = !first;
    for (size_t i = 0; first && i < all.count; i++) /* by place; a fault's text has it in front */
        told = told || strstr(first->text, all.at[i].what.text);
    if (!told && !all.left_out) abort();
    queue_def_free(def);
    problems_fini(&all);
}

/* What is printed is read, means the same, and is printed the same. */
static void check_print(struct str json, bool allow_shrinking, const struct ruleset *r) {
    struct strbuf once = {0}, twice = {0}, words = {0}, again = {0};
    struct queue_def *def = NULL;
    struct err_text why;
    if (queue_json_print(json, allow_shrinking, &once, &why) != ERR_OK) abort();
    if (once.size <= LIMIT_RULESET_BYTES) { /* indented, it may have become too large */
        struct str text = strbuf_str(&once);
        if (queue_json_print(text, allow_shrinking, &twice, &why) != ERR_OK) abort();
        if (!str_equal(text, strbuf_str(&twice))) abort();
        if (queue_json_parse(text, allow_shrinking, &def, NULL, &why) != ERR_OK) abort();
        ruleset_describe(r, &words);
        ruleset_describe(def->ruleset, &again);
        if (!str_equal(strbuf_str(&words), strbuf_str(&again))) abort();
    }
    queue_def_free(def);
    strbuf_fini(&once);
    strbuf_fini(&twice);
    strbuf_fini(&words);
    strbuf_fini(&again);
}

static void try_definition(struct str json, bool allow_shrinking) {
    struct queue_def *def;
    struct strbuf notes = {0};
    struct err_text why;
    bool ok = queue_json_parse(json, allow_shrinking, &def, &notes, &why) == ERR_OK;
    check_definition(json, allow_shrinking, ok ? NULL : &why);
    if (ok) {
        ruleset_describe(def->ruleset, &notes);
        check_print(json, allow_shrinking, def->ruleset);
        evaluate(def->ruleset);
        evaluate_full(def->ruleset);
        queue_def_free(def);
    } else if (def) {
        abort();
    }
    strbuf_fini(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str json = {(const char *)data, size};
    struct queue_texts texts;
    struct problem fault;
    try_definition(json, size % 2 == 0);
    if (queue_json_split(json, &texts, &fault) == ERR_OK) {
        for (size_t i = 0; i < texts.count; i++)
            try_definition(texts.at[i], true);
    }
    queue_texts_fini(&texts);
    return 0;
}
