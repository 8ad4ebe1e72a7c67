/* states.c - jobs, each one or two GetTicket calls: the open ticket, else the one known last. */
#include "bridge/states.h"

#include "base/clock.h"
#include "base/mem.h"
#include "bridge/beats.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"
#include "bridge/rpc.h"

#include <muster/v1/socketio.pb-c.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_MS = 1000 };

struct job {
    struct list_node link;
    struct player *player;   /* referenced */
    struct session *session; /* referenced; NULL: a resync of all his sockets */
    bool resync;             /* the session gets `resync`, whatever is told meanwhile */
    struct place since;      /* of the events that the state cannot be older than */
    uint64_t news;           /* player->news when the fetch began */
    uint64_t whole_news;     /* likewise */
    int64_t not_before_ms;
    char ticket_id[ID_TEXT_BYTES]; /* second step: fetch this one */
};

static void pump(struct bridge *b);

void states_init(struct states *s) {
    *s = (struct states){0};
    list_init(&s->ready);
    list_init(&s->resting);
}

static void job_free(struct bridge *b, struct job *job) {
    if (job->session != NULL)
        players_session_unref(&b->players, job->session);
    else
        job->player->fetch_queued = false;
    players_unref(&b->players, job->player);
    mem_free(job);
}

static struct job *job_new(struct bridge *b, struct player *player, struct session *session) {
    struct job *job = mem_alloc(sizeof *job);
    job->player = player;
    job->session = session;
    players_ref(player);
    if (session != NULL)
        players_session_ref(session);
    else
        player->fetch_queued = true;
    list_append(&b->states.ready, &job->link);
    return job;
}

static void free_all(struct bridge *b, struct list *jobs) {
    while (jobs->count > 0) {
        struct list_node *first = list_first(jobs);
        list_remove(jobs, first);
        job_free(b, LIST_OF(first, struct job, link));
    }
}

void states_fini(struct bridge *b) {
    free_all(b, &b->states.ready);
    free_all(b, &b->states.resting);
}

static bool nobody_listens(const struct job *job) {
    return job->session != NULL ? job->session->socket == NULL : job->player->sessions.count == 0;
}

/* --- Telling --------------------------------------------------------------------------------- */

static bool is_open(const Muster__V1__Ticket *ticket) {
    return ticket->state == MUSTER__V1__TICKET_STATE__QUEUED ||
           ticket->state == MUSTER__V1__TICKET_STATE__PROPOSED;
}

/* Neither proposed a match nor in one. */
static bool is_plain(const Muster__V1__Ticket *ticket) {
    return ticket->state != MUSTER__V1__TICKET_STATE__MATCHED &&
           ticket->state != MUSTER__V1__TICKET_STATE__PROPOSED;
}

/* The event that tells of the match as it is. */
static struct str news_of(const Muster__V1__Match *match) {
    switch (match->state) {
    case MUSTER__V1__MATCH_STATE__MATCH_PROPOSED:
        return STR("match_proposed");
    case MUSTER__V1__MATCH_STATE__MATCH_ASSIGNED:
        return STR("match_assigned");
    case MUSTER__V1__MATCH_STATE__MATCH_COMPLETED:
        return STR("match_completed");
    case MUSTER__V1__MATCH_STATE__MATCH_CANCELLED:
        return STR("match_cancelled");
    default:
        return STR("match_found");
    }
}

/* Of a match that he has left he is not told any more. */
static Muster__V1__Match *own_match(const struct job *job,
                                    const Muster__V1__GetTicketResponse *response) {
    Muster__V1__Match *match = response->match;
    for (size_t t = 0; match != NULL && t < match->n_teams; t++) {
        const Muster__V1__Team *team = match->teams[t];
        for (size_t i = 0; i < team->n_players; i++)
            if (strcmp(team->players[i]->player_id, job->player->id) == 0) return match;
    }
    return NULL;
}

/* `response` NULL: he has no ticket that is known of. */
static void tell_session(const struct job *job, Muster__V1__GetTicketResponse *response) {
    if (response == NULL || response->ticket == NULL) return;
    struct strbuf args = {0};
    Muster__V1__Match *match = own_match(job, response);
    if (match != NULL && !is_plain(response->ticket)) {
        payload_message(&match->base, &args);
        bridge_emit(job->session, news_of(match), strbuf_str(&args), &job->since);
    } else {
        payload_ticket(response->ticket, match, "", &args);
        bridge_emit(job->session, STR("ticket_updated"), strbuf_str(&args), &job->since);
    }
    strbuf_fini(&args);
}

static void tell_resync(struct bridge *b, const struct job *job,
                        Muster__V1__GetTicketResponse *response) {
    Muster__V1__Resync resync = MUSTER__V1__RESYNC__INIT;
    resync.reason = b->states.reason;
    if (response != NULL) {
        resync.ticket = response->ticket;
        resync.match = own_match(job, response);
    }
    struct strbuf args = {0};
    payload_message(&resync.base, &args);
    LIST_EACH (&job->player->sessions, node) {
        struct session *s = LIST_OF(node, struct session, link);
        if (s->resuming || (job->session != NULL && job->session != s)) continue;
        bridge_emit(s, STR("resync"), strbuf_str(&args), &job->since);
    }
    strbuf_fini(&args);
}

