/* workload.c - the table of workloads. */
#include "sim/workload.h"

#include "wire/json_write.h"

#include <string.h>

#define RATING 1500, 350, 0, 0, 0
#define RARE_SKILL 1500, 250, 0.1, 2300, 200
#define SOLOS \
    { 1 }
#define PARTIES \
    { 0.60, 0.22, 0.09, 0.03, 0.06 }
#define ONE_REGION \
    { 1 }
#define NO_ROLES \
    { 0 }

const struct workload workloads[] = {
    {"W1",
     "1v1 ladder, one region",
     2,
     1,
     {5, 0.5, 50, 500},
     300,
     SHAPE_STEADY,
     0,
     RATING,
     SOLOS,
     ONE_REGION,
     0,
     NO_ROLES,
     0},
    {"W2",
     "5v5, parties of 1 to 5, four regions",
     2,
     5,
     {20, 2, 100},
     300,
     SHAPE_STEADY,
     0,
     RATING,
     PARTIES,
     {0.4, 0.3, 0.2, 0.1},
     200,
     NO_ROLES,
     0},
    {"W2s",
     "5v5, solo players, one region",
     2,
     5,
     {20, 50},
     300,
     SHAPE_STEADY,
     0,
     RATING,
     SOLOS,
     ONE_REGION,
     0,
     NO_ROLES,
     0},
    {"W3",
     "5v5 with roles (1 tank, 2 dps, 2 support), two regions",
     2,
     5,
     {20},
     300,
     SHAPE_STEADY,
     0,
     RATING,
     {0.85, 0.15},
     {0.6, 0.4},
     200,
     {0.19, 0.45, 0.36},
     0.3},
    {"W3x",
     "W3 with too many dps: some must expire",
     2,
     5,
     {20},
     300,
     SHAPE_STEADY,
     0,
     RATING,
     {0.85, 0.15},
     {0.6, 0.4},
     200,
     {0.12, 0.60, 0.28},
     0.15},
    {"W4",
     "battle royale, 25 squads of 4, six regions",
     25,
     4,
     {50},
     300,
     SHAPE_STEADY,
     0,
     RATING,
     {0.35, 0.25, 0.15, 0.25},
     {0.30, 0.22, 0.18, 0.14, 0.10, 0.06},
     200,
     NO_ROLES,
     0},
    {"W5",
     "1v1 at night with rare experts, three regions",
     2,
     1,
     {0.05},
     900,
     SHAPE_STEADY,
     0,
     RARE_SKILL,
     SOLOS,
     {0.6, 0.3, 0.1},
     200,
     NO_ROLES,
     0},
    {"W5t",
     "5v5 at night with rare experts, parties, three regions",
     2,
     5,
     {0.3},
     900,
     SHAPE_STEADY,
     0,
     RARE_SKILL,
     PARTIES,
     {0.6, 0.3, 0.1},
     200,
     NO_ROLES,
     0},
    {"W6",
     "flash crowd of 5v5 (as W2)",
     2,
     5,
     {50},
     300,
     SHAPE_FLASH,
     0,
     RATING,
     PARTIES,
     {0.4, 0.3, 0.2, 0.1},
     200,
     NO_ROLES,
     0},
    {"W6d",
     "flash crowd of 1v1 (as W1)",
     2,
     1,
     {50},
     300,
     SHAPE_FLASH,
     0,
     RATING,
     SOLOS,
     ONE_REGION,
     0,
     NO_ROLES,
     0},
    {"W7",
     "a day of 5v5 (as W2), each region in its own time zone",
     2,
     5,
     {2},
     300,
     SHAPE_DAY,
     0,
     RATING,
     PARTIES,
     {0.4, 0.3, 0.2, 0.1},
     200,
     NO_ROLES,
     0},
    {"W8",
     "5v5 beside 10,000 parties of three that cannot be matched among themselves",
     2,
     5,
     {1000},
     3600,
     SHAPE_STRESS,
     10000,
     RATING,
     {0.5, 0.5},
     ONE_REGION,
     0,
     NO_ROLES,
     0},
    {"W8_100k",
     "W8 beside 100,000 parties of three",
     2,
     5,
     {1000},
     3600,
     SHAPE_STRESS,
     100000,
     RATING,
     {0.5, 0.5},
     ONE_REGION,
     0,
     NO_ROLES,
     0},
    {"W8_1m",
     "W8 beside 1,000,000 parties of three",
     2,
     5,
     {1000},
     3600,
     SHAPE_STRESS,
     1000000,
     RATING,
     {0.5, 0.5},
     ONE_REGION,
     0,
     NO_ROLES,
     0},
};
const size_t workload_count = sizeof workloads / sizeof workloads[0];

