/* batch.c - the open batch, the sealed ones, and the replies behind them. */
#include "matcher/batch.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/pump.h"
#include "wire/journal_codec.h"
#include "wire/method.h"

#include <assert.h>

enum { DEADLINE_MARGIN_US = 20000 }; /* so that the answer is there before the caller gives up */

struct sealed {
    struct list_node link;
    struct strbuf bytes;
    size_t size;
    struct batch_tally tally;
    uint64_t tag;
};

struct waiting {
    struct list_node link;
    struct heap_node deadline;
    uint64_t tag;
    struct call *call;
    enum err code;
    struct err_text *why; /* owned; NULL when OK */
    struct strbuf payload;
};

void batch_init(struct batch *b) {
    *b = (struct batch){.open_tag = 1};
    list_init(&b->sealed);
    list_init(&b->waiting);
}

void batch_fini(struct batch *b) {
    assert(b->waiting.count == 0 && b->sealed.count == 0);
    strbuf_fini(&b->open);
    heap_fini(&b->deadlines);
}

static void seal(struct batch *b, struct strbuf bytes, struct batch_tally tally) {
    struct sealed *s = mem_alloc(sizeof *s);
    s->bytes = bytes;
    s->size = bytes.size;
    s->tally = tally;
    s->tag = b->open_tag++;
    list_append(&b->sealed, &s->link);
}

static void count_match(struct batch_tally *t, const struct match_spec *m) {
    if (m->state == MATCH_PROPOSED) t->proposals++;
    if (m->state != MATCH_CONFIRMED) return;
    t->matches++;
    t->matched += m->ticket_count;
}

static void count_fate(struct batch_tally *t, const struct ticket_fate *fate) {
    t->expired += fate->state == TICKET_EXPIRED;
    t->cancelled += fate->state == TICKET_CANCELLED;
}

static void count(struct batch_tally *t, const struct record *r) {
    t->records++;
    if (r->carried) return;
    switch (r->kind) {
    case RECORD_TICKET_CREATED:
        t->created++;
        break;
    case RECORD_TICKET_ENDED:
        count_fate(t, &r->ticket_ended);
        break;
    case RECORD_MATCH_CREATED:
        count_match(t, &r->match_created);
        break;
    case RECORD_ROSTER_CHANGED:
        t->matched += r->roster_changed.ticket_count;
        break;
    case RECORD_MATCH_UPDATED:
        count_match(t, &r->match_updated.spec);
        t->proposals_failed += r->match_updated.fate_count > 0;
        for (uint32_t i = 0; i < r->match_updated.fate_count; i++)
            count_fate(t, &r->match_updated.fates[i]);
        break;
    default:
        break;
    }
}

void batch_add(struct batch *b, const struct record *r) {
    size_t before = b->open.size;
    journal_encode(r, &b->open);
    size_t added = b->open.size - before;
    b->pending_bytes += added;
    if (b->open.size > LIMIT_ENTRY_BYTES && before > 0) {
        struct strbuf last = {0};
        strbuf_add(&last, b->open.at + before, added);
        b->open.size = before;
        b->open.at[before] = '\0';
        seal(b, b->open, b->tally);
        b->open = last;
        b->tally = (struct batch_tally){0};
    }
    count(&b->tally, r);
}

uint64_t batch_tag(const struct batch *b) {
    return b->open.size ? b->open_tag : b->open_tag - 1;
}

/* Only a call that changes something leaves a doubt behind. */
static void refuse(struct call *c, const char *because) {
    struct err_text why;
    (void)err_set(&why, ERR_UNAVAILABLE,
                  c->method->mutating ? "outcome unknown: %.400s; retry with the same request id"
                                      : "%.400s; try again",
                  because);
    call_reply(c, ERR_UNAVAILABLE, &why, STR_EMPTY);
}

