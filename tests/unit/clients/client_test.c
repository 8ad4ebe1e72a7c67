/* client_test.c - calls, retries, deadlines and closing of the C client, against a fake server. */
#include "support/fake_muster.h"

#include <muster/client.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct script {
    struct fake_muster *fake;
    struct muster_client *client;
    int codes[8]; /* answers in turn; the last one repeats */
    int code_count, calls;
    char request_ids[8][65];
    char authorization[64], traceparent[64], method[64];
    uint32_t timeout_ms;
};

static int answer(void *arg, const Muster__V1__Request *request, ProtobufCMessage **response) {
    struct script *s = arg;
    int turn = s->calls++;
    if (turn < 8) snprintf(s->request_ids[turn], 65, "%s", request->request_id);
    snprintf(s->method, sizeof s->method, "%s", request->method);
    s->timeout_ms = request->timeout_ms;
    for (size_t i = 0; i < request->n_metadata; i++) {
        const Muster__V1__Metadata *pair = request->metadata[i];
        if (strcmp(pair->key, "authorization") == 0)
            snprintf(s->authorization, sizeof s->authorization, "%s", pair->value);
        if (strcmp(pair->key, "traceparent") == 0)
            snprintf(s->traceparent, sizeof s->traceparent, "%s", pair->value);
    }
    int code = s->codes[turn < s->code_count ? turn : s->code_count - 1];
    if (code == MUSTER_OK && strstr(request->method, "CreateTicket") != NULL) {
        Muster__V1__CreateTicketRequest *in = muster__v1__create_ticket_request__unpack(
            NULL, request->payload.len, request->payload.data);
        Muster__V1__CreateTicketResponse out = MUSTER__V1__CREATE_TICKET_RESPONSE__INIT;
        Muster__V1__Ticket ticket = MUSTER__V1__TICKET__INIT;
        ticket.ticket_id = (char *)"01ARZ3NDEKTSV4RRFFQ69G5FAV";
        ticket.n_queues = in->n_queues;
        ticket.queues = in->queues;
        out.ticket = &ticket;
        *response = fake_copy(&out.base);
        muster__v1__create_ticket_request__free_unpacked(in, NULL);
    } else if (code == MUSTER_OK) {
        Muster__V1__CheckResponse out = MUSTER__V1__CHECK_RESPONSE__INIT;
        out.serving = 1;
        *response = fake_copy(&out.base);
    }
    return code;
}

static struct script *start(uint32_t timeout_ms, uint32_t try_ms) {
    struct script *s = calloc(1, sizeof *s);
    s->code_count = 1;
    s->fake = fake_muster_new(answer, s);
    struct muster_options options = {.api = fake_muster_api(s->fake),
                                     .token = "secret",
                                     .timeout_ms = timeout_ms,
                                     .try_ms = try_ms};
    assert_int_equal(muster_open(&s->client, &options, NULL), MUSTER_OK);
    return s;
}

