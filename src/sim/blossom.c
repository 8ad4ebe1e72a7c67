/* blossom.c - the primal-dual method, blossoms kept as nodes of their own behind the real ones.
 *
 * Nodes count from 1; 0 is nobody. Node b > n is a blossom: an odd cycle of nodes, in its order.
 * Labels are the doubled dual variables, so that all arithmetic stays whole.
 */
#include "sim/blossom.h"

#include "base/mem.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum side { FREE = -1, OUTER, INNER }; /* of a node in the alternating forest */

struct edge {
    uint32_t u, v;
    int64_t weight; /* 0: none */
};

struct cycle { /* a blossom's nodes */
    uint32_t *at;
    uint32_t count;
};

struct blossom {
    uint32_t n, used; /* real nodes; real and blossoms */
    uint32_t width;   /* of the tables */
    struct edge *edges;
    uint32_t *inside; /* [blossom][real node]: the blossom's own node that holds it; 0: none */
    int64_t *label;
    uint32_t *match, *slack, *top, *parent, *mark;
    enum side *side;
    struct cycle *cycles;
    uint32_t *queue;
    size_t queue_first, queue_count;
    uint32_t walk; /* mark of the present search for a common ancestor */
};

static struct edge *edge(const struct blossom *b, uint32_t u, uint32_t v) {
    return &b->edges[(size_t)u * b->width + v];
}

static uint32_t *inside(const struct blossom *b, uint32_t node, uint32_t real) {
    return &b->inside[(size_t)node * (b->n + 1) + real];
}

static int64_t excess(const struct blossom *b, const struct edge *e) {
    return b->label[e->u] + b->label[e->v] - 2 * edge(b, e->u, e->v)->weight;
}

static void update_slack(struct blossom *b, uint32_t u, uint32_t x) {
    if (!b->slack[x] || excess(b, edge(b, u, x)) < excess(b, edge(b, b->slack[x], x)))
        b->slack[x] = u;
}

static void set_slack(struct blossom *b, uint32_t x) {
    b->slack[x] = 0;
    for (uint32_t u = 1; u <= b->n; u++)
        if (edge(b, u, x)->weight > 0 && b->top[u] != x && b->side[b->top[u]] == OUTER)
            update_slack(b, u, x);
}

static void enqueue(struct blossom *b, uint32_t x) {
    if (x <= b->n) {
        b->queue[b->queue_count++] = x;
        return;
    }
    for (uint32_t i = 0; i < b->cycles[x].count; i++)
        enqueue(b, b->cycles[x].at[i]);
}

static void set_top(struct blossom *b, uint32_t x, uint32_t top) {
    b->top[x] = top;
    for (uint32_t i = 0; x > b->n && i < b->cycles[x].count; i++)
        set_top(b, b->cycles[x].at[i], top);
}

static void reverse_tail(struct cycle *c) {
    for (uint32_t i = 1, k = c->count - 1; i < k; i++, k--) {
        uint32_t x = c->at[i];
        c->at[i] = c->at[k];
        c->at[k] = x;
    }
}

/* The even way round the blossom from its base to the node: its length. */
static uint32_t way_to(struct blossom *b, uint32_t blossom, uint32_t node) {
    struct cycle *c = &b->cycles[blossom];
    uint32_t at = 0;
    while (c->at[at] != node)
        at++;
    if (at % 2 == 0) return at;
    reverse_tail(c);
    return c->count - at;
}

static void rotate_cycle(struct cycle *c, uint32_t by) {
    uint32_t *old = mem_array(c->count, sizeof *old);
    memcpy(old, c->at, c->count * sizeof *old);
    for (uint32_t i = 0; i < c->count; i++)
        c->at[i] = old[(i + by) % c->count];
    mem_free(old);
}

static void set_match(struct blossom *b, uint32_t u, uint32_t v) {
    struct edge e = *edge(b, u, v);
    b->match[u] = e.v;
    if (u <= b->n) return;
    uint32_t base = *inside(b, u, e.u), way = way_to(b, u, base);
    for (uint32_t i = 0; i < way; i++)
        set_match(b, b->cycles[u].at[i], b->cycles[u].at[i ^ 1]);
    set_match(b, base, v);
    rotate_cycle(&b->cycles[u], way);
}

static void augment(struct blossom *b, uint32_t u, uint32_t v) {
    for (;;) {
        uint32_t next = b->top[b->match[u]];
        set_match(b, u, v);
        if (!next) return;
        set_match(b, next, b->top[b->parent[next]]);
        u = b->top[b->parent[next]];
        v = next;
    }
}

