/* role_meter.c - two series by role. */
#include "rt/role_meter.h"

#include "base/clock.h"
#include "base/metrics.h"

void role_meter_init(struct role_meter *m, const char *role) {
    struct str name = str_of(role);
    m->messages = metric_series(METRIC_inbox_messages, &name);
    m->pass = metric_series(METRIC_role_pass_seconds, &name);
    m->began_us = clock_mono_us();
}

void role_meter_begin(struct role_meter *m, const struct message *list) {
    metric_series_set(m->messages, (int64_t)message_count(list));
    m->began_us = clock_mono_us();
}

void role_meter_end(struct role_meter *m) {
    metric_observe(m->pass, (double)(clock_mono_us() - m->began_us) / 1e6);
}
