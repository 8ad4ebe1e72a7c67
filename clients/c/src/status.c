/* status.c - gRPC's codes as text, statuses, ids. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char *const code_names[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

const char *muster_code_name(enum muster_code code) {
    size_t count = sizeof code_names / sizeof *code_names;
    return (size_t)code < count ? code_names[code] : "UNKNOWN";
}

enum muster_code muster_status_set(struct muster_status *status, enum muster_code code,
                                   const char *format, ...) {
    if (status == NULL) return code;
    va_list arguments;
    va_start(arguments, format);
    status->code = code;
    status->retry_after_ms = 0;
    status->field[0] = '\0';
    vsnprintf(status->message, sizeof status->message, format, arguments);
    va_end(arguments);
    return code;
}

enum muster_code muster_status_from_wire(struct muster_status *status,
                                         const Muster__V1__Status *wire) {
    if (wire == NULL || wire->code == MUSTER_OK)
        return muster_status_set(status, MUSTER_OK, "%s", "");
    size_t count = sizeof code_names / sizeof *code_names;
    enum muster_code code = wire->code < count ? (enum muster_code)wire->code : MUSTER_UNKNOWN;
    muster_status_set(status, code, "%s", wire->message);
    if (status != NULL) status->retry_after_ms = wire->retry_after_ms;
    if (status != NULL && wire->n_details > 0)
        snprintf(status->field, sizeof status->field, "%s", wire->details[0]->field);
    return code;
}

bool muster_status_retryable(enum muster_code code) {
    return code == MUSTER_UNAVAILABLE || code == MUSTER_ABORTED ||
           code == MUSTER_RESOURCE_EXHAUSTED || code == MUSTER_DEADLINE_EXCEEDED;
}

enum muster_code muster_status_no_memory(struct muster_status *status) {
    return muster_status_set(status, MUSTER_RESOURCE_EXHAUSTED, "out of memory");
}

int64_t muster_status_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* getrandom of up to 256 bytes from an initialised pool is never cut short (getrandom(2)). */
uint32_t muster_status_random_below(uint32_t bound) {
    uint32_t value = 0;
    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) value = (uint32_t)clock();
    return value % bound;
}

/* A ULID: 48 bits of wall-clock milliseconds, 80 random bits, in Crockford's base32. */
void muster_request_id(char out[27]) {
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (uint8_t)(now.tv_nsec >> (i % 4 * 8));
    for (int i = 9; i >= 0; i--, ms >>= 5)
        out[i] = digits[ms & 31];
    for (int i = 0; i < 16; i++)
        out[10 + i] = digits[random[i] & 31];
    out[26] = '\0';
}

void muster_free(void *message) {
    if (message != NULL) protobuf_c_message_free_unpacked(message, NULL);
}
