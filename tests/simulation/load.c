/* load.c - each back end is a task: it queues a ticket, then does one thing and another with it. */
#include "simulation/load.h"

#include "base/mem.h"
#include "simulation/bus.h"
#include "simulation/cluster.h"
#include "simulation/load_state.h"

#include <muster/client.h>
#include <muster/v1/matches.pb-c.h>
#include <muster/v1/queues.pb-c.h>
#include <muster/v1/tickets.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_US = 2000 * MS, TRY_US = 400 * MS };

/* A ticket lives two seconds at most, so that a run ends with every ticket ended. */
#define QUEUE(name, timeout, players_min, players_max, life)                                 \
    "{\"name\":\"" name "\",\"ticketTimeoutSeconds\":" timeout ",\"tickMs\":20," life        \
    "\"ruleset\":{\"ruleLanguageVersion\":\"1.0\","                                          \
    "\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}],"                       \
    "\"teams\":[{\"name\":\"team\",\"quantity\":2,\"minPlayers\":" players_min               \
    ",\"maxPlayers\":" players_max "}],"                                                     \
    "\"rules\":[{\"name\":\"near\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\"," \
    "\"maxDistance\":40}]}}"
#define ASKS "\"acceptanceRequired\":true,\"acceptanceTimeoutSeconds\":1,"
#define DODGE "\"dodgePenaltySeconds\":[1,2],\"dodgeDecaySeconds\":10,"

#define ENDLESS "\"holdPlayers\":true,\"backfillMode\":\"AUTOMATIC\","

