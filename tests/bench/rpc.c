/* rpc.c - a back end in a hurry: one kind of call, a fixed number in flight, over the C client.
 *
 *   bench_rpc api=ADDRESS name=ROWS call=check|get|create|batch count=N [depth=K] [clients=C]
 *             [queue=Q] [prefix=P] [step=S] [batch=B] [drain=1] [warm=0] [server=PID] [redis=PID]
 *
 * `count` calls are made, `depth` of them in flight over `clients` connections; each reply sends
 * the next call. Rows: per_s, p50, p99, max of a call; server_cpu and redis_cpu per call, for
 * call=batch (CreateTickets of `batch` tickets) per ticket.
 * A ticket is one player, PREFIX-i with skill S * i, 3 attributes and 6 latencies: about 200 B.
 * A tenth of the calls is made first and not measured, unless warm=0.
 * drain=1: the time and CPU until the queue is empty are counted too, so tickets live their whole
 * life. Any refused call or ticket ends the program: no figure is made of failures.
 */
#include "measure.h"

#include <muster/client.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS_MAX = 64, ATTRIBUTES = 3, REGIONS = 6, TIMEOUT_MS = 60000, DRAIN_POLL_MS = 2 };

struct ticket_parts { /* one CreateTicketRequest and all it points to */
    Muster__V1__CreateTicketRequest request;
    Muster__V1__Player player, *players[1];
    Muster__V1__AttributeValue values[ATTRIBUTES];
    Muster__V1__Player__AttributesEntry attribute[ATTRIBUTES], *attributes[ATTRIBUTES];
    Muster__V1__Player__LatenciesMsEntry latency[REGIONS], *latencies[REGIONS];
    char *queues[1];
    char id[64];
};

struct bench {
    const char *name, *call, *queue, *prefix, *ticket_id;
    long count, depth, client_count, batch, step, first; /* `first`: player index of ticket 0 */
    long server, redis;
    struct muster_client *clients[CLIENTS_MAX];
    int64_t *latency_ns; /* by call */
    atomic_long next, idle;
    sem_t finished;
};

struct slot { /* one place in flight */
    struct bench *bench;
    struct muster_client *client;
    struct ticket_parts *parts; /* `batch` of them */
    Muster__V1__CreateTicketRequest **tickets;
    int64_t started_ns;
    long index;
};

static void set_attribute(struct ticket_parts *t, int i, const char *name, double number) {
    muster__v1__attribute_value__init(&t->values[i]);
    t->attribute[i] =
        (Muster__V1__Player__AttributesEntry)MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
    t->values[i].kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    t->values[i].number = number;
    t->attribute[i].key = (char *)name;
    t->attribute[i].value = &t->values[i];
    t->attributes[i] = &t->attribute[i];
}

static void fill_ticket(struct ticket_parts *t, const struct bench *b, long index) {
    static const char *const regions[REGIONS] = {"eu-west", "eu-north", "us-east",
                                                 "us-west", "ap-south", "ap-east"};
    muster__v1__create_ticket_request__init(&t->request);
    muster__v1__player__init(&t->player);
    snprintf(t->id, sizeof t->id, "%s-%ld", b->prefix, index);
    set_attribute(t, 0, "skill", (double)(b->step * index));
    set_attribute(t, 1, "level", (double)(index % 60));
    set_attribute(t, 2, "hours", (double)(index % 997) / 4);
    for (int i = 0; i < REGIONS; i++) {
        t->latency[i] =
            (Muster__V1__Player__LatenciesMsEntry)MUSTER__V1__PLAYER__LATENCIES_MS_ENTRY__INIT;
        t->latency[i].key = (char *)regions[i];
        t->latency[i].value = 20 + 35 * i;
        t->latencies[i] = &t->latency[i];
    }
    t->player.player_id = t->id;
    t->player.n_attributes = ATTRIBUTES;
    t->player.attributes = t->attributes;
    t->player.n_latencies_ms = REGIONS;
    t->player.latencies_ms = t->latencies;
    t->players[0] = &t->player;
    t->queues[0] = (char *)b->queue;
    t->request.n_queues = t->request.n_players = 1;
    t->request.queues = t->queues;
    t->request.players = t->players;
}

static void issue(struct slot *s);

