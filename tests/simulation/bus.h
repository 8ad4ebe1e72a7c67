/* bus.h - simulated request/reply and publish/subscribe between nodes: the ports of src/bus and of
 * the client library's transport.
 *
 * An address is a node's name. Requests and answers may be late, lost, or come twice.
 * Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_BUS_H
#define MUSTER_TESTS_SIMULATION_BUS_H

#include "base/err.h"
#include "base/str.h"
#include "simulation/world.h"

#include <google/protobuf-c/protobuf-c.h>

void bus_begin(void);
void bus_end(void);

/* Called once on the asking node, unless it has died; `bytes` borrowed; empty and false: no answer
 * in time. */
typedef void (*bus_answer_fn)(void *arg, bool answered, struct str bytes);
/* One try: to the next of the comma-separated `addresses` that is connected. */
void bus_request(const char *addresses, struct str bytes, int64_t timeout_us, bus_answer_fn done,
                 void *arg);

/* How many of the addresses have a door that is open. */
unsigned bus_connected(const char *addresses);

/* A call as the client library makes it: tries of `try_us` with back-off and the same request id,
 * until `timeout_us` is over. */
struct bus_call {
    const char *addresses, *method; /* "Tickets/CreateTicket"; borrowed until the answer */
    char request_id[32];            /* empty: none */
    int64_t timeout_us, try_us;
};
/* `code`: of the status, or UNAVAILABLE. `message`: its text. */
typedef void (*bus_reply_fn)(void *arg, enum err code, struct str message, struct str payload);
void bus_call(const struct bus_call *call, const ProtobufCMessage *request, bus_reply_fn done,
              void *arg);

/* Publications of `address` to the current node, in order, some of them lost. */
typedef void (*bus_message_fn)(void *arg, struct str bytes);
void bus_subscribe(const char *addresses, bus_message_fn take, void *arg);
void bus_unsubscribe(void *arg);

#endif
