/* candidate_json.c - tickets and their teams from JSON, by the tables of json_read.h. */
#include "wire/candidate_json.h"

#include "base/limits.h"
#include "model/explain.h"
#include "wire/candidate_report.h"
#include "wire/fields.h"
#include "wire/json.h"
#include "wire/json_read.h"
#include "wire/player_codec.h"

#include <stdlib.h>

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])

struct ticket_json {
    const json_t *players, *queues;
    struct str team;
    int64_t age_ms;
};

static const struct json_read_row ticket_rows[] = {
    {.name = "players",
     .kind = READ_VALUE,
     .required = true,
     .offset = offsetof(struct ticket_json, players)},
    {.name = "team",
     .kind = READ_TEXT,
     .low = 1,
     .high = LIMIT_NAME_BYTES + 4,
     .offset = offsetof(struct ticket_json, team)},
    {.name = "ageSeconds",
     .kind = READ_MS,
     .high = 43200,
     .offset = offsetof(struct ticket_json, age_ms)},
    {.name = "queues", .kind = READ_VALUE, .offset = offsetof(struct ticket_json, queues)},
};

static enum err read_ticket(struct json_reader *r, const json_t *value, void *into) {
    return json_read_object(r, value, ROWS(ticket_rows), into);
}

struct reading {
    struct json_reader reader;
    const struct ruleset *rules;
    const ProtobufCMessageDescriptor *request;
};

/* Players go the way of a CreateTicketRequest, so that they are checked as there. */
static enum err read_players(const struct reading *x, const json_t *players,
                             struct ticket_spec *out, struct err_text *why) {
    struct arena *arena = x->reader.arena;
    json_t *request = json_object();
    json_object_set(request, "players", (json_t *)players); /* shares it; only reads */
    char *text = json_dumps(request, JSON_COMPACT);
    ProtobufCMessage *message = NULL;
    enum err code = json_to_message(str_of(text), x->request, &message, why);
    if (!code) {
        size_t size = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = arena_alloc(arena, size + 1);
        protobuf_c_message_pack(message, packed);
        struct player_source source = {{(char *)packed, size}, CreateTicketRequest_players, ""};
        code = player_codec_read(&source, arena, out, why);
    }
    if (message) protobuf_c_message_free_unpacked(message, NULL);
    free(text); /* jansson's */
    json_decref(request);
    return code;
}

static enum err find_team(struct json_reader *r, const struct ruleset_limits *l, struct str name,
                          uint32_t *out) {
    const char *names[LIMIT_TEAMS];
    for (uint32_t t = 0; t < l->team_count; t++) {
        if (str_equal(l->teams[t].name, name)) {
            *out = t;
            return ERR_OK;
        }
        names[t] = arena_str(r->arena, l->teams[t].name).at;
    }
    const char *nearest = str_nearest(name, names, l->team_count);
    return json_read_refuse(r, "\"%.*s\" is no team%s%s%s", STR_PRINT(name),
                            nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                            nearest ? "\"?" : "");
}

static enum err read_one(struct reading *x, const struct ticket_json *j, struct ticket_spec *out) {
    struct err_text problem = {0};
    enum err code = read_players(x, j->players, out, &problem);
    if (!code) code = ruleset_admit(x->rules, out, &problem);
    return code ? json_read_refuse(&x->reader, "would be refused: %s", problem.text) : ERR_OK;
}

/* All tickets name their teams, or none. */
static enum err read_teams(struct json_reader *r, const struct ruleset *rules,
                           const struct ticket_json *j, struct candidate *out) {
    const struct ruleset_limits *l = ruleset_limits_at(rules, out->age_ms);
    uint32_t *team_of = arena_alloc(r->arena, out->ticket_count * sizeof *team_of), named = 0;
    out->team_of = team_of;
    for (uint32_t i = 0; i < out->ticket_count; i++) {
        if (j[i].team.size == 0) continue;
        size_t mark = json_read_enter(r, "tickets", SIZE_MAX);
        json_read_enter(r, NULL, i);
        json_read_enter(r, "team", SIZE_MAX);
        enum err code = find_team(r, l, j[i].team, &team_of[i]);
        json_read_leave(r, mark);
        if (code) return code;
        named++;
    }
    if (named == out->ticket_count) return ERR_OK;
    if (named > 0) {
        return json_read_refuse(r, "name a team for some and not for others: %u of %u", named,
                                out->ticket_count);
    }
    if (explain_place(rules, out, team_of, r->arena)) return ERR_OK;
    return json_read_refuse(r,
                            "do not fit into the teams after %g s; name their teams to see how "
                            "the rules judge them",
                            (double)out->age_ms / 1000);
}

static enum err read_tickets(struct reading *x, const json_t *tree, struct candidate *out) {
    static const struct json_read_list list = {sizeof(struct ticket_json), LIMIT_MATCH_PLAYERS,
                                               read_ticket};
    struct json_reader *r = &x->reader;
    const json_t *tickets = json_is_array(tree) ? tree : json_object_get(tree, "tickets");
    struct ticket_json *j = NULL;
    if (!tickets) return json_read_refuse(r, "must be a list, or an object with \"tickets\"");
    size_t mark = json_read_enter(r, "tickets", SIZE_MAX);
    enum err code = json_read_items(r, tickets, &list, &j, &out->ticket_count);
    if (!code && out->ticket_count == 0) code = json_read_refuse(r, "is empty; needs 1 or more");
    struct ticket_spec *all = arena_alloc(r->arena, (out->ticket_count + 1) * sizeof *all);
    int64_t *created_ms = arena_alloc(r->arena, (out->ticket_count + 1) * sizeof *created_ms);
    out->specs = all;
    for (uint32_t i = 0; !code && i < out->ticket_count; i++) {
        size_t inner = json_read_enter(r, NULL, i);
        code = read_one(x, &j[i], &all[i]);
        json_read_leave(r, inner);
        created_ms[i] = -j[i].age_ms;
    }
    json_read_leave(r, mark);
    if (code) return code;
    out->age_ms = explain_age_ms(x->rules, created_ms, out->ticket_count, 0);
    return read_teams(r, x->rules, j, out);
}

enum err candidate_json_read(const struct candidate_source *source, const struct ruleset *r,
                             struct arena *arena, struct candidate *out, struct err_text *why) {
    struct reading x = {.reader = {.arena = arena, .why = why, .root = "tickets"},
                        .rules = r,
                        .request = source->request};
    struct strbuf clean = {0};
    json_t *tree = NULL;
    *out = (struct candidate){0};
    struct problem fault;
    enum err code = json_read_load(source->json, &clean, &tree, &fault);
    if (code) problem_text(&fault, why);
    if (!code) code = read_tickets(&x, tree, out);
    json_decref(tree);
    strbuf_fini(&clean);
    return code;
}

enum err candidate_json_explain(const struct candidate_source *source, const struct queue_def *def,
                                struct candidate_words *out, struct err_text *why) {
    struct candidate c;
    struct arena *arena = arena_new(0);
    enum err code = candidate_json_read(source, def->ruleset, arena, &c, why);
    if (!code) {
        out->legal = ruleset_evaluate(def->ruleset, &c, arena).legal;
        if (out->as_json)
            candidate_report_json(def->ruleset, &c, def->name, &out->text);
        else
            explain_text(def->ruleset, &c, &out->text);
    }
    arena_free(arena);
    return code;
}
