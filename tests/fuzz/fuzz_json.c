/* fuzz_json.c - a message type (the first byte) and any text as its JSON.
 *
 * What is accepted is written, read again, and written the same.
 */
#include "wire/json.h"

#include "muster/v1/events.pb-c.h"
#include "muster/v1/queues.pb-c.h"
#include "muster/v1/socketio.pb-c.h"
#include "muster/v1/system.pb-c.h"
#include "muster/v1/tickets.pb-c.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
    &muster__v1__join_queue_request__descriptor,    &muster__v1__ticket_key__descriptor,
    &muster__v1__create_ticket_request__descriptor, &muster__v1__ticket_update__descriptor,
    &muster__v1__put_queue_request__descriptor,     &muster__v1__get_ticket_request__descriptor,
    &muster__v1__event_batch__descriptor,           &muster__v1__get_status_response__descriptor,
};

static void there_and_back(struct str json, const ProtobufCMessageDescriptor *type) {
    ProtobufCMessage *m, *again;
    struct err_text why;
    if (json_to_message(json, type, &m, &why) != ERR_OK) {
        if (m || why.text[0] == '\0') abort();
        return;
    }
    struct strbuf once = {0}, twice = {0};
    json_from_message(m, &once);
    /* Longer than it was, and so perhaps than may be read: names and defaults are written out. */
    if (json_to_message(strbuf_str(&once), type, &again, &why) == ERR_OK) {
        json_from_message(again, &twice);
        if (!str_equal(strbuf_str(&once), strbuf_str(&twice))) abort();
        protobuf_c_message_free_unpacked(again, NULL);
    } else if (once.size < 1 << 20) {
        abort();
    }
    protobuf_c_message_free_unpacked(m, NULL);
    strbuf_fini(&once);
    strbuf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct str json = {(const char *)data + 1, size - 1};
    struct strbuf part = {0};
    there_and_back(json, types[data[0] % (sizeof types / sizeof *types)]);
    (void)json_member(json, "party", &part);
    (void)json_element(json, 1, &part);
    json_add_string(json, &part);
    strbuf_fini(&part);
    return 0;
}