void batch_reply(struct batch *b, struct call *c, enum err code, const struct err_text *why,
                 struct str payload) {
    if (batch_idle(b) && !b->certain) {
        refuse(c, "this process may not lead any more, for it hears nothing from Redis");
        return;
    }
    if (batch_idle(b)) {
        call_reply(c, code, why, payload);
        return;
    }
    struct waiting *w = mem_alloc(sizeof *w);
    w->tag = batch_tag(b);
    w->call = c;
    w->code = code;
    if (code != ERR_OK) {
        w->why = mem_alloc(sizeof *w->why);
        *w->why = *why;
    }
    strbuf_add_str(&w->payload, payload);
    list_append(&b->waiting, &w->link);
    heap_start(&b->deadlines, &w->deadline, c->deadline_us - DEADLINE_MARGIN_US);
}

/* Answers with what was decided or, when `lost` says that it was, UNAVAILABLE. */
static void finish(struct batch *b, struct waiting *w, const char *lost) {
    list_remove(&b->waiting, &w->link);
    heap_stop(&b->deadlines, &w->deadline);
    if (lost)
        refuse(w->call, lost);
    else
        call_reply(w->call, w->code, w->why, strbuf_str(&w->payload));
    strbuf_fini(&w->payload);
    mem_free(w->why);
    mem_free(w);
}

void batch_flush(struct batch *b, struct pump *p) {
    if (b->in_flight) return;
    if (!list_first(&b->sealed) && b->open.size) {
        seal(b, b->open, b->tally);
        b->open = (struct strbuf){0};
        b->tally = (struct batch_tally){0};
    }
    struct list_node *first = list_first(&b->sealed);
    if (!first) return;
    struct sealed *s = LIST_OF(first, struct sealed, link);
    b->in_flight = true;
    pump_append(p, &s->bytes, s->tally.records, s->tag);
}

static void publish_tally(const struct batch_tally *t) {
    metric_add(METRIC_tickets_created_total, t->created);
    metric_add(METRIC_tickets_matched_total, t->matched);
    metric_add(METRIC_tickets_cancelled_total, t->cancelled);
    metric_add(METRIC_tickets_expired_total, t->expired);
    metric_add(METRIC_matches_total, t->matches);
    metric_add(METRIC_proposals_total, t->proposals);
    metric_add(METRIC_proposals_failed_total, t->proposals_failed);
}

void batch_durable(struct batch *b, uint64_t tag) {
    struct sealed *s = LIST_OF(list_first(&b->sealed), struct sealed, link);
    assert(b->in_flight && s->tag == tag);
    publish_tally(&s->tally);
    metric_observe(metric_series(METRIC_journal_batch_records, NULL), s->tally.records);
    b->pending_bytes -= s->size;
    b->in_flight = false;
    b->durable_tag = tag;
    list_remove(&b->sealed, &s->link);
    mem_free(s);
    LIST_EACH (&b->waiting, node) {
        struct waiting *w = LIST_OF(node, struct waiting, link);
        if (w->tag > tag) break;
        finish(b, w, NULL);
    }
}

void batch_expire(struct batch *b, int64_t now_us, const struct err_text *why) {
    for (struct heap_node *n; (n = heap_take_due(&b->deadlines, now_us));) {
        struct waiting *w = HEAP_OF(n, struct waiting, deadline);
        struct err_text late;
        (void)err_set(&late, ERR_UNAVAILABLE, "not on disk in time%s%.350s",
                      why->text[0] ? ", " : "", why->text);
        finish(b, w, late.text);
    }
}

int64_t batch_due_us(const struct batch *b) {
    return heap_due(&b->deadlines);
}

bool batch_idle(const struct batch *b) {
    return b->durable_tag >= batch_tag(b);
}

void batch_abandon(struct batch *b, const struct err_text *why) {
    LIST_EACH (&b->waiting, node) {
        finish(b, LIST_OF(node, struct waiting, link), why->text);
    }
    LIST_EACH (&b->sealed, node) {
        struct sealed *s = LIST_OF(node, struct sealed, link);
        list_remove(&b->sealed, node);
        strbuf_fini(&s->bytes);
        mem_free(s);
    }
    strbuf_fini(&b->open);
    heap_fini(&b->deadlines);
    batch_init(b);
}
