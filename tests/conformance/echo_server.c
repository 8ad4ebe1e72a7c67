/* echo_server.c - the Socket.IO server with handlers that only echo: for the conformance tests.
 *
 *     echo_server [--FLAG VALUE]...      FLAG: a row of FLAGS below, or listen, origins, path,
 *                                         tls-cert, tls-key, sockets-per-ip, or bare (1: only
 *                                         Engine.IO, whose messages are echoed)
 *
 * Prints its port on standard output; ends on SIGTERM. Besides what the protocol's own suites ask
 * for (auth, message -> message-back, message-with-ack, namespace /custom) it knows: join, leave,
 * shout (to a room), tell (the others), hint (volatile), ask, flood, kick, leave-me; namespaces
 * /refused and /later (which makes up its mind in the next turn of the loop).
 */
#include "base/mem.h"
#include "bridge/transport.h"
#include "socketio/eio_server.h"
#include "socketio/sio_json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct transport *transport;
static struct sio_server *server;
static bool bare;

static void on_signal(int number) {
    (void)number;
    transport_stop(transport); /* an atomic store and a write(2) */
}

static enum err on_connect(void *arg, struct sio_socket *s, struct str auth, struct err_text *why) {
    (void)arg;
    (void)why;
    struct strbuf args = {0};
    strbuf_add_char(&args, '[');
    strbuf_add_str(&args, auth.size ? auth : STR("{}"));
    strbuf_add_char(&args, ']');
    sio_emit(s, STR("auth"), strbuf_str(&args));
    strbuf_fini(&args);
    return ERR_OK;
}

static enum err refuse(void *arg, struct sio_socket *s, struct str auth, struct err_text *why) {
    (void)arg;
    if (auth.size > 2) sio_connect_error_data(s, auth);
    return err_set(why, ERR_UNAUTHENTICATED, "no \"token\"");
}

/* Who waits for a verdict in /later, and whether it is yes. */
static struct sio_socket *undecided;
static bool welcome;

static enum err decide_later(void *arg, struct sio_socket *s, struct str auth,
                             struct err_text *why) {
    (void)arg;
    if (undecided) return err_set(why, ERR_UNAVAILABLE, "one at a time");
    undecided = s;
    welcome = auth.size == 0;
    sio_connect_defer(s);
    if (!str_equal(auth, STR("{\"never\":1}"))) transport_wake(transport);
    return ERR_OK;
}

static void decide(void *arg) {
    (void)arg;
    struct sio_socket *s = undecided;
    undecided = NULL;
    if (s && welcome)
        sio_connect_accept(s);
    else if (s)
        sio_connect_refuse(s, STR("not today"), STR("{\"try\":\"tomorrow\"}"));
}

static void forget_undecided(void *arg, struct sio_socket *s, const char *reason) {
    (void)arg;
    if (undecided == s) undecided = NULL;
    fprintf(stderr, "later: %s\n", reason);
}

/* The first argument, unescaped when it is a string. */
static struct strbuf first_argument(struct str args) {
    struct strbuf text = {0};
    struct str first = sio_json_first(args);
    if (sio_json_kind_of(first) == SIO_JSON_STRING)
        sio_json_unescape(&text, first);
    else
        strbuf_add_str(&text, first);
    return text;
}

static void flood(struct sio_socket *s, struct str args) {
    struct strbuf text = first_argument(args), filler = {0};
    long count = text.at ? strtol(text.at, NULL, 10) : 0;
    strbuf_add_str(&filler, STR("[\""));
    for (int i = 0; i < 10000; i++)
        strbuf_add_char(&filler, 'x');
    strbuf_add_str(&filler, STR("\"]"));
    for (long i = 0; i < count; i++)
        sio_emit(s, STR("flood"), strbuf_str(&filler));
    strbuf_fini(&filler);
    strbuf_fini(&text);
}

static void on_answer(void *arg, struct sio_socket *s, const struct sio_answer *answer) {
    (void)arg;
    if (answer->code == ERR_OK && answer->attachment_count)
        sio_emit_binary(s, STR("answered"), answer->args, answer->attachments,
                        answer->attachment_count);
    else if (answer->code == ERR_OK)
        sio_emit(s, STR("answered"), answer->args);
    else
        sio_emit(s, STR("unanswered"), STR("[]"));
}

static void ask(struct sio_socket *s, struct str args) {
    struct sio_ask question = {.timeout_ms = 200, .answer = on_answer};
    if (sio_emit_ask(s, STR("question"), args, &question) != ERR_OK)
        sio_emit(s, STR("too-many"), STR("[]"));
}

static void on_event(void *arg, struct sio_socket *s, struct str name, struct str args,
                     struct str ack_id) {
    (void)arg;
    struct strbuf first = first_argument(args);
    if (str_equal(name, STR("message"))) sio_emit(s, STR("message-back"), args);
    if (str_equal(name, STR("join")) && first.size) sio_join(s, strbuf_str(&first));
    if (str_equal(name, STR("leave")) && first.size) sio_leave(s, strbuf_str(&first));
    if (str_equal(name, STR("shout")))
        sio_broadcast(server, "/", strbuf_str(&first), STR("heard"), args);
    if (str_equal(name, STR("tell")))
        sio_broadcast_to(server, &(struct sio_target){"/", strbuf_str(&first), s, false},
                         STR("heard"), args);
    if (str_equal(name, STR("hint"))) (void)sio_emit_volatile(s, STR("hinted"), args);
    if (str_equal(name, STR("ask"))) ask(s, args);
    if (str_equal(name, STR("flood"))) flood(s, args);
    if (ack_id.size) sio_ack(s, ack_id, args);
    strbuf_fini(&first);
    if (str_equal(name, STR("leave-me")))
        sio_socket_disconnect(s, false);
    else if (str_equal(name, STR("kick")))
        sio_socket_disconnect(s, true);
}

