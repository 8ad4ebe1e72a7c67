/* export.c - pages through a realm's events and writes them without names. */
#include "app/export.h"

#include "base/mem.h"
#include "base/rng.h"
#include "wire/anonymise.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ENTRIES = 1000, LISTS_MAX = 64 };

struct exporting {
    struct export *e;
    struct anonymiser names;
    struct str lists[LISTS_MAX];
    struct arena *arena; /* what lives as long as the export */
    struct arena *event; /* reset with each line */
    struct strbuf text;
};

static enum err status_error(const struct muster_status *status, struct err_text *why) {
    return err_set(why, err_from_code(status->code), "%s", status->message);
}

static void add_list(struct exporting *x, struct str name) {
    if (name.size == 0 || x->names.list_count == LISTS_MAX) return;
    for (size_t i = 0; i < x->names.list_count; i++)
        if (str_equal(x->lists[i], name)) return;
    x->lists[x->names.list_count++] = arena_str(x->arena, name);
}

static void read_lists(struct exporting *x, const char *names) {
    while (*names) {
        size_t size = strcspn(names, ",");
        add_list(x, (struct str){names, size});
        names += size + (names[size] == ',');
    }
}

/* Queues tell which attributes hold names, before the tickets that have them. */
static void learn_lists(struct exporting *x, const Muster__V1__Queue *queue) {
    struct str names[ANONYMISE_LISTS_MAX];
    if (!queue || !queue->definition_json) return;
    size_t count = anonymise_lists_of(str_of(queue->definition_json), x->arena, names);
    for (size_t i = 0; i < count; i++)
        add_list(x, names[i]);
}

static bool write_event(struct exporting *x, Muster__V1__Event *event) {
    if (event->body_case == MUSTER__V1__EVENT__BODY_QUEUE_INFO) learn_lists(x, event->queue_info);
    arena_reset(x->event);
    strbuf_clear(&x->text);
    json_from_message(anonymise_message(&event->base, &x->names, x->event), &x->text);
    strbuf_add_char(&x->text, '\n');
    x->e->events++;
    return x->e->line(x->e->arg, strbuf_str(&x->text));
}

static enum err refused(struct err_text *why) {
    return err_set(why, ERR_CANCELLED, "the export could not be written");
}

static enum err export_queues(struct exporting *x, struct err_text *why) {
    Muster__V1__ListQueuesRequest request = MUSTER__V1__LIST_QUEUES_REQUEST__INIT;
    Muster__V1__ListQueuesResponse *answer = NULL;
    struct muster_status status;
    if (muster_list_queues(x->e->client, &request, NULL, &answer, &status) != MUSTER_OK)
        return status_error(&status, why);
    enum err code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < answer->n_queues; i++) {
        Muster__V1__Event event = MUSTER__V1__EVENT__INIT;
        event.type = 5; /* QUEUE_UPDATED */
        event.time_ms = answer->queues[i]->update_time_ms;
        event.queue = answer->queues[i]->name;
        event.body_case = MUSTER__V1__EVENT__BODY_QUEUE_INFO;
        event.queue_info = answer->queues[i];
        if (!write_event(x, &event)) code = refused(why);
    }
    muster_free(answer);
    return code;
}

static enum err export_page(struct exporting *x, Muster__V1__ReplayEventsRequest *request,
                            bool *more, struct err_text *why) {
    Muster__V1__ReplayEventsResponse *answer = NULL;
    struct muster_status status;
    if (muster_replay_events(x->e->client, request, NULL, &answer, &status) != MUSTER_OK)
        return status_error(&status, why);
    enum err code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < answer->n_events; i++)
        if (!write_event(x, answer->events[i])) code = refused(why);
    *more = answer->more && answer->position;
    if (answer->position) {
        request->epoch = answer->position->epoch;
        request->after_seq = answer->position->seq;
    }
    muster_free(answer);
    return code;
}

enum err export_events(struct export *e, struct err_text *why) {
    struct exporting x = {.e = e, .arena = arena_new(0), .event = arena_new(0)};
    Muster__V1__ReplayEventsRequest request = MUSTER__V1__REPLAY_EVENTS_REQUEST__INIT;
    request.max_entries = PAGE_ENTRIES;
    rng_secret(&x.names.key, sizeof x.names.key);
    x.names.lists = x.lists;
    read_lists(&x, e->hash_lists);
    enum err code = export_queues(&x, why);
    for (bool more = true; code == ERR_OK && more;)
        code = export_page(&x, &request, &more, why);
    strbuf_fini(&x.text);
    arena_free(x.arena);
    arena_free(x.event);
    return code;
}
