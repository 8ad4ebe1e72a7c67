/* client_internal.h - what the library's files share: the client, its slots, dialling.
 *
 * A slot is one request on its way: an nng context and one aio that goes
 *
 *     IDLE -> SENDING -> RECEIVING -> IDLE
 *                ^           |
 *                +- RESTING <+   (retryable: back-off, then the same bytes again)
 *
 * strictly one step after the other: nng 1.5.2 crashes when a context with a pending send and an
 * outstanding receive is cancelled (nng issue 1702). At most CLIENT_SLOTS exist; they are made on
 * demand and kept. Functions shared by files carry the library's prefix: they are in the user's
 * program. The mutex guards the lists and `closing`; a busy slot belongs to its aio.
 */
#ifndef MUSTER_CLIENT_INTERNAL_H
#define MUSTER_CLIENT_INTERNAL_H

#include "method.h"
#include "status.h"

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

#define CLIENT_SLOTS 1024
/* Larger than the server's limit for one message (4 MiB), so that a change there needs no new
 * client; nng closes the connection on a bigger one. */
#define CLIENT_MESSAGE_BYTES (16u << 20)
#define CLIENT_TIMEOUT_MAX_MS 60000u

enum slot_stage { SLOT_IDLE, SLOT_SENDING, SLOT_RECEIVING, SLOT_RESTING };

struct slot {
    struct muster_client *client;
    struct slot *next_free;
    nng_ctx context;
    nng_aio *aio;
    nng_aio *rest; /* apart: an aio of 1.5.2 that has slept reports later timeouts as success */
    enum slot_stage stage;
    nng_msg *request; /* without timeout_ms, which each try appends */
    bool raw;         /* a relay's bytes: nothing appended, one try */
    bool was_sent;    /* any try reached a server's connection */
    unsigned tries;
    int64_t deadline_ms;
    uint32_t timeout_ms, try_ms;
    const ProtobufCMessageDescriptor *output;
    muster_reply_fn done;
    muster_forward_fn forwarded;
    void *arg;
    struct muster_status last; /* why the last try failed; code OK = no try has ended */
};

struct muster_client {
    nng_socket socket;
    char *api, *token;
    uint32_t timeout_ms, try_ms;
    atomic_uint connected; /* pipes */
    pthread_mutex_t mutex;
    pthread_cond_t idle; /* busy went down to 0 */
    struct slot *slots[CLIENT_SLOTS];
    size_t slot_count, busy_count;
    struct slot *free_slots;
    bool closing;
};

/* Dials every address of a comma-separated list in the background. */
enum muster_code muster_client_dial(nng_socket socket, const char *addresses,
                                    struct muster_status *status);
/* A free slot, counted busy; NULL with the reason in `status`. */
struct slot *muster_client_take_slot(struct muster_client *client, struct muster_status *status);
/* The slot's callbacks are over. */
void muster_client_return_slot(struct slot *slot);
bool muster_client_closing(struct muster_client *client);
/* The aio callbacks of every slot. */
void muster_call_step(void *slot);
void muster_call_rested(void *slot);

#endif