static void reply(void *arg, ProtobufCMessage *response, const struct muster_status *status) {
    struct slot *s = arg;
    struct bench *b = s->bench;
    if (status->code != MUSTER_OK)
        measure_fail("%s: %s: %s", b->name, muster_code_name(status->code), status->message);
    b->latency_ns[s->index] = measure_now_ns() - s->started_ns;
    if (strcmp(b->call, "batch") == 0) {
        const Muster__V1__CreateTicketsResponse *answer = (const void *)response;
        if (answer->n_failures)
            measure_fail("%s: %s", b->name, answer->failures[0]->status->message);
    }
    muster_free(response);
    issue(s);
}

static void call_batch(struct slot *s, const struct muster_call *call) {
    Muster__V1__CreateTicketsRequest request = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
    const struct bench *b = s->bench;
    for (long i = 0; i < b->batch; i++) {
        fill_ticket(&s->parts[i], b, b->first + s->index * b->batch + i);
        s->tickets[i] = &s->parts[i].request;
    }
    request.n_tickets = (size_t)b->batch;
    request.tickets = s->tickets;
    muster_call_async(s->client, "Tickets/CreateTickets", &request.base, call, reply, s);
}

/* Sends the slot's next call, or reports the slot idle when none is left. */
static void issue(struct slot *s) {
    struct bench *b = s->bench;
    struct muster_call call = {.timeout_ms = TIMEOUT_MS};
    s->index = atomic_fetch_add(&b->next, 1);
    if (s->index >= b->count) {
        if (atomic_fetch_add(&b->idle, 1) + 1 == b->depth) sem_post(&b->finished);
        return;
    }
    s->started_ns = measure_now_ns();
    if (strcmp(b->call, "check") == 0) {
        Muster__V1__CheckRequest request = MUSTER__V1__CHECK_REQUEST__INIT;
        muster_call_async(s->client, "System/Check", &request.base, &call, reply, s);
    } else if (strcmp(b->call, "get") == 0) {
        Muster__V1__GetTicketRequest request = MUSTER__V1__GET_TICKET_REQUEST__INIT;
        request.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
        request.ticket_id = (char *)b->ticket_id;
        muster_call_async(s->client, "Tickets/GetTicket", &request.base, &call, reply, s);
    } else if (strcmp(b->call, "create") == 0) {
        fill_ticket(&s->parts[0], b, b->first + s->index);
        muster_call_async(s->client, "Tickets/CreateTicket", &s->parts[0].request.base, &call,
                          reply, s);
    } else {
        call_batch(s, &call);
    }
}

/* Makes `count` calls from the player index `first` on, and waits for them. */
static void run(struct bench *b, struct slot *slots, long count, long first) {
    b->count = count;
    b->first = first;
    atomic_store(&b->next, 0);
    atomic_store(&b->idle, 0);
    for (long i = 0; i < b->depth; i++)
        issue(&slots[i]);
    while (sem_wait(&b->finished) != 0)
        continue;
}

static void wait_drained(const struct bench *b) {
    Muster__V1__GetQueueStatsRequest request = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    int64_t deadline = measure_now_ns() + (int64_t)TIMEOUT_MS * 1000000;
    request.name = (char *)b->queue;
    for (uint64_t queued = 1; queued > 0;) {
        Muster__V1__GetQueueStatsResponse *answer = NULL;
        struct muster_status status;
        if (muster_get_queue_stats(b->clients[0], &request, NULL, &answer, &status) != MUSTER_OK)
            measure_fail("%s: %s", b->name, status.message);
        queued = answer->tickets_queued;
        muster_free(answer);
        if (measure_now_ns() > deadline)
            measure_fail("%s: %lu tickets were never matched", b->name, (unsigned long)queued);
        if (queued) poll(NULL, 0, DRAIN_POLL_MS);
    }
}

