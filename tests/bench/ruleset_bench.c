/* ruleset_bench.c - figures of the rule language: definitions parsed, candidates judged and matches
 * formed a second of CPU.
 *
 *   ruleset_bench FILE...   every queue of the files, over a match of its smallest size, of players
 *                           with the attributes' defaults, skills 995 to 1005, and 30 ms to one
 * region
 */
#include "wire/queue_json.h"

#include "base/limits.h"
#include "model/explain.h"
#include "model/realm.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct attribute numbers[LIMIT_MATCH_PLAYERS];
static char ids[LIMIT_MATCH_PLAYERS][16];
static const struct latency latencies[] = {{{"eu", 2}, 30}};

static struct player player_of(uint32_t i) {
    numbers[i] =
        (struct attribute){.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = 995 + i % 11};
    (void)snprintf(ids[i], sizeof ids[i], "player-%u", i);
    return (struct player){str_of(ids[i]), &numbers[i], latencies, 1, 1};
}

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
    static struct ticket_spec group[LIMIT_MATCH_PLAYERS];
    static uint32_t team_of[LIMIT_MATCH_PLAYERS];
    static const struct str queue = {"q", 1};
    struct arena *scratch = arena_new(0);
    uint32_t n = ruleset_limits_at(r, 0)->players_min;
    for (uint32_t i = 0; i < n; i++) {
        all[i] = player_of(i);
        group[i] = (struct ticket_spec){&queue, &all[i], 1, 1};
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

static void count_match(void *arg, struct record *r) {
    *(unsigned *)arg += r->kind == RECORD_MATCH_CREATED;
}

/* Creates a match's players one by one and searches, again and again, in a realm. */
static double matches_per_s(struct str json, uint32_t players) {
    struct realm *realm = realm_new(0);
    struct arena *arena = arena_new(0);
    struct rng rng;
    unsigned matches = 0;
    struct decision d = {1000000, &rng, arena, count_match, &matches};
    struct err_text why;
    struct outcome out;
    struct command put = {.kind = COMMAND_PUT_QUEUE};
    rng_init(&rng, 1);
    if (queue_json_parse(json, false, &put.put_queue.def, NULL, &why) != ERR_OK) abort();
    char name[LIMIT_NAME_BYTES + 1];
    (void)snprintf(name, sizeof name, "%.*s", STR_PRINT(put.put_queue.def->name));
    const struct str queue = str_of(name);
    if (realm_decide(realm, &put, &d, &out, &why) != ERR_OK) abort();
    double start = now_s(), spent = 0;
    while (spent < 0.5) {
        for (uint32_t i = 0; i < players; i++) {
            struct player p = player_of(i);
            struct command c = {.kind = COMMAND_CREATE_TICKET};
            c.create_ticket.spec = (struct ticket_spec){&queue, &p, 1, 1};
            enum err left = realm_decide(realm, &c, &d, &out, &why); /* one may still wait */
            (void)left;
        }
        d.now_ms += 60000;
        while (realm_search(realm, &d, 100000)) {
        }
        realm_expire(realm, &d, 1000000);
        arena_reset(arena);
        spent = now_s() - start;
        if (matches == 0) break; /* alike players are no match by these rules */
    }
    realm_free(realm);
    arena_free(arena);
    return matches / spent;
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
    printf("%-32.*s %8.0f parsed/s %9.0f judged/s %8.0f formed/s, of %u players (%s)\n",
           STR_PRINT(def->name), parsed, judged, matches_per_s(json, players), players,
           legal ? "legal" : "refused");
    queue_def_free(def);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct strbuf file = {0};
        struct queue_texts texts;
        struct problem fault;
        FILE *f = fopen(argv[i], "rb");
        for (int c; f && (c = fgetc(f)) != EOF;)
            strbuf_add_char(&file, (char)c);
        if (f) (void)fclose(f);
        if (queue_json_split(strbuf_str(&file), &texts, &fault) == ERR_OK) {
            for (size_t k = 0; k < texts.count; k++)
                measure(texts.at[k]);
        } else {
            (void)fprintf(stderr, "%s: %s\n", argv[i], fault.what.text);
        }
        queue_texts_fini(&texts);
        strbuf_fini(&file);
    }
    return 0;
}
