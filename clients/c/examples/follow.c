/* follow.c - a service that follows what happens: one line per event, until it has COUNT of them.
 *
 *     follow tcp://127.0.0.1:7600 tcp://127.0.0.1:7601 10
 */
#include <muster/client.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct follower {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    long left;
};

static void on_event(void *arg, const Muster__V1__Event *event) {
    struct follower *f = arg;
    const ProtobufCEnumValue *type =
        protobuf_c_enum_descriptor_get_value(&muster__v1__event__type__descriptor, event->type);
    printf("%llu-%llu %s %s", (unsigned long long)event->epoch, (unsigned long long)event->seq,
           event->queue, type ? type->name : "?");
    if (event->body_case == MUSTER__V1__EVENT__BODY_TICKET) printf(" %s", event->ticket->ticket_id);
    if (event->body_case == MUSTER__V1__EVENT__BODY_MATCH) printf(" %s", event->match->match_id);
    printf("\n");
    fflush(stdout);
    pthread_mutex_lock(&f->mutex);
    if (--f->left == 0) pthread_cond_signal(&f->ended);
    pthread_mutex_unlock(&f->mutex);
}

/* Whoever keeps state of his own from the events has to read it again here. */
static void on_resync(void *arg, const char *reason) {
    (void)arg;
    printf("resync: %s\n", reason);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 4 || atol(argv[3]) <= 0) {
        fprintf(stderr, "usage: follow API EVENTS COUNT\n");
        return 2;
    }
    struct follower f = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, atol(argv[3])};
    struct muster_client *client;
    struct muster_subscription *subscription;
    struct muster_status status;
    struct muster_options options = {.api = argv[1]};
    struct muster_subscribe_options subscribe = {
        .events = argv[2], .on_event = on_event, .on_resync = on_resync, .arg = &f};
    if (muster_open(&client, &options, &status) != MUSTER_OK ||
        muster_subscribe(&subscription, client, &subscribe, &status) != MUSTER_OK) {
        fprintf(stderr, "%s: %s\n", muster_code_name(status.code), status.message);
        return 1;
    }
    pthread_mutex_lock(&f.mutex);
    while (f.left > 0)
        pthread_cond_wait(&f.ended, &f.mutex);
    pthread_mutex_unlock(&f.mutex);
    muster_unsubscribe(subscription);
    muster_close(client);
    return 0;
}
