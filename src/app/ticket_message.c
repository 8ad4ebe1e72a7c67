/* ticket_message.c - tickets as protobuf messages. */
#include "app/ticket_message.h"

#include "wire/json.h"
#include "wire/player_codec.h"

#include <muster/v1/socketio.pb-c.h>

typedef Muster__V1__Player__AttributesEntry attributes_entry;
typedef Muster__V1__Player__LatenciesMsEntry latencies_entry;

static Muster__V1__StringList *list_of(struct arena *a, const struct attribute *attribute) {
    Muster__V1__StringList *list = arena_alloc(a, sizeof *list);
    muster__v1__string_list__init(list);
    list->n_values = attribute->item_count;
    list->values = arena_alloc(a, (attribute->item_count + 1) * sizeof *list->values);
    for (uint32_t i = 0; i < attribute->item_count; i++)
        list->values[i] = (char *)arena_str(a, attribute->items[i]).at;
    return list;
}

/* Simulated players have no maps. */
static Muster__V1__AttributeValue *value_of(struct arena *a, const struct attribute *attribute) {
    Muster__V1__AttributeValue *value = arena_alloc(a, sizeof *value);
    muster__v1__attribute_value__init(value);
    if (attribute->kind == ATTRIBUTE_NUMBER) {
        value->kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
        value->number = attribute->number;
    } else if (attribute->kind == ATTRIBUTE_TEXT) {
        value->kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_TEXT;
        value->text = (char *)arena_str(a, attribute->text).at;
    } else {
        value->kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_LIST;
        value->list = list_of(a, attribute);
    }
    return value;
}

static Muster__V1__Player *player_of(struct arena *a, const struct player *p) {
    Muster__V1__Player *m = arena_alloc(a, sizeof *m);
    muster__v1__player__init(m);
    m->player_id = (char *)arena_str(a, p->id).at;
    m->n_attributes = p->attribute_count;
    m->attributes = arena_alloc(a, (p->attribute_count + 1) * sizeof *m->attributes);
    for (uint32_t i = 0; i < p->attribute_count; i++) {
        attributes_entry *entry = m->attributes[i] = arena_alloc(a, sizeof *entry);
        *entry = (attributes_entry)MUSTER__V1__PLAYER__ATTRIBUTES_ENTRY__INIT;
        entry->key = (char *)arena_str(a, p->attributes[i].name).at;
        entry->value = value_of(a, &p->attributes[i]);
    }
    m->n_latencies_ms = p->latency_count;
    m->latencies_ms = arena_alloc(a, (p->latency_count + 1) * sizeof *m->latencies_ms);
    for (uint32_t i = 0; i < p->latency_count; i++) {
        latencies_entry *entry = m->latencies_ms[i] = arena_alloc(a, sizeof *entry);
        *entry = (latencies_entry)MUSTER__V1__PLAYER__LATENCIES_MS_ENTRY__INIT;
        entry->key = (char *)arena_str(a, p->latencies[i].region).at;
        entry->value = p->latencies[i].ms;
    }
    return m;
}

Muster__V1__CreateTicketRequest *ticket_message(struct arena *a, const struct ticket_spec *spec) {
    Muster__V1__CreateTicketRequest *m = arena_alloc(a, sizeof *m);
    muster__v1__create_ticket_request__init(m);
    m->n_queues = spec->queue_count;
    m->queues = arena_alloc(a, spec->queue_count * sizeof *m->queues);
    for (uint32_t i = 0; i < spec->queue_count; i++)
        m->queues[i] = (char *)arena_str(a, spec->queues[i]).at;
    m->n_players = spec->player_count;
    m->players = arena_alloc(a, spec->player_count * sizeof *m->players);
    for (uint32_t i = 0; i < spec->player_count; i++)
        m->players[i] = player_of(a, &spec->players[i]);
    return m;
}

/* The maps of a player and of a join are the same fields of different messages. */
void ticket_join_packet(struct arena *a, const struct ticket_spec *spec, struct strbuf *out) {
    Muster__V1__CreateTicketRequest *ticket = ticket_message(a, spec);
    Muster__V1__Player *first = ticket->players[0];
    Muster__V1__JoinQueueRequest join = MUSTER__V1__JOIN_QUEUE_REQUEST__INIT;
    join.queue = ticket->queues[0];
    join.n_attributes = first->n_attributes;
    join.attributes = arena_alloc(a, (first->n_attributes + 1) * sizeof *join.attributes);
    for (size_t i = 0; i < first->n_attributes; i++) {
        Muster__V1__JoinQueueRequest__AttributesEntry *entry = arena_alloc(a, sizeof *entry);
        *entry = (Muster__V1__JoinQueueRequest__AttributesEntry)
            MUSTER__V1__JOIN_QUEUE_REQUEST__ATTRIBUTES_ENTRY__INIT;
        entry->key = first->attributes[i]->key;
        entry->value = first->attributes[i]->value;
        join.attributes[i] = entry;
    }
    join.n_latencies_ms = first->n_latencies_ms;
    join.latencies_ms = arena_alloc(a, (first->n_latencies_ms + 1) * sizeof *join.latencies_ms);
    for (size_t i = 0; i < first->n_latencies_ms; i++) {
        Muster__V1__JoinQueueRequest__LatenciesMsEntry *entry = arena_alloc(a, sizeof *entry);
        *entry = (Muster__V1__JoinQueueRequest__LatenciesMsEntry)
            MUSTER__V1__JOIN_QUEUE_REQUEST__LATENCIES_MS_ENTRY__INIT;
        entry->key = first->latencies_ms[i]->key;
        entry->value = first->latencies_ms[i]->value;
        join.latencies_ms[i] = entry;
    }
    join.n_party = ticket->n_players - 1;
    join.party = ticket->players + 1;
    strbuf_add_str(out, STR("420[\"join_queue\","));
    json_from_message(&join.base, out);
    strbuf_add_char(out, ']');
}
