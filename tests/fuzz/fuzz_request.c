/* fuzz_request.c - a method (the first byte) and any bytes as its request.
 *
 * What is accepted as a ticket must come back from the journal as it was, in an entry of at most
 * LIMIT_ENTRY_BYTES: a reply would have promised it.
 */
#include "base/limits.h"
#include "wire/journal_codec.h"
#include "wire/player_codec.h"
#include "wire/request.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

struct check {
    struct str bytes; /* the players as first written */
    unsigned count;
};

static void compare(void *arg, struct record *r) {
    struct check *c = arg;
    struct strbuf again = {0};
    c->count++;
    player_codec_write(&r->ticket_created.spec, 10, &again);
    require(str_equal(c->bytes, strbuf_str(&again)));
    strbuf_fini(&again);
}

static void journal(const struct command *command) {
    struct record r = {.kind = RECORD_TICKET_CREATED};
    r.ticket_created.id = (struct id){1, 1};
    r.ticket_created.state = TICKET_QUEUED;
    r.ticket_created.spec = command->create_ticket.spec;
    r.ticket_created.request_key = command->create_ticket.request_key;
    struct strbuf entry = {0}, players = {0};
    struct arena *arena = arena_new(0);
    struct err_text why;
    journal_encode(&r, &entry);
    require(entry.size <= LIMIT_ENTRY_BYTES);
    player_codec_write(&r.ticket_created.spec, 10, &players);
    struct check c = {strbuf_str(&players), 0};
    require(journal_decode(strbuf_str(&entry), arena, compare, &c, NULL, &why) == ERR_OK);
    require(c.count == 1);
    arena_free(arena);
    strbuf_fini(&entry);
    strbuf_fini(&players);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const struct method *method = method_row((enum method_id)(data[0] % METHOD_COUNT));
    struct request_source source = {{(const char *)data + 1, size - 1}, STR("fuzz-1"), NULL};
    struct arena *arena = arena_new(size * LIMIT_DECODE_FACTOR + LIMIT_DECODE_BYTES);
    struct request r;
    struct err_text why;
    if (request_decode(method, &source, arena, &r, &why) == ERR_OK) {
        bool create = method->id == METHOD_CREATE_TICKET || method->id == METHOD_CREATE_TICKETS;
        for (uint32_t i = 0; create && i < r.create.count; i++) {
            require((r.create.items[i].code == ERR_OK) == (r.create.items[i].why == NULL));
            if (r.create.items[i].code == ERR_OK) journal(&r.create.items[i].command);
        }
        request_fini(&r);
    } else {
        require(why.text[0] != '\0');
    }
    arena_free(arena);
    return 0;
}
