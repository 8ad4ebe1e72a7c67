/* cluster.c - starts the roles on their nodes, and kills, pauses, cuts and jumps. */
#include "simulation/cluster.h"

#include "api/api_role.h"
#include "events/events_role.h"
#include "matcher/matcher_role.h"
#include "matcher/matcher_state.h"
#include "simulation/fake_redis.h"
#include "simulation/history.h"
#include "simulation/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIS_ADDRESS "redis://sim:1"

enum { NODES = CLUSTER_MATCHERS + CLUSTER_APIS + CLUSTER_EVENTS };
enum kind { MATCHER, API, EVENTS };

struct process {
    struct node node;
    enum kind kind;
    int index;
    struct matcher *matcher;
    struct events *events;
    struct api *api;
    bool stopping;
};

static struct cluster {
    struct cluster_plan plan;
    struct process at[NODES];
    bool healed;
    unsigned faults, rollbacks;
    int64_t synced_us; /* what Redis did before is on its disk */
} cluster;

/* ---- processes ---- */

static void give_up(const char *what, const struct err_text *why) {
    (void)fprintf(stderr, "%s: %s\n", what, why->text);
    abort();
}

static bool leads(const void *arg) {
    return matcher_leading(arg);
}

static void start_matcher(struct process *p) {
    struct matcher_options o = {
        .redis = REDIS_ADDRESS,
        .state_folder = "/nowhere",
        .realm = CLUSTER_REALM,
        .durability = cluster.plan.everysec ? "everysec" : "fsync",
        .version = "sim",
        .lease_ms = CLUSTER_LEASE_MS,
        .operation_ms = 150,
        .keep_ms = 60000,
        .journal_keep_ms = cluster.plan.trims ? 1000 : 3600000,
        .seed = rng_next(world_rng()) | 1,
    };
    struct err_text why;
    if (matcher_start(&p->matcher, &o, &why)) give_up("matcher", &why);
    struct api_options a = {.listen = p->node.name,
                            .matcher = matcher_inbox(p->matcher),
                            .matcher_leads = leads,
                            .matcher_leads_arg = p->matcher};
    if (api_start(&p->api, &a, &why)) give_up("matcher's door", &why);
}

static void start_events(struct process *p) {
    struct events_options o = {.redis = REDIS_ADDRESS,
                               .state_folder = "/nowhere",
                               .realm = CLUSTER_REALM,
                               .operation_ms = 150,
                               .publish = CLUSTER_PUBLISHER};
    struct err_text why;
    if (events_start(&p->events, &o, &why)) give_up("events", &why);
    struct api_options a = {.listen = p->node.name, .events = events_inbox(p->events)};
    if (api_start(&p->api, &a, &why)) give_up("events' door", &why);
}

static void start_api(struct process *p) {
    struct api_options a = {
        .listen = p->node.name, .matcher_remote = "m0,m1,m2", .events_remote = "e0"};
    struct err_text why;
    if (api_start(&p->api, &a, &why)) give_up("api", &why);
}

static void start_roles(void *arg) {
    struct process *p = *(struct process **)arg;
    p->stopping = false;
    if (p->kind == MATCHER)
        start_matcher(p);
    else if (p->kind == EVENTS)
        start_events(p);
    else
        start_api(p);
}

static void start(struct process *p) {
    static const char letters[] = {'m', 'f', 'e'};
    char name[16];
    (void)snprintf(name, sizeof name, "%c%d", letters[p->kind], p->index);
    node_start(&p->node, name);
    p->matcher = NULL;
    struct process **which = malloc(sizeof *which);
    *which = p;
    world_at(&p->node, 1, start_roles, which);
}

static void start_again(void *arg) {
    struct process *p = *(struct process **)arg;
    if (!p->node.up) start(p);
}

static void kill_process(struct process *p, int64_t down_us) {
    node_kill(&p->node);
    fake_redis_drop(&p->node);
    p->matcher = NULL;
    struct process **which = malloc(sizeof *which);
    *which = p;
    world_at(NULL, down_us, start_again, which);
}

/* What SIGTERM does, as a task of the node. */
static void stop_roles(void *arg) {
    struct process *p = arg;
    if (p->kind == MATCHER) matcher_drain(p->matcher);
    api_drain(p->api);
    api_stop(p->api);
    struct matcher *m = p->matcher;
    p->matcher = NULL;
    if (p->kind == MATCHER) {
        matcher_stop(m);
        matcher_free(m);
    } else if (p->kind == EVENTS) {
        events_stop(p->events);
        events_free(p->events);
    }
    api_free(p->api);
    world_trace("stopped");
}

static void end_stopped(void *arg) {
    struct process *p = *(struct process **)arg;
    if (p->node.up && p->stopping) kill_process(p, world_between(1 * MS, 200 * MS));
}

static void stop_process(struct process *p) {
    p->stopping = true;
    (void)task_start(&p->node, stop_roles, p);
    struct process **which = malloc(sizeof *which);
    *which = p;
    world_at(NULL, 1500 * MS, end_stopped, which);
}

/* ---- what befalls them ---- */

