/* bench.c - plays a workload: open loop, drain, comparison. */
#include "app/bench.h"

#include "app/command.h"
#include "base/clock.h"
#include "base/rng.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIVE_US 10000000  /* for the first heartbeat of the event stream */
#define LEAD_US 50000     /* from the clock's start to the first arrival */
#define SHOW_US 200000    /* between two turns of the progress line */
#define SAMPLE_US 100000  /* between two readings of the cost while it drains */
#define QUIET_US 5000000  /* nobody was told for so long: who still waits, waits on */
#define SETTLE_US 3000000 /* for the last events, where the server counted more */
#define BEHIND_US 200     /* until the door is tried again */
#define DUE_MAX 4096      /* tickets offered in one go */

struct bench {
    const struct bench_options *o;
    struct bench_result *r;
    struct bench_server *own;
    struct muster_client *client;
    struct muster_subscription *subscription;
    struct bench_door *door;
    bool queue_put;
    int64_t shown_us;
    size_t offered;
};

/* Ctrl-C ends a run in order, so that nothing stays behind; again, at once. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number) {
    interrupted = 1;
    signal(number, SIG_DFL);
}

static enum err cancelled(struct err_text *why) {
    return err_set(why, ERR_CANCELLED, "interrupted");
}

/* ---- what is told ---- */

/* Through the socket door players are told on their sockets; here only of what quality it was. */
static void on_event(void *arg, const Muster__V1__Event *e) {
    const struct bench *b = arg;
    if (e->type != MUSTER__V1__EVENT__TYPE__MATCH_FOUND) return;
    tally_match(b->r->tally, e->match);
    if (b->o->door.kind == BENCH_SOCKET) return;
    for (size_t i = 0; i < e->match->n_teams; i++) {
        const Muster__V1__Team *team = e->match->teams[i];
        for (size_t k = 0; k < team->n_players; k++) {
            size_t ticket = arrivals_find(&b->r->arrivals, str_of(team->players[k]->player_id));
            if (ticket != SIZE_MAX) tally_told(b->r->tally, ticket, str_of(e->match->match_id));
        }
    }
}

static void on_resync(void *arg, const char *reason) {
    const struct bench *b = arg;
    (void)reason; /* which is for subscribers: here it is a failure whatever it was */
    b->r->resynced = true;
}

/* ---- before ---- */

static void name_run(struct arrivals_request *q, char *prefix, char *queue, size_t size) {
    uint8_t noise[6];
    rng_secret(noise, sizeof noise);
    for (size_t i = 0; i < sizeof noise; i++)
        prefix[i] = (char)('a' + noise[i] % 26);
    prefix[sizeof noise] = '\0';
    snprintf(queue, size, "bench-%.40s-%s", q->workload, prefix);
    q->queue = queue;
    q->prefix = prefix;
}

static enum err fail_status(const struct muster_status *status, struct err_text *why) {
    return err_set(why, err_from_code(status->code), "%s", status->message);
}

static enum err put_queue(struct bench *b, struct err_text *why) {
    Muster__V1__PutQueueRequest put = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
    Muster__V1__PutQueueResponse *answer = NULL;
    struct muster_status status;
    put.definition_json = b->r->arrivals.queue_json.at;
    enum muster_code code = muster_put_queue(b->client, &put, NULL, &answer, &status);
    muster_free(answer);
    b->queue_put = code == MUSTER_OK;
    return b->queue_put ? ERR_OK : fail_status(&status, why);
}

static enum err read_version(struct bench *b, struct err_text *why) {
    Muster__V1__GetStatusRequest request = MUSTER__V1__GET_STATUS_REQUEST__INIT;
    Muster__V1__GetStatusResponse *answer = NULL;
    struct muster_status status;
    if (muster_get_status(b->client, &request, NULL, &answer, &status) != MUSTER_OK)
        return fail_status(&status, why);
    snprintf(b->r->version, sizeof b->r->version, "%s", answer->version);
    muster_free(answer);
    return ERR_OK;
}

static enum err subscribe(struct bench *b, const char *events, struct err_text *why) {
    struct muster_status status;
    char topic[96];
    int64_t end_us = clock_mono_us() + LIVE_US;
    snprintf(topic, sizeof topic, "%s/", b->r->queue);
    struct muster_subscribe_options s = {.events = events,
                                         .realm = b->o->realm,
                                         .topic = topic,
                                         .on_event = on_event,
                                         .on_resync = on_resync,
                                         .arg = b};
    if (muster_subscribe(&b->subscription, b->client, &s, &status) != MUSTER_OK)
        return fail_status(&status, why);
    while (!muster_subscription_live(b->subscription) && clock_mono_us() < end_us)
        (void)poll(NULL, 0, 5);
    if (muster_subscription_live(b->subscription)) return ERR_OK;
    return err_set(why, ERR_UNAVAILABLE, "no events from %s within 10 s", events);
}

