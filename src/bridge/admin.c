/* admin.c - who is let in, and the numbers of each second. */
#include "bridge/admin.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bridge/admin_requests.h"
#include "bridge/bridge_internal.h"
#include "bridge/payload.h"
#include "wire/json.h"

#include <muster/v1/admin.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE "/admin"

/* --- Viewers --------------------------------------------------------------------------------- */

void viewer_ref(struct viewer *v) {
    v->refs++;
}

void viewer_unref(struct viewer *v) {
    if (--v->refs == 0) mem_free(v);
}

bool admin_watched(const struct admin *a) {
    return atomic_load(&a->watching) > 0;
}

/* And not by a page from elsewhere that runs in a browser here. */
static bool from_here(const struct sio_socket *socket) {
    struct str address = sio_socket_address(socket);
    if (sio_socket_foreign_page(socket)) return false;
    return str_equal(address, STR("::1")) || str_equal(address, STR("::ffff:127.0.0.1")) ||
           str_equal(address, STR("local")) ||
           (address.size > 4 && memcmp(address.at, "127.", 4) == 0);
}

/* Its time depends on the lengths only. */
static bool same_secret(struct str a, struct str b) {
    unsigned char differ = a.size != b.size;
    for (size_t i = 0; i < a.size && i < b.size; i++)
        differ |= (unsigned char)(a.at[i] ^ b.at[i]);
    return !differ;
}

/* A token has no character that JSON escapes: the text between the quotes is the token. */
static bool token_fits(const struct admin *a, struct str auth) {
    struct strbuf text = {0};
    bool fits = json_member(auth, "token", &text) && text.size > 2 && text.at[0] == '"' &&
                same_secret((struct str){text.at + 1, text.size - 2}, str_of(a->token));
    strbuf_fini(&text);
    return fits;
}

static enum err admit(const struct admin *a, const struct sio_socket *socket, struct str auth,
                      struct err_text *why) {
    if (a->token[0] == '\0' && !from_here(socket))
        return err_set(why, ERR_PERMISSION_DENIED,
                       "the dashboard is open to this machine only, until the server has an "
                       "admin-token");
    if (a->token[0] != '\0' && !token_fits(a, auth))
        return err_set(why, ERR_UNAUTHENTICATED, "the dashboard needs the admin-token");
    if (a->viewers.count >= ADMIN_VIEWERS_MAX)
        return err_set(why, ERR_RESOURCE_EXHAUSTED, "%d dashboards are open", ADMIN_VIEWERS_MAX);
    return ERR_OK;
}

static enum err on_connect(void *arg, struct sio_socket *socket, struct str auth,
                           struct err_text *why) {
    struct bridge *b = arg;
    enum err code = admit(&b->admin, socket, auth, why);
    if (code != ERR_OK) {
        struct str address = sio_socket_address(socket);
        metric_add(METRIC_admin_refused_total, 1);
        LOG_WARN("admin-refused", "address=%.*s code=%s", STR_PRINT(address), err_name(code));
        return code;
    }
    struct viewer *v = mem_alloc(sizeof *v);
    v->socket = socket;
    v->refs = 1;
    list_append(&b->admin.viewers, &v->link);
    atomic_store(&b->admin.watching, b->admin.viewers.count);
    sio_socket_set_data(socket, v);
    census_ask(b, &b->admin.asker);
    return ERR_OK;
}

static void on_event(void *arg, struct sio_socket *socket, struct str name, struct str args,
                     struct str ack_id) {
    admin_requests_take(arg, sio_socket_data(socket), &(struct admin_event){name, args, ack_id});
}

static void on_disconnect(void *arg, struct sio_socket *socket, const char *reason) {
    (void)reason; /* dashboards come and go */
    struct bridge *b = arg;
    struct viewer *v = sio_socket_data(socket);
    list_remove(&b->admin.viewers, &v->link);
    atomic_store(&b->admin.watching, b->admin.viewers.count);
    v->socket = NULL;
    viewer_unref(v);
}

static const struct sio_handlers handlers = {
    .connect = on_connect, .event = on_event, .disconnect = on_disconnect};

/* --- Numbers --------------------------------------------------------------------------------- */

void admin_send(struct bridge *b, const char *name, struct str args) {
    sio_broadcast(b->server, NAMESPACE, STR_EMPTY, str_of(name), args);
}

