/* realm_trace.c - which callers' traces a record belongs to: those of its tickets. */
#include "base/mem.h"
#include "model/realm_state.h"

struct id record_subject(const struct record *r) {
    switch (r->kind) {
    case RECORD_MATCH_CREATED:
        return r->match_created.id;
    case RECORD_MATCH_UPDATED:
        return r->match_updated.spec.id;
    case RECORD_ROSTER_CHANGED:
        return r->roster_changed.spec.id;
    case RECORD_TICKET_ENDED:
        return r->ticket_ended.id;
    default:
        return r->ticket_created.id;
    }
}

static void add(const struct realm *r, struct record *record, struct traceparent *traces,
                struct id id) {
    const struct ticket *t = realm_find_ticket(r, id);
    if (t && ticket_trace(t)) traces[record->trace_count++] = *ticket_trace(t);
}

static void add_all(const struct realm *r, struct record *record, struct traceparent *traces,
                    const struct match_spec *m) {
    bool traced = false;
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        const struct ticket *t = realm_find_ticket(r, m->ticket_ids[i]);
        const struct traceparent *own = t ? ticket_trace(t) : NULL;
        traces[i] = own ? *own : (struct traceparent){{0}};
        traced = traced || own;
    }
    record->trace_count = traced ? m->ticket_count : 0;
}

void realm_trace_record(const struct realm *r, struct record *record, struct arena *arena) {
    if (r->tickets_traced == 0 || record->trace_count > 0) return;
    struct traceparent *traces = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *traces);
    record->traces = traces;
    switch (record->kind) {
    case RECORD_TICKET_CREATED: /* carried */
    case RECORD_TICKET_UPDATED:
        add(r, record, traces, record->ticket_created.id);
        break;
    case RECORD_TICKET_ENDED:
        add(r, record, traces, record->ticket_ended.id);
        break;
    case RECORD_MATCH_CREATED:
        if (!record->carried) add_all(r, record, traces, &record->match_created);
        break;
    case RECORD_MATCH_UPDATED:
        add_all(r, record, traces, &record->match_updated.spec);
        break;
    case RECORD_ROSTER_CHANGED:
        add_all(r, record, traces, &record->roster_changed.spec);
        break;
    default:
        break;
    }
}