static void report(struct bench *b, struct slot *slots, long first, int drain) {
    long items = b->count * (strcmp(b->call, "batch") == 0 ? b->batch : 1);
    long count = b->count;
    struct samples ns = {0};
    int64_t server_us = measure_cpu_us(b->server), redis_us = measure_cpu_us(b->redis);
    int64_t start = measure_now_ns();
    run(b, slots, count, first);
    if (drain) wait_drained(b);
    double seconds = (double)(measure_now_ns() - start) / 1e9;
    server_us = measure_cpu_us(b->server) - server_us;
    redis_us = measure_cpu_us(b->redis) - redis_us;
    for (long i = 0; i < count; i++)
        samples_add(&ns, b->latency_ns[i]);
    measure_row(b->name, "per_s", (double)items / seconds, "1/s");
    measure_quantiles(b->name, &ns, 1e3, "us");
    if (b->server) measure_row(b->name, "server_cpu", (double)server_us / (double)items, "us");
    if (b->redis) measure_row(b->name, "redis_cpu", (double)redis_us / (double)items, "us");
    samples_fini(&ns);
}

static void open_clients(struct bench *b, const char *api) {
    struct muster_options options = {.api = api, .timeout_ms = TIMEOUT_MS, .try_ms = TIMEOUT_MS};
    struct muster_status status;
    for (long i = 0; i < b->client_count; i++)
        if (muster_open(&b->clients[i], &options, &status) != MUSTER_OK)
            measure_fail("%s", status.message);
}

static struct slot *make_slots(struct bench *b) {
    struct slot *slots = calloc((size_t)b->depth, sizeof *slots);
    if (!slots) measure_fail("out of memory");
    for (long i = 0; i < b->depth; i++) {
        slots[i].bench = b;
        slots[i].client = b->clients[i % b->client_count];
        slots[i].parts = calloc((size_t)b->batch, sizeof *slots[i].parts);
        slots[i].tickets = calloc((size_t)b->batch, sizeof *slots[i].tickets);
        if (!slots[i].parts || !slots[i].tickets) measure_fail("out of memory");
    }
    return slots;
}

/* The ticket that call=get asks for again and again; freed by the caller. */
static Muster__V1__CreateTicketResponse *make_ticket(const struct bench *b, struct slot *slot) {
    Muster__V1__CreateTicketResponse *answer = NULL;
    struct muster_status status;
    fill_ticket(&slot->parts[0], b, 0);
    if (muster_create_ticket(b->clients[0], &slot->parts[0].request, NULL, &answer, &status) !=
        MUSTER_OK)
        measure_fail("%s: %s", b->name, status.message);
    return answer;
}

int main(int argc, char **argv) {
    (void)argc;
    struct bench b = {
        .name = measure_text(argv, "name", "rpc"),
        .call = measure_text(argv, "call", "check"),
        .queue = measure_text(argv, "queue", "bench_pairs"),
        .prefix = measure_text(argv, "prefix", "rpc"),
        .count = measure_number(argv, "count", 10000),
        .depth = measure_number(argv, "depth", 1),
        .client_count = measure_number(argv, "clients", 1),
        .batch = measure_number(argv, "batch", 1),
        .step = measure_number(argv, "step", 0),
        .server = measure_number(argv, "server", 0),
        .redis = measure_number(argv, "redis", 0),
    };
    if (b.count < 1 || b.depth < 1 || b.batch < 1 || b.batch > 1000 || b.client_count < 1 ||
        b.client_count > CLIENTS_MAX)
        measure_fail("count and depth from 1, batch 1..1000, clients 1..%d", CLIENTS_MAX);
    sem_init(&b.finished, 0, 0);
    b.latency_ns = calloc((size_t)b.count, sizeof *b.latency_ns);
    open_clients(&b, measure_text(argv, "api", "tcp://127.0.0.1:7600"));
    struct slot *slots = make_slots(&b);
    Muster__V1__CreateTicketResponse *ticket = NULL;
    if (strcmp(b.call, "get") == 0) ticket = make_ticket(&b, &slots[0]);
    if (ticket) b.ticket_id = ticket->ticket->ticket_id;
    long count = b.count, drain = measure_number(argv, "drain", 0), first = 0;
    if (measure_number(argv, "warm", 1)) {
        run(&b, slots, (count + 9) / 10, 0);
        if (drain) wait_drained(&b);
        first = count * b.batch; /* players that the warm-up has not used */
    }
    b.count = count;
    report(&b, slots, first, (int)drain);
    for (long i = 0; i < b.client_count; i++)
        muster_close(b.clients[i]);
    muster_free(ticket);
    for (long i = 0; i < b.depth; i++) {
        free(slots[i].parts);
        free(slots[i].tickets);
    }
    free(slots);
    free(b.latency_ns);
    return 0;
}
