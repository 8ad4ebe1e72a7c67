/* name_list.c - repeated name fields as bytes. */
#include "wire/name_list.h"

#include "base/limits.h"
#include "wire/pb.h"
#include "wire/value_text.h"

#include <inttypes.h>
#include <stdio.h>

static enum err check(const struct name_source *source, const struct str *names, uint32_t index,
                      struct err_text *why) {
    char field[ERR_FIELD_BYTES], value[VALUE_TEXT_BYTES];
    (void)snprintf(field, sizeof field, "%s[%" PRIu32 "]", source->path, index);
    if (!str_name_valid(names[index]))
        return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                             "%s %s; allowed are 1..%d of [A-Za-z0-9_.-]", field,
                             value_text(names[index], value), LIMIT_NAME_BYTES);
    for (uint32_t i = 0; i < index; i++)
        if (str_equal(names[i], names[index]))
            return err_set_field(why, ERR_INVALID_ARGUMENT, field, "%s names \"%.*s\" again", field,
                                 STR_PRINT(names[index]));
    return ERR_OK;
}

enum err name_list_read(const struct name_source *source, struct arena *arena,
                        struct name_list *out, struct err_text *why) {
    uint32_t count;
    if (!pb_count(source->message, source->key, &count))
        return err_set_field(why, ERR_INVALID_ARGUMENT, source->path, "%s is malformed",
                             source->path);
    if (count < source->min || count > source->max)
        return err_set_field(why, ERR_INVALID_ARGUMENT, source->path,
                             "%s has %" PRIu32 " names; allowed are %" PRIu32 "..%" PRIu32,
                             source->path, count, source->min, source->max);
    struct str *names = arena_try(arena, count * sizeof *names);
    if (!names)
        return err_set(why, ERR_RESOURCE_EXHAUSTED,
                       "the request needs more memory than its size allows");
    uint32_t index = 0;
    enum err code = ERR_OK;
    struct pb_reader r = pb_reader(source->message);
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key != source->key) continue;
        names[index] = f.bytes;
        code = check(source, names, index++, why);
    }
    *out = (struct name_list){names, count};
    return code;
}

void name_list_write(const struct str *names, uint32_t count, uint32_t key, struct strbuf *out) {
    for (uint32_t i = 0; i < count; i++)
        pb_add_text(out, key, names[i]);
}
