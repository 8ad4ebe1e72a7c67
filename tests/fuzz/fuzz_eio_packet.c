/* fuzz_eio_packet.c - any bytes as one Engine.IO text packet; base64 survives a round trip. */
#include "base/mem.h"
#include "socketio/eio_base64.h"
#include "socketio/eio_packet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = mem_alloc(size + 1);
    char *copy = mem_text((struct str){(const char *)data, size});
    struct eio_packet packet;
    memcpy(text, data, size);
    if (eio_packet_parse(text, size, &packet)) {
        if (packet.size >= size || packet.data != text + 1) abort();
        if (packet.binary) { /* strict decoding: the same bytes have no other text */
            struct strbuf again = {0};
            strbuf_add_char(&again, 'b');
            eio_base64_encode(&again, (struct str){packet.data, packet.size});
            if (again.size != size || memcmp(again.at, copy, size) != 0) abort();
            strbuf_fini(&again);
        }
    }
    mem_free(text);
    mem_free(copy);
    return 0;
}
