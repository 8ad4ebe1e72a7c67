/* demo.c - `muster demo`: simulated players through the real doors, and whether all were told.
 *
 * Every second player is a game client on Socket.IO, the others are queued by a back end over RPC
 * and hear of their match from the event stream.
 */
#include "app/command.h"
#include "app/demo_socket.h"
#include "app/ticket_message.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 100, PLAYERS_MAX = 15000, LEFT_OVER_SHOWN = 10 };

struct demo_options {
    struct client_options client;
    char *events, *bridge, *realm, *queue;
    int64_t players, over_s, timeout_s, seed;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"events", CONFIG_TEXT, "tcp://127.0.0.1:7601", 0, 0, "", NULL, "address of the event stream",
     offsetof(struct demo_options, events)},
    {"bridge", CONFIG_TEXT, "http://127.0.0.1:7602", 0, 0, "", NULL, "address of the bridge",
     offsetof(struct demo_options, bridge)},
    {"realm", CONFIG_TEXT, "default", 0, 0, "", NULL, "the realm the server serves",
     offsetof(struct demo_options, realm)},
    {"queue", CONFIG_TEXT, "1v1_duel", 0, 0, "", NULL, "the queue to play in",
     offsetof(struct demo_options, queue)},
    {"players", CONFIG_INT, "100", 1, PLAYERS_MAX, "", NULL, "how many players",
     offsetof(struct demo_options, players)},
    {"over", CONFIG_INT, "5", 0, 3600, "s", NULL,
     "the players come at random times in so many seconds; 0: all at once",
     offsetof(struct demo_options, over_s)},
    {"timeout", CONFIG_INT, "90", 1, 3600, "s", NULL,
     "how long to wait for all matches, from the first player on",
     offsetof(struct demo_options, timeout_s)},
    {"seed", CONFIG_INT, "1", 0, INT64_MAX, "", NULL, "seed of the players' skills and latencies",
     offsetof(struct demo_options, seed)},
};

static const char usage[] =
    "usage: muster demo [--players N] [--queue NAME] [--api A] [--events E] [--bridge B]\n\n"
    "Plays N simulated players, half through Socket.IO and half through the RPC API, against a\n"
    "running server. Exit code 0 only if every player that could be matched was told of his\n"
    "match, once.\n";

struct demo {
    const struct demo_options *o;
    struct muster_client *client;
    struct muster_subscription *subscription;
    struct demo_sockets *sockets;
    struct demo_player *players; /* first the socket players, then the RPC players */
    size_t count, socket_count;
    _Atomic size_t match_players; /* of a match of this queue; 0 until one was heard of */
    _Atomic size_t estimated, within_p50, within_p90; /* matched players who were told a wait */
    char run[8];                                      /* makes the names of this run its own */
    int64_t began_us;
};

/* Names of this run's players: nobody else's, whatever ran before. */
static void name_run(struct demo *d) {
    rng_secret(d->run, sizeof d->run - 1);
    for (size_t i = 0; i + 1 < sizeof d->run; i++)
        d->run[i] = (char)('a' + (d->run[i] & 15));
}

static void invent_players(struct demo *d) {
    struct rng rng;
    rng_init(&rng, (uint64_t)d->o->seed);
    name_run(d);
    for (size_t i = 0; i < d->count; i++) {
        snprintf(d->players[i].id, sizeof d->players[i].id, "demo-%s-%zu", d->run, i);
        demo_player_invent(&d->players[i], &rng);
    }
}

