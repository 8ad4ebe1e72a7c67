/* serve_options.c - the option table of `muster serve`. */
#include "app/serve_options.h"

#define AT(field) offsetof(struct serve_options, field)
#define TEXT(name, field, fallback, text) \
    { name, CONFIG_TEXT, fallback, 0, 0, "", NULL, text, AT(field) }
#define SECRET(name, field, text) \
    { name, CONFIG_SECRET, "", 0, 0, "", NULL, text, AT(field) }
#define INT(name, field, fallback, min, max, unit, text) \
    { name, CONFIG_INT, fallback, min, max, unit, NULL, text, AT(field) }
#define BOOL(name, field, text) \
    { name, CONFIG_BOOL, "false", 0, 0, "", NULL, text, AT(field) }
#define ACTION(name, field, text) \
    { name, CONFIG_ACTION, "false", 0, 0, "", NULL, text, AT(field) }
#define CHOICE(name, field, fallback, choices, text) \
    { name, CONFIG_CHOICE, fallback, 0, 0, "", choices, text, AT(field) }

const struct config_row serve_rows[] = {
    TEXT("config", config, "", "read options from this file: lines of `name = value`"),
    TEXT("realm", realm, "default", "the game or environment served; one journal each"),
    TEXT("roles", roles, "all", "`all`, or a list of api,matcher,events,bridge"),
    TEXT("state", state, "./muster-data",
         "folder of the embedded Redis and of the local sockets; made when missing"),
    TEXT("redis", redis, "",
         "redis://[:password@]host:port[/db], unix:/path or redis+sentinel://host:port[,host:port]/"
         "service; empty starts a private redis-server"),
    CHOICE("durability", durability, "fsync", "fsync|replicated|everysec",
           "what an answer promises: on disk; there and on a replica, for who fails over; or on "
           "disk within about a second (warned about)"),
    TEXT("api-listen", api_listen, "tcp://127.0.0.1:7600",
         "where the RPC API listens, comma-separated; ipc://STATE/api.sock is always added"),
    TEXT("events-listen", events_listen, "tcp://127.0.0.1:7601",
         "where events are published, comma-separated"),
    TEXT("bridge-listen", bridge_listen, "127.0.0.1:7602",
         "host:port of Socket.IO and the health pages"),
    TEXT("metrics-listen", metrics_listen, "127.0.0.1:7603",
         "host:port of /metrics, /healthz and /readyz for operators; empty: none"),
    TEXT("matcher-listen", matcher_listen, "",
         "the matcher's own door for api processes elsewhere; empty: ipc://STATE/matcher.sock"),
    TEXT("replay-listen", replay_listen, "",
         "the events role's own door for api processes elsewhere; empty: ipc://STATE/events.sock"),
    TEXT("matcher-remote", matcher_remote, "",
         "doors of the matchers, comma-separated: the api finds the one that leads; empty: "
         "ipc://STATE/matcher.sock, or none but this process's own"),
    TEXT("replay-remote", replay_remote, "",
         "where an api without events finds it, or several, comma-separated; empty: "
         "ipc://STATE/events.sock"),
    TEXT("bridge-api", bridge_api, "",
         "the api the bridge calls; empty: this process's, else ipc://STATE/api.sock"),
    TEXT("bridge-events", bridge_events, "",
         "the publisher the bridge follows; empty: the first of events-listen"),
    TEXT("queues", queues, "", "put the queues of this file at start, where they differ"),
    BOOL("allow-shrinking", allow_shrinking,
         "accept queues whose expansions narrow a limit, in the file of --queues"),
    TEXT("origins", origins, "*", "web origins that may connect, comma-separated; * is any"),
    TEXT("socketio-path", socketio_path, "/socket.io/", "path of Socket.IO requests"),
    CHOICE("transports", transports, "all", "all|websocket|polling",
           "Engine.IO transports that clients may use"),
    CHOICE("dashboard", dashboard, "on", "off|on|play",
           "the page for operators at / of bridge-listen; play: it may add simulated players, who "
           "meet real ones, so only where there are none"),
    SECRET(
        "admin-token", admin_token,
        "what the dashboard asks for, 16..64 of [A-Za-z0-9_.-]; empty: it is open to connections "
        "from this machine, and to no others"),
    TEXT("tls-cert", tls_cert, "",
         "PEM file of a certificate and its chain: Socket.IO then speaks TLS only; a file that "
         "changes is loaded within seconds"),
    TEXT("tls-key", tls_key, "", "PEM file of its key"),
    INT("ping-interval-ms", ping_interval_ms, "25000", 100, 3600000, "ms",
        "Engine.IO: time between pings"),
    INT("ping-timeout-ms", ping_timeout_ms, "20000", 100, 3600000, "ms",
        "Engine.IO: a client that answers no ping this long is gone"),
    INT("upgrade-timeout-ms", upgrade_timeout_ms, "10000", 100, 3600000, "ms",
        "Engine.IO: time for an upgrade to WebSocket; then polling goes on"),
    INT("connect-timeout-ms", connect_timeout_ms, "45000", 100, 3600000, "ms",
        "Socket.IO: a connection that joins no namespace this long is closed"),
    INT("payload-bytes-max", payload_bytes_max, "1000000", 1024, 16777216, "bytes",
        "Engine.IO: largest packet or polling body; the sender of a larger one is closed"),
    INT("queue-bytes-max", queue_bytes_max, "262144", 1024, 67108864, "bytes",
        "waiting for one Socket.IO client; one that reads too slowly is disconnected"),
    INT("drain-ms", drain_ms, "5000", 0, 60000, "ms",
        "at most this long, and at most 1 ms per client, a stop spreads its disconnects over"),
    INT("connections-max", connections_max, "20000", 1, 1000000, "",
        "Socket.IO connections; more are refused"),
    INT("connections-per-ip-max", connections_per_ip_max, "0", 0, 1000000, "",
        "Socket.IO connections from one address; 0 is no limit"),
    INT("lease-ms", lease_ms, "1000", 500, 60000, "ms",
        "how long a matcher that died keeps the next one waiting"),
    INT("operation-ms", operation_ms, "1000", 50, 60000, "ms", "patience with one Redis operation"),
    INT("ticket-keep-ms", ticket_keep_ms, "600000", 0, 86400000, "ms",
        "how long ended tickets and matches stay readable, and request ids are remembered"),
    INT("journal-keep-ms", journal_keep_ms, "3600000", 1000, 604800000, "ms",
        "how far back events can be replayed before the journal is trimmed"),
    CHOICE("log-level", log_level, "info", "error|warn|info|debug", "least level that is logged"),
    CHOICE("log-format", log_format, "logfmt", "logfmt|json", "form of the log lines on stderr"),
    INT("seed", seed, "0", 0, INT64_MAX, "", "seed of ids; 0 takes one from the kernel"),
    ACTION("print-config", print_config, "print the configuration in file form, and end"),
    ACTION("print-reference", print_reference,
           "print all options and metrics as Markdown, and end"),
    ACTION("check-config", check_config, "check the configuration and the queue file, and end"),
};

const size_t serve_row_count = sizeof serve_rows / sizeof serve_rows[0];