void admin_tell(struct bridge *b, const char *name, const ProtobufCMessage *m) {
    struct strbuf args = {0};
    payload_message(m, &args);
    admin_send(b, name, strbuf_str(&args));
    strbuf_fini(&args);
}

static int by_depth(const void *a, const void *b) {
    const Muster__V1__GetQueueStatsResponse *x = *(Muster__V1__GetQueueStatsResponse *const *)a,
                                            *y = *(Muster__V1__GetQueueStatsResponse *const *)b;
    return (x->tickets_queued < y->tickets_queued) - (x->tickets_queued > y->tickets_queued);
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(Muster__V1__GetQueueStatsResponse *const *)a)->name,
                  (*(Muster__V1__GetQueueStatsResponse *const *)b)->name);
}

/* Copies of the census' stats, without what only the page of one queue shows; in `copies`. */
static void pick_queues(const struct census_result *r, Muster__V1__GetQueueStatsResponse *copies,
                        Muster__V1__AdminStats *out) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->rows[i].stats == NULL) continue;
        Muster__V1__GetQueueStatsResponse *copy = &copies[out->n_queues];
        *copy = *r->rows[i].stats;
        copy->n_eta_by_band = copy->n_eta_by_region = copy->n_eta_by_party = 0;
        copy->n_expansions = 0;
        if (copy->n_rejections > ADMIN_RULES_MAX) copy->n_rejections = ADMIN_RULES_MAX;
        out->queues[out->n_queues++] = copy;
    }
    if (out->n_queues <= ADMIN_QUEUES_MAX) return;
    qsort(out->queues, out->n_queues, sizeof(void *), by_depth);
    out->queues_left_out = (uint32_t)(out->n_queues - ADMIN_QUEUES_MAX);
    out->n_queues = ADMIN_QUEUES_MAX;
    qsort(out->queues, out->n_queues, sizeof(void *), by_name);
}

/* Who cannot take them at once gets the next ones. */
static void send_stats(struct bridge *b, const ProtobufCMessage *stats) {
    struct strbuf args = {0};
    payload_message(stats, &args);
    struct sio_target everybody = {.namespace_name = NAMESPACE, .is_volatile = true};
    sio_broadcast_to(b->server, &everybody, STR("stats"), strbuf_str(&args));
    strbuf_fini(&args);
}

static void on_census(struct bridge *b, const struct census_result *r) {
    struct admin *a = &b->admin;
    char trouble[sizeof r->status->message + 64];
    if (a->viewers.count == 0) return;
    Muster__V1__AdminStats stats = MUSTER__V1__ADMIN_STATS__INIT;
    Muster__V1__GetQueueStatsResponse *copies = mem_array(r->count + 1, sizeof *copies);
    stats.queues = mem_array(r->count + 1, sizeof(void *));
    stats.time_ms = clock_wall_ms();
    stats.realm = a->realm;
    stats.players_connected = b->players.all.count;
    stats.left_out_total = atomic_load(&b->admin_feed.left_out);
    if (r->status->code != MUSTER_OK) {
        snprintf(trouble, sizeof trouble, "%s %s", muster_code_name(r->status->code),
                 r->status->message);
        stats.trouble = trouble;
    }
    pick_queues(r, copies, &stats);
    send_stats(b, &stats.base);
    mem_free(stats.queues);
    mem_free(copies);
}

/* --- Life ------------------------------------------------------------------------------------ */

static enum admin_mode mode_of(const char *dashboard) {
    if (strcmp(dashboard, "off") == 0) return ADMIN_OFF;
    return strcmp(dashboard, "play") == 0 ? ADMIN_PLAY : ADMIN_ON;
}

void admin_init(struct bridge *b, const struct bridge_options *o) {
    b->admin = (struct admin){
        .mode = mode_of(o->dashboard),
        .token = mem_text(str_of(o->admin_token)),
        .realm = mem_text(str_of(o->realm)),
        .asker.done = on_census,
    };
    list_init(&b->admin.viewers);
    if (b->admin.mode != ADMIN_OFF) sio_namespace(b->server, NAMESPACE, &handlers, b);
}

void admin_fini(struct admin *a) {
    mem_free(a->token);
    mem_free(a->realm);
}

void admin_tick(struct bridge *b) {
    if (admin_watched(&b->admin)) census_ask(b, &b->admin.asker);
}
