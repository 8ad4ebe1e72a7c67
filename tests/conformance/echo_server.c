/* echo_server.c - the Socket.IO server with handlers that only echo: for the conformance tests.
 *
 *     echo_server [--ping-interval ms] [--ping-timeout ms] [--connect-timeout ms]
 *                 [--upgrade-timeout ms] [--payload bytes] [--origins list] [--connections n]
 *                 [--per-ip n] [--listen host:port]
 *
 * Prints its port on standard output; ends on SIGTERM. Besides what the protocol's own suites ask
 * for (auth, message -> message-back, message-with-ack, namespace /custom) it knows: join, leave,
 * shout (to a room), flood (count, bytes), kick, leave-me, and namespace /refused.
 */
#include "base/mem.h"
#include "bridge/transport.h"
#include "socketio/sio_json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct transport *transport;
static struct sio_server *server;

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
    (void)s;
    (void)auth;
    return err_set(why, ERR_UNAUTHENTICATED, "no \"token\"");
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

static void on_event(void *arg, struct sio_socket *s, struct str name, struct str args,
                     struct str ack_id) {
    (void)arg;
    struct strbuf first = first_argument(args);
    if (str_equal(name, STR("message"))) sio_emit(s, STR("message-back"), args);
    if (str_equal(name, STR("join")) && first.size) sio_join(s, strbuf_str(&first));
    if (str_equal(name, STR("leave")) && first.size) sio_leave(s, strbuf_str(&first));
    if (str_equal(name, STR("shout")))
        sio_broadcast(server, "/", strbuf_str(&first), STR("heard"), args);
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

static int on_get(void *arg, struct str path, struct strbuf *body, const char **type) {
    (void)arg;
    if (!str_equal(path, STR("/healthz"))) return 404;
    *type = "text/plain";
    strbuf_add_str(body, STR("ok\n"));
    return 200;
}

static int parse_flags(int argc, char **argv, struct sio_options *o, const char **listen_on) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *flag = argv[i], *value = argv[i + 1];
        long long number = strtoll(value, NULL, 10);
        if (!strcmp(flag, "--ping-interval"))
            o->ping_interval_ms = number;
        else if (!strcmp(flag, "--ping-timeout"))
            o->ping_timeout_ms = number;
        else if (!strcmp(flag, "--connect-timeout"))
            o->connect_timeout_ms = number;
        else if (!strcmp(flag, "--upgrade-timeout"))
            o->upgrade_timeout_ms = number;
        else if (!strcmp(flag, "--payload"))
            o->payload_bytes_max = (size_t)number;
        else if (!strcmp(flag, "--connections"))
            o->connections_max = (size_t)number;
        else if (!strcmp(flag, "--per-ip"))
            o->connections_per_ip_max = (size_t)number;
        else if (!strcmp(flag, "--origins"))
            o->origins = value;
        else if (!strcmp(flag, "--listen"))
            *listen_on = value;
        else
            return 2;
    }
    return argc % 2 ? 0 : 2;
}

int main(int argc, char **argv) {
    struct sio_options options = {0};
    const char *listen_on = "127.0.0.1:0";
    struct err_text why;
    if (parse_flags(argc, argv, &options, &listen_on)) {
        fprintf(stderr, "usage: see the head of echo_server.c\n");
        return 2;
    }
    server = sio_server_new(&options);
    sio_namespace(server, "/", &ECHO, NULL);
    sio_namespace(server, "/custom", &CUSTOM, NULL);
    sio_namespace(server, "/refused", &REFUSED, NULL);
    struct transport_options to = {.listen = listen_on, .server = server, .on_get = on_get};
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
