/* journal_codec_test.c - records there and back, entries of older versions, and spoiled ones. */
#include "wire/journal_codec.h"

#include "model/realm.h"
#include "muster/journal/v1/journal.pb-c.h"
#include "support/wire_kit.h"
#include "wire/fields.h"
#include "wire/queue_json.h"

static struct record random_created(struct wire_kit *k) {
    struct record r = {.kind = RECORD_TICKET_CREATED};
    r.carried = wire_kit_below(k, 2);
    r.ticket_created.id = wire_kit_id(k);
    r.ticket_created.spec = wire_kit_spec(k);
    r.ticket_created.state = r.carried ? TICKET_QUEUED + wire_kit_below(k, 5) : TICKET_QUEUED;
    r.ticket_created.created_ms = wire_kit_time(k);
    r.ticket_created.expires_ms = wire_kit_time(k);
    r.ticket_created.heartbeat_ms = wire_kit_time(k);
    r.ticket_created.ended_ms = r.carried ? wire_kit_time(k) : 0;
    if (wire_kit_below(k, 2)) r.ticket_created.match_id = wire_kit_id(k);
    r.ticket_created.promised = (struct ticket_wait){(int32_t)wire_kit_below(k, 2) * 7000,
                                                     (int32_t)wire_kit_below(k, 43200001)};
    if (r.carried) r.ticket_created.reason = wire_kit_text(k, 20);
    if (wire_kit_below(k, 2)) {
        r.ticket_created.request_key = wire_kit_id(k);
        r.ticket_created.request_hash = rng_next(&k->rng);
    }
    return r;
}

static struct ticket_fate random_fate(struct wire_kit *k) {
    struct ticket_fate f = {.id = wire_kit_id(k)};
    static const enum ticket_state states[] = {TICKET_CANCELLED, TICKET_EXPIRED, TICKET_QUEUED};
    f.state = states[wire_kit_below(k, 3)];
    f.queue_count = 1 + wire_kit_below(k, 3);
    f.queues = wire_kit_names(k, f.queue_count);
    f.player_count = wire_kit_below(k, 6);
    f.player_ids = wire_kit_names(k, f.player_count);
    f.reason = wire_kit_text(k, 30);
    f.created_ms = wire_kit_time(k);
    return f;
}

static struct record random_ended(struct wire_kit *k) {
    struct record r = {.kind = RECORD_TICKET_ENDED};
    r.ticket_ended = random_fate(k);
    r.ticket_ended.state = wire_kit_below(k, 2) ? TICKET_CANCELLED : TICKET_EXPIRED;
    return r;
}

static struct record random_accepted(struct wire_kit *k) {
    struct record r = {.kind = RECORD_MATCH_ACCEPTED};
    r.match_accepted.id = wire_kit_id(k);
    r.match_accepted.queue = wire_kit_name(k, 0);
    r.match_accepted.accepted_count = wire_kit_below(k, 4);
    r.match_accepted.accepted = wire_kit_names(k, r.match_accepted.accepted_count);
    r.match_accepted.waiting_count = wire_kit_below(k, 4);
    r.match_accepted.waiting = wire_kit_names(k, r.match_accepted.waiting_count);
    r.match_accepted.until_ms = wire_kit_time(k);
    return r;
}

static struct record random_updated(struct wire_kit *k) {
    struct record r = {.kind = RECORD_MATCH_UPDATED};
    r.match_updated.spec = wire_kit_match(k);
    uint32_t count = wire_kit_below(k, 4);
    struct ticket_fate *fates = arena_alloc(k->arena, (count + 1) * sizeof *fates);
    for (uint32_t i = 0; i < count; i++)
        fates[i] = random_fate(k);
    r.match_updated.fates = fates;
    r.match_updated.fate_count = count;
    return r;
}

