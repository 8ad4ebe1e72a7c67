/* player_codec.c - players, their attributes and latencies as bytes. */
#include "wire/player_codec.h"

#include "base/limits.h"
#include "wire/fields.h"
#include "wire/value_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRY_PART_BYTES = LIMIT_NAME_BYTES + 24 };

struct reading {
    struct arena *arena;
    struct err_text *why;
    const char *path;
    uint32_t player;  /* index of the one being read */
    const char *kind; /* and of his map entry: which map, which key */
    struct str name;
};

/* ".attributes["name"]"; a name that is no text is left out. */
static const char *entry_part(const struct reading *r, char part[ENTRY_PART_BYTES]) {
    struct str name = r->name;
    if (name.size > 0 && name.size <= LIMIT_NAME_BYTES && str_utf8_valid(name))
        (void)snprintf(part, ENTRY_PART_BYTES, ".%s[\"%.*s\"]", r->kind, STR_PRINT(name));
    else
        (void)snprintf(part, ENTRY_PART_BYTES, ".%s", r->kind);
    return part;
}

/* `part` is the path below the player: ".player_id"; NULL: his map entry that is being read. */
static enum err refuse(const struct reading *r, const char *part, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum err refuse(const struct reading *r, const char *part, const char *format, ...) {
    char field[ERR_FIELD_BYTES], text[256], entry[ENTRY_PART_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* cut where too long */
    va_end(args);
    if (!part) part = entry_part(r, entry);
    (void)snprintf(field, sizeof field, "%splayers[%" PRIu32 "]%s", r->path, r->player, part);
    return err_set_field(r->why, ERR_INVALID_ARGUMENT, field, "%s %s", field, text);
}

static enum err full(const struct reading *r) {
    return err_set(r->why, ERR_RESOURCE_EXHAUSTED,
                   "the request needs more memory than its size allows");
}

static bool text_ok(struct str s) {
    return s.size <= LIMIT_TEXT_BYTES && str_utf8_valid(s);
}

static enum err read_list(const struct reading *r, struct str bytes, struct attribute *a) {
    uint32_t count;
    if (!pb_count(bytes, StringList_values, &count)) return refuse(r, NULL, "is malformed");
    if (count > LIMIT_LIST_ITEMS)
        return refuse(r, NULL, "has %" PRIu32 " strings; allowed are 0..%d", count,
                      LIMIT_LIST_ITEMS);
    struct str *items = arena_try(r->arena, count * sizeof *items);
    if (!items) return full(r);
    struct pb_reader reader = pb_reader(bytes);
    for (struct pb_field f; pb_next(&reader, &f);) {
        if (f.key != StringList_values) continue;
        if (!text_ok(f.bytes))
            return refuse(r, NULL, "has a string that is no UTF-8 of at most %d bytes",
                          LIMIT_TEXT_BYTES);
        items[a->item_count++] = f.bytes;
    }
    a->items = items;
    return ERR_OK;
}

static enum err read_pair(const struct reading *r, struct str bytes, struct attribute *a) {
    struct pb_reader reader = pb_reader(bytes);
    struct str key = STR_EMPTY;
    double value = 0;
    for (struct pb_field f; pb_next(&reader, &f);) {
        if (f.key == ValuesEntry_key) key = f.bytes;
        if (f.key == ValuesEntry_value) value = pb_double(&f);
    }
    if (reader.malformed) return refuse(r, NULL, "is malformed");
    if (!text_ok(key))
        return refuse(r, NULL, "has a key that is no UTF-8 of at most %d bytes", LIMIT_TEXT_BYTES);
    if (!isfinite(value)) return refuse(r, NULL, "has a value that is not finite");
    for (uint32_t i = 0; i < a->item_count; i++)
        if (str_equal(a->items[i], key))
            return refuse(r, NULL, "has the key \"%.*s\" twice", STR_PRINT(key));
    ((struct str *)a->items)[a->item_count] = key;
    ((double *)a->numbers)[a->item_count++] = value;
    return ERR_OK;
}

static enum err read_map(const struct reading *r, struct str bytes, struct attribute *a) {
    uint32_t count;
    if (!pb_count(bytes, NumberMap_values, &count)) return refuse(r, NULL, "is malformed");
    if (count > LIMIT_MAP_ITEMS)
        return refuse(r, NULL, "has %" PRIu32 " pairs; allowed are 0..%d", count, LIMIT_MAP_ITEMS);
    a->items = arena_try(r->arena, count * sizeof *a->items);
    a->numbers = arena_try(r->arena, count * sizeof *a->numbers);
    if (!a->items || !a->numbers) return full(r);
    struct pb_reader reader = pb_reader(bytes);
    enum err code = ERR_OK;
    for (struct pb_field f; code == ERR_OK && pb_next(&reader, &f);)
        if (f.key == NumberMap_values) code = read_pair(r, f.bytes, a);
    return code;
}

static enum err read_value(const struct reading *r, struct str bytes, struct attribute *a) {
    struct pb_reader reader = pb_reader(bytes);
    struct pb_field f, last = {0};
    while (pb_next(&reader, &f))
        if (f.key == AttributeValue_number || f.key == AttributeValue_text ||
            f.key == AttributeValue_list || f.key == AttributeValue_map)
            last = f; /* of a oneof the last one counts */
    if (reader.malformed) return refuse(r, NULL, "is malformed");
    switch (last.key) {
    case AttributeValue_number:
        a->kind = ATTRIBUTE_NUMBER;
        a->number = pb_double(&last);
        return isfinite(a->number)
                   ? ERR_OK
                   : refuse(r, NULL, "is %g; allowed are finite numbers", a->number);
    case AttributeValue_text:
        a->kind = ATTRIBUTE_TEXT;
        a->text = last.bytes;
        return text_ok(a->text)
                   ? ERR_OK
                   : refuse(r, NULL, "is no UTF-8 of at most %d bytes", LIMIT_TEXT_BYTES);
    case AttributeValue_list:
        a->kind = ATTRIBUTE_LIST;
        return read_list(r, last.bytes, a);
    case AttributeValue_map:
        a->kind = ATTRIBUTE_MAP;
        return read_map(r, last.bytes, a);
    default:
        return refuse(r, NULL, "has no value; one of number, text, list, map is needed");
    }
}

static enum err read_attribute(struct reading *r, struct str bytes, struct attribute *a) {
    struct pb_reader reader = pb_reader(bytes);
    struct str value = STR_EMPTY;
    for (struct pb_field f; pb_next(&reader, &f);) {
        if (f.key == AttributesEntry_key) a->name = f.bytes;
        if (f.key == AttributesEntry_value) value = f.bytes;
    }
    r->kind = "attributes";
    r->name = a->name;
    if (reader.malformed) return refuse(r, NULL, "is malformed");
    if (a->name.size == 0 || a->name.size > LIMIT_NAME_BYTES || !str_utf8_valid(a->name))
        return refuse(r, NULL, "has a name that is not 1..%d bytes of UTF-8", LIMIT_NAME_BYTES);
    return read_value(r, value, a);
}

static enum err read_latency(struct reading *r, struct str bytes, struct latency *l) {
    struct pb_reader reader = pb_reader(bytes);
    int64_t ms = 0;
    for (struct pb_field f; pb_next(&reader, &f);) {
        if (f.key == LatenciesMsEntry_key) l->region = f.bytes;
        if (f.key == LatenciesMsEntry_value) ms = (int64_t)f.value;
    }
    r->kind = "latencies_ms";
    r->name = l->region;
    if (reader.malformed) return refuse(r, NULL, "is malformed");
    if (l->region.size == 0 || l->region.size > LIMIT_NAME_BYTES || !str_utf8_valid(l->region))
        return refuse(r, NULL, "has a region that is not 1..%d bytes of UTF-8", LIMIT_NAME_BYTES);
    if (ms < 1 || ms > LIMIT_LATENCY_MS)
        return refuse(r, NULL, "is %" PRId64 " ms; allowed are 1..%d", ms, LIMIT_LATENCY_MS);
    l->ms = (int32_t)ms;
    return ERR_OK;
}

/* By insertion: there are a few, at most LIMIT_REGIONS, and often in order already. */
static void sort_attributes(struct attribute *all, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        struct attribute a = all[i];
        uint32_t place = i;
        for (; place > 0 && str_compare(all[place - 1].name, a.name) > 0; place--)
            all[place] = all[place - 1];
        all[place] = a;
    }
}

static void sort_latencies(struct latency *all, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        struct latency l = all[i];
        uint32_t place = i;
        for (; place > 0 && str_compare(all[place - 1].region, l.region) > 0; place--)
            all[place] = all[place - 1];
        all[place] = l;
    }
}

