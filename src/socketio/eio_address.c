/* eio_address.c - a map from a peer's text to its count. */
#include "socketio/eio_address.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct peer {
    size_t count;
    char text[EIO_ADDRESS_BYTES];
};

static bool peer_is(const void *value, const void *key) {
    return strcmp(((const struct peer *)value)->text, key) == 0;
}

static void peer_text(const char *address, char out[EIO_ADDRESS_BYTES]) {
    unsigned char bytes[16];
    snprintf(out, EIO_ADDRESS_BYTES, "%s", address);
    if (strncmp(address, "::ffff:", 7) == 0) {
        snprintf(out, EIO_ADDRESS_BYTES, "%s", address + 7);
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        memset(bytes + 8, 0, 8);
        inet_ntop(AF_INET6, bytes, out, EIO_ADDRESS_BYTES);
    }
}

bool eio_address_enter(struct eio_addresses *a, const char *address) {
    char text[EIO_ADDRESS_BYTES];
    if (a->limit == 0) return true;
    peer_text(address, text);
    uint64_t hash = str_hash(str_of(text));
    struct peer *p = map_get(&a->by_text, hash, peer_is, text);
    if (p && p->count >= a->limit) return false;
    if (!p) {
        p = mem_alloc(sizeof *p);
        memcpy(p->text, text, sizeof p->text);
        map_put(&a->by_text, hash, p);
    }
    p->count++;
    return true;
}

void eio_address_leave(struct eio_addresses *a, const char *address) {
    char text[EIO_ADDRESS_BYTES];
    if (a->limit == 0) return;
    peer_text(address, text);
    uint64_t hash = str_hash(str_of(text));
    struct peer *p = map_get(&a->by_text, hash, peer_is, text);
    assert(p && p->count > 0);
    if (--p->count > 0) return;
    map_remove(&a->by_text, hash, p);
    mem_free(p);
}

void eio_address_fini(struct eio_addresses *a) {
    size_t cursor = 0;
    for (void *p; (p = map_next(&a->by_text, &cursor));)
        mem_free(p);
    map_fini(&a->by_text);
}
