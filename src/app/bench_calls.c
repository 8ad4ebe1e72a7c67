/* bench_calls.c - CreateTicket and CreateTickets without waiting. */
#include "app/bench_calls.h"

#include "app/ticket_message.h"

#include <stdio.h>

struct bench_calls {
    struct bench_calls_options o;
    struct tally *tally;
    struct muster_client *client;
    struct arena *arena; /* of the message being sent */
    _Atomic int in_flight;
};

struct flight { /* one call */
    struct bench_calls *calls;
    size_t first, count; /* tickets */
};

enum err bench_calls_open(struct bench_calls **out, const struct bench_calls_options *o,
                          struct tally *tally, struct err_text *why) {
    struct bench_calls *c = mem_alloc(sizeof *c);
    struct muster_status status;
    /* One try: a second one would offer a server that is behind more than is due. */
    struct muster_options options = {
        .api = o->api, .timeout_ms = o->timeout_ms, .try_ms = o->timeout_ms};
    *out = c;
    c->o = *o;
    c->tally = tally;
    c->arena = arena_new(0);
    if (muster_open(&c->client, &options, &status) == MUSTER_OK) return ERR_OK;
    return err_set(why, err_from_code(status.code), "%s", status.message);
}

void bench_calls_close(struct bench_calls *c) {
    if (!c) return;
    muster_close(c->client);
    arena_free(c->arena);
    mem_free(c);
}

int bench_calls_in_flight(const struct bench_calls *c) {
    return atomic_load(&c->in_flight);
}

static void take_failures(const struct flight *f, const Muster__V1__CreateTicketsResponse *answer) {
    for (size_t i = 0; i < answer->n_failures; i++)
        tally_failed(f->calls->tally, f->first + answer->failures[i]->index,
                     answer->failures[i]->status->message);
    for (size_t i = 0; i < answer->n_ticket_ids; i++)
        if (answer->ticket_ids[i][0]) tally_created(f->calls->tally, f->first + i);
}

static void fail_all(const struct flight *f, const struct muster_status *status) {
    char why[sizeof status->message + 32];
    snprintf(why, sizeof why, "%s: %s", muster_code_name(status->code), status->message);
    for (size_t i = 0; i < f->count; i++)
        tally_failed(f->calls->tally, f->first + i, why);
}

static void answered(void *arg, ProtobufCMessage *response, const struct muster_status *status) {
    struct flight *f = arg;
    if (status->code != MUSTER_OK)
        fail_all(f, status);
    else if (f->calls->o.batch)
        take_failures(f, (const Muster__V1__CreateTicketsResponse *)response);
    else
        tally_created(f->calls->tally, f->first);
    muster_free(response);
    atomic_fetch_sub(&f->calls->in_flight, 1);
    mem_free(f);
}

static void call(struct bench_calls *c, size_t first, size_t count) {
    Muster__V1__CreateTicketsRequest many = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
    const struct arrivals *a = c->tally->arrivals;
    struct flight *f = mem_alloc(sizeof *f);
    *f = (struct flight){c, first, count};
    many.n_tickets = count;
    many.tickets = arena_alloc(c->arena, count * sizeof *many.tickets);
    for (size_t i = 0; i < count; i++) {
        many.tickets[i] = ticket_message(c->arena, arrivals_ticket(a, first + i));
        tally_sent(c->tally, first + i);
    }
    atomic_fetch_add(&c->in_flight, 1);
    if (c->o.batch)
        muster_call_async(c->client, "Tickets/CreateTickets", &many.base, NULL, answered, f);
    else
        muster_call_async(c->client, "Tickets/CreateTicket", &many.tickets[0]->base, NULL, answered,
                          f);
    arena_reset(c->arena);
}

size_t bench_calls_send(struct bench_calls *c, size_t first, size_t count) {
    size_t sent = 0, most = c->o.batch ? c->o.batch : 1;
    while (sent < count && bench_calls_in_flight(c) < c->o.in_flight_max) {
        size_t part = count - sent < most ? count - sent : most;
        call(c, first + sent, part);
        sent += part;
    }
    return sent;
}
