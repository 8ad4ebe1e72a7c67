/* method.c - the method table. */
#include "wire/method.h"

static const struct method methods[METHOD_COUNT] = {
#define METHOD_ROW(id, name, route, mutating, timeout) \
    {METHOD_##id, "muster.v1." name, route, mutating, timeout},
    METHOD_TABLE(METHOD_ROW)
#undef METHOD_ROW
};

const struct method *method_find(struct str name) {
    for (int i = 0; i < METHOD_COUNT; i++)
        if (str_equal(name, str_of(methods[i].name))) return &methods[i];
    return NULL;
}

const struct method *method_row(enum method_id id) {
    return &methods[id];
}