/* The server, the queue, the stream and the door: ready to play. */
static enum err prepare(struct bench *b, struct err_text *why) {
    struct bench_door_options door = b->o->door;
    struct bench_result *r = b->r;
    const char *events = b->o->events;
    enum err code = ERR_OK;
    if (b->o->own) {
        code = bench_server_start(&b->own, b->o->realm, b->o->split, why);
        if (code != ERR_OK) return code;
        const struct bench_doors *doors = bench_server_doors(b->own);
        door.api = doors->api;
        door.bridge = doors->bridge;
        events = doors->events;
        code = bench_cost_of_doors(&r->before, doors, b->o->realm, why);
    } else {
        code = bench_cost_of_given(&r->before, b->o->metrics, b->o->redis, b->o->realm, why);
    }
    if (code == ERR_OK) code = bench_cost_read(&r->before, why); /* fails early if it must */
    if (code != ERR_OK) return code;
    struct client_options c = {.api = (char *)door.api, .timeout_ms = door.timeout_ms};
    b->client = command_client(&c);
    if (!b->client) return err_set(why, ERR_INVALID_ARGUMENT, "cannot use %s", door.api);
    code = read_version(b, why);
    if (code == ERR_OK) code = put_queue(b, why);
    if (code == ERR_OK) code = subscribe(b, events, why);
    if (code == ERR_OK) code = bench_door_open(&b->door, &door, r->tally, why);
    if (code == ERR_OK) code = bench_door_offer_before(b->door, why);
    return code;
}

/* ---- meanwhile ---- */

static void show(struct bench *b, const char *what) {
    const struct tally *t = b->r->tally;
    int64_t now_us = clock_mono_us();
    if (!isatty(STDERR_FILENO) || now_us - b->shown_us < SHOW_US) return;
    b->shown_us = now_us;
    fprintf(stderr, "\r%-9s %5.1f s  %zu of %zu tickets offered, %zu created, %zu matched ", what,
            (double)(now_us - t->start_us) / 1e6, b->offered,
            b->r->arrivals.count - b->r->arrivals.before, atomic_load(&t->created),
            atomic_load(&t->told));
}

/* When ticket `next` is to be looked at: it is due, or is already and the door did not take it. */
static int64_t next_turn_us(const struct bench *b, size_t next) {
    int64_t now_us = clock_mono_us();
    int64_t due_us = b->r->tally->start_us + b->r->arrivals.due_us[next];
    if (due_us <= now_us) return now_us + BEHIND_US;
    return due_us < now_us + SHOW_US ? due_us : now_us + SHOW_US;
}

static void play(struct bench *b) {
    const struct arrivals *a = &b->r->arrivals;
    struct tally *t = b->r->tally;
    size_t next = a->before;
    t->start_us = clock_mono_us() + LEAD_US;
    while (next < a->count && !interrupted) {
        size_t due = arrivals_due(a, next, clock_mono_us() - t->start_us, DUE_MAX);
        if (due > 0) next += bench_door_offer(b->door, next, due);
        b->offered = next - a->before;
        bench_door_turn(b->door, next < a->count ? next_turn_us(b, next) : 0);
        show(b, "offering");
    }
    b->r->offered_s = (double)(clock_mono_us() - t->start_us) / 1e6;
}

/* Nothing more can come of it: all have ended, or fewer are left than any match takes. */
static bool is_over(const struct bench *b) {
    const struct tally *t = b->r->tally;
    size_t all = b->r->arrivals.count - b->r->arrivals.before;
    size_t told = atomic_load(&t->told), failed = atomic_load(&t->failed);
    bool answered = atomic_load(&t->created) + failed >= all;
    return answered &&
           (all - told - failed) * b->r->arrivals.party_max < b->r->arrivals.match_players;
}