/* `count`: how many there are in `bytes`. */
static enum err read_attributes(struct reading *r, struct str bytes, uint32_t count,
                                struct player *p) {
    if (count > LIMIT_ATTRIBUTES)
        return refuse(r, ".attributes", "has %" PRIu32 " entries; allowed are 0..%d", count,
                      LIMIT_ATTRIBUTES);
    if (count == 0) return ERR_OK;
    struct attribute *all = arena_try(r->arena, count * sizeof *all);
    if (!all) return full(r);
    struct pb_reader reader = pb_reader(bytes);
    enum err code = ERR_OK;
    for (struct pb_field f; code == ERR_OK && pb_next(&reader, &f);)
        if (f.key == Player_attributes)
            code = read_attribute(r, f.bytes, &all[p->attribute_count++]);
    if (code != ERR_OK) return code;
    sort_attributes(all, count);
    for (uint32_t i = 1; i < count; i++)
        if (str_equal(all[i - 1].name, all[i].name))
            return refuse(r, ".attributes", "has \"%.*s\" twice", STR_PRINT(all[i].name));
    p->attributes = all;
    return ERR_OK;
}

static enum err read_latencies(struct reading *r, struct str bytes, uint32_t count,
                               struct player *p) {
    if (count > LIMIT_REGIONS)
        return refuse(r, ".latencies_ms", "has %" PRIu32 " regions; allowed are 0..%d", count,
                      LIMIT_REGIONS);
    if (count == 0) return ERR_OK;
    struct latency *all = arena_try(r->arena, count * sizeof *all);
    if (!all) return full(r);
    struct pb_reader reader = pb_reader(bytes);
    enum err code = ERR_OK;
    for (struct pb_field f; code == ERR_OK && pb_next(&reader, &f);)
        if (f.key == Player_latencies_ms) code = read_latency(r, f.bytes, &all[p->latency_count++]);
    if (code != ERR_OK) return code;
    sort_latencies(all, count);
    for (uint32_t i = 1; i < count; i++)
        if (str_equal(all[i - 1].region, all[i].region))
            return refuse(r, ".latencies_ms", "has \"%.*s\" twice", STR_PRINT(all[i].region));
    p->latencies = all;
    return ERR_OK;
}

