/* load.c - back ends and a service for the chaos tests, through the C client: all they ask, get and
 * hear goes to a history.
 *
 *   chaos_load API EVENTS SEED THREADS HISTORY [SERVICE]     runs until SIGTERM, then until every
 * ticket of its own has ended; exit status 0
 *
 * THREADS 0: only the service, which is called SERVICE in the history. Each thread is a back end
 * with players of its own and some that it shares with the next one. One line per happening, one
 * write(2) per line (O_APPEND), the question before it is sent and the answer after it came, so
 * that killing anything loses no line.
 */
#include "chaos/load.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS_MAX = 64,
    PATIENCE_MS = 40000, /* until a ticket has ended by itself */
};

struct muster_client *client;
static int history;
volatile sig_atomic_t ending;
static unsigned long run_id;
static const char *service = "service";

static void note_end(int number) {
    (void)number;
    ending = 1;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void say(const char *format, ...) {
    char line[8192];
    int size = snprintf(line, sizeof line, "{\"t\":%" PRId64 ",", now_ns());
    va_list arguments;
    va_start(arguments, format);
    size += vsnprintf(line + size, sizeof line - (size_t)size - 2, format, arguments);
    va_end(arguments);
    memcpy(line + size, "}\n", 2);
    if (write(history, line, (size_t)size + 2) != size + 2) abort();
}

unsigned below(struct back_end *b, unsigned bound) {
    b->random = b->random * 1103515245u + 12345u;
    return (b->random >> 8) % bound;
}

void think(unsigned ms) {
    for (; ms > 0 && !ending; ms -= ms < 50 ? ms : 50) {
        struct timespec t = {0, (ms < 50 ? ms : 50) * 1000000L};
        pselect(0, NULL, NULL, NULL, &t, NULL);
    }
}

const char *phase(enum muster_code code) {
    switch (code) {
    case MUSTER_OK:
        return "ok";
    case MUSTER_UNAVAILABLE:
    case MUSTER_DEADLINE_EXCEEDED:
    case MUSTER_ABORTED:
    case MUSTER_RESOURCE_EXHAUSTED:
    case MUSTER_CANCELLED:
        return "info";
    default:
        return "fail";
    }
}

/* ---- tickets ---- */

struct ticket {
    Muster__V1__CreateTicketRequest request;
    Muster__V1__Player players[2], *player_at[2];
    Muster__V1__AttributeValue skills[2];
    Muster__V1__Player__AttributesEntry attributes[2], *attribute_at[2];
    char names[2][32], *queue;
};

static void fill(struct ticket *t, char *queue, unsigned count) {
    muster__v1__create_ticket_request__init(&t->request);
    t->queue = queue;
    t->request.queues = &t->queue;
    t->request.n_queues = 1;
    t->request.players = t->player_at;
    t->request.n_players = count;
    for (unsigned i = 0; i < count; i++) {
        muster__v1__player__init(&t->players[i]);
        muster__v1__attribute_value__init(&t->skills[i]);
        muster__v1__player__attributes_entry__init(&t->attributes[i]);
        t->skills[i].kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
        t->skills[i].number = (double)(strlen(t->names[i]) + (unsigned char)t->names[i][1]);
        t->attributes[i].key = (char *)"skill";
        t->attributes[i].value = &t->skills[i];
        t->attribute_at[i] = &t->attributes[i];
        t->players[i].player_id = t->names[i];
        t->players[i].attributes = &t->attribute_at[i];
        t->players[i].n_attributes = 1;
        t->player_at[i] = &t->players[i];
    }
}

static void name(struct back_end *b, char out[32], unsigned number) {
    bool shared = below(b, 20) == 0;
    if (shared)
        snprintf(out, 32, "b-shared-%u", below(b, 10));
    else
        snprintf(out, 32, "b%d-%u", b->index, number);
}

void request_id(struct back_end *b, char out[32]) {
    snprintf(out, 32, "r%lx-%d-%ld", run_id, b->index, b->next_request++);
}

/* Writes the new ticket's id and its players' names; false when there is none. */
static bool create(struct back_end *b, char out[27], char names[2][32]) {
    struct ticket t;
    unsigned count = below(b, 3) == 0 ? 2 : 1;
    for (unsigned i = 0; i < count; i++)
        name(b, t.names[i], below(b, PLAYERS));
    if (count == 2 && strcmp(t.names[0], t.names[1]) == 0) count = 1;
    static char *const alone[] = {"duel", "duel", "ready", "arena", "arena"};
    char *queue = count == 2 ? (char *)"pairs" : alone[below(b, 5)];
    b->plays_on = strcmp(queue, "arena") == 0;
    fill(&t, queue, count);
    memcpy(names, t.names, sizeof t.names);
    if (count == 1) names[1][0] = '\0';
    char id[32];
    request_id(b, id);
    struct muster_call call = {.request_id = id, .timeout_ms = TIMEOUT_MS};
    struct muster_status status;
    Muster__V1__CreateTicketResponse *r;
    say("\"op\":\"create\",\"ph\":\"inv\",\"r\":\"%s\",\"players\":[\"%s\"%s%s%s]", id, t.names[0],
        count == 2 ? ",\"" : "", count == 2 ? t.names[1] : "", count == 2 ? "\"" : "");
    enum muster_code code = muster_create_ticket(client, &t.request, &call, &r, &status);
    if (code == MUSTER_OK) snprintf(out, 27, "%s", r->ticket->ticket_id);
    say("\"op\":\"create\",\"ph\":\"%s\",\"r\":\"%s\",\"ticket\":\"%s\",\"code\":\"%s\"",
        phase(code), id, code == MUSTER_OK ? out : "", muster_code_name(code));
    muster_free(r);
    return code == MUSTER_OK;
}

/* Many at once, as a busy back end does: thirty matches in one call. */
static unsigned create_batch(struct back_end *b) {
    static _Thread_local struct ticket t[BATCH];
    Muster__V1__CreateTicketRequest *at[BATCH];
    Muster__V1__CreateTicketsRequest request = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
    Muster__V1__CreateTicketsResponse *r;
    struct muster_status status;
    char id[32], players[BATCH * 24];
    unsigned size = 0, first = below(b, PLAYERS - BATCH), created = 0;
    for (unsigned i = 0; i < BATCH; i++) {
        snprintf(t[i].names[0], sizeof t[i].names[0], "b%d-%u", b->index, first + i);
        fill(&t[i], (char *)"duel", 1);
        at[i] = &t[i].request;
        size += (unsigned)snprintf(players + size, sizeof players - size, "%s\"%s\"", i ? "," : "",
                                   t[i].names[0]);
    }
    request_id(b, id);
    request.tickets = at;
    request.n_tickets = BATCH;
    struct muster_call call = {.request_id = id, .timeout_ms = TIMEOUT_MS};
    say("\"op\":\"batch\",\"ph\":\"inv\",\"r\":\"%s\",\"players\":[%s]", id, players);
    enum muster_code code = muster_create_tickets(client, &request, &call, &r, &status);
    char tickets[BATCH * 32] = "";
    size = 0;
    for (unsigned i = 0; code == MUSTER_OK && i < r->n_ticket_ids; i++) {
        size += (unsigned)snprintf(tickets + size, sizeof tickets - size, "%s\"%s\"", i ? "," : "",
                                   r->ticket_ids[i]);
        if (r->ticket_ids[i][0]) snprintf(b->ids[created++], 27, "%s", r->ticket_ids[i]);
    }
    say("\"op\":\"batch\",\"ph\":\"%s\",\"r\":\"%s\",\"tickets\":[%s],\"code\":\"%s\"", phase(code),
        id, tickets, muster_code_name(code));
    muster_free(r);
    return created;
}

static void take_match(struct back_end *b, const Muster__V1__Ticket *t) {
    snprintf(b->match, sizeof b->match, "%s", t->match_id);
}

/* One of get, watch, cancel. The ticket's state; 0 unknown, -1 not there. */
static int ask(struct back_end *b, const char *op, char *ticket, int known_state) {
    char id[32];
    struct muster_status status;
    enum muster_code code;
    int state = 0;
    request_id(b, id);
    struct muster_call call = {.request_id = id, .timeout_ms = TIMEOUT_MS};
    say("\"op\":\"%s\",\"ph\":\"inv\",\"r\":\"%s\",\"ticket\":\"%s\"", op, id, ticket);
    if (strcmp(op, "cancel") == 0) {
        Muster__V1__CancelTicketRequest request = MUSTER__V1__CANCEL_TICKET_REQUEST__INIT;
        Muster__V1__CancelTicketResponse *r;
        request.ticket_id = ticket;
        code = muster_cancel_ticket(client, &request, &call, &r, &status);
        if (code == MUSTER_OK) state = (int)r->ticket->state;
        muster_free(r);
    } else if (strcmp(op, "watch") == 0) {
        Muster__V1__WatchTicketRequest request = MUSTER__V1__WATCH_TICKET_REQUEST__INIT;
        Muster__V1__WatchTicketResponse *r;
        request.ticket_id = ticket;
        request.known_state = (Muster__V1__TicketState)known_state;
        call.timeout_ms = 3000;
        code = muster_watch_ticket(client, &request, &call, &r, &status);
        if (code == MUSTER_OK) state = (int)r->ticket->state;
        if (code == MUSTER_OK) take_match(b, r->ticket);
        muster_free(r);
    } else {
        Muster__V1__GetTicketRequest request = MUSTER__V1__GET_TICKET_REQUEST__INIT;
        Muster__V1__GetTicketResponse *r;
        request.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
        request.ticket_id = ticket;
        code = muster_get_ticket(client, &request, &call, &r, &status);
        if (code == MUSTER_OK) state = (int)r->ticket->state;
        if (code == MUSTER_OK) take_match(b, r->ticket);
        muster_free(r);
    }
    say("\"op\":\"%s\",\"ph\":\"%s\",\"r\":\"%s\",\"ticket\":\"%s\",\"state\":%d,\"code\":\"%s\"",
        op, phase(code), id, ticket, state, muster_code_name(code));
    return code == MUSTER_NOT_FOUND ? -1 : state;
}

static bool over(int state) {
    return state < 0 || state >= MUSTER__V1__TICKET_STATE__MATCHED;
}

/* To a proposal: mostly yes; now and then no, or nothing at all. */
static void answer(struct back_end *b, char *player) {
    unsigned dice = below(b, 10);
    if (strcmp(b->answered, b->match) == 0) return;
    memcpy(b->answered, b->match, sizeof b->match);
    if (dice == 0) return;
    const char *op = dice == 1 ? "decline" : "accept";
    char id[32];
    struct muster_status status;
    enum muster_code code;
    request_id(b, id);
    struct muster_call call = {.request_id = id, .timeout_ms = TIMEOUT_MS};
    say("\"op\":\"%s\",\"ph\":\"inv\",\"r\":\"%s\",\"match\":\"%s\",\"p\":\"%s\"", op, id,
        b->answered, player);
    if (dice == 1) {
        Muster__V1__DeclineMatchRequest request = MUSTER__V1__DECLINE_MATCH_REQUEST__INIT;
        Muster__V1__DeclineMatchResponse *r;
        request.match_id = b->answered;
        request.player_ids = &player;
        request.n_player_ids = 1;
        code = muster_decline_match(client, &request, &call, &r, &status);
        muster_free(r);
    } else {
        Muster__V1__AcceptMatchRequest request = MUSTER__V1__ACCEPT_MATCH_REQUEST__INIT;
        Muster__V1__AcceptMatchResponse *r;
        request.match_id = b->answered;
        request.player_ids = &player;
        request.n_player_ids = 1;
        code = muster_accept_match(client, &request, &call, &r, &status);
        muster_free(r);
    }
    say("\"op\":\"%s\",\"ph\":\"%s\",\"r\":\"%s\",\"match\":\"%s\",\"p\":\"%s\",\"code\":\"%s\"",
        op, phase(code), id, b->answered, player, muster_code_name(code));
}

/* The state after one more look; a proposal is answered. */
static int look(struct back_end *b, const char *op, char *ticket, char names[2][32], int known) {
    int state = ask(b, op, ticket, known > 0 ? known : MUSTER__V1__TICKET_STATE__QUEUED);
    if (state == MUSTER__V1__TICKET_STATE__PROPOSED) answer(b, names[0]);
    return state;
}

static enum muster_code end_match(const char *match, bool completes, bool requeue,
                                  const struct muster_call *call) {
    enum muster_code code;
    struct muster_status status;
    if (completes) {
        Muster__V1__CompleteMatchRequest request = MUSTER__V1__COMPLETE_MATCH_REQUEST__INIT;
        Muster__V1__CompleteMatchResponse *r;
        request.match_id = (char *)match;
        code = muster_complete_match(client, &request, call, &r, &status);
        muster_free(r);
    } else {
        Muster__V1__CancelMatchRequest request = MUSTER__V1__CANCEL_MATCH_REQUEST__INIT;
        Muster__V1__CancelMatchResponse *r;
        request.match_id = (char *)match;
        request.requeue = requeue;
        code = muster_cancel_match(client, &request, call, &r, &status);
        muster_free(r);
    }
    return code;
}

static enum muster_code go_on(const char *match, bool assigns, char *player,
                              const struct muster_call *call) {
    enum muster_code code;
    struct muster_status status;
    if (assigns) {
        Muster__V1__AssignMatchRequest request = MUSTER__V1__ASSIGN_MATCH_REQUEST__INIT;
        Muster__V1__AssignMatchResponse *r;
        request.match_id = (char *)match;
        request.connection =
            (char *)call->request_id; /* its own: no other assignment is its equal */
        code = muster_assign_match(client, &request, call, &r, &status);
        muster_free(r);
    } else {
        Muster__V1__LeaveMatchRequest request = MUSTER__V1__LEAVE_MATCH_REQUEST__INIT;
        Muster__V1__LeaveMatchResponse *r;
        request.match_id = (char *)match;
        request.player_ids = &player;
        request.n_player_ids = 1;
        code = muster_leave_match(client, &request, call, &r, &status);
        muster_free(r);
    }
    return code;
}

/* What becomes of a match of pairs, whose players are held until it is over. */
static void play(struct back_end *b, char names[2][32]) {
    static const char *const things[] = {"assign", "leave", "complete", "cancel"};
    for (unsigned i = 0; i < 4 && !ending; i += 1 + below(b, 2)) {
        char id[32], match[27];
        memcpy(match, b->match, sizeof match);
        request_id(b, id);
        struct muster_call call = {.request_id = id, .timeout_ms = TIMEOUT_MS};
        say("\"op\":\"life\",\"ph\":\"inv\",\"r\":\"%s\",\"do\":\"%s\",\"match\":\"%s\",\"p\":\"%"
            "s\"",
            id, things[i], match, names[0]);
        enum muster_code code = i < 2 ? go_on(match, i == 0, names[0], &call)
                                      : end_match(match, i == 2, below(b, 2) == 0, &call);
        say("\"op\":\"life\",\"ph\":\"%s\",\"r\":\"%s\",\"do\":\"%s\",\"match\":\"%s\",\"p\":\"%"
            "s\","
            "\"code\":\"%s\"",
            phase(code), id, things[i], match, names[0], muster_code_name(code));
        think(below(b, 100));
    }
}

/* The state that it ended in. */
static int until_it_ends(struct back_end *b, char *ticket, char names[2][32]) {
    int64_t until_ns = now_ns() + (int64_t)PATIENCE_MS * 1000000;
    int state = 0;
    while (now_ns() < until_ns && !over(state)) {
        state = look(b, "watch", ticket, names, state);
        think(10);
    }
    return state;
}

static void live(struct back_end *b) {
    char ticket[27], names[2][32];
    int state = 0;
    if (!create(b, ticket, names)) return;
    for (int i = 0; i < 4 && !ending && !over(state); i++) {
        think(below(b, 200));
        const char *op = below(b, 8) == 0 ? "cancel" : below(b, 2) ? "get" : "watch";
        state = look(b, op, ticket, names, state);
    }
    if (!over(state)) state = until_it_ends(b, ticket, names);
    if (state != MUSTER__V1__TICKET_STATE__MATCHED) return;
    if (names[1][0]) play(b, names);
    if (b->plays_on) play_on(b, names[0]);
}

static void *run(void *arg) {
    struct back_end *b = arg;
    char nobody[2][32] = {"", ""}; /* duels are not asked */
    while (!ending) {
        if (below(b, 3) == 0) {
            unsigned created = create_batch(b);
            for (unsigned i = 0; i < created; i += 1 + below(b, 20))
                until_it_ends(b, b->ids[i], nobody);
        } else {
            live(b);
        }
        think(below(b, 300));
    }
    return NULL;
}

/* ---- the service ---- */

static void on_event(void *arg, const Muster__V1__Event *e) {
    (void)arg;
    const char *id = e->body_case == MUSTER__V1__EVENT__BODY_TICKET       ? e->ticket->ticket_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_MATCH      ? e->match->match_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_ACCEPTANCE ? e->acceptance->match_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_MATCH_UPDATE
                         ? e->match_update->match->match_id
                     : e->body_case == MUSTER__V1__EVENT__BODY_BACKFILL ? e->backfill->backfill_id
                                                                        : "";
    say("\"op\":\"ev\",\"p\":\"%s\",\"e\":%" PRIu64 ",\"s\":%" PRIu64 ",\"i\":%u,\"type\":%d,"
        "\"id\":\"%s\"",
        service, e->epoch, e->seq, e->index, (int)e->type, id);
}

static void on_resync(void *arg, const char *reason) {
    (void)arg;
    (void)reason;
    say("\"op\":\"resync\",\"p\":\"%s\"", service);
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    if (argc > 6) service = argv[6];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, note_end);
    signal(SIGPIPE, SIG_IGN);
    history = open(argv[5], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    unsigned seed = (unsigned)strtoul(argv[3], NULL, 10);
    int threads = atoi(argv[4]);
    run_id = seed;
    struct muster_options options = {.api = argv[1], .try_ms = 1500};
    struct muster_subscribe_options subscribe = {
        .events = argv[2], .on_event = on_event, .on_resync = on_resync};
    struct muster_subscription *subscription;
    struct muster_status status;
    if (history < 0 || threads < 0 || threads > THREADS_MAX ||
        muster_open(&client, &options, &status) != MUSTER_OK ||
        muster_subscribe(&subscription, client, &subscribe, &status) != MUSTER_OK)
        return 1;
    static struct back_end back_ends[THREADS_MAX];
    for (int i = 0; i < threads; i++) {
        back_ends[i] = (struct back_end){.index = i, .random = seed * 7919u + (unsigned)i};
        pthread_create(&back_ends[i].thread, NULL, run, &back_ends[i]);
    }
    while (!ending)
        think(1000);
    for (int i = 0; i < threads; i++)
        pthread_join(back_ends[i].thread, NULL);
    /* The last events may still be on their way; a heartbeat behind them says that they are not. */
    for (int i = 0; i < 40; i++) {
        struct timespec t = {0, 100000000};
        pselect(0, NULL, NULL, NULL, &t, NULL);
    }
    say("\"op\":\"done\",\"p\":\"%s\"", service);
    muster_unsubscribe(subscription);
    muster_close(client);
    return 0;
}