const char *const workload_regions[WORKLOAD_REGIONS] = {"eu",   "us-east", "us-west",
                                                        "asia", "sa",      "oceania"};
const int workload_regions_by_name[WORKLOAD_REGIONS] = {3, 0, 5, 4, 1, 2};
const int workload_rtt_ms[WORKLOAD_REGIONS][WORKLOAD_REGIONS] = {
    {0, 80, 140, 200, 190, 270},  {80, 0, 65, 190, 115, 200},   {140, 65, 0, 130, 170, 150},
    {200, 190, 130, 0, 280, 110}, {190, 115, 170, 280, 0, 260}, {270, 200, 150, 110, 260, 0},
};
const char *const workload_roles[WORKLOAD_ROLES] = {"tank", "dps", "support"};
const uint32_t workload_role_slots[WORKLOAD_ROLES] = {1, 2, 2};

const struct workload *workload_find(const char *name) {
    for (size_t i = 0; i < workload_count; i++)
        if (strcmp(workloads[i].name, name) == 0) return &workloads[i];
    return NULL;
}

double workload_duration_s(const struct workload *w, double rate) {
    if (w->shape == SHAPE_DAY) return 86400;
    if (w->shape == SHAPE_FLASH) return 300;
    if (w->shape == SHAPE_STRESS) return 10;
    double s = 6000 / rate;
    return s < 60 ? 60 : s > 86400 ? 86400 : s;
}

static void write_rules(struct json_write *w, const struct workload *l) {
    json_write_open(w, "rules", '[');
    json_write_open(w, NULL, '{');
    json_write_text(w, "name", STR("Skill"));
    json_write_text(w, "type", STR("batchDistance"));
    json_write_text(w, "batchAttribute", STR("skill"));
    json_write_int(w, "maxDistance", 3000);
    json_write_close(w);
    if (l->latency_ms) {
        json_write_open(w, NULL, '{');
        json_write_text(w, "name", STR("Reach"));
        json_write_text(w, "type", STR("latency"));
        json_write_int(w, "maxLatency", l->latency_ms);
        json_write_close(w);
    }
    json_write_close(w);
}

/* Of each role exactly its places in every team. */
static void write_roles(struct json_write *w) {
    json_write_open(w, "muster", '{');
    json_write_open(w, "roles", '{');
    json_write_text(w, "attribute", STR("roles"));
    json_write_open(w, "perTeam", '[');
    for (int r = 0; r < WORKLOAD_ROLES; r++) {
        json_write_open(w, NULL, '{');
        json_write_text(w, "name", str_of(workload_roles[r]));
        json_write_int(w, "minPlayers", workload_role_slots[r]);
        json_write_int(w, "maxPlayers", workload_role_slots[r]);
        json_write_close(w);
    }
    json_write_close(w);
    json_write_close(w);
    json_write_close(w);
}

static void write_attribute(struct json_write *w, const char *name, const char *type) {
    json_write_open(w, NULL, '{');
    json_write_text(w, "name", str_of(name));
    json_write_text(w, "type", str_of(type));
    json_write_close(w);
}

void workload_write_queue(const struct workload *l, struct str name, struct strbuf *out) {
    struct json_write w = json_write_to(out);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "name", name);
    json_write_text(&w, "description", str_of(l->text));
    json_write_int(&w, "ticketTimeoutSeconds", l->timeout_s);
    json_write_text(&w, "patience", STR("auto"));
    json_write_int(&w, "qualityScale", 100); /* skill is in rating points already */
    json_write_open(&w, "ruleset", '{');
    json_write_text(&w, "ruleLanguageVersion", STR("1.0"));
    json_write_open(&w, "playerAttributes", '[');
    write_attribute(&w, "skill", "number");
    if (l->roles[0] > 0) write_attribute(&w, "roles", "string_list");
    json_write_close(&w);
    json_write_open(&w, "algorithm", '{');
    json_write_text(&w, "expansionAgeSelection", STR("oldest"));
    json_write_close(&w);
    json_write_open(&w, "teams", '[');
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "name", STR("team"));
    json_write_int(&w, "quantity", l->teams);
    json_write_int(&w, "minPlayers", l->team_players);
    json_write_int(&w, "maxPlayers", l->team_players);
    json_write_close(&w);
    json_write_close(&w);
    write_rules(&w, l);
    if (l->roles[0] > 0) write_roles(&w);
    json_write_close(&w);
    json_write_close(&w);
}
