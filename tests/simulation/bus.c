/* bus.c - doors, exchanges, publishers and subscribers. */
#include "simulation/bus.h"

#include "base/mem.h"
#include "bus/door.h"
#include "bus/publisher.h"
#include "simulation/net.h"

#include <assert.h>
#include <muster/v1/envelope.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOORS_MAX = 64, SUBSCRIBERS_MAX = 32, ADDRESS_BYTES = 128 };

struct place { /* code of a node that may have died since */
    struct node *node;
    uint32_t life;
};

struct door {
    struct place place;
    char name[16];
    door_take_fn take;
    void *arg;
    bool stopped;
};

struct exchange { /* one request on its way and back */
    struct exchange *next;
    uint64_t id;
    struct place asker;
    bus_answer_fn done;
    void *arg;
};

struct door_context {
    struct place asker, server;
    uint64_t exchange;
    char bytes[];
};

struct message {
    uint64_t exchange;
    struct place asker;
    struct door *door;
    size_t size;
    char bytes[];
};

struct publisher {
    char name[16];
};

struct subscriber {
    bool used;
    struct place place;
    char addresses[ADDRESS_BYTES];
    bus_message_fn take;
    void *arg;
    int64_t last_us;
};

static struct {
    struct door *doors[DOORS_MAX];
    size_t door_count;
    struct exchange *exchanges;
    uint64_t serial;
    struct subscriber subscribers[SUBSCRIBERS_MAX];
} bus;

static struct place here(void) {
    struct node *n = world_node();
    return (struct place){n, n->life};
}

static bool alive(struct place p) {
    return p.node->up && p.node->life == p.life;
}

void bus_begin(void) {
    memset(&bus, 0, sizeof bus);
}

void bus_end(void) {
    for (struct exchange *x = bus.exchanges, *next; x; x = next) {
        next = x->next;
        free(x);
    }
}

/* ---- requests ---- */

static struct exchange *take_exchange(uint64_t id) {
    for (struct exchange **at = &bus.exchanges; *at; at = &(*at)->next) {
        struct exchange *x = *at;
        if (x->id != id) continue;
        *at = x->next;
        return x;
    }
    return NULL;
}

static void finish(uint64_t id, bool answered, struct str bytes) {
    struct exchange *x = take_exchange(id);
    if (!x) return;
    x->done(x->arg, answered, bytes);
    free(x);
}

static void time_out(void *arg) {
    finish(*(uint64_t *)arg, false, STR_EMPTY);
}

static void come_back(void *arg) {
    struct message *m = arg;
    world_trace("answer %lu of %zu bytes", (unsigned long)m->exchange, m->size);
    finish(m->exchange, true, (struct str){m->bytes, m->size});
}

static struct message *message_of(struct str bytes) {
    struct message *m = malloc(sizeof *m + bytes.size + 1);
    m->size = bytes.size;
    if (bytes.size) memcpy(m->bytes, bytes.at, bytes.size);
    return m;
}

static void knock(void *arg) {
    struct message *m = arg;
    if (m->door->stopped) return;
    world_trace("request %lu of %zu bytes", (unsigned long)m->exchange, m->size);
    struct door_context *c = malloc(sizeof *c + m->size);
    c->asker = m->asker;
    c->server = m->door->place;
    c->exchange = m->exchange;
    memcpy(c->bytes, m->bytes, m->size);
    m->door->take(m->door->arg, c, (struct str){c->bytes, m->size});
}

static bool named(const char *addresses, const char *name) {
    size_t size = strlen(name);
    for (const char *at = addresses; (at = strstr(at, name)); at += size)
        if (at[size] == '\0' || at[size] == ',') return true;
    return false;
}

static size_t find_open(const char *addresses, struct door *open[DOORS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < bus.door_count; i++)
        if (alive(bus.doors[i]->place) && !bus.doors[i]->stopped &&
            named(addresses, bus.doors[i]->name))
            open[count++] = bus.doors[i];
    return count;
}

unsigned bus_connected(const char *addresses) {
    struct door *open[DOORS_MAX];
    return (unsigned)find_open(addresses, open);
}

