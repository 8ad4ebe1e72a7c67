/* queue_life_json.c - acceptance and its penalty. */
#include "wire/queue_life_json.h"

#include "wire/ruleset_json.h"

enum { ACCEPTANCE_MS = 30000 };

static enum err read_step(struct json_reader *r, const json_t *value, void *into) {
    static const struct json_read_row row = {.kind = READ_MS, .low = 1, .high = 604800};
    return json_read_value(r, value, &row, into);
}

enum err queue_life_json_dodge(struct json_reader *r, const json_t *value,
                               struct dodge_penalty *out) {
    static const struct json_read_list list = {sizeof(int64_t), LIMIT_DODGE_STEPS, read_step};
    int64_t *steps_ms = NULL;
    uint32_t count = 0;
    enum err code = json_read_items(r, value, &list, &steps_ms, &count);
    for (uint32_t i = 0; !code && i < count; i++) {
        if (i > 0 && steps_ms[i] < steps_ms[i - 1])
            return json_read_refuse(r,
                                    "falls from %g to %g; each step must be as long as the one "
                                    "before, or longer",
                                    (double)steps_ms[i - 1] / 1000, (double)steps_ms[i] / 1000);
        out->steps_ms[i] = steps_ms[i];
    }
    if (!code) out->step_count = count;
    return code;
}

/* The member's value in the definition, else in its ruleset; both must be equal where both are. */
static enum err find(struct json_reader *r, const json_t *definition, const char *name,
                     const json_t **out) {
    const json_t *inner = json_object_get(json_object_get(definition, "ruleset"), name);
    const json_t *outer = json_object_get(definition, name);
    *out = outer ? outer : inner;
    if (!outer || !inner || json_equal(outer, inner)) return ERR_OK;
    size_t mark = json_read_enter(r, name, SIZE_MAX);
    enum err code = json_read_refuse(r, "differs from the ruleset's; give one of them");
    json_read_leave(r, mark);
    return code;
}

enum err queue_life_json_acceptance(struct json_reader *r, const json_t *definition,
                                    int64_t *acceptance_ms) {
    const json_t *required, *timeout;
    int64_t timeout_ms = ACCEPTANCE_MS;
    struct strbuf *notes = r->notes;
    *acceptance_ms = 0;
    enum err code = find(r, definition, "acceptanceRequired", &required);
    if (!code) code = find(r, definition, "acceptanceTimeoutSeconds", &timeout);
    r->notes = NULL; /* those who checked it have noted what there was to note */
    if (!code && timeout)
        code = json_read_value(r, timeout, &ruleset_json_acceptance_row, &timeout_ms);
    r->notes = notes;
    if (code) return code;
    if (json_is_true(required))
        *acceptance_ms = timeout_ms;
    else if (timeout && notes)
        strbuf_printf(notes, "acceptanceTimeoutSeconds has no effect: acceptanceRequired is not "
                             "true\n");
    return ERR_OK;
}