static const char *const queue_definitions[] = {
    QUEUE("duel", "1", "1", "1", ""),
    QUEUE("pairs", "2", "2", "2", ASKS),
    QUEUE("ready", "2", "1", "1", ASKS DODGE),
    QUEUE("endless", "2", "1", "1", ENDLESS),
    QUEUE("arena", "2", "1", "2", ENDLESS ASKS),
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

bool load_queue_asks(struct str queue) {
    return str_equal(queue, STR("pairs")) || str_equal(queue, STR("ready")) ||
           str_equal(queue, STR("arena"));
}

uint32_t load_team_min(struct str queue) {
    return str_equal(queue, STR("pairs")) ? 2 : 1;
}

uint32_t load_team_max(struct str queue) {
    return str_equal(queue, STR("pairs")) || str_equal(queue, STR("arena")) ? 2 : 1;
}

bool load_plays_on(struct str queue) {
    return str_equal(queue, STR("endless")) || str_equal(queue, STR("arena"));
}

bool load_is_stopped(void) {
    return load.stopped;
}

void load_name_request(char *id, size_t size) {
    (void)snprintf(id, size, "r%d", load.next_request++);
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

struct answer load_call(const char *method, const ProtobufCMessage *request, const char *id) {
    struct answer a = {.task = task_current()};
    struct bus_call c = {
        .addresses = CLUSTER_DOORS, .method = method, .timeout_us = TIMEOUT_US, .try_us = TRY_US};
    (void)snprintf(c.request_id, sizeof c.request_id, "%s", id);
    bus_call(&c, request, take_answer, &a);
    while (!a.done)
        (void)task_wait(NEVER);
    return a;
}

struct op *load_end_op(size_t place, const struct answer *a) {
    static const char *const names[] = {"create",  "cancel", "get", "watch",    "accept",
                                        "decline", "look",   "say", "stop_look"};
    struct op *op = &history()->ops[place];
    op->end_us = world_now_us();
    op->code = a->code;
    world_trace("%s %s: %s", names[op->kind], op->request_id, err_name(a->code));
    return op;
}

static void end_op(size_t place, const struct answer *a, struct id ticket_id, int state) {
    struct op *op = load_end_op(place, a);
    char text[ID_TEXT_BYTES];
    if (a->code == ERR_OK) {
        op->ticket_id = ticket_id;
        op->state = state;
    }
    id_format(op->ticket_id, text);
    world_trace("    of ticket %s, state %d", text, op->state);
}

struct id load_id_of(const char *text) {
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
    char names[OP_PLAYERS_MAX][16], *queues[2];
};

static void add_queue(struct ticket_parts *t, const char *queue) {
    t->queues[t->request.n_queues++] = (char *)queue;
}

static void fill_ticket(struct ticket_parts *t, const struct op *op) {
    muster__v1__create_ticket_request__init(&t->request);
    t->request.queues = t->queues;
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

/* Pairs, duels, duels that are asked, who takes whichever of the two comes first, and matches that
 * go on with others, who are asked or not. */
static void choose_queues(struct ticket_parts *t, bool pair) {
    if (!pair && world_chance(0.5)) {
        add_queue(t, world_chance(0.5) ? "endless" : "arena");
        return;
    }
    bool both = !pair && world_chance(0.2);
    if (pair) add_queue(t, "pairs");
    if (both || (!pair && world_chance(0.5))) add_queue(t, "duel");
    if (both || t->request.n_queues == 0) add_queue(t, "ready");
}

/* The place of the call in the history. Some players have two back ends that do not know of each
 * other. */
static size_t create(int back_end) {
    struct op op = {.kind = OP_CREATE, .begin_us = world_now_us(), .players = {-1, -1}};
    bool pair = world_chance(0.4);
    op.players[0] =
        world_chance(0.1)
            ? 0
            : back_end + LOAD_BACK_ENDS * (int)world_between(0, LOAD_PLAYERS / LOAD_BACK_ENDS - 1);
    if (pair && world_chance(0.7)) op.players[1] = (op.players[0] + 1) % LOAD_PLAYERS;
    load_name_request(op.request_id, sizeof op.request_id);
    struct ticket_parts parts;
    memset(&parts, 0, sizeof parts);
    fill_ticket(&parts, &op);
    choose_queues(&parts, pair);
    size_t place = history_op(&op);
    struct answer a = load_call("Tickets/CreateTicket", &parts.request.base, op.request_id);
    struct id id = {0, 0};
    int state = 0;
    if (a.code == ERR_OK) {
        Muster__V1__CreateTicketResponse *r = muster__v1__create_ticket_response__unpack(
            NULL, a.payload.size, (const uint8_t *)a.payload.at);
        id = load_id_of(r->ticket->ticket_id);
        state = (int)r->ticket->state;
        muster__v1__create_ticket_response__free_unpacked(r, NULL);
    }
    end_op(place, &a, id, state);
    mem_free((char *)a.payload.at);
    return place;
}

struct sight { /* of a ticket */
    int state; /* muster.v1.TicketState; 0 unknown, -1 there is none */
    struct id match_id;
    bool plays_on;
};

/* Get-, Cancel- and WatchTicketResponse have the ticket in the same place. */
static struct sight sight_of(const struct answer *a) {
    struct sight s = {a->code == ERR_NOT_FOUND ? -1 : 0, {0, 0}, false};
    if (a->code != ERR_OK) return s;
    Muster__V1__GetTicketResponse *r = muster__v1__get_ticket_response__unpack(
        NULL, a->payload.size, (const uint8_t *)a->payload.at);
    if (r && r->ticket)
        s = (struct sight){(int)r->ticket->state, load_id_of(r->ticket->match_id),
                           load_plays_on(str_of(r->ticket->queues[0]))};
    if (r) muster__v1__get_ticket_response__free_unpacked(r, NULL);
    return s;
}

static struct sight look(struct id id, enum op_kind kind, int known_state) {
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    struct op op = {.kind = kind, .begin_us = world_now_us(), .ticket_id = id, .players = {-1, -1}};
    load_name_request(op.request_id, sizeof op.request_id);
    size_t place = history_op(&op);
    Muster__V1__GetTicketRequest get = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    Muster__V1__CancelTicketRequest cancel = MUSTER__V1__CANCEL_TICKET_REQUEST__INIT;
    Muster__V1__WatchTicketRequest watch = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
    get.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
    get.ticket_id = cancel.ticket_id = watch.ticket_id = text;
    watch.known_state = (Muster__V1__TicketState)known_state;
    struct answer a = kind == OP_GET ? load_call("Tickets/GetTicket", &get.base, op.request_id)
                      : kind == OP_CANCEL
                          ? load_call("Tickets/CancelTicket", &cancel.base, op.request_id)
                          : load_call("Tickets/WatchTicket", &watch.base, op.request_id);
    struct sight s = sight_of(&a);
    end_op(place, &a, id, s.state);
    mem_free((char *)a.payload.at);
    return s;
}

/* Some accept, few decline; the rest sleep, and of a pair perhaps only one does. */
static void answer_proposal(const struct op *created, struct id match_id) {
    int dice = (int)world_between(0, 9);
    if (dice == 0) return;
    struct op op = {.kind = dice == 1 ? OP_DECLINE : OP_ACCEPT,
                    .begin_us = world_now_us(),
                    .ticket_id = created->ticket_id,
                    .match_id = match_id,
                    .players = {created->players[0], dice == 2 ? -1 : created->players[1]}};
    load_name_request(op.request_id, sizeof op.request_id);
    char match[ID_TEXT_BYTES], names[OP_PLAYERS_MAX][16], *name_at[OP_PLAYERS_MAX];
    id_format(match_id, match);
    size_t count = 0;
    for (; count < OP_PLAYERS_MAX && op.players[count] >= 0; count++) {
        (void)snprintf(names[count], sizeof names[count], "p%d", op.players[count]);
        name_at[count] = names[count];
    }
    Muster__V1__AcceptMatchRequest accept = MUSTER__V1__ACCEPT_MATCH_REQUEST__INIT;
    Muster__V1__DeclineMatchRequest decline = MUSTER__V1__DECLINE_MATCH_REQUEST__INIT;
    accept.match_id = decline.match_id = match;
    accept.player_ids = decline.player_ids = name_at;
    accept.n_player_ids = decline.n_player_ids = count;
    size_t place = history_op(&op);
    struct answer a = op.kind == OP_ACCEPT
                          ? load_call("Matches/AcceptMatch", &accept.base, op.request_id)
                          : load_call("Matches/DeclineMatch", &decline.base, op.request_id);
    end_op(place, &a, op.ticket_id, 0);
    mem_free((char *)a.payload.at);
}

static void live_with(struct op created) {
    struct sight s = {MUSTER__V1__TICKET_STATE__QUEUED, {0, 0}, false};
    struct id answered = {0, 0};
    for (int i = 0; i < 8 && !load.stopped; i++) {
        (void)task_wait(world_between(1 * MS, 60 * MS));
        if (s.state == MUSTER__V1__TICKET_STATE__PROPOSED && !id_equal(s.match_id, answered)) {
            answered = s.match_id;
            answer_proposal(&created, s.match_id);
        }
        enum op_kind kind = world_chance(0.08) ? OP_CANCEL : world_chance(0.4) ? OP_GET : OP_WATCH;
        s = look(created.ticket_id, kind, s.state > 0 ? s.state : MUSTER__V1__TICKET_STATE__QUEUED);
        if (s.state < 0 || s.state > MUSTER__V1__TICKET_STATE__MATCHED) return;
        if (s.state == MUSTER__V1__TICKET_STATE__MATCHED) {
            if (s.plays_on) game_play(created.players[0], s.match_id);
            return;
        }
    }
}

static void put_queues(void) {
    for (size_t i = 0; i < sizeof queue_definitions / sizeof queue_definitions[0]; i++) {
        Muster__V1__PutQueueRequest put = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
        put.definition_json = (char *)queue_definitions[i];
        char id[32];
        load_name_request(id, sizeof id);
        struct answer a = load_call("Queues/PutQueue", &put.base, id);
        mem_free((char *)a.payload.at);
    }
}

/* A rollback may have taken the queues: whoever finds them missing puts them again. */
static void run_back_end(void *arg) {
    int back_end = *(int *)arg;
    if (back_end == 0) put_queues();
    while (!load.stopped) {
        size_t place = create(back_end);
        struct op created = history()->ops[place];
        if (!id_is_none(created.ticket_id))
            live_with(created);
        else if (created.code == ERR_NOT_FOUND && back_end == 0)
            put_queues();
        (void)task_wait(world_between(1 * MS, 30 * MS));
    }
    load.busy--;
}

/* ---- services ---- */

static void on_event(void *arg, const Muster__V1__Event *e) {
    const struct service *s = arg;
    const char *id = e->body_case == MUSTER__V1__EVENT__BODY_TICKET       ? e->ticket->ticket_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_MATCH      ? e->match->match_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_ACCEPTANCE ? e->acceptance->match_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_MATCH_UPDATE
                         ? e->match_update->match->match_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_BACKFILL ? e->backfill->backfill_id
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