/* One of those that are connected, as nng would have it. */
static struct door *choose(const char *addresses) {
    struct door *open[DOORS_MAX];
    size_t count = find_open(addresses, open);
    return count ? open[world_between(0, (int64_t)count - 1)] : NULL;
}

static void send_to(struct door *d, uint64_t exchange, struct str bytes) {
    int64_t delay_us = net_delay_us() + net_cut_left_us(world_node(), d->place.node, false);
    struct message *m = message_of(bytes);
    m->exchange = exchange;
    m->asker = here();
    m->door = d;
    world_at(d->place.node, delay_us, knock, m);
}

void bus_request(const char *addresses, struct str bytes, int64_t timeout_us, bus_answer_fn done,
                 void *arg) {
    struct exchange *x = malloc(sizeof *x);
    *x = (struct exchange){bus.exchanges, ++bus.serial, here(), done, arg};
    bus.exchanges = x;
    uint64_t *id = malloc(sizeof *id);
    *id = x->id;
    world_at(world_node(), timeout_us, time_out, id);
    struct door *d = choose(addresses);
    if (d && !world_chance(net_weather()->loss)) send_to(d, x->id, bytes);
    if (d && world_chance(net_weather()->twice)) send_to(d, x->id, bytes);
}

/* ---- the door ---- */

enum err door_open(struct door **out, const char *addresses, door_take_fn take, void *arg,
                   struct err_text *why) {
    (void)why;
    assert(bus.door_count < DOORS_MAX && strlen(addresses) < sizeof(*out)->name);
    struct door *d = mem_alloc(sizeof *d);
    *d = (struct door){.place = here(), .take = take, .arg = arg};
    (void)snprintf(d->name, sizeof d->name, "%s", addresses);
    bus.doors[bus.door_count++] = d;
    *out = d;
    return ERR_OK;
}

const char *door_addresses(const struct door *d) {
    return d->name;
}

bool door_park(struct door_context *context) {
    (void)context;
    return true;
}

void door_reply(struct door_context *context, struct str bytes) {
    struct place asker = context->asker;
    if (!world_chance(net_weather()->loss) && alive(asker)) {
        int64_t delay_us =
            net_delay_us() + net_cut_left_us(context->server.node, asker.node, false);
        struct message *m = message_of(bytes);
        m->exchange = context->exchange;
        world_at(asker.node, delay_us, come_back, m);
    }
    free(context);
}

void door_stop(struct door *d) {
    d->stopped = true;
}

void door_close(struct door *d) {
    d->stopped = true; /* messages on their way may still name it: freed with the world */
}

/* ---- calls with retries ---- */

struct calling {
    struct bus_call call;
    int64_t deadline_us, pause_us;
    bus_reply_fn done;
    void *arg;
    struct str payload; /* owned, of the request */
};

static void end_call(struct calling *c, enum err code, struct str message, struct str payload) {
    c->done(c->arg, code, message, payload);
    mem_free((char *)c->payload.at);
    mem_free(c);
}

static void try_call(struct calling *c);

static void try_again(void *arg) {
    try_call(*(struct calling **)arg);
}

static void retry_or_end(struct calling *c, enum err code, struct str message) {
    int64_t pause_us = c->pause_us / 2 + world_between(0, c->pause_us / 2);
    if (!err_retryable(code) || world_now_us() + pause_us >= c->deadline_us) {
        end_call(c, code, message, STR_EMPTY);
        return;
    }
    if (c->pause_us < 400 * MS) c->pause_us *= 2;
    struct calling **again = malloc(sizeof *again);
    *again = c;
    world_at(world_node(), pause_us, try_again, again);
}

static void called(void *arg, bool answered, struct str bytes) {
    struct calling *c = arg;
    if (!answered) {
        retry_or_end(c, ERR_UNAVAILABLE, STR("no answer"));
        return;
    }
    Muster__V1__Response *r =
        muster__v1__response__unpack(NULL, bytes.size, (const uint8_t *)bytes.at);
    assert(r && "a door answers with a Response");
    enum err code = r->status ? err_from_code(r->status->code) : ERR_OK;
    struct str text = r->status ? str_of(r->status->message) : STR_EMPTY;
    if (code == ERR_OK)
        end_call(c, code, text, (struct str){(const char *)r->payload.data, r->payload.len});
    else
        retry_or_end(c, code, text);
    muster__v1__response__free_unpacked(r, NULL);
}

