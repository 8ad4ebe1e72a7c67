/* status.h - filling in a muster_status, request ids and the client's clock. All threads. */
#ifndef MUSTER_CLIENT_STATUS_H
#define MUSTER_CLIENT_STATUS_H

#include <muster/client.h>
#include <muster/v1/envelope.pb-c.h>

#include <stdbool.h>

/* Writes a formatted text into `status` (NULL is fine), empties its field. Returns `code`. */
enum muster_code muster_status_set(struct muster_status *status, enum muster_code code,
                                   const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The server's status; NULL is OK. Texts that are too long are cut. */
enum muster_code muster_status_from_wire(struct muster_status *status,
                                         const Muster__V1__Status *wire);
/* Whether the same request may succeed when sent again unchanged. */
bool muster_status_retryable(enum muster_code code);
enum muster_code muster_status_no_memory(struct muster_status *status);
int64_t muster_status_now_ms(void); /* monotonic */
/* Uniform in 0..bound-1; for jitter only. bound > 0. */
uint32_t muster_status_random_below(uint32_t bound);

#endif
