/* ack_json.h - what a Socket.IO event of a player is acknowledged with: a JSON array of one object.
 *
 * {"ok":true, ...the message's fields} or {"ok":false,"error":{"code","message","field"}}.
 * Source: proto/README.md. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_ACK_JSON_H
#define MUSTER_WIRE_ACK_JSON_H

#include "base/err.h"
#include "base/str.h"

#include <protobuf-c/protobuf-c.h>

/* Both append to `out`. */
void ack_json_ok(const ProtobufCMessage *m, struct strbuf *out);
void ack_json_error(enum err code, const struct err_text *why, struct strbuf *out);

#endif
