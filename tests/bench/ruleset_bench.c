/* ruleset_bench.c - figures of the rule language: definitions parsed and candidates judged a
 * second.
 *
 *   ruleset_bench FILE...   every queue of the files, over a match of its smallest size, of players
 *                           with the attributes' defaults and 30 ms to one region
 */
#include "wire/queue_json.h"

#include "base/limits.h"
#include "model/explain.h"

#include <stdio.h>
#include <time.h>

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const struct attribute numbers[] = {
    {.name = {"skill", 5}, .kind = ATTRIBUTE_NUMBER, .number = 1000}};
static const struct latency latencies[] = {{{"eu", 2}, 30}};

static double parses_per_s(struct str json) {
    double start = now_s(), spent = 0;
    unsigned count = 0;
    while (spent < 0.3) {
        struct queue_def *def;
        struct err_text why;
        if (queue_json_parse(json, false, &def, NULL, &why) == ERR_OK) queue_def_free(def);
        count++;
        spent = now_s() - start;
    }
    return count / spent;
}

static double judgements_per_s(const struct ruleset *r, uint32_t *players, bool *legal) {
    static struct player all[LIMIT_MATCH_PLAYERS];
    static struct ticket tickets[LIMIT_MATCH_PLAYERS];
    static const struct ticket *group[LIMIT_MATCH_PLAYERS];
    static uint32_t team_of[LIMIT_MATCH_PLAYERS];
    static const struct str queue = {"q", 1};
    struct arena *scratch = arena_new(0);
    uint32_t n = ruleset_limits_at(r, 0)->players_min;
    for (uint32_t i = 0; i < n; i++) {
        all[i] = (struct player){{"p", 1}, numbers, latencies, 1, 1};
        tickets[i].spec = (struct ticket_spec){&queue, &all[i], 1, 1};
        group[i] = &tickets[i];
    }
    struct candidate c = {group, team_of, n, 0};
    *players = n;
    *legal = explain_place(r, &c, team_of, scratch) && ruleset_evaluate(r, &c, scratch).legal;
    double start = now_s(), spent = 0;
    unsigned count = 0;
    while (spent < 0.3) {
        for (int k = 0; k < 100; k++, count++) {
            (void)ruleset_evaluate(r, &c, scratch);
            arena_reset(scratch);
        }
        spent = now_s() - start;
    }
    arena_free(scratch);
    return count / spent;
}

static void measure(struct str json) {
    struct queue_def *def;
    struct err_text why;
    uint32_t players;
    bool legal;
    if (queue_json_parse(json, false, &def, NULL, &why) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        return;
    }
    double parsed = parses_per_s(json);
    double judged = judgements_per_s(def->ruleset, &players, &legal);
    printf("%.*s: %.0f parsed/s, %.0f judged/s of %u players (%s)\n", STR_PRINT(def->name), parsed,
           judged, players, legal ? "legal" : "refused");
    queue_def_free(def);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct strbuf file = {0};
        struct queue_texts texts;
        struct err_text why;
        FILE *f = fopen(argv[i], "rb");
        for (int c; f && (c = fgetc(f)) != EOF;)
            strbuf_add_char(&file, (char)c);
        if (f) (void)fclose(f);
        if (queue_json_split(strbuf_str(&file), &texts, &why) == ERR_OK) {
            for (size_t k = 0; k < texts.count; k++)
                measure(texts.at[k]);
        } else {
            (void)fprintf(stderr, "%s: %s\n", argv[i], why.text);
        }
        queue_texts_fini(&texts);
        strbuf_fini(&file);
    }
    return 0;
}
