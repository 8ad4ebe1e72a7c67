/* bench_cost.c - reads /metrics, INFO and getrusage. */
#include "app/bench_cost.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static enum err add_process(struct bench_cost *c, const char *name, const char *url,
                            struct err_text *why) {
    struct bench_process *p = &c->processes[c->process_count];
    if (c->process_count == BENCH_PROCESSES_MAX)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "metrics",
                             "metrics names more than %d processes", BENCH_PROCESSES_MAX);
    c->process_count++;
    snprintf(p->name, sizeof p->name, "%s", name);
    return http_host_find(&p->metrics, url, "metrics", why);
}

enum err bench_cost_of_doors(struct bench_cost *c, const struct bench_doors *doors,
                             const char *realm, struct err_text *why) {
    enum err code = ERR_OK;
    c->realm = realm;
    snprintf(c->redis_address, sizeof c->redis_address, "%s", doors->redis);
    for (size_t i = 0; code == ERR_OK && i < doors->process_count; i++)
        code = add_process(c, doors->processes[i].name, doors->processes[i].metrics, why);
    return code;
}

enum err bench_cost_of_given(struct bench_cost *c, const char *metrics, const char *redis,
                             const char *realm, struct err_text *why) {
    char *text = mem_text(str_of(metrics)), *rest = text, *word;
    enum err code = ERR_OK;
    c->realm = realm;
    if (strlen(redis) >= sizeof c->redis_address)
        code = err_set_field(why, ERR_INVALID_ARGUMENT, "redis", "redis is too long");
    else
        snprintf(c->redis_address, sizeof c->redis_address, "%s", redis);
    while (code == ERR_OK && (word = strtok_r(rest, ",", &rest))) {
        char *url = strstr(word, "=http");
        if (url) *url++ = '\0';
        code = add_process(c, url ? word : "server", url ? url : word, why);
    }
    mem_free(text);
    return code;
}

/* The value of a line "NAME value". */
static double metric_value(struct str page, const char *name) {
    char line[80];
    double value = 0;
    int size = snprintf(line, sizeof line, "\n%s ", name);
    const char *at = memmem(page.at, page.size, line, (size_t)size);
    return at && sscanf(at + size, "%lf", &value) == 1 ? value : 0;
}

static enum err read_process(struct bench_process *p, struct err_text *why) {
    struct strbuf page = {0};
    struct err_text text = {0};
    enum err code = http_get(&p->metrics, "/metrics", &page, &text);
    if (code != ERR_OK)
        code =
            err_set(why, code, "%.300s; `--metrics=` measures without CPU and memory", text.text);
    if (code == ERR_OK) {
        p->cpu_s = metric_value(strbuf_str(&page), "process_cpu_seconds_total");
        p->memory_bytes = metric_value(strbuf_str(&page), "process_resident_memory_bytes");
    }
    strbuf_fini(&page);
    return code;
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

enum err bench_cost_read(struct bench_cost *c, struct err_text *why) {
    struct rusage own;
    enum err code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < c->process_count; i++)
        code = read_process(&c->processes[i], why);
    if (code == ERR_OK && c->redis_address[0])
        code = redis_usage_read(&c->redis, c->redis_address, c->realm, why);
    (void)getrusage(RUSAGE_SELF, &own);
    c->own_cpu_s = seconds(own.ru_utime) + seconds(own.ru_stime);
    c->own_memory_bytes = (double)own.ru_maxrss * 1024;
    return code;
}