static void on_binary(void *arg, struct sio_socket *s, struct str name,
                      const struct sio_binary *b) {
    (void)arg;
    if (str_equal(name, STR("message")))
        sio_emit_binary(s, STR("message-back"), b->args, b->attachments, b->attachment_count);
    if (b->ack_id.size) sio_ack_binary(s, b->ack_id, b->args, b->attachments, b->attachment_count);
}

static void on_disconnect(void *arg, struct sio_socket *s, const char *reason) {
    (void)arg;
    (void)s;
    fprintf(stderr, "disconnect: %s\n", reason);
}

static const struct sio_handlers ECHO = {on_connect, on_event, on_binary, on_disconnect};
static const struct sio_handlers CUSTOM = {on_connect, on_event, NULL, on_disconnect};
static const struct sio_handlers REFUSED = {refuse, NULL, NULL, NULL};
static const struct sio_handlers LATER = {decide_later, on_event, NULL, forget_undecided};

/* Engine.IO without Socket.IO on it. */
static void bare_open(void *arg, struct eio_session *s) {
    (void)arg;
    (void)s; /* it joins nothing: the deadline for that is off */
}

static void bare_message(void *arg, struct eio_session *s, char *data, size_t size, bool binary) {
    (void)arg;
    struct strbuf text = {0};
    if (!binary) strbuf_add_char(&text, '4');
    strbuf_add(&text, data, size);
    struct eio_frame *f = eio_frame_new(strbuf_str(&text), binary);
    strbuf_fini(&text);
    eio_session_send(s, &f, 1);
    eio_frame_drop(f);
}

static void bare_close(void *arg, struct eio_session *s, const char *reason) {
    (void)arg;
    (void)s;
    fprintf(stderr, "closed: %s\n", reason);
}

static const struct eio_events BARE = {bare_open, bare_message, bare_close};

static int on_get(void *arg, struct str path, struct strbuf *body, const char **type) {
    (void)arg;
    if (!str_equal(path, STR("/healthz"))) return 404;
    *type = "text/plain";
    strbuf_add_str(body, STR("ok\n"));
    return 200;
}

#define FLAG(name, field) \
    { name, offsetof(struct sio_options, field), sizeof((struct sio_options){0}.field) }

static const struct {
    const char *name;
    size_t offset, size;
} FLAGS[] = {
    FLAG("ping-interval", ping_interval_ms),
    FLAG("ping-timeout", ping_timeout_ms),
    FLAG("connect-timeout", connect_timeout_ms),
    FLAG("upgrade-timeout", upgrade_timeout_ms),
    FLAG("return-timeout", return_timeout_ms),
    FLAG("payload", payload_bytes_max),
    FLAG("namespaces", namespaces_max),
    FLAG("queue-bytes", queue_bytes_max),
    FLAG("queue-packets", queue_packets_max),
    FLAG("connections", connections_max),
    FLAG("per-ip", connections_per_ip_max),
    FLAG("strangers", strangers_max),
    FLAG("transports", transports),
    FLAG("recovery", recovery_ms),
    FLAG("drain", drain_ms),
};

static bool set_number(struct sio_options *o, const char *name, const char *value) {
    int64_t number;
    if (!str_to_int64(str_of(value), &number)) return false;
    for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++) {
        if (strcmp(FLAGS[i].name, name) != 0) continue;
        memcpy((char *)o + FLAGS[i].offset, &number, FLAGS[i].size); /* little-endian */
        return true;
    }
    return false;
}

static bool parse_flags(int argc, char **argv, struct sio_options *o,
                        struct transport_options *to) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i] + 2, *value = argv[i + 1];
        if (strncmp(argv[i], "--", 2) != 0) return false;
        if (!strcmp(name, "origins"))
            o->origins = value;
        else if (!strcmp(name, "path"))
            o->path = value;
        else if (!strcmp(name, "listen"))
            to->listen = value;
        else if (!strcmp(name, "bare"))
            bare = true;
        else if (!strcmp(name, "tls-cert"))
            to->tls_cert = value;
        else if (!strcmp(name, "tls-key"))
            to->tls_key = value;
        else if (!strcmp(name, "sockets-per-ip"))
            to->sockets_per_ip_max = (size_t)strtoull(value, NULL, 10);
        else if (!set_number(o, name, value))
            return false;
    }
    return argc % 2 == 1;
}

int main(int argc, char **argv) {
    struct sio_options options = {0};
    struct transport_options to = {.listen = "127.0.0.1:0", .on_get = on_get, .on_wake = decide};
    struct err_text why;
    if (!parse_flags(argc, argv, &options, &to)) {
        fprintf(stderr, "usage: see the head of echo_server.c\n");
        return 2;
    }
    server = sio_server_new(&options);
    sio_namespace(server, "/", &ECHO, NULL);
    sio_namespace(server, "/custom", &CUSTOM, NULL);
    sio_namespace(server, "/refused", &REFUSED, NULL);
    sio_namespace(server, "/later", &LATER, NULL);
    if (bare) sio_server_engine(server)->events = &BARE;
    to.server = server;
    if (transport_open(&transport, &to, &why) != ERR_OK) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    printf("%s\n", strrchr(transport_address(transport), ':') + 1);
    fflush(stdout);
    transport_run(transport);
    signal(SIGTERM, SIG_IGN); /* there is no transport to stop from here on */
    transport_close(transport);
    sio_server_free(server);
    return 0;
}
