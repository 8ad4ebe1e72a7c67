/* decide.c - the realm's clock, and where its records go. */
#include "matcher/decide.h"

#include "base/clock.h"
#include "base/log.h"
#include "matcher/answer.h"
#include "matcher/matcher_state.h"

int64_t decide_now_ms(const struct matcher *m) {
    return m->clock_base_ms + (clock_mono_us() - m->clock_base_us) / 1000;
}

static void note_match(struct matcher *m, const struct match_spec *spec) {
    if (spec->state == MATCH_CONFIRMED) counts_match(&m->counts, spec);
    for (uint32_t i = 0; i < spec->ticket_count; i++)
        watch_note(&m->watches, spec->ticket_ids[i]);
}

static void note_joined(struct matcher *m, const struct record *r) {
    for (uint32_t i = 0; i < r->roster_changed.ticket_count; i++)
        watch_note(&m->watches, r->roster_changed.ticket_ids[i]);
}

static void log_traces(const struct record *r) {
    static const char *const kinds[] = {
        [RECORD_TICKET_CREATED] = "ticket_created", [RECORD_TICKET_UPDATED] = "ticket_updated",
        [RECORD_TICKET_ENDED] = "ticket_ended",     [RECORD_MATCH_CREATED] = "match_created",
        [RECORD_MATCH_UPDATED] = "match_updated",   [RECORD_ROSTER_CHANGED] = "roster_changed",
    };
    char id[ID_TEXT_BYTES], text[TRACEPARENT_TEXT_BYTES];
    for (uint32_t i = 0; i < r->trace_count && log_enabled(LOG_LEVEL_DEBUG); i++) {
        if (traceparent_is_none(&r->traces[i])) continue;
        id_format(record_subject(r), id);
        traceparent_format(&r->traces[i], text);
        LOG_DEBUG("decided", "record=%s of=%s traceparent=%s", kinds[r->kind], id, text);
    }
}

/* Takes each record just before it is applied. */
static void take_record(void *arg, struct record *r) {
    struct matcher *m = arg;
    batch_add(&m->batch, r);
    if (r->carried) return;
    log_traces(r);
    if (r->kind == RECORD_TICKET_ENDED) watch_note(&m->watches, r->ticket_ended.id);
    if (r->kind == RECORD_MATCH_CREATED) note_match(m, &r->match_created);
    if (r->kind == RECORD_ROSTER_CHANGED) note_joined(m, r);
    if (r->kind == RECORD_MATCH_UPDATED) note_match(m, &r->match_updated.spec);
}

struct decision decide_now(struct matcher *m) {
    return (struct decision){decide_now_ms(m), &m->rng, m->arena, take_record, m};
}

void decide_done(struct matcher *m) {
    struct id ticket_id;
    for (struct call *c; (c = watch_take_changed(&m->watches, &ticket_id));)
        answer_watch(m, c);
    strbuf_clear(&m->answer);
    arena_reset(m->arena);
}

enum err decide_command(struct matcher *m, struct command *command, struct outcome *out,
                        struct err_text *why) {
    struct decision d = decide_now(m);
    enum err code = realm_decide(m->realm, command, &d, out, why);
    decide_done(m);
    return code;
}
