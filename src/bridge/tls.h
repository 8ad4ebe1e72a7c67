/* tls.h - the certificate of the bridge's door: checked before it is used, renewed while serving.
 *
 * A pair of files is loaded at once or not at all: while one of the two is new and the other old
 * they do not match, and the pair before goes on. Who is connected keeps the certificate he has
 * seen. Renewal looks at the files' identity, size and time, so a symlink that moves counts.
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_BRIDGE_TLS_H
#define MUSTER_BRIDGE_TLS_H

#include "base/err.h"

#include <stdint.h>

struct tls_files {
    const char *cert; /* PEM: the certificate, then its chain */
    const char *key;  /* PEM, without a passphrase */
};

struct tls_watch {
    uint64_t seen; /* a digest of what the files were when last looked at */
};

/* Whether the two files are a usable pair. INVALID_ARGUMENT: one cannot be read, or they do not
 * belong together; the text says which. */
enum err tls_check(const struct tls_files *files, struct err_text *why) ERR_CHECKED;
void tls_watch_init(struct tls_watch *w, const struct tls_files *files);
/* Costs two stat(2). When the files have changed: loads them into `ssl_ctx` (an SSL_CTX) for
 * connections to come, and logs that it did, or why not. */
void tls_renew(struct tls_watch *w, const struct tls_files *files, void *ssl_ctx);

#endif