static struct record random_roster(struct wire_kit *k) {
    struct record r = {.kind = RECORD_ROSTER_CHANGED};
    r.roster_changed.spec = wire_kit_match(k);
    r.roster_changed.left_count = wire_kit_below(k, 4);
    r.roster_changed.left = wire_kit_names(k, r.roster_changed.left_count);
    r.roster_changed.joined_count = wire_kit_below(k, 4);
    r.roster_changed.joined = wire_kit_names(k, r.roster_changed.joined_count);
    r.roster_changed.ticket_count = wire_kit_below(k, 4);
    struct id *ids = arena_alloc(k->arena, 4 * sizeof *ids);
    for (uint32_t i = 0; i < r.roster_changed.ticket_count; i++)
        ids[i] = wire_kit_id(k);
    r.roster_changed.ticket_ids = ids;
    if (wire_kit_below(k, 2)) r.roster_changed.proposal_id = wire_kit_id(k);
    if (wire_kit_below(k, 2)) r.roster_changed.backfill = wire_kit_backfill(k);
    return r;
}

static struct record random_penalized(struct wire_kit *k) {
    struct record r = {.kind = RECORD_PLAYER_PENALIZED};
    r.player_penalized.player_id = wire_kit_name(k, 0);
    r.player_penalized.queue = wire_kit_name(k, 1);
    r.player_penalized.offences = wire_kit_below(k, 100);
    r.player_penalized.until_ms = wire_kit_time(k);
    r.player_penalized.forget_ms = wire_kit_time(k);
    return r;
}

static void add_random_history(struct wire_kit *k, struct record *r) {
    uint32_t count = wire_kit_below(k, LIMIT_QUEUE_VERSIONS + 1);
    struct queue_version *past = arena_alloc(k->arena, (count + 1) * sizeof *past);
    for (uint32_t i = 0; i < count; i++)
        past[i] = (struct queue_version){.number = wire_kit_below(k, 1000),
                                         .put_ms = wire_kit_time(k),
                                         .allow_shrinking = wire_kit_below(k, 2),
                                         .json = wire_kit_text(k, 300),
                                         .author = wire_kit_text(k, 64),
                                         .comment = wire_kit_text(k, 256)};
    r->queue_put.author = wire_kit_text(k, 64);
    r->queue_put.comment = wire_kit_text(k, 256);
    r->queue_put.put_ms = wire_kit_time(k);
    r->queue_put.past = past;
    r->queue_put.past_count = count;
}

static void add_random_traces(struct wire_kit *k, struct record *r) {
    struct traceparent *traces = arena_alloc(k->arena, 5 * sizeof *traces);
    r->trace_count = wire_kit_below(k, 5);
    r->traces = traces;
    for (uint32_t i = 0; i < r->trace_count; i++)
        for (size_t n = 0; n < TRACEPARENT_BYTES; n++)
            traces[i].bytes[n] = (unsigned char)wire_kit_below(k, 256);
}

static struct record random_record(struct wire_kit *k) {
    struct record r = {0};
    switch (1 + wire_kit_below(k, 12)) {
    case RECORD_EPOCH_STARTED:
        r.kind = RECORD_EPOCH_STARTED;
        r.epoch_started.owner = wire_kit_name(k, 0);
        break;
    case RECORD_QUEUE_PUT:
        r.kind = RECORD_QUEUE_PUT;
        r.queue_put.name = STR("duel");
        r.queue_put.json = STR(WIRE_KIT_QUEUE);
        r.queue_put.version = (uint32_t)rng_next(&k->rng);
        r.queue_put.allow_shrinking = wire_kit_below(k, 2);
        add_random_history(k, &r);
        break;
    case RECORD_QUEUE_DELETED:
        r.kind = RECORD_QUEUE_DELETED;
        r.queue_deleted.name = wire_kit_name(k, 0);
        r.queue_deleted.version = wire_kit_below(k, 9);
        break;
    case RECORD_TICKET_CREATED:
        r = random_created(k);
        break;
    case RECORD_TICKET_UPDATED:
        r = random_created(k);
        r.kind = RECORD_TICKET_UPDATED;
        break;
    case RECORD_TICKET_ENDED:
        r = random_ended(k);
        break;
    case RECORD_MATCH_ACCEPTED:
        r = random_accepted(k);
        break;
    case RECORD_MATCH_UPDATED:
        r = random_updated(k);
        break;
    case RECORD_ROSTER_CHANGED:
        r = random_roster(k);
        break;
    case RECORD_BACKFILL_PUT:
        r.kind = RECORD_BACKFILL_PUT;
        r.backfill_put = wire_kit_backfill(k);
        break;
    case RECORD_PLAYER_PENALIZED:
        r = random_penalized(k);
        break;
    default:
        r.kind = RECORD_MATCH_CREATED;
        r.match_created = wire_kit_match(k);
        break;
    }
    r.time_ms = wire_kit_time(k);
    add_random_traces(k, &r);
    return r;
}

