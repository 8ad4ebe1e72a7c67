/* load.c - each back end is a task: it queues a ticket, then does one thing and another with it. */
#include "simulation/load.h"

#include "base/mem.h"
#include "simulation/bus.h"
#include "simulation/cluster.h"
#include "simulation/history.h"

#include <muster/client.h>
#include <muster/v1/queues.pb-c.h>
#include <muster/v1/tickets.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_US = 2000 * MS, TRY_US = 400 * MS };

/* A ticket lives a second at most, so that a run ends with every ticket ended. */
static const char *const queue_definitions[] = {
    "{\"name\":\"duel\",\"ticketTimeoutSeconds\":1,\"tickMs\":20,\"ruleset\":{"
    "\"ruleLanguageVersion\":\"1.0\",\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}"
    "],"
    "\"teams\":[{\"name\":\"team\",\"quantity\":2,\"minPlayers\":1,\"maxPlayers\":1}],"
    "\"rules\":[{\"name\":\"near\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\","
    "\"maxDistance\":40}]}}",
    "{\"name\":\"pairs\",\"ticketTimeoutSeconds\":1,\"tickMs\":20,\"ruleset\":{"
    "\"ruleLanguageVersion\":\"1.0\",\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}"
    "],"
    "\"teams\":[{\"name\":\"team\",\"quantity\":2,\"minPlayers\":2,\"maxPlayers\":2}],"
    "\"rules\":[{\"name\":\"near\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\","
    "\"maxDistance\":40}]}}",
};

struct answer { /* of a call that its task waits for */
    struct task *task;
    bool done;
    enum err code;
    struct str payload; /* owned */
};

struct service {
    int index;
    struct muster_client *client;
    struct muster_subscription *subscription;
};

static struct {
    struct node backend, watchers[LOAD_WATCHERS];
    struct service services[LOAD_WATCHERS];
    int next_request;
    int busy;
    bool stopped;
} load;

double load_skill(int player) {
    return 10.0 * (player % 8);
}

/* ---- calls ---- */

static void take_answer(void *arg, enum err code, struct str message, struct str payload) {
    struct answer *a = arg;
    (void)message;
    a->code = code;
    if (payload.size) a->payload = (struct str){mem_alloc(payload.size), payload.size};
    if (payload.size) memcpy((char *)a->payload.at, payload.at, payload.size);
    a->done = true;
    task_wake(a->task);
}

static struct answer call(const char *method, const ProtobufCMessage *request, const char *id) {
    struct answer a = {.task = task_current()};
    struct bus_call c = {
        .addresses = CLUSTER_DOORS, .method = method, .timeout_us = TIMEOUT_US, .try_us = TRY_US};
    (void)snprintf(c.request_id, sizeof c.request_id, "%s", id);
    bus_call(&c, request, take_answer, &a);
    while (!a.done)
        (void)task_wait(NEVER);
    return a;
}

static void end_op(size_t place, const struct answer *a, struct id ticket_id, int state) {
    struct op *op = &history()->ops[place];
    char text[ID_TEXT_BYTES];
    op->end_us = world_now_us();
    op->code = a->code;
    if (a->code == ERR_OK) {
        op->ticket_id = ticket_id;
        op->state = state;
    }
    id_format(op->ticket_id, text);
    static const char *const names[] = {"create", "cancel", "get", "watch"};
    world_trace("%s %s %s: %s, state %d", names[op->kind], op->request_id, text, err_name(a->code),
                op->state);
}

static struct id id_of(const char *text) {
    struct id id = {0, 0};
    (void)id_parse(str_of(text), &id);
    return id;
}

/* ---- what a back end does ---- */

struct ticket_parts {
    Muster__V1__CreateTicketRequest request;
    Muster__V1__Player players[OP_PLAYERS_MAX], *player_at[OP_PLAYERS_MAX];
    Muster__V1__AttributeValue skills[OP_PLAYERS_MAX];
    Muster__V1__Player__AttributesEntry attributes[OP_PLAYERS_MAX], *attribute_at[OP_PLAYERS_MAX];
    char names[OP_PLAYERS_MAX][16], *queue;
};

