/* redis_usage.c - reads INFO and the stream's size. */
#include "store/redis_usage.h"

#include "store/stream.h"

#include <string.h>

enum { STEP_MS = 2000 };

/* The text behind "\nNAME:" up to the end of its line; empty when there is none. */
static struct str info_text(struct str info, const char *name) {
    char key[64] = "\n";
    strncat(key, name, sizeof key - 3);
    strcat(key, ":");
    size_t size = strlen(key);
    const char *at = memmem(info.at, info.size, key, size);
    if (!at) return STR_EMPTY;
    size_t left = info.size - (size_t)(at + size - info.at);
    const char *end = memchr(at + size, '\r', left);
    return (struct str){at + size, end ? (size_t)(end - at) - size : left};
}

static double info_number(struct str info, const char *name) {
    double value = 0;
    if (!str_to_double(info_text(info, name), &value)) value = 0;
    return value;
}

static enum err read_info(struct redis *r, struct redis_usage *out, struct err_text *why) {
    static const struct str words[] = {STR("INFO"), STR("ALL")};
    struct redisReply *reply;
    enum err code = redis_run(r, words, 2, &reply, why);
    if (code != ERR_OK) return code;
    struct str info = redis_reply_str(reply), version = info_text(info, "redis_version");
    out->cpu_s = info_number(info, "used_cpu_user") + info_number(info, "used_cpu_sys");
    out->memory_bytes = (int64_t)info_number(info, "used_memory");
    out->file_bytes = (int64_t)info_number(info, "aof_current_size");
    size_t size = version.size < sizeof out->version ? version.size : sizeof out->version - 1;
    memcpy(out->version, version.at ? version.at : "", size);
    redis_reply_free(reply);
    return ERR_OK;
}

/* One command whose answer is a number; nil is 0. */
static enum err read_number(struct redis *r, const struct str *words, size_t count, int64_t *out,
                            struct err_text *why) {
    struct redisReply *reply;
    enum err code = redis_run(r, words, count, &reply, why);
    if (code == ERR_OK && !redis_reply_int(reply, out)) *out = 0;
    if (code == ERR_OK) redis_reply_free(reply);
    return code;
}

static enum err read_journal(struct redis *r, const char *realm, struct redis_usage *out,
                             struct err_text *why) {
    struct stream s;
    stream_init(&s, realm);
    const struct str usage[] = {STR("MEMORY"), STR("USAGE"), str_of(s.key)};
    const struct str length[] = {STR("XLEN"), str_of(s.key)};
    enum err code = read_number(r, usage, 3, &out->journal_bytes, why);
    return code == ERR_OK ? read_number(r, length, 2, &out->journal_entries, why) : code;
}

enum err redis_usage_read(struct redis_usage *out, const char *address, const char *realm,
                          struct err_text *why) {
    struct address at;
    struct redis *r = NULL;
    *out = (struct redis_usage){0};
    enum err code = address_parse(&at, address, why);
    if (code == ERR_OK) code = redis_open(&r, &at, STEP_MS, why);
    if (code == ERR_OK) code = read_info(r, out, why);
    if (code == ERR_OK) code = read_journal(r, realm, out, why);
    redis_close(r);
    return code;
}