static void assert_same_created(const struct record *a, const struct record *b) {
    assert_true(id_equal(a->ticket_created.id, b->ticket_created.id));
    assert_int_equal(a->ticket_created.state, b->ticket_created.state);
    wire_kit_same_spec(&a->ticket_created.spec, &b->ticket_created.spec);
    assert_int_equal(a->ticket_created.created_ms, b->ticket_created.created_ms);
    assert_int_equal(a->ticket_created.expires_ms, b->ticket_created.expires_ms);
    assert_int_equal(a->ticket_created.ended_ms, b->ticket_created.ended_ms);
    assert_int_equal(a->ticket_created.heartbeat_ms, b->ticket_created.heartbeat_ms);
    assert_true(id_equal(a->ticket_created.match_id, b->ticket_created.match_id));
    wire_kit_same_text(a->ticket_created.reason, b->ticket_created.reason);
    assert_true(id_equal(a->ticket_created.request_key, b->ticket_created.request_key));
    assert_true(a->ticket_created.request_hash == b->ticket_created.request_hash);
    assert_int_equal(a->ticket_created.promised.p50_ms, b->ticket_created.promised.p50_ms);
    assert_int_equal(a->ticket_created.promised.p90_ms, b->ticket_created.promised.p90_ms);
}

static void assert_same_names(const struct str *a, const struct str *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        wire_kit_same_text(a[i], b[i]);
}

static void assert_same_fate(const struct ticket_fate *a, const struct ticket_fate *b) {
    assert_true(id_equal(a->id, b->id));
    assert_int_equal(a->state, b->state);
    wire_kit_same_text(a->reason, b->reason);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->queue_count, b->queue_count);
    assert_same_names(a->queues, b->queues, a->queue_count);
    assert_int_equal(a->player_count, b->player_count);
    assert_same_names(a->player_ids, b->player_ids, a->player_count);
}

static void assert_same_accepted(const struct record *a, const struct record *b) {
    assert_true(id_equal(a->match_accepted.id, b->match_accepted.id));
    wire_kit_same_text(a->match_accepted.queue, b->match_accepted.queue);
    assert_int_equal(a->match_accepted.accepted_count, b->match_accepted.accepted_count);
    assert_same_names(a->match_accepted.accepted, b->match_accepted.accepted,
                      a->match_accepted.accepted_count);
    assert_int_equal(a->match_accepted.waiting_count, b->match_accepted.waiting_count);
    assert_same_names(a->match_accepted.waiting, b->match_accepted.waiting,
                      a->match_accepted.waiting_count);
    assert_int_equal(a->match_accepted.until_ms, b->match_accepted.until_ms);
}

static void assert_same_updated(const struct record *a, const struct record *b) {
    wire_kit_same_match(&a->match_updated.spec, &b->match_updated.spec);
    assert_int_equal(a->match_updated.fate_count, b->match_updated.fate_count);
    for (uint32_t i = 0; i < a->match_updated.fate_count; i++)
        assert_same_fate(&a->match_updated.fates[i], &b->match_updated.fates[i]);
}

static void assert_same_roster(const struct record *a, const struct record *b) {
    wire_kit_same_match(&a->roster_changed.spec, &b->roster_changed.spec);
    assert_int_equal(a->roster_changed.left_count, b->roster_changed.left_count);
    assert_same_names(a->roster_changed.left, b->roster_changed.left, a->roster_changed.left_count);
    assert_int_equal(a->roster_changed.joined_count, b->roster_changed.joined_count);
    assert_same_names(a->roster_changed.joined, b->roster_changed.joined,
                      a->roster_changed.joined_count);
    assert_int_equal(a->roster_changed.ticket_count, b->roster_changed.ticket_count);
    for (uint32_t i = 0; i < a->roster_changed.ticket_count; i++)
        assert_true(id_equal(a->roster_changed.ticket_ids[i], b->roster_changed.ticket_ids[i]));
    assert_true(id_equal(a->roster_changed.proposal_id, b->roster_changed.proposal_id));
    assert_true(id_equal(a->roster_changed.backfill.id, b->roster_changed.backfill.id));
    if (!id_is_none(a->roster_changed.backfill.id))
        wire_kit_same_backfill(&a->roster_changed.backfill, &b->roster_changed.backfill);
}