static void fill_ticket(struct ticket_parts *t, const struct op *op, const char *queue) {
    muster__v1__create_ticket_request__init(&t->request);
    t->queue = (char *)queue;
    t->request.queues = &t->queue;
    t->request.n_queues = 1;
    t->request.players = t->player_at;
    for (int i = 0; i < OP_PLAYERS_MAX && op->players[i] >= 0; i++) {
        (void)snprintf(t->names[i], sizeof t->names[i], "p%d", op->players[i]);
        muster__v1__player__init(&t->players[i]);
        muster__v1__attribute_value__init(&t->skills[i]);
        muster__v1__player__attributes_entry__init(&t->attributes[i]);
        t->skills[i].kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
        t->skills[i].number = load_skill(op->players[i]);
        t->attributes[i].key = (char *)"skill";
        t->attributes[i].value = &t->skills[i];
        t->attribute_at[i] = &t->attributes[i];
        t->players[i].player_id = t->names[i];
        t->players[i].attributes = &t->attribute_at[i];
        t->players[i].n_attributes = 1;
        t->player_at[i] = &t->players[i];
        t->request.n_players++;
    }
}

/* Some players have two back ends that do not know of each other. */
static struct id create(int back_end) {
    struct op op = {.kind = OP_CREATE, .begin_us = world_now_us(), .players = {-1, -1}};
    bool pair = world_chance(0.4);
    op.players[0] =
        world_chance(0.1)
            ? 0
            : back_end + LOAD_BACK_ENDS * (int)world_between(0, LOAD_PLAYERS / LOAD_BACK_ENDS - 1);
    if (pair && world_chance(0.7)) op.players[1] = (op.players[0] + 1) % LOAD_PLAYERS;
    (void)snprintf(op.request_id, sizeof op.request_id, "r%d", load.next_request++);
    struct ticket_parts parts;
    memset(&parts, 0, sizeof parts);
    fill_ticket(&parts, &op, pair ? "pairs" : "duel");
    size_t place = history_op(&op);
    struct answer a = call("Tickets/CreateTicket", &parts.request.base, op.request_id);
    struct id id = {0, 0};
    int state = 0;
    if (a.code == ERR_OK) {
        Muster__V1__CreateTicketResponse *r = muster__v1__create_ticket_response__unpack(
            NULL, a.payload.size, (const uint8_t *)a.payload.at);
        id = id_of(r->ticket->ticket_id);
        state = (int)r->ticket->state;
        muster__v1__create_ticket_response__free_unpacked(r, NULL);
    }
    end_op(place, &a, id, state);
    mem_free((char *)a.payload.at);
    return id;
}

/* Get-, Cancel- and WatchTicketResponse have the ticket in the same place. */
static int state_of(const struct answer *a) {
    if (a->code != ERR_OK) return 0;
    Muster__V1__GetTicketResponse *r = muster__v1__get_ticket_response__unpack(
        NULL, a->payload.size, (const uint8_t *)a->payload.at);
    int state = r && r->ticket ? (int)r->ticket->state : 0;
    if (r) muster__v1__get_ticket_response__free_unpacked(r, NULL);
    return state;
}

static int look(struct id id, enum op_kind kind) {
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    struct op op = {.kind = kind, .begin_us = world_now_us(), .ticket_id = id, .players = {-1, -1}};
    (void)snprintf(op.request_id, sizeof op.request_id, "r%d", load.next_request++);
    size_t place = history_op(&op);
    Muster__V1__GetTicketRequest get = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    Muster__V1__CancelTicketRequest cancel = MUSTER__V1__CANCEL_TICKET_REQUEST__INIT;
    Muster__V1__WatchTicketRequest watch = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
    get.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
    get.ticket_id = cancel.ticket_id = watch.ticket_id = text;
    watch.known_state = MUSTER__V1__TICKET_STATE__QUEUED;
    struct answer a = kind == OP_GET ? call("Tickets/GetTicket", &get.base, op.request_id)
                      : kind == OP_CANCEL
                          ? call("Tickets/CancelTicket", &cancel.base, op.request_id)
                          : call("Tickets/WatchTicket", &watch.base, op.request_id);
    int state = state_of(&a);
    end_op(place, &a, id, state);
    mem_free((char *)a.payload.at);
    return a.code == ERR_NOT_FOUND ? -1 : state;
}