static uint32_t common_ancestor(struct blossom *b, uint32_t u, uint32_t v) {
    b->walk++;
    while (u || v) {
        if (u) {
            if (b->mark[u] == b->walk) return u;
            b->mark[u] = b->walk;
            u = b->top[b->match[u]];
            if (u) u = b->top[b->parent[u]];
        }
        uint32_t x = u;
        u = v;
        v = x;
    }
    return 0;
}

static void add_side_of_cycle(struct blossom *b, struct cycle *c, uint32_t from, uint32_t base) {
    for (uint32_t x = from; x != base;) {
        uint32_t y = b->top[b->match[x]];
        c->at[c->count++] = x;
        c->at[c->count++] = y;
        enqueue(b, y);
        x = b->top[b->parent[y]];
    }
}

/* The blossom's edges are the best of its nodes'. */
static void join_edges(struct blossom *b, uint32_t made) {
    for (uint32_t x = 1; x <= b->used; x++)
        edge(b, made, x)->weight = edge(b, x, made)->weight = 0;
    for (uint32_t x = 1; x <= b->n; x++)
        *inside(b, made, x) = 0;
    for (uint32_t i = 0; i < b->cycles[made].count; i++) {
        uint32_t own = b->cycles[made].at[i];
        for (uint32_t x = 1; x <= b->used; x++) {
            if (edge(b, made, x)->weight != 0 &&
                excess(b, edge(b, own, x)) >= excess(b, edge(b, made, x)))
                continue;
            *edge(b, made, x) = *edge(b, own, x);
            *edge(b, x, made) = *edge(b, x, own);
        }
        for (uint32_t x = 1; x <= b->n; x++)
            if (*inside(b, own, x)) *inside(b, made, x) = own;
    }
}

static void add_blossom(struct blossom *b, uint32_t u, uint32_t base, uint32_t v) {
    uint32_t made = b->n + 1;
    while (made <= b->used && b->top[made])
        made++;
    if (made > b->used) b->used++;
    assert(b->used < b->width);
    struct cycle *c = &b->cycles[made];
    if (!c->at) c->at = mem_array(b->n + 1, sizeof *c->at);
    b->label[made] = 0;
    b->side[made] = OUTER;
    b->match[made] = b->match[base];
    c->count = 1;
    c->at[0] = base;
    add_side_of_cycle(b, c, u, base);
    reverse_tail(c);
    add_side_of_cycle(b, c, v, base);
    set_top(b, made, made);
    join_edges(b, made);
    set_slack(b, made);
}

static void expand(struct blossom *b, uint32_t old) {
    struct cycle *c = &b->cycles[old];
    for (uint32_t i = 0; i < c->count; i++)
        set_top(b, c->at[i], c->at[i]);
    uint32_t entry = *inside(b, old, edge(b, old, b->parent[old])->u), way = way_to(b, old, entry);
    for (uint32_t i = 0; i < way; i += 2) {
        uint32_t in = c->at[i], out = c->at[i + 1];
        b->parent[in] = edge(b, out, in)->u;
        b->side[in] = INNER;
        b->side[out] = OUTER;
        b->slack[in] = 0;
        set_slack(b, out);
        enqueue(b, out);
    }
    b->side[entry] = INNER;
    b->parent[entry] = b->parent[old];
    for (uint32_t i = way + 1; i < c->count; i++) {
        b->side[c->at[i]] = FREE;
        set_slack(b, c->at[i]);
    }
    b->top[old] = 0;
}

/* A tight edge: grows the forest, closes a blossom, or augments (true). */
static bool take_edge(struct blossom *b, const struct edge *e) {
    uint32_t u = b->top[e->u], v = b->top[e->v];
    if (b->side[v] == FREE) {
        b->parent[v] = e->u;
        b->side[v] = INNER;
        uint32_t next = b->top[b->match[v]];
        b->slack[v] = b->slack[next] = 0;
        b->side[next] = OUTER;
        enqueue(b, next);
    } else if (b->side[v] == OUTER) {
        uint32_t base = common_ancestor(b, u, v);
        if (!base) {
            augment(b, u, v);
            augment(b, v, u);
            return true;
        }
        add_blossom(b, u, base, v);
    }
    return false;
}

static bool search_queue(struct blossom *b) {
    while (b->queue_first < b->queue_count) {
        uint32_t u = b->queue[b->queue_first++];
        if (b->side[b->top[u]] == INNER) continue;
        for (uint32_t v = 1; v <= b->n; v++) {
            if (edge(b, u, v)->weight == 0 || b->top[u] == b->top[v]) continue;
            if (excess(b, edge(b, u, v)) != 0)
                update_slack(b, u, b->top[v]);
            else if (take_edge(b, edge(b, u, v)))
                return true;
        }
    }
    return false;
}