static void stop(struct script *s) {
    muster_close(s->client);
    fake_muster_free(s->fake);
    free(s);
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum muster_code create(struct script *s, const struct muster_call *call,
                               Muster__V1__CreateTicketResponse **response,
                               struct muster_status *status) {
    Muster__V1__CreateTicketRequest request = MUSTER__V1__CREATE_TICKET_REQUEST__INIT;
    char *queues[] = {(char *)"duel"};
    request.n_queues = 1;
    request.queues = queues;
    return muster_create_ticket(s->client, &request, call, response, status);
}

static void call_returns_the_servers_answer(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    Muster__V1__CreateTicketResponse *response;
    struct muster_call call = {.traceparent = "00-1-2-01"};
    struct muster_status status;
    assert_int_equal(create(s, &call, &response, &status), MUSTER_OK);
    assert_int_equal(status.code, MUSTER_OK);
    assert_string_equal(response->ticket->queues[0], "duel");
    assert_string_equal(s->method, "muster.v1.Tickets/CreateTicket");
    assert_string_equal(s->authorization, "Bearer secret");
    assert_string_equal(s->traceparent, "00-1-2-01");
    assert_int_equal(strlen(s->request_ids[0]), 26);
    assert_true(s->timeout_ms > 1900 && s->timeout_ms <= 2000);
    muster_free(response);
    stop(s);
}

static void reading_call_sends_no_request_id(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    Muster__V1__CheckRequest request = MUSTER__V1__CHECK_REQUEST__INIT;
    Muster__V1__CheckResponse *response;
    assert_int_equal(muster_check(s->client, &request, NULL, &response, NULL), MUSTER_OK);
    assert_true(response->serving);
    assert_string_equal(s->request_ids[0], "");
    muster_free(response);
    stop(s);
}

static void retryable_answers_are_tried_again_with_the_same_request_id(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    int codes[] = {MUSTER_UNAVAILABLE, MUSTER_ABORTED, MUSTER_RESOURCE_EXHAUSTED, MUSTER_OK};
    memcpy(s->codes, codes, sizeof codes);
    s->code_count = 4;
    Muster__V1__CreateTicketResponse *response;
    assert_int_equal(create(s, NULL, &response, NULL), MUSTER_OK);
    assert_int_equal(s->calls, 4);
    for (int i = 1; i < 4; i++)
        assert_string_equal(s->request_ids[i], s->request_ids[0]);
    muster_free(response);
    stop(s);
}

static void server_says_when_to_come_back(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    fake_muster_retry_after(s->fake, 300);
    int codes[] = {MUSTER_RESOURCE_EXHAUSTED, MUSTER_OK};
    memcpy(s->codes, codes, sizeof codes);
    s->code_count = 2;
    Muster__V1__CreateTicketResponse *response;
    int64_t begin_ms = now_ms();
    assert_int_equal(create(s, NULL, &response, NULL), MUSTER_OK);
    assert_true(now_ms() - begin_ms >= 200); /* 300, a third of it either way */
    muster_free(response);
    stop(s);
    s = start(1000, 1000);
    fake_muster_retry_after(s->fake, 60000); /* so it is not waited for */
    s->codes[0] = MUSTER_RESOURCE_EXHAUSTED;
    begin_ms = now_ms();
    struct muster_status status;
    assert_int_equal(create(s, NULL, &response, &status), MUSTER_RESOURCE_EXHAUSTED);
    assert_int_equal(status.retry_after_ms, 60000);
    assert_int_equal(s->calls, 1);
    stop(s);
}

static void final_answers_are_not_tried_again(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    s->codes[0] = MUSTER_ALREADY_EXISTS;
    Muster__V1__CreateTicketResponse *response;
    struct muster_status status;
    assert_int_equal(create(s, NULL, &response, &status), MUSTER_ALREADY_EXISTS);
    assert_null(response);
    assert_string_equal(status.message, "the fake says so");
    assert_int_equal(s->calls, 1);
    stop(s);
}

static void a_try_without_answer_is_followed_by_another(void **state) {
    (void)state;
    struct script *s = start(5000, 100);
    s->codes[0] = FAKE_NO_ANSWER;
    s->codes[1] = MUSTER_OK;
    s->code_count = 2;
    Muster__V1__CreateTicketResponse *response;
    assert_int_equal(create(s, NULL, &response, NULL), MUSTER_OK);
    assert_int_equal(s->calls, 2);
    assert_string_equal(s->request_ids[1], s->request_ids[0]);
    muster_free(response);
    stop(s);
}

static void silent_server_ends_the_call_at_its_deadline(void **state) {
    (void)state;
    struct script *s = start(300, 100);
    s->codes[0] = FAKE_NO_ANSWER;
    Muster__V1__CreateTicketResponse *response;
    struct muster_status status;
    int64_t begun = now_ms();
    assert_int_equal(create(s, NULL, &response, &status), MUSTER_DEADLINE_EXCEEDED);
    assert_in_range(now_ms() - begun, 150, 2000);
    assert_non_null(strstr(status.message, "no answer from ipc://"));
    stop(s);
}

static void unreachable_server_is_unavailable_at_the_deadline(void **state) {
    (void)state;
    struct muster_client *client;
    struct muster_options options = {.api = "ipc:///nonexistent/muster.sock", .timeout_ms = 200};
    assert_int_equal(muster_open(&client, &options, NULL), MUSTER_OK);
    Muster__V1__CheckRequest request = MUSTER__V1__CHECK_REQUEST__INIT;
    Muster__V1__CheckResponse *response;
    struct muster_status status;
    assert_int_equal(muster_check(client, &request, NULL, &response, &status), MUSTER_UNAVAILABLE);
    assert_string_equal(status.message,
                        "no answer from ipc:///nonexistent/muster.sock within 200 ms");
    muster_close(client);
}

static void malformed_addresses_are_refused_by_name(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "127.0.0.1:7600", "tcp://127.0.0.1:notaport",
                                        "http://127.0.0.1:80"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct muster_client *client;
        struct muster_options options = {.api = wrong[i]};
        struct muster_status status;
        assert_int_equal(muster_open(&client, &options, &status), MUSTER_INVALID_ARGUMENT);
        assert_null(client);
        assert_non_null(strstr(status.message, wrong[i]));
    }
}

static void call_survives_a_server_that_goes_and_comes_back(void **state) {
    (void)state;
    struct script *s = start(10000, 1000);
    Muster__V1__CreateTicketResponse *response;
    assert_int_equal(create(s, NULL, &response, NULL), MUSTER_OK);
    muster_free(response);
    fake_muster_api_down(s->fake);
    fake_muster_api_up(s->fake);
    assert_int_equal(create(s, NULL, &response, NULL), MUSTER_OK);
    muster_free(response);
    stop(s);
}

struct tally {
    pthread_mutex_t mutex;
    int ok, cancelled, exhausted, other;
};