static void tell(struct bridge *b, const struct job *job, Muster__V1__GetTicketResponse *response) {
    struct player *player = job->player;
    if (response != NULL && response->ticket != NULL && is_open(response->ticket) &&
        str_of(response->ticket->ticket_id).size < sizeof player->ticket_id)
        snprintf(player->ticket_id, sizeof player->ticket_id, "%s", response->ticket->ticket_id);
    else
        player->ticket_id[0] = '\0';
    beats_want(player, player->ticket_id[0] ? response->ticket->heartbeat_ms : 0);
    if (job->session != NULL && !job->resync)
        tell_session(job, response);
    else
        tell_resync(b, job, response);
}

/* --- Fetching -------------------------------------------------------------------------------- */

/* The ticket to ask for when the player has no open one. */
static bool known_ticket(struct bridge *b, struct job *job) {
    if (job->ticket_id[0] != '\0') return false; /* asked already */
    const char *known = job->player->ticket_id;
    if (known[0] == '\0')
        known = players_memory(&b->players, str_of(job->player->id), clock_mono_us() / 1000);
    if (known == NULL) return false;
    snprintf(job->ticket_id, sizeof job->ticket_id, "%s", known);
    return true;
}

static void requeue(struct list *list, struct job *job, int64_t not_before_ms) {
    job->ticket_id[0] = '\0';
    job->not_before_ms = not_before_ms;
    list_append(list, &job->link);
}

static void on_ticket(struct bridge *b, struct rpc *rpc) {
    struct job *job = rpc->context;
    bool stale = job->player->news != job->news;
    bool told = job->player->whole_news != job->whole_news;
    b->states.in_flight--;
    if (nobody_listens(job) || (told && job->session != NULL && !job->resync)) {
        job_free(b, job); /* an event told the socket more than this answer could */
    } else if (stale) {
        requeue(&b->states.ready, job, 0);
    } else if (rpc->status.code == MUSTER_OK) {
        tell(b, job, (Muster__V1__GetTicketResponse *)rpc->response);
        job_free(b, job);
    } else if (rpc->status.code != MUSTER_NOT_FOUND) {
        requeue(&b->states.resting, job, clock_mono_us() / 1000 + RETRY_MS);
    } else if (known_ticket(b, job)) {
        list_append(&b->states.ready, &job->link);
    } else {
        tell(b, job, NULL);
        job_free(b, job);
    }
    pump(b);
}

static void fetch(struct bridge *b, struct job *job) {
    Muster__V1__GetTicketRequest request = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    if (job->ticket_id[0] != '\0') {
        request.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_TICKET_ID;
        request.ticket_id = job->ticket_id;
    } else {
        request.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID;
        request.player_id = job->player->id;
        job->news = job->player->news;
        job->whole_news = job->player->whole_news;
        muster_subscription_position(b->subscription, &job->since.epoch, &job->since.seq);
        job->since.index = UINT32_MAX; /* all of that entry */
    }
    struct rpc *rpc = rpc_new(b, on_ticket, NULL, STR_EMPTY);
    rpc->context = job;
    b->states.in_flight++;
    rpc_call(rpc, "Tickets/GetTicket", &request.base, NULL);
}

static void pump(struct bridge *b) {
    while (b->states.in_flight < STATES_IN_FLIGHT && b->states.ready.count > 0) {
        struct list_node *first = list_first(&b->states.ready);
        list_remove(&b->states.ready, first);
        struct job *job = LIST_OF(first, struct job, link);
        if (nobody_listens(job))
            job_free(b, job);
        else
            fetch(b, job);
    }
}

void states_want_session(struct bridge *b, struct session *session) {
    (void)job_new(b, session->player, session);
    pump(b);
}

void states_want_resync(struct bridge *b, struct session *session, const char *reason) {
    snprintf(b->states.reason, sizeof b->states.reason, "%s", reason);
    job_new(b, session->player, session)->resync = true;
    pump(b);
}

void states_want_all(struct bridge *b, const char *reason) {
    snprintf(b->states.reason, sizeof b->states.reason, "%s", reason);
    LIST_EACH (&b->players.all, node) {
        struct player *player = LIST_OF(node, struct player, link);
        if (player->sessions.count > 0 && !player->fetch_queued) (void)job_new(b, player, NULL);
    }
    pump(b);
}

void states_tick(struct bridge *b) {
    int64_t now_ms = clock_mono_us() / 1000;
    while (b->states.resting.count > 0) {
        struct list_node *first = list_first(&b->states.resting);
        if (LIST_OF(first, struct job, link)->not_before_ms > now_ms) break;
        list_remove(&b->states.resting, first);
        list_append(&b->states.ready, first);
    }
    pump(b);
}