static enum err read_player(struct reading *r, struct str bytes, struct player *p) {
    struct pb_reader reader = pb_reader(bytes);
    uint32_t attributes = 0, latencies = 0;
    for (struct pb_field f; pb_next(&reader, &f);) {
        if (f.key == Player_player_id) p->id = f.bytes;
        attributes += f.key == Player_attributes;
        latencies += f.key == Player_latencies_ms;
    }
    if (reader.malformed) return refuse(r, "", "is malformed");
    char value[VALUE_TEXT_BYTES];
    if (!str_name_valid(p->id))
        return refuse(r, ".player_id", "%s; allowed are 1..%d of [A-Za-z0-9_.-]",
                      value_text(p->id, value), LIMIT_NAME_BYTES);
    enum err code = read_attributes(r, bytes, attributes, p);
    return code == ERR_OK ? read_latencies(r, bytes, latencies, p) : code;
}

/* By id, of equal ones the first given first. */
static int compare_players(const void *a, const void *b) {
    const struct player *x = *(const struct player *const *)a;
    const struct player *y = *(const struct player *const *)b;
    int order = str_compare(x->id, y->id);
    return order ? order : (x > y) - (x < y);
}

/* Sorted, not each against each: a message may hold 1000 tickets of 200 players. */
static enum err check_unique(struct reading *r, const struct player *players, uint32_t count) {
    if (count < 2) return ERR_OK;
    const struct player **sorted = arena_try(r->arena, count * sizeof(struct player *));
    if (!sorted) return full(r);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &players[i];
    qsort(sorted, count, sizeof(struct player *), compare_players);
    for (uint32_t i = 1; i < count; i++) {
        if (!str_equal(sorted[i - 1]->id, sorted[i]->id)) continue;
        r->player = (uint32_t)(sorted[i] - players);
        return refuse(r, ".player_id", "\"%.*s\" is in the ticket twice", STR_PRINT(sorted[i]->id));
    }
    return ERR_OK;
}

