/* arrivals.c - workloads as tickets that are due. */
#include "sim/arrivals.h"

#include "base/rng.h"
#include "sim/peers.h"
#include "wire/queue_json.h"

#include <string.h>

static enum err unknown(const char *name, struct err_text *why) {
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < workload_count; i++)
        names[count++] = workloads[i].name;
    for (size_t i = 0; i < peer_count; i++)
        names[count++] = peers[i].name;
    const char *near = str_nearest(str_of(name), names, count);
    return err_set_field(why, ERR_INVALID_ARGUMENT, "workload",
                         "there is no workload \"%.64s\"%s%s%s; --list has them", name,
                         near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Before anything is drawn. */
static enum err check_count(double count, struct err_text *why) {
    if (count <= ARRIVALS_TICKETS_MAX) return ERR_OK;
    return err_set(why, ERR_RESOURCE_EXHAUSTED, "that would be %.0f tickets, allowed are %d", count,
                   ARRIVALS_TICKETS_MAX);
}

static enum err open_workload(struct arrivals *a, const struct workload *w,
                              const struct arrivals_request *q, struct err_text *why) {
    a->text = w->text;
    a->rate = q->rate > 0 ? q->rate : w->rates[0];
    a->match_players = w->teams * w->team_players;
    for (uint32_t size = 1; size <= WORKLOAD_SIZES; size++)
        if (w->sizes[size - 1] > 0) a->party_max = size;
    if (w->crowd && a->party_max < 3) a->party_max = 3;
    enum err code = check_count(a->rate * q->duration_s + w->crowd, why);
    if (code != ERR_OK) return code;
    struct trace_request r = {w, str_of(q->queue), a->rate, q->duration_s, q->seed, true};
    trace_generate(&a->trace, &r);
    workload_write_queue(w, str_of(q->queue), &a->queue_json);
    a->before = w->crowd;
    return ERR_OK;
}

static enum err open_peer(struct arrivals *a, const struct peer *p,
                          const struct arrivals_request *q, struct err_text *why) {
    a->text = p->text;
    a->rate = p->rate == 0 ? 0 : q->rate > 0 ? q->rate : p->rate;
    a->match_players = p->teams * p->players_min;
    a->party_max = 1;
    enum err code = check_count(a->rate * q->duration_s, why);
    if (code != ERR_OK) return code;
    struct peer_request r = {p, str_of(q->queue), a->rate, q->duration_s, q->seed};
    peer_draw(&a->trace, &r);
    peer_write_queue(p, str_of(q->queue), &a->queue_json);
    a->before = p->before;
    return ERR_OK;
}

/* Leaves out whom the rules admit nowhere, as two who are both tanks: a server refuses them. */
static enum err leave_out(struct arrivals *a, struct err_text *why) {
    struct queue_def *def = NULL;
    struct err_text ignored;
    enum err code = queue_json_parse(strbuf_str(&a->queue_json), true, &def, NULL, why);
    for (size_t i = 0; code == ERR_OK && i < a->trace.count; i++)
        if (ruleset_admit(def->ruleset, &a->trace.tickets[i].spec, &ignored) == ERR_OK)
            a->trace.tickets[a->count++] = a->trace.tickets[i];
    queue_def_free(def);
    return code;
}

static void name_players(struct arrivals *a, const char *prefix) {
    struct arena *arena = a->trace.arena;
    a->prefix = arena_printf(arena, "%s-", prefix);
    for (size_t i = 0; i < a->count; i++) {
        struct ticket_spec *spec = &a->trace.tickets[i].spec;
        struct player *players = arena_alloc(arena, spec->player_count * sizeof *players);
        for (uint32_t k = 0; k < spec->player_count; k++) {
            players[k] = spec->players[k];
            players[k].id = k ? arena_printf(arena, "%s-%zu.%u", prefix, i, k)
                              : arena_printf(arena, "%s-%zu", prefix, i);
        }
        spec->players = players;
    }
}

/* A trace counts milliseconds. Those who came in one are, in a Poisson process, spread over it
 * evenly and apart from each other: they are sorted as they are drawn. */
static void spread(struct arrivals *a, uint64_t seed) {
    struct rng rng;
    rng_init(&rng, seed ^ 0xd0e);
    a->due_us = mem_array(a->count + 1, sizeof *a->due_us);
    for (size_t i = a->before; a->rate > 0 && i < a->count; i++) {
        int64_t ms = a->trace.tickets[i].at_ms, due = ms * 1000 + (int64_t)rng_below(&rng, 1000);
        size_t at = i;
        for (; at > a->before && a->due_us[at - 1] > due; at--)
            a->due_us[at] = a->due_us[at - 1];
        a->due_us[at] = due;
    }
}

enum err arrivals_open(struct arrivals *a, const struct arrivals_request *q, struct err_text *why) {
    *a = (struct arrivals){0};
    const struct workload *w = workload_find(q->workload);
    const struct peer *p = peer_find(q->workload);
    if (!w && !p) return unknown(q->workload, why);
    enum err code = w ? open_workload(a, w, q, why) : open_peer(a, p, q, why);
    if (code == ERR_OK) code = leave_out(a, why);
    if (code != ERR_OK) return code;
    name_players(a, q->prefix);
    spread(a, q->seed);
    return ERR_OK;
}

void arrivals_close(struct arrivals *a) {
    trace_fini(&a->trace);
    strbuf_fini(&a->queue_json);
    mem_free(a->due_us);
    *a = (struct arrivals){0};
}

size_t arrivals_find(const struct arrivals *a, struct str player_id) {
    size_t index = 0, at = a->prefix.size;
    if (!str_starts(player_id, a->prefix) || at == player_id.size) return SIZE_MAX;
    for (; at < player_id.size && player_id.at[at] != '.'; at++) {
        unsigned digit = (unsigned)(player_id.at[at] - '0');
        if (digit > 9 || index > a->count) return SIZE_MAX;
        index = 10 * index + digit;
    }
    return index < a->count ? index : SIZE_MAX;
}

size_t arrivals_due(const struct arrivals *a, size_t from, int64_t now_us, size_t most) {
    size_t due = 0;
    while (due < most && from + due < a->count && a->due_us[from + due] <= now_us)
        due++;
    return due;
}

static void describe(struct strbuf *out, const char *name, double rate, const char *text) {
    strbuf_printf(out, "  %-18s", name);
    if (rate > 0)
        strbuf_printf(out, " %6g/s", rate);
    else
        strbuf_add_str(out, STR("  at once"));
    strbuf_printf(out, "  %s\n", text);
}

void arrivals_describe(struct strbuf *out) {
    for (size_t i = 0; i < workload_count; i++)
        describe(out, workloads[i].name, workloads[i].rates[0], workloads[i].text);
    for (size_t i = 0; i < peer_count; i++)
        describe(out, peers[i].name, peers[i].rate, peers[i].text);
}
