/* address.h - where a Redis is: parsed once from the option's text.
 *
 *     redis://[[user]:password@]host[:port][/database]     unix:/path     unix:///path
 *     redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/service[/database]
 *
 * The last names Sentinels, which tell where the service's primary is now; user and password are
 * the primary's, and the Sentinels' where they want one. They may hold %XX escapes. `text` is for
 * messages and never shows the password.
 * Thread safety: none needed; a value.
 */
#ifndef MUSTER_STORE_ADDRESS_H
#define MUSTER_STORE_ADDRESS_H

#include "base/err.h"

#define ADDRESS_PATH_BYTES 108 /* sockaddr_un.sun_path with its NUL */

#define ADDRESS_SENTINELS_MAX 8

struct address_host {
    char host[256];
    int port; /* 1..65535 */
};

struct address {
    char path[ADDRESS_PATH_BYTES]; /* unix socket; empty: host and port */
    struct address_host at;        /* of the Redis; empty while Sentinels are to be asked */
    struct address_host sentinels[ADDRESS_SENTINELS_MAX];
    int sentinel_count;            /* 0: the address is the Redis' own */
    char service[65];              /* its name among the Sentinels */
    int database;                  /* 0..2147483647 */
    char user[256], password[512]; /* empty: none */
    char text[400];
};

/* INVALID_ARGUMENT: the text says what is wrong and what is allowed. */
enum err address_parse(struct address *out, const char *text, struct err_text *why) ERR_CHECKED;
/* The private server's socket in `state_folder` (made absolute). INVALID_ARGUMENT: too long. */
enum err address_embedded(struct address *out, const char *state_folder,
                          struct err_text *why) ERR_CHECKED;
/* `redis` when given, else the embedded one. */
enum err address_of(struct address *out, const char *redis, const char *state_folder,
                    struct err_text *why) ERR_CHECKED;

#endif