static void assert_same_penalized(const struct record *a, const struct record *b) {
    wire_kit_same_text(a->player_penalized.player_id, b->player_penalized.player_id);
    wire_kit_same_text(a->player_penalized.queue, b->player_penalized.queue);
    assert_int_equal(a->player_penalized.offences, b->player_penalized.offences);
    assert_int_equal(a->player_penalized.until_ms, b->player_penalized.until_ms);
    assert_int_equal(a->player_penalized.forget_ms, b->player_penalized.forget_ms);
}

static void assert_same_history(const struct record *a, const struct record *b) {
    wire_kit_same_text(a->queue_put.author, b->queue_put.author);
    wire_kit_same_text(a->queue_put.comment, b->queue_put.comment);
    assert_int_equal(a->queue_put.put_ms, b->queue_put.put_ms);
    assert_int_equal(a->queue_put.past_count, b->queue_put.past_count);
    for (uint32_t i = 0; i < a->queue_put.past_count; i++) {
        const struct queue_version *v = &a->queue_put.past[i], *w = &b->queue_put.past[i];
        assert_int_equal(v->number, w->number);
        assert_int_equal(v->put_ms, w->put_ms);
        assert_int_equal(v->allow_shrinking, w->allow_shrinking);
        wire_kit_same_text(v->json, w->json);
        wire_kit_same_text(v->author, w->author);
        wire_kit_same_text(v->comment, w->comment);
    }
}

static void assert_same(const struct record *a, const struct record *b) {
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->carried, b->carried);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_int_equal(a->trace_count, b->trace_count);
    if (a->trace_count)
        assert_memory_equal(a->traces, b->traces, a->trace_count * sizeof *a->traces);
    switch (a->kind) {
    case RECORD_EPOCH_STARTED:
        wire_kit_same_text(a->epoch_started.owner, b->epoch_started.owner);
        break;
    case RECORD_QUEUE_PUT:
        wire_kit_same_text(a->queue_put.name, b->queue_put.name);
        wire_kit_same_text(a->queue_put.json, b->queue_put.json);
        assert_int_equal(a->queue_put.version, b->queue_put.version);
        assert_int_equal(a->queue_put.allow_shrinking, b->queue_put.allow_shrinking);
        assert_non_null(b->queue_put.def);
        assert_same_history(a, b);
        break;
    case RECORD_QUEUE_DELETED:
        wire_kit_same_text(a->queue_deleted.name, b->queue_deleted.name);
        assert_int_equal(a->queue_deleted.version, b->queue_deleted.version);
        break;
    case RECORD_TICKET_CREATED:
    case RECORD_TICKET_UPDATED:
        assert_same_created(a, b);
        break;
    case RECORD_TICKET_ENDED:
        assert_same_fate(&a->ticket_ended, &b->ticket_ended);
        break;
    case RECORD_MATCH_CREATED:
        wire_kit_same_match(&a->match_created, &b->match_created);
        break;
    case RECORD_MATCH_ACCEPTED:
        assert_same_accepted(a, b);
        break;
    case RECORD_MATCH_UPDATED:
        assert_same_updated(a, b);
        break;
    case RECORD_ROSTER_CHANGED:
        assert_same_roster(a, b);
        break;
    case RECORD_BACKFILL_PUT:
        wire_kit_same_backfill(&a->backfill_put, &b->backfill_put);
        break;
    case RECORD_PLAYER_PENALIZED:
        assert_same_penalized(a, b);
        break;
    }
}

struct expected {
    const struct record *records;
    uint32_t count, seen;
};

static void compare(void *arg, struct record *r) {
    struct expected *e = arg;
    assert_true(e->seen < e->count);
    assert_same(&e->records[e->seen++], r);
    journal_record_fini(r);
}

