/* eio_base64.h - standard base64 (RFC 4648 section 4) for binary in polling bodies, and the URL
 * alphabet without padding for ids. Thread safety: all functions.
 */
#ifndef MUSTER_SOCKETIO_EIO_BASE64_H
#define MUSTER_SOCKETIO_EIO_BASE64_H

#include "base/str.h"

#define EIO_ID_BYTES 20 /* characters of an id: 120 random bits */

void eio_base64_encode(struct strbuf *out, struct str bytes);
/* Strict: padding required, no other characters, unused bits zero. `out` holds at least
 * text.size / 4 * 3 bytes and may be the text itself. False when malformed. */
bool eio_base64_decode(struct str text, char *out, size_t *out_size);
/* A new unguessable id from the kernel's randomness; no NUL is written. */
void eio_base64_new_id(char out[EIO_ID_BYTES]);

#endif