static void try_call(struct calling *c) {
    int64_t left_us = c->deadline_us - world_now_us();
    if (left_us > c->call.try_us) left_us = c->call.try_us;
    char method[64];
    (void)snprintf(method, sizeof method, "muster.v1.%s", c->call.method);
    Muster__V1__Request r = MUSTER__V1__REQUEST__INIT;
    r.method = method;
    r.payload = (ProtobufCBinaryData){c->payload.size, (uint8_t *)c->payload.at};
    r.timeout_ms = (uint32_t)(left_us / MS + 1);
    r.request_id = c->call.request_id;
    size_t size = muster__v1__request__get_packed_size(&r);
    char *bytes = mem_alloc(size + 1);
    (void)muster__v1__request__pack(&r, (uint8_t *)bytes);
    bus_request(c->call.addresses, (struct str){bytes, size}, left_us, called, c);
    mem_free(bytes);
}

void bus_call(const struct bus_call *call, const ProtobufCMessage *request, bus_reply_fn done,
              void *arg) {
    struct calling *c = mem_alloc(sizeof *c);
    size_t size = protobuf_c_message_get_packed_size(request);
    char *payload = mem_alloc(size + 1);
    (void)protobuf_c_message_pack(request, (uint8_t *)payload);
    *c = (struct calling){.call = *call,
                          .deadline_us = world_now_us() + call->timeout_us,
                          .pause_us = 20 * MS,
                          .done = done,
                          .arg = arg,
                          .payload = {payload, size}};
    try_call(c);
}

/* ---- publish and subscribe ---- */

enum err publisher_open(struct publisher **out, const char *addresses, struct err_text *why) {
    (void)why;
    struct publisher *p = mem_alloc(sizeof *p);
    (void)snprintf(p->name, sizeof p->name, "%s", addresses);
    *out = p;
    return ERR_OK;
}

const char *publisher_addresses(const struct publisher *p) {
    return p->name;
}

struct publication {
    struct subscriber *to;
    size_t size;
    char bytes[];
};

static void publish(void *arg) {
    struct publication *p = arg;
    world_trace("publication %s", p->bytes);
    if (p->to->used) p->to->take(p->to->arg, (struct str){p->bytes, p->size});
}

void publisher_send(struct publisher *p, struct str bytes) {
    for (size_t i = 0; i < SUBSCRIBERS_MAX; i++) {
        struct subscriber *s = &bus.subscribers[i];
        if (!s->used || !named(s->addresses, p->name) || !alive(s->place)) continue;
        int64_t cut_us = net_cut_left_us(world_node(), s->place.node, false);
        if (cut_us > 0 || world_chance(net_weather()->loss)) continue;
        int64_t at_us = world_now_us() + net_delay_us();
        if (at_us <= s->last_us) at_us = s->last_us + 1;
        s->last_us = at_us;
        struct publication *m = malloc(sizeof *m + bytes.size);
        m->to = s;
        m->size = bytes.size;
        memcpy(m->bytes, bytes.at, bytes.size);
        world_at(s->place.node, at_us - world_now_us(), publish, m);
    }
}

void publisher_close(struct publisher *p) {
    mem_free(p);
}

void bus_subscribe(const char *addresses, bus_message_fn take, void *arg) {
    for (size_t i = 0; i < SUBSCRIBERS_MAX; i++) {
        struct subscriber *s = &bus.subscribers[i];
        if (s->used) continue;
        *s = (struct subscriber){.used = true, .place = here(), .take = take, .arg = arg};
        (void)snprintf(s->addresses, sizeof s->addresses, "%s", addresses);
        return;
    }
    abort();
}

void bus_unsubscribe(void *arg) {
    for (size_t i = 0; i < SUBSCRIBERS_MAX; i++)
        if (bus.subscribers[i].used && bus.subscribers[i].arg == arg)
            bus.subscribers[i].used = false;
}