static void any_records_are_read_as_they_were_written(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int i = 0; i < 300; i++) {
        struct record records[8];
        struct strbuf entry = {0};
        struct expected e = {records, wire_kit_below(&k, 9), 0};
        for (uint32_t n = 0; n < e.count; n++) {
            records[n] = random_record(&k);
            journal_encode(&records[n], &entry);
        }
        journal_encode_owner(STR("node-1"), &entry);
        struct arena *arena = arena_new(0);
        struct str owner;
        struct err_text why;
        if (journal_decode(strbuf_str(&entry), arena, compare, &e, &owner, &why) != ERR_OK)
            fail_msg("%s", why.text);
        assert_int_equal(e.seen, e.count);
        assert_text(owner, "node-1");
        Muster__Journal__V1__Entry *m =
            muster__journal__v1__entry__unpack(NULL, entry.size, (uint8_t *)entry.at);
        assert_non_null(m); /* the library reads it too */
        assert_int_equal(m->n_records, e.count);
        for (uint32_t n = 0; n < e.count; n++) {
            assert_int_equal(m->records[n]->body_case, 2 + records[n].kind);
            assert_true(m->records[n]->time_ms == records[n].time_ms);
        }
        muster__journal__v1__entry__free_unpacked(m, NULL);
        arena_free(arena);
        strbuf_fini(&entry);
        arena_reset(k.arena);
    }
    wire_kit_free(&k);
}

static void keep_last(void *arg, struct record *r) {
    *(struct record *)arg = *r;
    journal_record_fini(r);
}

/* As the first release wrote it: this test's bytes must never be edited, only added to. */
static void an_entry_of_an_older_version_is_still_read(void **state) {
    (void)state;
    /* clang-format off */
    static const char created[] =
        "\x0A\x57\x08\x80\xD0\x95\xFF\xBC\x31\x32\x4E\x0A\x31\x0A\x1A\x30\x31\x4A\x44\x39"
        "\x5A\x30\x30\x30\x30\x41\x42\x43\x44\x45\x46\x47\x48\x4A\x4B\x4D\x4E\x50\x51\x52"
        "\x53\x10\x01\x1A\x04\x64\x75\x65\x6C\x22\x04\x0A\x02\x70\x31\x28\x80\xD0\x95\xFF"
        "\xBC\x31\x12\x10\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66"
        "\x19\x01\x02\x03\x04\x05\x06\x07\x08\x12\x01\x6E";
    /* clang-format on */
    struct record r = {0};
    struct err_text why;
    struct str owner;
    struct arena *arena = arena_new(0);
    if (journal_decode(STR(created), arena, keep_last, &r, &owner, &why) != ERR_OK)
        fail_msg("%s", why.text);
    assert_int_equal(r.kind, RECORD_TICKET_CREATED);
    assert_int_equal(r.time_ms, 1700000000000);
    assert_int_equal(r.ticket_created.created_ms, 1700000000000);
    assert_text(r.ticket_created.spec.queues[0], "duel");
    assert_text(r.ticket_created.spec.players[0].id, "p1");
    assert_true(r.ticket_created.request_key.hi == 0x3031323334353637u);
    assert_true(r.ticket_created.request_key.lo == 0x3839616263646566u);
    assert_true(r.ticket_created.request_hash == 0x0807060504030201u);
    assert_text(owner, "n");
    struct strbuf again = {0};
    journal_encode(&r, &again);
    journal_encode_owner(owner, &again);
    wire_kit_same_text(strbuf_str(&again), STR(created)); /* and still written so */
    strbuf_fini(&again);
    arena_free(arena);
}

static void assert_lost(const struct strbuf *entry, const char *text) {
    struct record r;
    struct err_text why;
    struct arena *arena = arena_new(0);
    assert_int_equal(journal_decode(strbuf_str(entry), arena, keep_last, &r, NULL, &why),
                     ERR_DATA_LOSS);
    assert_string_equal(why.text, text);
    arena_free(arena);
}

static void assert_record_lost(struct record *r, const char *text) {
    struct strbuf entry = {0};
    journal_encode(r, &entry);
    assert_lost(&entry, text);
    strbuf_fini(&entry);
}