static void count_reply(void *arg, ProtobufCMessage *response, const struct muster_status *status) {
    struct tally *tally = arg;
    pthread_mutex_lock(&tally->mutex);
    tally->ok += status->code == MUSTER_OK;
    tally->cancelled += status->code == MUSTER_CANCELLED;
    tally->exhausted += status->code == MUSTER_RESOURCE_EXHAUSTED;
    pthread_mutex_unlock(&tally->mutex);
    muster_free(response);
}

static void closing_ends_every_call_in_flight(void **state) {
    (void)state;
    struct script *s = start(60000, 60000);
    s->codes[0] = FAKE_NO_ANSWER;
    struct tally tally = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    Muster__V1__CheckRequest request = MUSTER__V1__CHECK_REQUEST__INIT;
    for (int i = 0; i < 1024; i++)
        muster_call_async(s->client, "System/Check", &request.base, NULL, count_reply, &tally);
    assert_int_equal(tally.exhausted, 0);
    muster_call_async(s->client, "System/Check", &request.base, NULL, count_reply, &tally);
    assert_int_equal(tally.exhausted, 1);
    muster_close(s->client);
    assert_int_equal(tally.cancelled, 1024);
    s->client = NULL;
    stop(s);
}

static void *hammer(void *arg) {
    struct script *s = arg;
    for (int i = 0; i < 100; i++) {
        Muster__V1__CreateTicketResponse *response;
        if (create(s, NULL, &response, NULL) != MUSTER_OK) return (void *)1;
        muster_free(response);
    }
    return NULL;
}

static void many_threads_share_one_client(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, s), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(s->calls, 400);
    stop(s);
}

static void wrong_message_or_method_is_refused_at_once(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    struct tally tally = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    Muster__V1__CheckRequest request = MUSTER__V1__CHECK_REQUEST__INIT;
    muster_call_async(s->client, "Tickets/CreateTicket", &request.base, NULL, count_reply, &tally);
    muster_call_async(s->client, "Tickets/Nothing", &request.base, NULL, count_reply, &tally);
    assert_int_equal(tally.ok, 0);
    assert_int_equal(s->calls, 0);
    stop(s);
}

struct forwarded {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    int done;
    enum muster_code code;
    size_t size;
};

static void on_forwarded(void *arg, const uint8_t *bytes, size_t size,
                         const struct muster_status *status) {
    struct forwarded *f = arg;
    Muster__V1__Response *response = bytes ? muster__v1__response__unpack(NULL, size, bytes) : NULL;
    pthread_mutex_lock(&f->mutex);
    f->code = response ? (enum muster_code)response->status->code : status->code;
    f->size = size;
    f->done = 1;
    pthread_cond_signal(&f->ended);
    pthread_mutex_unlock(&f->mutex);
    if (response != NULL) muster__v1__response__free_unpacked(response, NULL);
}

static void forwarding_passes_bytes_both_ways_in_one_try(void **state) {
    (void)state;
    struct script *s = start(0, 0);
    s->codes[0] = MUSTER_UNAVAILABLE;
    Muster__V1__Request request = MUSTER__V1__REQUEST__INIT;
    request.method = (char *)"muster.v1.System/Check";
    request.request_id = (char *)"as-it-was";
    uint8_t bytes[256];
    size_t size = muster__v1__request__pack(&request, bytes);
    struct forwarded f = {.mutex = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    muster_forward(s->client, bytes, size, 5000, on_forwarded, &f);
    pthread_mutex_lock(&f.mutex);
    while (!f.done)
        pthread_cond_wait(&f.ended, &f.mutex);
    pthread_mutex_unlock(&f.mutex);
    assert_int_equal(f.code, MUSTER_UNAVAILABLE);
    assert_true(f.size > 0);
    assert_int_equal(s->calls, 1);
    assert_string_equal(s->request_ids[0], "as-it-was");
    stop(s);
}

static void request_ids_are_ulids_and_differ(void **state) {
    (void)state;
    char a[27], b[27];
    muster_request_id(a);
    muster_request_id(b);
    assert_int_equal(strspn(a, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
    assert_string_not_equal(a, b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_returns_the_servers_answer),
        cmocka_unit_test(reading_call_sends_no_request_id),
        cmocka_unit_test(retryable_answers_are_tried_again_with_the_same_request_id),
        cmocka_unit_test(server_says_when_to_come_back),
        cmocka_unit_test(final_answers_are_not_tried_again),
        cmocka_unit_test(a_try_without_answer_is_followed_by_another),
        cmocka_unit_test(silent_server_ends_the_call_at_its_deadline),
        cmocka_unit_test(unreachable_server_is_unavailable_at_the_deadline),
        cmocka_unit_test(malformed_addresses_are_refused_by_name),
        cmocka_unit_test(call_survives_a_server_that_goes_and_comes_back),
        cmocka_unit_test(closing_ends_every_call_in_flight),
        cmocka_unit_test(many_threads_share_one_client),
        cmocka_unit_test(wrong_message_or_method_is_refused_at_once),
        cmocka_unit_test(forwarding_passes_bytes_both_ways_in_one_try),
        cmocka_unit_test(request_ids_are_ulids_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
