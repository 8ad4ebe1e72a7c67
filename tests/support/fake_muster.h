/* fake_muster.h - an api door and a publisher that answer as a test tells them, over real nng.
 *
 * For tests of what talks to a server. Listens on unix sockets in a folder of its own.
 */
#ifndef MUSTER_TESTS_FAKE_MUSTER_H
#define MUSTER_TESTS_FAKE_MUSTER_H

#include <muster/v1/envelope.pb-c.h>
#include <muster/v1/events.pb-c.h>
#include <stdbool.h>

#define FAKE_NO_ANSWER (-1)

struct fake_muster;

/* Answers one request: returns a status code and may set *response (malloc'd protobuf, freed by
 * the fake), or FAKE_NO_ANSWER. Called on one thread at a time. */
typedef int (*fake_answer_fn)(void *arg, const Muster__V1__Request *request,
                              ProtobufCMessage **response);

struct fake_muster *fake_muster_new(fake_answer_fn answer, void *arg);
void fake_muster_free(struct fake_muster *fake);
const char *fake_muster_api(const struct fake_muster *fake);    /* "ipc://..." */
const char *fake_muster_events(const struct fake_muster *fake); /* "ipc://..." */
/* Its refusals say from now on when to come back. */
void fake_muster_retry_after(struct fake_muster *fake, int64_t ms);
void fake_muster_publish(struct fake_muster *fake, const char *topic,
                         const Muster__V1__EventBatch *batch);
void fake_muster_wait_subscriber(struct fake_muster *fake); /* one is connected */
/* Returns once the condition holds; fails the program after 20 s, naming it. */
void fake_wait_until(bool (*condition)(void *arg), void *arg, const char *what);
/* Stops and starts the api's listener: clients see a broken connection. */
void fake_muster_api_down(struct fake_muster *fake);
void fake_muster_api_up(struct fake_muster *fake);
/* Deep copy by packing and unpacking. */
ProtobufCMessage *fake_copy(const ProtobufCMessage *message);

#endif
