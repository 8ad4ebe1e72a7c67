/* fuzz_polling_body.c - any bytes as a polling body: its packets, joined again, are the body. */
#include "base/mem.h"
#include "socketio/eio_packet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *body = mem_alloc(size + 1);
    struct strbuf joined = {0};
    if (size) memcpy(body, data, size);
    struct eio_payload payload = {.at = body, .left = size};
    char *text;
    size_t text_size, count = 0;
    while (eio_payload_next(&payload, &text, &text_size)) {
        if (text < body || text + text_size > body + size) abort();
        if (count++ > 0) strbuf_add_char(&joined, '\x1e');
        strbuf_add(&joined, text, text_size);
    }
    if (count == 0 || joined.size != size) abort();
    if (size && memcmp(joined.at, data, size) != 0) abort();
    payload = (struct eio_payload){.at = body, .left = size};
    while (eio_payload_next(&payload, &text, &text_size)) {
        struct eio_packet packet;
        (void)eio_packet_parse(text, text_size, &packet); /* in place: must stay in its bounds */
    }
    strbuf_fini(&joined);
    mem_free(body);
    return 0;
}
