/* muster_matcher.c - Muster itself: the realm's own code in virtual time.
 *
 * Tickets are created and cancelled by commands, searches come when realm_next_due_ms says so, and
 * matches are the records that the realm emits: nothing of the matcher is rebuilt here.
 */
#include "base/map.h"
#include "base/mem.h"
#include "model/realm.h"
#include "sim/matcher.h"
#include "wire/queue_json.h"

#include <assert.h>
#include <math.h>

#define EPOCH_MS ((int64_t)1 << 40) /* wall clock of the trace's start; ids need one */
#define SEARCH_BUDGET 1000000       /* nodes per slice */
#define EXPIRE_SLICE 100000

struct named { /* a ticket of the trace and the id it has in the realm */
    struct id id;
    uint32_t place; /* in the match being read */
};

struct muster {
    struct matcher_setup setup;
    struct realm *realm;
    struct rng rng;
    struct arena *arena;
    struct map by_id; /* of struct named */
    struct named *names;
    int64_t now_ms;
};

static bool has_id(const void *value, const void *key) {
    return id_equal(((const struct named *)value)->id, *(const struct id *)key);
}

static uint32_t index_of(const struct muster *m, struct id id) {
    const struct named *n = map_get(&m->by_id, id_hash(id), has_id, &id);
    assert(n);
    return (uint32_t)(n - m->names);
}

static void take_match(struct muster *m, const struct match_spec *spec) {
    uint32_t *tickets = arena_alloc(m->arena, spec->ticket_count * sizeof *tickets);
    struct field_match out = {.tickets = tickets, .ticket_count = spec->ticket_count};
    out.at_ms = spec->created_ms - EPOCH_MS;
    out.region = spec->region.size ? field_region(m->setup.field, spec->region) : FIELD_NONE;
    for (uint32_t i = 0; i < spec->ticket_count; i++) {
        tickets[i] = index_of(m, spec->ticket_ids[i]);
        m->names[tickets[i]].place = i;
    }
    for (uint32_t t = 0; t < spec->team_count; t++)
        for (uint32_t k = 0; k < spec->teams[t].member_count; k++)
            out.team_of[m->names[index_of(m, spec->teams[t].members[k].ticket_id)].place] = t;
    m->setup.sink(m->setup.sink_arg, &out);
}

static void take_record(void *arg, struct record *r) {
    if (r->kind == RECORD_MATCH_CREATED) take_match(arg, &r->match_created);
}

static struct decision decision(struct muster *m, int64_t now_ms) {
    m->now_ms = now_ms;
    return (struct decision){EPOCH_MS + now_ms, &m->rng, m->arena, take_record, m};
}

static struct muster *muster_of(struct matcher *m) {
    return (struct muster *)(void *)m;
}

/* Knobs that are no number leave what the definition says, and so does a deadline of 0. A patience
 * of 0 takes the first legal match, one below 0 the one that the arrivals suggest. */
static void set_patience(struct patience *p, const double *knobs) {
    if (!isnan(knobs[0])) {
        p->is_on = knobs[0] != 0;
        p->is_derived = knobs[0] < 0;
        p->points_per_s = fmax(0, knobs[0]);
    }
    if (knobs[1] > 0) p->deadline_ms = (int64_t)(knobs[1] * 1000);
}

static struct matcher *open(const struct matcher_setup *setup) {
    struct muster *m = mem_alloc(sizeof *m);
    m->setup = *setup;
    m->realm = realm_new(0);
    m->arena = arena_new(0);
    m->names = mem_array(setup->field->trace->count + 1, sizeof *m->names);
    rng_init(&m->rng, setup->seed);
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    struct err_text why;
    struct outcome out;
    struct decision d = decision(m, 0);
    enum err code = queue_json_parse(setup->queue_json, true, &c.put_queue.def, NULL, &why);
    if (code == ERR_OK) set_patience(&c.put_queue.def->patience, setup->knobs);
    if (code == ERR_OK) code = realm_decide(m->realm, &c, &d, &out, &why);
    queue_def_free(c.put_queue.def);
    arena_reset(m->arena);
    assert(code == ERR_OK); /* the same rules were read before, for the field */
    return (struct matcher *)(void *)m;
}

static void shut(struct matcher *matcher) {
    struct muster *m = muster_of(matcher);
    realm_free(m->realm);
    arena_free(m->arena);
    map_fini(&m->by_id);
    mem_free(m->names);
    mem_free(m);
}

static void arrive(struct matcher *matcher, uint32_t ticket, int64_t now_ms) {
    struct muster *m = muster_of(matcher);
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = m->setup.field->trace->tickets[ticket].spec;
    struct decision d = decision(m, now_ms);
    struct outcome out;
    struct err_text why;
    if (realm_decide(m->realm, &c, &d, &out, &why) == ERR_OK) {
        m->names[ticket].id = out.ticket->id;
        m->setup.promises[ticket] = out.ticket->promised;
        map_put(&m->by_id, id_hash(out.ticket->id), &m->names[ticket]);
    }
    arena_reset(m->arena);
}

static void leave(struct matcher *matcher, uint32_t ticket, int64_t now_ms) {
    struct muster *m = muster_of(matcher);
    struct command c = {.kind = COMMAND_CANCEL_TICKET};
    c.cancel_ticket.ticket_id = m->names[ticket].id;
    c.cancel_ticket.reason = STR("left");
    struct decision d = decision(m, now_ms);
    struct outcome out;
    struct err_text why;
    enum err code = realm_decide(m->realm, &c, &d, &out, &why);
    /* It may have expired by itself, or never have been admitted. */
    assert(code == ERR_OK || code == ERR_FAILED_PRECONDITION || code == ERR_NOT_FOUND);
    arena_reset(m->arena);
}

static int64_t due_ms(const struct matcher *matcher) {
    const struct muster *m = (const struct muster *)(const void *)matcher;
    int64_t due = realm_next_due_ms(m->realm);
    if (due == INT64_MAX) return due;
    return due - EPOCH_MS > m->now_ms ? due - EPOCH_MS : m->now_ms;
}

static void turn(struct matcher *matcher, int64_t now_ms) {
    struct muster *m = muster_of(matcher);
    struct decision d = decision(m, now_ms);
    while (realm_expire(m->realm, &d, EXPIRE_SLICE) == EXPIRE_SLICE)
        arena_reset(m->arena);
    while (realm_search(m->realm, &d, SEARCH_BUDGET))
        arena_reset(m->arena);
    arena_reset(m->arena);
}

const struct matcher_kind muster_matcher = {
    .name = "muster",
    .text = "Muster: the realm's own code",
    .knobs = {{.name = "patience",
               .fallback = NAN,
               .grid = {0,   0.02, 0.05, 0.1, 0.14, 0.2, 0.27, 0.35, 0.47, 0.6, 0.8, 1,
                        1.3, 1.6,  2,    2.5, 3.2,  4,   5,    6,    7.5,  9,   11,  13,
                        16,  19,   23,   28,  34,   40,  50,   60,   75,   90,  110, 140,
                        180, 220,  300,  400, 600,  900, 1600, 3000, NAN}},
              {.name = "deadline", .fallback = NAN, .grid = {0, 250, 750, NAN}}},
    .open = open,
    .arrive = arrive,
    .leave = leave,
    .due_ms = due_ms,
    .turn = turn,
    .close = shut,
};
