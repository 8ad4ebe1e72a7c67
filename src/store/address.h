/* address.h - where a Redis is: parsed once from the option's text.
 *
 *     redis://[[user]:password@]host[:port][/database]     unix:/path     unix:///path
 *
 * User and password may hold %XX escapes. `text` is for messages and never shows the password.
 * Thread safety: none needed; a value.
 */
#ifndef MUSTER_STORE_ADDRESS_H
#define MUSTER_STORE_ADDRESS_H

#include "base/err.h"

#define ADDRESS_PATH_BYTES 108 /* sockaddr_un.sun_path with its NUL */

struct address {
    char path[ADDRESS_PATH_BYTES]; /* unix socket; empty: host and port */
    char host[256];
    int port;                      /* 1..65535 */
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
