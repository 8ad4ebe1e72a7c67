/* serve_options.h - what `muster serve` can be told: a struct, and the table rows that fill it. */
#ifndef MUSTER_APP_SERVE_OPTIONS_H
#define MUSTER_APP_SERVE_OPTIONS_H

#include "base/config.h"

struct serve_options {
    char *config;
    char *realm, *roles, *state;
    char *redis, *durability;
    char *api_listen, *events_listen, *bridge_listen, *metrics_listen;
    char *matcher_listen, *replay_listen;
    char *matcher_remote, *replay_remote;
    char *bridge_api, *bridge_events;
    char *queues;
    char *origins;
    char *socketio_path, *transports;
    char *dashboard, *admin_token;
    char *tls_cert, *tls_key;
    int64_t ping_interval_ms, ping_timeout_ms;
    int64_t upgrade_timeout_ms, connect_timeout_ms;
    int64_t payload_bytes_max, queue_bytes_max;
    int64_t drain_ms;
    int64_t connections_max, connections_per_ip_max;
    int64_t lease_ms, operation_ms;
    int64_t ticket_keep_ms, journal_keep_ms;
    char *log_level, *log_format;
    int64_t seed;
    bool allow_shrinking;
    bool print_config, print_reference, check_config;
};

extern const struct config_row serve_rows[];
extern const size_t serve_row_count;

#endif
