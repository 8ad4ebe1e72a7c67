/* history.c - growing arrays. */
#include "simulation/history.h"

#include "base/mem.h"
#include "simulation/world.h"

#include <string.h>

static struct history all;

void history_begin(void) {
    all = (struct history){0};
}

void history_end(void) {
    for (size_t i = 0; i < all.entry_count; i++) {
        mem_free((char *)all.entries[i].bytes.at);
        mem_free((char *)all.entries[i].owner.at);
    }
    for (size_t i = 0; i < all.heard_count; i++)
        mem_free((char *)all.heard[i].id.at);
    mem_free(all.ops);
    mem_free(all.entries);
    mem_free(all.heard);
    mem_free(all.jumps_us);
}

struct history *history(void) {
    return &all;
}

static void *room(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return array;
    *capacity = *capacity ? 2 * *capacity : 256;
    return mem_grow(array, *capacity, size);
}

size_t history_op(const struct op *op) {
    all.ops = room(all.ops, all.op_count, &all.op_capacity, sizeof *all.ops);
    all.ops[all.op_count] = *op;
    return all.op_count++;
}

static struct str field(const struct str *fields, size_t count, const char *name) {
    for (size_t i = 0; i + 1 < count; i += 2)
        if (str_equal(fields[i], str_of(name)))
            return (struct str){mem_text(fields[i + 1]), fields[i + 1].size};
    return STR_EMPTY;
}

void history_entry(struct position at, const struct str *fields, size_t count) {
    all.entries = room(all.entries, all.entry_count, &all.entry_capacity, sizeof *all.entries);
    all.entries[all.entry_count++] = (struct entry){
        .at = at,
        .bytes = field(fields, count, "b"),
        .owner = field(fields, count, "o"),
        .time_us = world_now_us(),
    };
}

void history_lose(int64_t after_us) {
    for (size_t i = 0; i < all.entry_count; i++)
        if (all.entries[i].time_us > after_us && !all.entries[i].lost_us)
            all.entries[i].lost_us = world_now_us();
}

void history_jump(void) {
    all.jumps_us = room(all.jumps_us, all.jump_count, &all.jump_capacity, sizeof *all.jumps_us);
    all.jumps_us[all.jump_count++] = world_now_us();
}

void history_heard(const struct heard *h) {
    all.heard = room(all.heard, all.heard_count, &all.heard_capacity, sizeof *all.heard);
    all.heard[all.heard_count++] = *h;
}
