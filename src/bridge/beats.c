/* beats.c - who is due goes into batches; answers are of no interest. */
#include "bridge/beats.h"

#include "base/clock.h"
#include "bridge/bridge_internal.h"
#include "bridge/rpc.h"

enum { BEATS_PER_PERIOD = 3 };

struct batch {
    Muster__V1__HeartbeatTicketsRequest request;
    char *ids[LIMIT_HEARTBEATS];
};

void beats_want(struct player *player, int64_t heartbeat_ms) {
    player->heartbeat_ms = heartbeat_ms;
    player->beat_due_ms = 0;
}

static void on_heard(struct bridge *b, struct rpc *rpc) {
    (void)b;
    (void)rpc; /* a lost one is made good by the next; what is gone is told by events */
}

static void send(struct bridge *b, struct batch *batch) {
    if (batch->request.n_ticket_ids == 0) return;
    rpc_call(rpc_new(b, on_heard, NULL, STR_EMPTY), "Tickets/HeartbeatTickets",
             &batch->request.base, NULL);
    batch->request.n_ticket_ids = 0;
}

void beats_tick(struct bridge *b) {
    struct batch batch = {.request = MUSTER__V1__HEARTBEAT_TICKETS_REQUEST__INIT};
    int64_t now_ms = clock_mono_us() / 1000;
    batch.request.ticket_ids = batch.ids;
    LIST_EACH (&b->players.all, node) {
        struct player *player = LIST_OF(node, struct player, link);
        bool wanted = player->ticket_id[0] != '\0' && player->heartbeat_ms > 0;
        if (!wanted || player->sessions.count == 0 || player->beat_due_ms > now_ms) continue;
        player->beat_due_ms = now_ms + player->heartbeat_ms / BEATS_PER_PERIOD;
        batch.ids[batch.request.n_ticket_ids++] = player->ticket_id;
        if (batch.request.n_ticket_ids == LIMIT_HEARTBEATS) send(b, &batch);
    }
    send(b, &batch);
}
