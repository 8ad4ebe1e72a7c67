/* dashboard.c - finds a file by its path. */
#include "bridge/dashboard.h"

#include "bridge/bridge_role.h"
#include "wire/json.h"

#include <muster/v1/admin.pb-c.h>
#include <string.h>

void dashboard_init(struct dashboard *d, const struct bridge_options *o) {
    *d = (struct dashboard){0};
    if (strcmp(o->dashboard, "off") == 0) return;
    Muster__V1__DashboardSettings settings = MUSTER__V1__DASHBOARD_SETTINGS__INIT;
    settings.socketio_path = (char *)o->path;
    settings.play = strcmp(o->dashboard, "play") == 0;
    settings.needs_token = o->admin_token[0] != '\0';
    json_from_message(&settings.base, &d->settings);
}

void dashboard_fini(struct dashboard *d) {
    strbuf_fini(&d->settings);
}

bool dashboard_get(const struct dashboard *d, struct str path, struct strbuf *body,
                   const char **type) {
    if (d->settings.size == 0) return false;
    if (str_equal(path, STR("/dashboard.json"))) {
        strbuf_add_str(body, strbuf_str(&d->settings));
        *type = "application/json";
        return true;
    }
    for (size_t i = 0; i < dashboard_file_count; i++) {
        const struct dashboard_file *f = &dashboard_files[i];
        if (!str_equal(path, str_of(f->path))) continue;
        strbuf_add(body, f->bytes, f->size);
        *type = f->type;
        return true;
    }
    return false;
}
