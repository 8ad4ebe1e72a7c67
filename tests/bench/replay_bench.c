/* replay_bench.c - how long a restart takes to rebuild a realm from its journal.
 *
 * Usage: replay_bench [tickets, default 1000000] [tickets per entry, default 100] [sorted]
 * Writes a journal of so many queued tickets (one player, skill, two latencies, a request key) to a
 * redis-server of its own, restarts that as after a kill, and replays. Skills are random unless
 * "sorted" is said: then they grow with age, which is the easiest order.
 */
#include "support/model_kit.h"
#include "support/redis_fixture.h"

#include "base/clock.h"
#include "model/queue.h"
#include "store/replay.h"
#include "wire/journal_codec.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char queue_json[] =
    "{\"name\":\"duel\",\"ticketTimeoutSeconds\":43200,\"ruleset\":{\"name\":\"duel\","
    "\"ruleLanguageVersion\":\"1.0\","
    "\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}],"
    "\"teams\":[{\"name\":\"red\",\"minPlayers\":1,\"maxPlayers\":1},"
    "{\"name\":\"blue\",\"minPlayers\":1,\"maxPlayers\":1}],"
    "\"rules\":[{\"name\":\"near\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\","
    "\"maxDistance\":50},{\"name\":\"fast\",\"type\":\"latency\",\"maxLatency\":150}]}}";

enum { START_MS = 1700000000 };

static struct redis_fixture server;
static struct stream stream;
static struct rng rng;

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall_s(void) {
    return (double)clock_mono_us() / 1e6;
}

static double resident_mb(void) {
    long total, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2) abort();
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static struct redis *connection(void) {
    struct address address;
    struct err_text why;
    struct redis *r;
    if (address_parse(&address, server.address, &why) || redis_open(&r, &address, 60000, &why)) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    return r;
}

static void encode_ticket(struct strbuf *out, uint64_t index, double skill, int64_t now_ms) {
    char name[32];
    snprintf(name, sizeof name, "player-%07llu", (unsigned long long)index);
    struct attribute attribute = {.name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = skill};
    struct latency latencies[] = {{STR("eu-west"), 30}, {STR("us-east"), 110}};
    struct player player = {str_of(name), &attribute, latencies, 1, 2};
    const struct str queue = STR("duel");
    struct record r = {.kind = RECORD_TICKET_CREATED, .time_ms = now_ms};
    r.ticket_created.id = id_new(&rng, now_ms);
    r.ticket_created.spec = (struct ticket_spec){&queue, &player, 1, 1};
    r.ticket_created.state = TICKET_QUEUED;
    r.ticket_created.created_ms = now_ms;
    r.ticket_created.expires_ms = now_ms + 43200000;
    r.ticket_created.request_key = (struct id){rng_next(&rng), rng_next(&rng)};
    r.ticket_created.request_hash = rng_next(&rng);
    journal_encode(&r, out);
}

static void encode_queue(struct strbuf *out) {
    struct record r = {.kind = RECORD_QUEUE_PUT, .time_ms = START_MS};
    r.queue_put.name = STR("duel");
    r.queue_put.json = str_of(queue_json);
    r.queue_put.version = 1;
    journal_encode(&r, out);
}

/* One connection, one entry after the other; in a process of its own, so that ours is fresh. */
static void write_journal(uint64_t tickets, uint64_t each, bool sorted) {
    struct redis *r = connection();
    struct err_text why;
    struct position at = {1, 0};
    for (uint64_t i = 0; i < tickets;) {
        struct strbuf bytes = {0};
        int64_t now_ms = START_MS + (int64_t)(i / 100);
        if (i == 0) encode_queue(&bytes);
        for (uint64_t end = i + each < tickets ? i + each : tickets; i < end; i++)
            encode_ticket(&bytes, i, sorted ? (double)i : 1500 + 300 * rng_normal(&rng), now_ms);
        at.seq++;
        struct stream_entry entry = {at, strbuf_str(&bytes), STR("replay-bench")};
        if (stream_append(r, &stream, &entry, false, &why)) {
            fprintf(stderr, "%s\n", why.text);
            exit(1);
        }
        strbuf_fini(&bytes);
    }
    redis_close(r);
}

static void write_journal_aside(uint64_t tickets, uint64_t each, bool sorted) {
    pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
        write_journal(tickets, each, sorted);
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) exit(1);
}

static enum err proceed(void *arg, struct err_text *why) {
    (void)arg;
    (void)why;
    return ERR_OK;
}

static void replay(void) {
    struct redis *r = connection();
    struct err_text why;
    struct stream_top top;
    if (stream_top(r, &stream, &top, &why)) exit(1);
    double before_mb = resident_mb(), wall = wall_s(), cpu = cpu_s();
    struct realm *realm = realm_new(600000);
    struct replay p = {.redis = r, .stream = &stream, .end = top.at, .proceed = proceed};
    if (replay_run(&p, realm, &why)) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    wall = wall_s() - wall;
    cpu = cpu_s() - cpu;
    double tickets = (double)realm_tickets_open(realm);
    printf("replay  %.2f s wall, %.2f us CPU/ticket, %.0f tickets, %.0f B of journal each\n", wall,
           cpu * 1e6 / tickets, tickets, (double)p.byte_count / tickets);
    printf("memory  %.0f B/ticket\n", (resident_mb() - before_mb) * 1e6 / tickets);
    printf("digest  %016llx\n", (unsigned long long)realm_digest(realm));
    realm_free(realm);
    redis_close(r);
}

int main(int argc, char **argv) {
    uint64_t tickets = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    uint64_t each = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    signal(SIGPIPE, SIG_IGN);
    rng_init(&rng, 1);
    stream_init(&stream, "bench");
    redis_fixture_start(&server, (const char *const[]){"--appendfsync", "no", "--save", "", NULL});
    write_journal_aside(tickets, each ? each : 100, argc > 3);
    redis_fixture_kill(&server);
    double wall = wall_s();
    redis_fixture_again(&server);
    printf("redis   %.2f s to load its append-only file\n", wall_s() - wall);
    replay();
    redis_fixture_stop(&server);
    return 0;
}