static void restart_redis(void *arg) {
    (void)arg;
    fake_redis_restart(cluster.plan.everysec);
    if (cluster.plan.everysec) {
        cluster.rollbacks++;
        history_lose(cluster.synced_us);
    }
    world_trace("redis is back%s", cluster.plan.everysec ? ", without the last second" : "");
}

static void fault_redis(void) {
    struct node *n = fake_redis_node();
    if (!n->up) return;
    if (world_chance(0.4)) {
        int64_t us = world_between(5 * MS, 900 * MS);
        world_trace("PAUSE redis for %ld ms", (long)(us / MS));
        node_pause(n, us);
    } else if (cluster.plan.jumps && !cluster.plan.everysec && world_chance(0.5)) {
        int64_t us = world_between(-3600, 3600) * 1000000;
        world_trace("JUMP redis by %ld s", (long)(us / 1000000));
        fake_redis_jump(us);
        if (us > 0) history_jump();
    } else {
        world_trace("KILL redis");
        fake_redis_kill();
        world_at(NULL, world_between(5 * MS, 500 * MS), restart_redis, NULL);
    }
}

static void fault_process(struct process *p) {
    int64_t us =
        world_chance(0.3) ? world_between(200 * MS, 2000 * MS) : world_between(5 * MS, 300 * MS);
    int dice = (int)world_between(0, 9);
    if (!p->node.up || p->stopping) return;
    world_trace("%s %s for %ld ms",
                dice < 3   ? "KILL"
                : dice < 6 ? "PAUSE"
                : dice < 8 ? "CUT"
                           : "STOP or JUMP",
                p->node.name, (long)(us / MS));
    if (dice < 3) {
        kill_process(p, us / 4);
    } else if (dice < 6) {
        node_pause(&p->node, us);
    } else if (dice < 8) {
        net_cut(&p->node, dice == 6, us);
    } else if (dice == 8 || !cluster.plan.jumps) {
        if (p->matcher || p->kind != MATCHER) stop_process(p);
    } else {
        p->node.wall_offset_ms += world_between(-3600, 3600) * 1000;
    }
}

/* The leader twice as often as others: it is where it hurts. */
static struct process *victim(void) {
    for (int i = 0; i < CLUSTER_MATCHERS; i++) {
        struct process *p = &cluster.at[i];
        if (p->matcher && matcher_leading(p->matcher) && world_chance(0.5)) return p;
    }
    return &cluster.at[world_between(0, NODES - 1)];
}

static void fault(void *arg) {
    (void)arg;
    if (cluster.healed) return;
    cluster.faults++;
    if (world_chance(0.25))
        fault_redis();
    else
        fault_process(victim());
    world_at(NULL, world_between(cluster.plan.fault_min_us, cluster.plan.fault_max_us), fault,
             NULL);
}

static void sync_disk(void *arg) {
    (void)arg;
    if (fake_redis_node()->up) {
        model_sync(fake_redis_model());
        cluster.synced_us = world_now_us();
    }
    world_at(NULL, 1000 * MS, sync_disk, NULL);
}

/* ---- life ---- */

struct cluster_plan cluster_draw_plan(void) {
    int64_t pace_us = world_between(30 * MS, 200 * MS);
    /* Losing data and the clock at once is beyond what is promised (src/GUARANTEES.md). */
    return (struct cluster_plan){
        .everysec = world_chance(0.2),
        .trims = world_chance(0.3),
        .jumps = world_chance(0.4),
        .fault_min_us = pace_us,
        .fault_max_us = 3 * pace_us,
    };
}

static void note_entry(void *arg, struct model_id id, const struct str *fields, size_t count) {
    (void)arg;
    history_entry((struct position){id.ms, id.seq}, fields, count);
}

void cluster_begin(const struct cluster_plan *plan) {
    memset(&cluster, 0, sizeof cluster);
    cluster.plan = *plan;
    fake_redis_begin();
    model_observe(fake_redis_model(), (struct model_watch){note_entry, NULL});
    for (int i = 0; i < NODES; i++) {
        struct process *p = &cluster.at[i];
        p->kind = i < CLUSTER_MATCHERS                  ? MATCHER
                  : i < CLUSTER_MATCHERS + CLUSTER_APIS ? API
                                                        : EVENTS;
        p->index = p->kind == MATCHER ? i : p->kind == API ? i - CLUSTER_MATCHERS : 0;
        start(p);
    }
    world_at(NULL, 400 * MS, fault, NULL);
    world_at(NULL, 1000 * MS, sync_disk, NULL);
}

void cluster_heal(void) {
    cluster.healed = true;
    net_calm();
    for (int i = 0; i < NODES; i++)
        node_pause(&cluster.at[i].node, 0);
    node_pause(fake_redis_node(), 0);
}

void cluster_end(void) {
    for (int i = 0; i < NODES; i++)
        node_kill(&cluster.at[i].node);
    fake_redis_end();
}

unsigned cluster_faults(void) {
    return cluster.faults;
}

unsigned cluster_rollbacks(void) {
    return cluster.rollbacks;
}

const struct realm *cluster_leader(void) {
    for (int i = 0; i < CLUSTER_MATCHERS; i++) {
        struct matcher *m = cluster.at[i].matcher;
        if (m && cluster.at[i].node.up && matcher_leading(m) && m->realm && batch_idle(&m->batch))
            return m->realm;
    }
    return NULL;
}
