/* monitor.c - three pages on libmicrohttpd. */
#include "monitor/monitor.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "monitor/process.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { CONNECTION_MEMORY_BYTES = 16384, SILENT_S = 10 };

struct monitor {
    struct monitor_options o;
    struct MHD_Daemon *daemon;
    char address[300];
};

struct page {
    unsigned status;
    const char *type;
    struct strbuf body; /* malloc'd by mem: handed over with a free function */
};

static void write_metrics(const struct monitor *m, struct strbuf *out) {
    strbuf_printf(out,
                  "# HELP muster_build_info the version that runs\n"
                  "# TYPE muster_build_info gauge\nmuster_build_info{version=\"%s\"} 1\n",
                  m->o.version);
    metrics_text(out);
    process_text(out);
}

static struct page make_page(const struct monitor *m, const char *path) {
    struct page p = {MHD_HTTP_OK, "text/plain; charset=utf-8", {0}};
    if (strcmp(path, "/metrics") == 0) {
        p.type = "text/plain; version=0.0.4; charset=utf-8";
        write_metrics(m, &p.body);
    } else if (strcmp(path, "/healthz") == 0) {
        strbuf_add_str(&p.body, STR("ok\n"));
    } else if (strcmp(path, "/readyz") == 0) {
        bool ready = m->o.ready(m->o.arg);
        p.status = ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
        strbuf_add_str(&p.body, ready ? STR("ready\n") : STR("not ready\n"));
    } else {
        p.status = MHD_HTTP_NOT_FOUND;
        strbuf_add_str(&p.body, STR("here are /metrics, /healthz and /readyz\n"));
    }
    return p;
}

static enum MHD_Result send_page(struct MHD_Connection *connection, struct page *p) {
    struct MHD_Response *r =
        MHD_create_response_from_buffer_with_free_callback(p->body.size, p->body.at, mem_free);
    if (!r) {
        strbuf_fini(&p->body);
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, p->type);
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(connection, p->status, r);
    MHD_destroy_response(r);
    return result;
}

/* libmicrohttpd's signature */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **state) {
    (void)version, (void)body, (void)state;
    struct page p;
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        p = make_page(arg, path);
    } else {
        p = (struct page){MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", {0}};
        strbuf_add_str(&p.body, STR("GET and HEAD only\n"));
    }
    *body_size = 0;
    return send_page(connection, &p);
}

static enum err resolve(const char *listen, struct addrinfo **out, struct err_text *why) {
    const char *colon = strrchr(listen, ':');
    char host[256];
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    bool brackets = listen[0] == '[' && colon && colon[-1] == ']';
    size_t size = colon ? (size_t)(colon - listen) : 0;
    if (brackets) listen++, size -= 2;
    if (!colon || size == 0 || size >= sizeof host)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "metrics-listen",
                             "metrics-listen is \"%.150s\", allowed is HOST:PORT", listen);
    memcpy(host, listen, size);
    host[size] = '\0';
    int failure = getaddrinfo(host, colon + 1, &hints, out);
    if (!failure) return ERR_OK;
    return err_set_field(why, ERR_INVALID_ARGUMENT, "metrics-listen",
                         "metrics-listen is \"%.150s\": %s", listen, gai_strerror(failure));
}

static uint16_t bound_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

static struct MHD_Daemon *start(struct monitor *m, const struct addrinfo *at) {
    sigset_t all, before;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;
    if (at->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
    (void)sigfillset(&all); /* its thread inherits the mask: only main handles signals */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *d = MHD_start_daemon(
        flags, 0, NULL, NULL, answer, m, MHD_OPTION_SOCK_ADDR, at->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MONITOR_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 0U, MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return d;
}

enum err monitor_start(struct monitor **out, const struct monitor_options *o,
                       struct err_text *why) {
    struct addrinfo *at = NULL;
    *out = NULL;
    enum err e = resolve(o->listen, &at, why);
    if (e != ERR_OK) return e;
    struct monitor *m = mem_alloc(sizeof *m);
    m->o = *o;
    m->daemon = start(m, at);
    freeaddrinfo(at);
    if (!m->daemon) {
        int cause = errno;
        mem_free(m);
        if (cause == EADDRINUSE)
            return err_set_field(why, ERR_FAILED_PRECONDITION, "metrics-listen",
                                 "%.150s is in use by another process", o->listen);
        return err_set_field(why, ERR_UNAVAILABLE, "metrics-listen", "cannot listen on %.150s: %s",
                             o->listen, strerror(cause));
    }
    (void)snprintf(m->address, sizeof m->address, "http://%.*s:%u",
                   (int)(strrchr(o->listen, ':') - o->listen), o->listen, bound_port(m->daemon));
    LOG_INFO("monitor-listening", "address=%s", m->address);
    *out = m;
    return ERR_OK;
}

const char *monitor_address(const struct monitor *m) {
    return m->address;
}

void monitor_stop(struct monitor *m) {
    if (!m) return;
    MHD_stop_daemon(m->daemon);
    mem_free(m);
}