static enum err refuse_all(const struct player_source *source, struct err_text *why,
                           const char *text) {
    char field[ERR_FIELD_BYTES];
    (void)snprintf(field, sizeof field, "%splayers", source->path);
    return err_set_field(why, ERR_INVALID_ARGUMENT, field, "%s %s", field, text);
}

enum err player_codec_read(const struct player_source *source, struct arena *arena,
                           struct ticket_spec *out, struct err_text *why) {
    struct reading r = {.arena = arena, .why = why, .path = source->path};
    uint32_t count;
    if (!pb_count(source->message, source->players_key, &count))
        return refuse_all(source, why, "is malformed");
    if (count < 1 || count > LIMIT_TICKET_PLAYERS) {
        char text[80];
        (void)snprintf(text, sizeof text, "has %" PRIu32 " players; allowed are 1..%d", count,
                       LIMIT_TICKET_PLAYERS);
        return refuse_all(source, why, text);
    }
    struct player *players = arena_try(arena, count * sizeof *players);
    if (!players) return full(&r);
    struct pb_reader reader = pb_reader(source->message);
    enum err code = ERR_OK;
    for (struct pb_field f; code == ERR_OK && pb_next(&reader, &f);)
        if (f.key == source->players_key) {
            code = read_player(&r, f.bytes, &players[r.player]);
            r.player++;
        }
    if (code != ERR_OK) return code;
    out->players = players;
    out->player_count = count;
    return check_unique(&r, players, count);
}

static void write_value(const struct attribute *a, struct strbuf *out) {
    size_t value = pb_open(out, AttributesEntry_value), inner;
    switch (a->kind) {
    case ATTRIBUTE_NUMBER:
        pb_add_double(out, AttributeValue_number, a->number);
        break;
    case ATTRIBUTE_TEXT:
        pb_add_text(out, AttributeValue_text, a->text);
        break;
    case ATTRIBUTE_LIST:
        inner = pb_open(out, AttributeValue_list);
        for (uint32_t i = 0; i < a->item_count; i++)
            pb_add_text(out, StringList_values, a->items[i]);
        pb_close(out, inner);
        break;
    case ATTRIBUTE_MAP:
        inner = pb_open(out, AttributeValue_map);
        for (uint32_t i = 0; i < a->item_count; i++) {
            size_t pair = pb_open(out, NumberMap_values);
            pb_put_text(out, ValuesEntry_key, a->items[i]);
            pb_put_double(out, ValuesEntry_value, a->numbers[i]);
            pb_close(out, pair);
        }
        pb_close(out, inner);
        break;
    }
    pb_close(out, value);
}

void player_codec_write(const struct ticket_spec *spec, uint32_t key, struct strbuf *out) {
    for (uint32_t i = 0; i < spec->player_count; i++) {
        const struct player *p = &spec->players[i];
        size_t player = pb_open(out, key);
        pb_put_text(out, Player_player_id, p->id);
        for (uint32_t k = 0; k < p->attribute_count; k++) {
            size_t entry = pb_open(out, Player_attributes);
            pb_put_text(out, AttributesEntry_key, p->attributes[k].name);
            write_value(&p->attributes[k], out);
            pb_close(out, entry);
        }
        for (uint32_t k = 0; k < p->latency_count; k++) {
            size_t entry = pb_open(out, Player_latencies_ms);
            pb_put_text(out, LatenciesMsEntry_key, p->latencies[k].region);
            pb_put_int(out, LatenciesMsEntry_value, p->latencies[k].ms);
            pb_close(out, entry);
        }
        pb_close(out, player);
    }
}
