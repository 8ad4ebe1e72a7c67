/* fuzz_sio_packet.c - any bytes as a Socket.IO packet; what parses can be split, and its arguments
 * are JSON again. */
#include "base/mem.h"
#include "socketio/sio_json.h"
#include "socketio/sio_packet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { DEPTH = 64 };
    char *text = mem_alloc(size + 1);
    struct strbuf name = {0}, head = {0};
    struct sio_packet packet;
    struct str args;
    if (size) memcpy(text, data, size);
    if (sio_packet_parse((struct str){text, size}, DEPTH, &packet)) {
        if (packet.attachment_count > SIO_ATTACHMENTS_MAX) abort();
        sio_packet_begin(&head, &packet);
        if (packet.type == SIO_EVENT || packet.type == SIO_BINARY_EVENT) {
            sio_packet_split_event(packet.payload, &name, &args);
            if (sio_json_check(args, DEPTH, SIO_JSON_ANY_PLACEHOLDER) != SIO_JSON_ARRAY) abort();
        }
    }
    strbuf_fini(&name);
    strbuf_fini(&head);
    mem_free(text);
    return 0;
}