static int64_t smallest_step(const struct blossom *b) {
    int64_t step = INT64_MAX;
    for (uint32_t x = b->n + 1; x <= b->used; x++)
        if (b->top[x] == x && b->side[x] == INNER && b->label[x] / 2 < step) step = b->label[x] / 2;
    for (uint32_t x = 1; x <= b->used; x++) {
        if (b->top[x] != x || !b->slack[x] || b->side[x] == INNER) continue;
        int64_t e = excess(b, edge(b, b->slack[x], x));
        if (b->side[x] == OUTER) e /= 2;
        if (e < step) step = e;
    }
    return step;
}

static void change_labels(struct blossom *b, int64_t step) {
    for (uint32_t u = 1; u <= b->n; u++) {
        enum side s = b->side[b->top[u]];
        b->label[u] += s == OUTER ? -step : s == INNER ? step : 0;
    }
    for (uint32_t x = b->n + 1; x <= b->used; x++) {
        if (b->top[x] != x) continue;
        b->label[x] += b->side[x] == OUTER ? 2 * step : b->side[x] == INNER ? -2 * step : 0;
    }
}

/* One augmentation; false: everybody is matched. */
static bool improve(struct blossom *b) {
    b->queue_first = b->queue_count = 0;
    for (uint32_t x = 0; x <= b->used; x++) {
        b->side[x] = FREE;
        b->slack[x] = 0;
    }
    for (uint32_t x = 1; x <= b->used; x++) {
        if (b->top[x] != x || b->match[x]) continue;
        b->parent[x] = 0;
        b->side[x] = OUTER;
        enqueue(b, x);
    }
    if (b->queue_count == 0) return false;
    for (;;) {
        if (search_queue(b)) return true;
        change_labels(b, smallest_step(b));
        b->queue_first = b->queue_count = 0;
        for (uint32_t x = 1; x <= b->used; x++) {
            uint32_t u = b->slack[x];
            if (b->top[x] != x || !u || b->top[u] == x || excess(b, edge(b, u, x)) != 0) continue;
            if (take_edge(b, edge(b, u, x))) return true;
        }
        for (uint32_t x = b->n + 1; x <= b->used; x++)
            if (b->top[x] == x && b->side[x] == INNER && b->label[x] == 0) expand(b, x);
    }
}

static void begin(struct blossom *b, const int64_t *costs, size_t n) {
    int64_t most = 0;
    *b = (struct blossom){.n = (uint32_t)n, .used = (uint32_t)n, .width = (uint32_t)(2 * n + 1)};
    size_t width = b->width;
    b->edges = mem_array(width * width, sizeof *b->edges);
    b->inside = mem_array(width * (n + 1), sizeof *b->inside);
    b->label = mem_array(width, sizeof *b->label);
    b->match = mem_array(width, sizeof *b->match);
    b->slack = mem_array(width, sizeof *b->slack);
    b->top = mem_array(width, sizeof *b->top);
    b->parent = mem_array(width, sizeof *b->parent);
    b->mark = mem_array(width, sizeof *b->mark);
    b->side = mem_array(width, sizeof *b->side);
    b->cycles = mem_array(width, sizeof *b->cycles);
    b->queue = mem_array(width * 2, sizeof *b->queue);
    for (size_t i = 0; i < n * n; i++)
        most = costs[i] > most ? costs[i] : most;
    for (uint32_t u = 0; u < width; u++)
        for (uint32_t v = 0; v < width; v++)
            *edge(b, u, v) = (struct edge){u, v, 0};
    for (uint32_t u = 1; u <= n; u++) {
        b->top[u] = u;
        *inside(b, u, u) = u;
        b->label[u] = most + 1;
        for (uint32_t v = 1; v <= n; v++) /* small cost, large weight; never 0 */
            if (u != v) edge(b, u, v)->weight = most + 1 - costs[(u - 1) * n + v - 1];
    }
}

static void end(struct blossom *b) {
    for (uint32_t x = 0; x < b->width; x++)
        mem_free(b->cycles[x].at);
    mem_free(b->edges);
    mem_free(b->inside);
    mem_free(b->label);
    mem_free(b->match);
    mem_free(b->slack);
    mem_free(b->top);
    mem_free(b->parent);
    mem_free(b->mark);
    mem_free(b->side);
    mem_free(b->cycles);
    mem_free(b->queue);
}

int64_t blossom_match(const int64_t *costs, size_t n, uint32_t *partner) {
    struct blossom b;
    int64_t sum = 0;
    assert(n >= 2 && n % 2 == 0 && n <= BLOSSOM_NODES_MAX);
    begin(&b, costs, n);
    while (improve(&b)) {
    }
    for (size_t i = 0; i < n; i++) {
        partner[i] = b.match[i + 1] - 1;
        if (partner[i] > i) sum += costs[i * n + partner[i]];
    }
    end(&b);
    return sum;
}