static void a_record_of_an_unknown_kind_is_an_error(void **state) {
    (void)state;
    struct strbuf entry = {0};
    size_t record = pb_open(&entry, Entry_records);
    pb_put_int(&entry, Record_time_ms, 5);
    pb_add_text(&entry, PB_KEY(15, PB_BYTES), STR("later"));
    pb_close(&entry, record);
    assert_lost(&entry, "a journal record is malformed: a kind this version does not know");
    strbuf_fini(&entry);
}

static void records_before_the_fault_are_delivered(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct record records[1] = {{.kind = RECORD_QUEUE_DELETED, .queue_deleted = {STR("a"), 1}}};
    struct strbuf entry = {0};
    struct expected e = {records, 1, 0};
    struct err_text why;
    journal_encode(&records[0], &entry);
    pb_add_text(&entry, Entry_records, STR("\xFF"));
    assert_int_equal(journal_decode(strbuf_str(&entry), k.arena, compare, &e, NULL, &why),
                     ERR_DATA_LOSS);
    assert_int_equal(e.seen, 1);
    strbuf_fini(&entry);
    wire_kit_free(&k);
}

static void a_record_the_realm_could_not_apply_is_an_error(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct record r = random_created(&k);
    r.time_ms = ID_TIME_END_MS;
    assert_record_lost(&r, "a journal record is malformed: record");
    r = random_created(&k);
    r.ticket_created.created_ms = -1;
    assert_record_lost(&r, "a ticket in the journal is malformed");
    r = random_created(&k);
    r.ticket_created.spec.queues = &(const struct str){"a/b", 3};
    r.ticket_created.spec.queue_count = 1;
    assert_record_lost(&r, "a ticket in the journal is malformed");
    r = random_created(&k);
    r.ticket_created.id = (struct id){0, 0};
    assert_record_lost(&r, "a ticket in the journal is malformed");
    r = random_ended(&k);
    r.ticket_ended.state = TICKET_MATCHED;
    assert_record_lost(&r, "a journal record is malformed: ticket_fate.state");
    r = random_ended(&k);
    r.ticket_ended.id = (struct id){0, 0};
    assert_record_lost(&r, "a journal record is malformed: ticket_fate");
    r = (struct record){.kind = RECORD_QUEUE_PUT};
    r.queue_put.name = STR("other");
    r.queue_put.json = STR(WIRE_KIT_QUEUE);
    assert_record_lost(&r, "a journal record is malformed: queue_put.name is not its definition's");
    r.queue_put.name = STR("duel");
    r.queue_put.json = STR("{");
    struct strbuf entry = {0};
    journal_encode(&r, &entry);
    struct err_text why;
    assert_int_equal(journal_decode(strbuf_str(&entry), k.arena, keep_last, &r, NULL, &why),
                     ERR_DATA_LOSS);
    assert_true(str_starts(str_of(why.text), STR("the definition of queue duel cannot be read: ")));
    strbuf_fini(&entry);
    wire_kit_free(&k);
}

static void a_match_the_realm_could_not_apply_is_an_error(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct id twice[2] = {{1, 2}, {1, 2}};
    for (int i = 0; i < 5; i++) {
        struct record r = {.kind = RECORD_MATCH_CREATED, .match_created = wire_kit_match(&k)};
        if (i == 0) r.match_created.ticket_ids = twice, r.match_created.ticket_count = 2;
        if (i == 1) r.match_created.quality = __builtin_nan("");
        if (i == 2) r.match_created.queue = STR_EMPTY;
        if (i == 3) r.match_created.created_ms = INT64_MIN;
        if (i == 4) r.match_created.region = STR("\xFF");
        assert_record_lost(&r, "a match in the journal is malformed");
    }
    wire_kit_free(&k);
}

/* ---- a whole realm ---- */

static void encode(void *arg, struct record *r) {
    journal_encode(r, arg);
}

static void apply(void *arg, struct record *r) {
    realm_apply(arg, r);
    journal_record_fini(r);
}

static void put_queue(struct realm *realm, const struct decision *d) {
    struct command c = {.kind = COMMAND_PUT_QUEUE};
    struct outcome out;
    struct err_text why;
    if (queue_json_parse(STR(WIRE_KIT_QUEUE), false, &c.put_queue.def, NULL, &why) != ERR_OK ||
        realm_decide(realm, &c, d, &out, &why) != ERR_OK)
        fail_msg("%s", why.text);
    queue_def_free(c.put_queue.def);
}