static int compare_int64(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Independent of each other, as people are: a Poisson process, given how many come. */
static void invent_arrivals(struct demo *d, size_t from, size_t to) {
    struct rng rng;
    int64_t *due = mem_array(to - from + 1, sizeof *due);
    rng_init(&rng, (uint64_t)d->o->seed + from + 1);
    for (size_t i = 0; i < to - from; i++)
        due[i] = d->began_us + (int64_t)(rng_unit(&rng) * (double)d->o->over_s * 1e6);
    qsort(due, to - from, sizeof *due, compare_int64);
    for (size_t i = from; i < to; i++)
        d->players[i].due_us = due[i - from];
    mem_free(due);
}

static struct demo_player *player_of(struct demo *d, const char *id) {
    size_t prefix = strlen("demo-") + strlen(d->run) + 1;
    if (strncmp(id, "demo-", 5) != 0 || strncmp(id + 5, d->run, strlen(d->run)) != 0) return NULL;
    size_t index = strtoul(id + prefix, NULL, 10);
    return index < d->count && strcmp(d->players[index].id, id) == 0 ? &d->players[index] : NULL;
}

static void note_promise(struct demo *d, const Muster__V1__Ticket *ticket) {
    for (size_t i = 0; i < ticket->n_players; i++) {
        struct demo_player *p = player_of(d, ticket->players[i]->player_id);
        if (!p) continue;
        p->queued_ms = ticket->create_time_ms;
        p->p50_ms = ticket->eta_p50_ms;
        p->p90_ms = ticket->eta_p90_ms;
    }
}

/* By the server's clock, so that what is judged is its estimate and not the way to the player. */
static void judge_promise(struct demo *d, const struct demo_player *p, int64_t matched_ms) {
    if (!p->p90_ms) return;
    atomic_fetch_add(&d->estimated, 1);
    atomic_fetch_add(&d->within_p50, matched_ms - p->queued_ms <= p->p50_ms);
    atomic_fetch_add(&d->within_p90, matched_ms - p->queued_ms <= p->p90_ms);
}

static void on_event(void *arg, const Muster__V1__Event *e) {
    struct demo *d = arg;
    if (e->type == MUSTER__V1__EVENT__TYPE__TICKET_QUEUED) note_promise(d, e->ticket);
    if (e->type != MUSTER__V1__EVENT__TYPE__MATCH_FOUND) return;
    size_t players = 0;
    for (size_t t = 0; t < e->match->n_teams; t++) {
        const Muster__V1__Team *team = e->match->teams[t];
        players += team->n_players;
        for (size_t i = 0; i < team->n_players; i++) {
            struct demo_player *p = player_of(d, team->players[i]->player_id);
            if (p) judge_promise(d, p, e->match->create_time_ms);
            if (p && p >= d->players + d->socket_count) demo_player_told(p, e->match->match_id);
        }
    }
    atomic_store(&d->match_players, players);
}

static void on_resync(void *arg, const char *reason) {
    (void)arg; /* whoever missed his event stays untold, and the demo fails */
    fprintf(stderr, "muster demo: events were lost: %s\n", reason);
}

/* Of the players from `from` on, how many are due: at most BATCH. */
static size_t due_count(const struct demo *d, size_t from) {
    int64_t now_us = clock_mono_us();
    size_t due = 0;
    while (due < BATCH && from + due < d->count && d->players[from + due].due_us <= now_us)
        due++;
    return due;
}

/* Queues up to BATCH players in one message; returns how many, 0 on failure (printed). */
static size_t queue_batch(struct demo *d, struct demo_player *players, size_t count) {
    struct arena *a = arena_new(0);
    Muster__V1__CreateTicketsRequest request = MUSTER__V1__CREATE_TICKETS_REQUEST__INIT;
    Muster__V1__CreateTicketsResponse *answer = NULL;
    struct muster_status status;
    request.n_tickets = count < BATCH ? count : BATCH;
    request.tickets = arena_alloc(a, request.n_tickets * sizeof(void *));
    struct str queue = str_of(d->o->queue);
    for (size_t i = 0; i < request.n_tickets; i++) {
        struct ticket_spec spec = demo_player_ticket(&players[i], &queue, a);
        request.tickets[i] = ticket_message(a, &spec);
    }
    size_t queued = 0;
    for (size_t i = 0; i < request.n_tickets; i++)
        players[i].asked_us = clock_mono_us();
    if (muster_create_tickets(d->client, &request, NULL, &answer, &status) == MUSTER_OK) {
        queued = request.n_tickets;
        for (size_t i = 0; i < answer->n_failures; i++) {
            struct demo_player *p = &players[answer->failures[i]->index];
            snprintf(p->error, sizeof p->error, "%s", answer->failures[i]->status->message);
        }
    } else {
        (void)command_fail_status(&status); /* the demo's own exit code follows */
    }
    muster_free(answer);
    arena_free(a);
    return queued;
}

static size_t told_count(const struct demo *d) {
    size_t told = 0;
    for (size_t i = 0; i < d->count; i++)
        told += atomic_load(&d->players[i].told_us) != 0;
    return told;
}

/* Players whom nothing will be told: their tickets were refused, or their sockets ended. */
static size_t refused_count(const struct demo *d) {
    size_t refused = 0;
    for (size_t i = 0; i < d->count; i++)
        refused += d->players[i].error[0] && !atomic_load(&d->players[i].told_us);
    return refused;
}

static void progress(const struct demo *d, int64_t *shown_us) {
    int64_t now = clock_mono_us();
    if (!isatty(STDERR_FILENO) || now - *shown_us < 500000) return;
    *shown_us = now;
    fprintf(stderr, "\r%zu of %zu players told", told_count(d), d->count);
}

/* Queues the RPC players a batch at a time between turns of the sockets, then waits. */
static bool play(struct demo *d) {
    d->began_us = clock_mono_us();
    invent_arrivals(d, 0, d->socket_count);
    invent_arrivals(d, d->socket_count, d->count);
    int64_t end = d->began_us + d->o->timeout_s * 1000000, shown = 0;
    size_t queued = d->socket_count;
    size_t settled = 0, settled_before = SIZE_MAX;
    int64_t quiet_since = clock_mono_us();
    while (clock_mono_us() < end && told_count(d) + refused_count(d) < d->count) {
        size_t due = due_count(d, queued);
        if (due > 0 && queue_batch(d, d->players + queued, due) == 0) return false;
        queued += due;
        demo_sockets_service(d->sockets);
        progress(d, &shown);
        settled = told_count(d);
        if (settled != settled_before) quiet_since = clock_mono_us();
        settled_before = settled;
        /* Fewer left than any match needs: nothing will come. */
        if (d->count - settled < atomic_load(&d->match_players) &&
            clock_mono_us() - quiet_since > 1000000)
            break;
    }
    if (shown) fputs("\n", stderr);
    return true;
}

static int compare_match(const void *a, const void *b) {
    return strcmp((*(struct demo_player *const *)a)->match_id,
                  (*(struct demo_player *const *)b)->match_id);
}

struct summary {
    size_t told, matches, match_players, uneven, twice;
};

/* Groups the players by match: all matches of a queue have the same number of players here. */
static struct summary summarise(struct demo *d) {
    struct summary s = {0};
    struct demo_player **by_match = mem_array(d->count + 1, sizeof *by_match);
    for (size_t i = 0; i < d->count; i++) {
        s.twice += atomic_load(&d->players[i].told_matches) > 1;
        if (atomic_load(&d->players[i].told_us)) by_match[s.told++] = &d->players[i];
    }
    qsort(by_match, s.told, sizeof *by_match, compare_match);
    size_t *sizes = mem_array(s.told + 1, sizeof *sizes);
    for (size_t i = 0; i < s.told; i++) {
        if (i == 0 || compare_match(&by_match[i - 1], &by_match[i]) != 0) s.matches++;
        sizes[s.matches - 1]++;
    }
    for (size_t i = 0; i < s.matches; i++)
        if (sizes[i] > s.match_players) s.match_players = sizes[i];
    for (size_t i = 0; i < s.matches; i++)
        s.uneven += sizes[i] != s.match_players;
    mem_free(sizes);
    mem_free(by_match);
    return s;
}

static void print_waits(const struct demo *d, const char *door, size_t from, size_t to) {
    int64_t *waits = mem_array(to - from + 1, sizeof *waits);
    size_t count = 0;
    for (size_t i = from; i < to; i++) {
        const struct demo_player *p = &d->players[i];
        int64_t told = atomic_load(&p->told_us);
        if (told) waits[count++] = told - p->asked_us;
    }
    qsort(waits, count, sizeof *waits, compare_int64);
    if (count)
        printf("waits     %s: p50 %.1f ms, p99 %.1f ms, max %.1f ms (%zu players)\n", door,
               (double)waits[count / 2] / 1000, (double)waits[count - 1 - count / 100] / 1000,
               (double)waits[count - 1] / 1000, count);
    mem_free(waits);
}

static void print_estimates(const struct demo *d) {
    double told = (double)atomic_load(&d->estimated);
    if (told == 0) {
        printf("estimates none: the queue did not know its waits yet\n");
        return;
    }
    printf("estimates %.0f players were told a wait; %.1f %% were matched within its p50, %.1f %% "
           "within its p90\n",
           told, 100 * (double)atomic_load(&d->within_p50) / told,
           100 * (double)atomic_load(&d->within_p90) / told);
}

static void print_left_over(const struct demo *d) {
    size_t shown = 0;
    for (size_t i = 0; i < d->count && shown < LEFT_OVER_SHOWN; i++) {
        const struct demo_player *p = &d->players[i];
        if (atomic_load(&p->told_us)) continue;
        printf("left over %s, skill %.0f%s%s\n", p->id, p->skill, p->error[0] ? ": " : "",
               p->error);
        shown++;
    }
}

static int report(struct demo *d) {
    struct summary s = summarise(d);
    size_t spare = s.match_players ? d->count % s.match_players : d->count;
    size_t left = d->count - s.told, refused = refused_count(d);
    size_t unmatchable = left - refused < spare ? left - refused : spare;
    printf("players   %zu: %zu by Socket.IO, %zu by RPC\n", d->count, d->socket_count,
           d->count - d->socket_count);
    printf("matches   %zu of %zu players each, in %.1f s\n", s.matches, s.match_players,
           (double)(clock_mono_us() - d->began_us) / 1e6);
    print_waits(d, "Socket.IO", 0, d->socket_count);
    print_waits(d, "RPC", d->socket_count, d->count);
    print_estimates(d);
    printf("left over %zu, of whom %zu could not be matched for lack of others\n", left,
           unmatchable);
    if (refused) printf("refused   %zu players could not join\n", refused);
    print_left_over(d);
    if (s.twice) printf("WRONG     %zu players were told of two matches\n", s.twice);
    if (s.uneven) printf("WRONG     %zu matches whose players were not all told\n", s.uneven);
    bool good = left == spare && !refused && !s.twice && !s.uneven && s.matches;
    return good ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
}

static bool wait_live(struct demo *d) {
    int64_t end = clock_mono_us() + 10000000;
    while (!muster_subscription_live(d->subscription) && clock_mono_us() < end)
        usleep(5000);
    if (muster_subscription_live(d->subscription)) return true;
    fprintf(stderr, "muster: UNAVAILABLE: no events from %s within 10 s\n", d->o->events);
    return false;
}

static int run(const struct demo_options *o) {
    struct demo d = {.o = o, .count = (size_t)o->players};
    struct muster_status status;
    struct muster_subscribe_options s = {.events = o->events,
                                         .realm = o->realm,
                                         .on_event = on_event,
                                         .on_resync = on_resync,
                                         .arg = &d};
    d.socket_count = d.count / 2;
    d.players = mem_array(d.count, sizeof *d.players);
    invent_players(&d);
    int end = EXIT_CODE_UNAVAILABLE;
    d.client = command_client(&o->client);
    if (d.client && muster_subscribe(&d.subscription, d.client, &s, &status) != MUSTER_OK)
        end = command_fail_status(&status);
    struct err_text why = {0};
    enum err code =
        demo_sockets_new(&d.sockets, &(struct demo_sockets_options){o->bridge, o->queue}, d.players,
                         d.socket_count, &why);
    if (code != ERR_OK) end = command_fail(code, &why);
    if (code == ERR_INVALID_ARGUMENT) end = EXIT_CODE_USAGE;
    bool able = d.client && d.subscription && code == ERR_OK;
    if (able && wait_live(&d) && play(&d)) end = report(&d);
    demo_sockets_free(d.sockets);
    if (d.subscription) muster_unsubscribe(d.subscription);
    muster_close(d.client);
    mem_free(d.players);
    return end;
}

int demo_command(int argc, char **argv) {
    struct demo_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) end = command_no_operands(argc, argv, usage) ? run(&o) : EXIT_CODE_USAGE;
    config_fini(&c);
    return end;
}