static void live_with(struct id id) {
    for (int i = 0; i < 4 && !load.stopped; i++) {
        (void)task_wait(world_between(1 * MS, 60 * MS));
        enum op_kind kind = world_chance(0.15) ? OP_CANCEL : world_chance(0.5) ? OP_GET : OP_WATCH;
        int state = look(id, kind);
        if (state < 0 || state >= MUSTER__V1__TICKET_STATE__MATCHED) return;
    }
}

static void put_queues(void) {
    for (size_t i = 0; i < sizeof queue_definitions / sizeof queue_definitions[0]; i++) {
        Muster__V1__PutQueueRequest put = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
        put.definition_json = (char *)queue_definitions[i];
        char id[32];
        (void)snprintf(id, sizeof id, "q%d", load.next_request++);
        struct answer a = call("Queues/PutQueue", &put.base, id);
        mem_free((char *)a.payload.at);
    }
}

/* A rollback may have taken the queues: whoever finds them missing puts them again. */
static void run_back_end(void *arg) {
    int back_end = *(int *)arg;
    if (back_end == 0) put_queues();
    while (!load.stopped) {
        struct id id = create(back_end);
        if (!id_is_none(id))
            live_with(id);
        else if (history()->ops[history()->op_count - 1].code == ERR_NOT_FOUND && back_end == 0)
            put_queues();
        (void)task_wait(world_between(1 * MS, 30 * MS));
    }
    load.busy--;
}

/* ---- services ---- */

static void on_event(void *arg, const Muster__V1__Event *e) {
    const struct service *s = arg;
    const char *id = e->body_case == MUSTER__V1__EVENT__BODY_TICKET  ? e->ticket->ticket_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_MATCH ? e->match->match_id
                                                                     : "";
    struct heard h = {.watcher = s->index,
                      .at = {e->epoch, e->seq},
                      .index = e->index,
                      .id = {mem_text(str_of(id)), strlen(id)},
                      .time_us = world_now_us()};
    world_trace("heard %lu-%lu.%u %s", (unsigned long)e->epoch, (unsigned long)e->seq, e->index,
                id);
    history_heard(&h);
}

static void on_resync(void *arg, const char *reason) {
    const struct service *s = arg;
    world_trace("heard resync: %s", reason);
    struct heard h = {.watcher = s->index, .resync = true, .time_us = world_now_us()};
    history_heard(&h);
}

static void start_service(void *arg) {
    struct service *s = *(struct service **)arg;
    struct muster_options o = {.api = CLUSTER_DOORS};
    struct muster_subscribe_options subscribe = {.events = CLUSTER_PUBLISHER,
                                                 .realm = CLUSTER_REALM,
                                                 .on_event = on_event,
                                                 .on_resync = on_resync,
                                                 .arg = s};
    if (muster_open(&s->client, &o, NULL) != MUSTER_OK ||
        muster_subscribe(&s->subscription, s->client, &subscribe, NULL) != MUSTER_OK)
        abort();
}

/* ---- life ---- */

void load_begin(void) {
    static int indices[LOAD_BACK_ENDS];
    memset(&load, 0, sizeof load);
    node_start(&load.backend, "load");
    for (int i = 0; i < LOAD_BACK_ENDS; i++) {
        indices[i] = i;
        load.busy++;
        (void)task_start(&load.backend, run_back_end, &indices[i]);
    }
    for (int i = 0; i < LOAD_WATCHERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "s%d", i);
        node_start(&load.watchers[i], name);
        load.services[i].index = i;
        struct service **which = malloc(sizeof *which);
        *which = &load.services[i];
        world_at(&load.watchers[i], 1 * MS, start_service, which);
    }
}

void load_stop(void) {
    load.stopped = true;
}

bool load_idle(void) {
    return load.busy == 0;
}

void load_end(void) {
    node_kill(&load.backend);
    for (int i = 0; i < LOAD_WATCHERS; i++)
        node_kill(&load.watchers[i]);
}