/* A ticket of one player; a third of them cancelled at once. */
static void create_and_cancel(struct wire_kit *k, struct realm *realm, const struct decision *d,
                              uint32_t index) {
    struct player player = wire_kit_player(k, index);
    struct command c = {.kind = COMMAND_CREATE_TICKET}, cancel = {.kind = COMMAND_CANCEL_TICKET};
    struct outcome out = {0};
    struct err_text why;
    c.create_ticket.spec = (struct ticket_spec){&(const struct str){"duel", 4}, &player, 1, 1};
    c.create_ticket.request_key = wire_kit_id(k);
    if (realm_decide(realm, &c, d, &out, &why) != ERR_OK) fail_msg("%s", why.text);
    if (wire_kit_below(k, 3)) return;
    cancel.cancel_ticket.ticket_id = out.ticket->id;
    cancel.cancel_ticket.reason = STR("cancelled by request");
    assert_int_equal(realm_decide(realm, &cancel, d, &out, &why), ERR_OK);
}

/* Whatever is decided must be readable, or the realm never starts again. */
static void a_realm_read_back_from_its_journal_is_the_same(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    struct realm *first = realm_new(3600000), *second = realm_new(3600000);
    struct arena *arena = arena_new(0);
    struct strbuf entry = {0};
    struct decision d = {1700000000000, &k.rng, arena, encode, &entry};
    struct err_text why;
    put_queue(first, &d);
    for (uint32_t i = 0; i < 300; i++) {
        create_and_cancel(&k, first, &d, i);
        d.now_ms += 1 + wire_kit_below(&k, 5000);
        if (wire_kit_below(&k, 2)) (void)realm_search(first, &d, 1000);
        (void)realm_expire(first, &d, 10);
        arena_reset(k.arena);
    }
    uint64_t cursor = 0;
    while (realm_carry(first, &d, d.now_ms, &cursor, 50))
        continue;
    if (journal_decode(strbuf_str(&entry), k.arena, apply, second, NULL, &why) != ERR_OK)
        fail_msg("%s", why.text);
    assert_true(realm_matches_kept(first) > 0);
    assert_int_equal(realm_skipped(second), 0);
    assert_int_equal(realm_tickets_open(second), realm_tickets_open(first));
    assert_true(realm_digest(second) == realm_digest(first));
    realm_free(first);
    realm_free(second);
    arena_free(arena);
    strbuf_fini(&entry);
    wire_kit_free(&k);
}

static void ignore(void *arg, struct record *r) {
    (void)arg;
    assert_in_range(r->time_ms, 0, ID_TIME_END_MS - 1);
    journal_record_fini(r);
}

static void use(struct str bytes, bool whole) {
    (void)whole;
    struct arena *arena = arena_new(0);
    struct err_text why;
    struct str owner;
    enum err code = journal_decode(bytes, arena, ignore, NULL, &owner, &why);
    assert_true(code == ERR_OK || (code == ERR_DATA_LOSS && why.text[0] != '\0'));
    arena_free(arena);
}

static void a_spoiled_entry_is_read_or_lost_but_never_crashes(void **state) {
    (void)state;
    struct wire_kit k = wire_kit_new();
    for (int i = 0; i < 12; i++) {
        struct strbuf entry = {0};
        for (int n = 0; n < 3; n++) {
            struct record r = random_record(&k);
            journal_encode(&r, &entry);
        }
        journal_encode_owner(STR("node-1"), &entry);
        wire_kit_spoil(&k, strbuf_str(&entry), 1000, use);
        strbuf_fini(&entry);
    }
    wire_kit_free(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_records_are_read_as_they_were_written),
        cmocka_unit_test(an_entry_of_an_older_version_is_still_read),
        cmocka_unit_test(a_record_of_an_unknown_kind_is_an_error),
        cmocka_unit_test(records_before_the_fault_are_delivered),
        cmocka_unit_test(a_record_the_realm_could_not_apply_is_an_error),
        cmocka_unit_test(a_match_the_realm_could_not_apply_is_an_error),
        cmocka_unit_test(a_realm_read_back_from_its_journal_is_the_same),
        cmocka_unit_test(a_spoiled_entry_is_read_or_lost_but_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