/* The cost is read whenever somebody was told, so that idle seconds at the end do not count. */
static enum err drain(struct bench *b, struct err_text *why) {
    struct tally *t = b->r->tally;
    int64_t now_us = clock_mono_us(), end_us = now_us + (int64_t)(b->o->drain_s * 1e6);
    int64_t read_us = 0, quiet_us = now_us;
    size_t read_at = SIZE_MAX;
    while ((now_us = clock_mono_us()) < end_us && !is_over(b) && now_us - quiet_us < QUIET_US) {
        if (interrupted) return cancelled(why);
        size_t ended = atomic_load(&t->told) + atomic_load(&t->created) + atomic_load(&t->failed);
        if (ended != read_at && now_us - read_us >= SAMPLE_US) {
            enum err code = bench_cost_read(&b->r->after, why);
            if (code != ERR_OK) return code;
            read_us = quiet_us = now_us;
            read_at = ended;
        }
        bench_door_turn(b->door, now_us + SAMPLE_US / 10);
        show(b, "waiting");
    }
    return is_over(b) ? bench_cost_read(&b->r->after, why) : ERR_OK;
}

/* ---- after ---- */

static enum err read_stats(struct bench *b, struct err_text *why) {
    Muster__V1__GetQueueStatsRequest request = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    struct muster_status status;
    request.name = b->r->queue;
    muster_free(b->r->server);
    b->r->server = NULL;
    if (muster_get_queue_stats(b->client, &request, NULL, &b->r->server, &status) == MUSTER_OK)
        return ERR_OK;
    return fail_status(&status, why);
}

static size_t told_in_all(const struct bench *b) {
    return atomic_load(&b->r->tally->told) + atomic_load(&b->r->tally->told_before);
}

/* What the server counted; the last events may be on their way. */
static enum err compare(struct bench *b, struct err_text *why) {
    int64_t end_us = clock_mono_us() + SETTLE_US;
    enum err code = read_stats(b, why);
    while (code == ERR_OK && told_in_all(b) < b->r->server->tickets_matched_total &&
           clock_mono_us() < end_us) {
        bench_door_turn(b->door, clock_mono_us() + SAMPLE_US / 10);
        code = read_stats(b, why);
    }
    int64_t last_us = atomic_load(&b->r->tally->last_told_us);
    if (last_us) b->r->made_s = (double)(last_us - b->r->tally->start_us) / 1e6;
    return code;
}

/* A queue that cannot be deleted stays: said, and no failure of what was measured. */
static void delete_queue(struct bench *b) {
    Muster__V1__DeleteQueueRequest request = MUSTER__V1__DELETE_QUEUE_REQUEST__INIT;
    Muster__V1__DeleteQueueResponse *answer = NULL;
    struct muster_status status;
    request.name = b->r->queue;
    request.cancel_tickets = true;
    if (muster_delete_queue(b->client, &request, NULL, &answer, &status) != MUSTER_OK &&
        status.code != MUSTER_NOT_FOUND)
        fprintf(stderr, "muster bench: queue %s stays: %s\n", b->r->queue, status.message);
    muster_free(answer);
}

static void finish(struct bench *b) {
    if (b->shown_us) fprintf(stderr, "\r%*s\r", 100, "");
    bench_door_close(b->door);
    if (b->subscription) b->r->gaps = muster_subscription_gaps(b->subscription);
    if (b->subscription) muster_unsubscribe(b->subscription);
    if (b->queue_put && !b->own && !b->o->keep) delete_queue(b);
    muster_close(b->client);
    bench_server_stop(b->own);
}

enum err bench_run(struct bench_result *r, const struct bench_options *o, struct err_text *why) {
    struct bench b = {.o = o, .r = r};
    struct arrivals_request q = o->arrivals;
    char prefix[16];
    name_run(&q, prefix, r->queue, sizeof r->queue);
    enum err code = arrivals_open(&r->arrivals, &q, why);
    if (code != ERR_OK) return code;
    r->tally = tally_new(&r->arrivals);
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    code = prepare(&b, why);
    if (code == ERR_OK) code = bench_cost_read(&r->before, why);
    if (code == ERR_OK) {
        r->after = r->before;
        play(&b);
        code = drain(&b, why);
    }
    if (code == ERR_OK) code = compare(&b, why);
    finish(&b);
    return code;
}

bool bench_result_good(const struct bench_result *r) {
    const struct tally *t = r->tally;
    size_t told = atomic_load(&t->told) + atomic_load(&t->told_before);
    size_t created = atomic_load(&t->created) + atomic_load(&t->created_before);
    return atomic_load(&t->failed) == 0 && atomic_load(&t->told_twice) == 0 && !r->resynced &&
           r->server->tickets_created_total == created && r->server->tickets_matched_total == told;
}

void bench_result_fini(struct bench_result *r) {
    muster_free(r->server);
    tally_free(r->tally);
    arrivals_close(&r->arrivals);
}
