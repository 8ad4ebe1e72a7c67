/* random_rules.h - rulesets of every kind of rule and addition, and matches to judge by them.
 *
 * Texts for rules() of rules_text.h and match_text_read. Players have skill, mode, likes, maps, a
 * list of players they shun, and latencies; numbers include the extreme ones.
 */
#ifndef MUSTER_TESTS_SUPPORT_RANDOM_RULES_H
#define MUSTER_TESTS_SUPPORT_RANDOM_RULES_H

#include "base/rng.h"
#include "support/rules_text.h"

#define RANDOM_RULES_ATTRIBUTES                                          \
    "'playerAttributes':[{'name':'skill','type':'number','default':10}," \
    "{'name':'mode','type':'string','default':'duel'},"                  \
    "{'name':'likes','type':'string_list','default':[]},"                \
    "{'name':'shuns','type':'string_list','default':[]},"                \
    "{'name':'maps','type':'string_number_map','default':{}}]"

static inline const char *random_rules_pick(struct rng *rng, const char *const *from,
                                            uint64_t count) {
    return from[rng_below(rng, count)];
}

static inline void random_rules_expression(struct rng *rng, struct strbuf *out) {
    static const char *const expressions[] = {
        "avg(teams[*].players.attributes[skill])",
        "flatten(teams[*].players.attributes[skill])",
        "players.attributes[skill]",
        "max(count(teams[*].players))",
        "stddev(players.attributes[skill])",
        "median(teams[blue].players.attributes[skill])",
        "sum(players.attributes[maps][a])",
        "count(set_intersection(players.attributes[likes]))",
    };
    strbuf_printf(out, "%s", random_rules_pick(rng, expressions, 8));
}

/* One rule of a random kind. */
static inline void random_rules_rule(struct rng *rng, struct strbuf *out, unsigned index) {
    static const char *const operations[] = {"=", "!=", "<", "<=", ">", ">="};
    static const char *const parties[] = {"avg", "min", "max"};
    static const char *const lists[] = {"contains", "reference_intersection_count"};
    const char *party = random_rules_pick(rng, parties, 3);
    int number = (int)rng_below(rng, 30);
    strbuf_printf(out, ",{'name':'r%u','type':", index);
    switch (index < 3 ? 1 + rng_below(rng, 7)
                      : rng_below(rng, 8)) { /* no batchDistance in a compound */
    case 0:
        if (number % 3 == 0)
            strbuf_printf(out, "'batchDistance','batchAttribute':'mode','maxDistance':%d}",
                          number / 3 % 3);
        else
            strbuf_printf(out,
                          "'batchDistance','batchAttribute':'skill','maxDistance':%d,"
                          "'partyAggregation':'%s'}",
                          number, party);
        break;
    case 1:
        strbuf_printf(out, "'comparison','operation':'=',"
                           "'measurements':'flatten(teams[*].players.attributes[mode])'}");
        break;
    case 2:
        strbuf_printf(out, "'latency','maxLatency':%d,'partyAggregation':'%s'}", 20 + 2 * number,
                      party);
        break;
    case 3:
        strbuf_printf(out, "'latency','maxDistance':%d,'distanceReference':'%s'}", number,
                      rng_below(rng, 2) ? "min" : "avg");
        break;
    case 4:
        strbuf_printf(out,
                      "'collection','operation':'%s','measurements':"
                      "'flatten(teams[*].players.attributes[likes])',%s'maxCount':%d}",
                      lists[0], "'referenceValue':'a','minCount':0,", number % 4);
        break;
    case 5:
        strbuf_printf(out,
                      "'collection','operation':'%s','measurements':"
                      "'players.attributes[likes]','referenceValue':['a','b'],"
                      "'minCount':%d,'partyAggregation':'intersection'}",
                      lists[1], number % 2);
        break;
    case 6:
        strbuf_printf(out, "'distance','maxDistance':%d,'partyAggregation':'%s','measurements':'",
                      number, party);
        random_rules_expression(rng, out);
        strbuf_printf(out, "','referenceValue':'avg(players.attributes[skill])'}");
        break;
    default:
        strbuf_printf(out, "'comparison','operation':'%s','referenceValue':%d,'measurements':'",
                      random_rules_pick(rng, operations, 6), number);
        random_rules_expression(rng, out);
        strbuf_printf(out, "'}");
    }
}

/* Maybe an expansion of the algorithm, behind others. */
static inline void random_rules_order(struct rng *rng, struct strbuf *out) {
    static const char *const properties[] = {
        "batchingPreference','steps':[{'waitTimeSeconds':5,'value':'random",
        "backfillPriority','steps':[{'waitTimeSeconds':5,'value':'high",
        "strategy','steps':[{'waitTimeSeconds':5,'value':'exhaustiveSearch",
    };
    if (rng_below(rng, 3)) return;
    strbuf_printf(out, ",{'target':'algorithm.%s'}]}", random_rules_pick(rng, properties, 3));
}

/* Some of Muster's additions; roles are what players like. */
static inline void random_rules_additions(struct rng *rng, struct strbuf *out) {
    int places = (int)rng_below(rng, 3);
    strbuf_printf(out, ",'muster':{'weights':{'r0':%d,'r1':0}", (int)rng_below(rng, 50));
    if (rng_below(rng, 2))
        strbuf_printf(out,
                      ",'roles':{'attribute':'likes','cost':%d,'perTeam':[{'name':'a',"
                      "'minPlayers':%d,'maxPlayers':%d},{'name':'b','maxPlayers':3},"
                      "{'name':'c'%s}]}",
                      places * 7, places / 2, 1 + places,
                      rng_below(rng, 2) ? ",'teams':['red']" : "");
    if (rng_below(rng, 2))
        strbuf_printf(out, ",'avoid':{'attribute':'shuns','scope':'%s'}",
                      rng_below(rng, 2) ? "match" : "team");
    if (rng_below(rng, 2)) strbuf_printf(out, ",'recent':{'attribute':'shuns'}");
    strbuf_printf(out, rng_below(rng, 4) ? "}" : ",'regions':['eu']}");
}

static inline void random_rules_write(struct rng *rng, struct strbuf *out) {
    static const char *const statements[] = {"or(r0,r1)", "and(r0,not(r1))", "xor(r0,r1,r2)",
                                             "or(and(r0,r1),not(and(r1,r2)))"};
    unsigned count = 3 + (unsigned)rng_below(rng, 3);
    strbuf_clear(out);
    strbuf_printf(out, "%s",
                  RANDOM_RULES_ATTRIBUTES
                  ",'teams':[{'name':'red','minPlayers':1,'maxPlayers':4},"
                  "{'name':'blue','minPlayers':0,'maxPlayers':4}],'rules':["
                  "{'name':'s','type':'distanceSort','sortDirection':'ascending',"
                  "'sortAttribute':'skill'}");
    for (unsigned i = 0; i < count; i++)
        random_rules_rule(rng, out, i);
    if (rng_below(rng, 2)) {
        strbuf_printf(out, ",{'name':'c','type':'compound','statement':'%s'}",
                      random_rules_pick(rng, statements, 4));
    }
    strbuf_printf(out, "],'expansions':[{'target':'teams[blue].maxPlayers','steps':["
                       "{'waitTimeSeconds':10,'value':5}]}");
    random_rules_order(rng, out);
    strbuf_printf(out, "]");
    if (rng_below(rng, 2)) random_rules_additions(rng, out);
}

static inline void random_rules_player(struct rng *rng, struct strbuf *out) {
    static const char *const modes[] = {"x", "x", "x", "y"};
    static const char *const likes[] = {"a+", "b+", "a+b", "c+"};
    static const char *const skills[] = {"0", "5", "9.5", "20", "-0", "1e308", "-3", "10"};
    strbuf_printf(out, "skill=%s,mode=%s,likes=%s,@eu=%d", random_rules_pick(rng, skills, 8),
                  random_rules_pick(rng, modes, 4), random_rules_pick(rng, likes, 4),
                  1 + (int)rng_below(rng, 80));
    if (rng_below(rng, 4)) strbuf_printf(out, ",@us=%d", 1 + (int)rng_below(rng, 80));
    if (rng_below(rng, 2)) strbuf_printf(out, ",maps=a:%d", (int)rng_below(rng, 9));
    if (rng_below(rng, 3) == 0) strbuf_printf(out, ",shuns=p%d+x", 1 + (int)rng_below(rng, 40));
}

static inline void random_rules_match(struct rng *rng, struct strbuf *out) {
    uint64_t tickets = 1 + rng_below(rng, 4), teams = 0;
    strbuf_clear(out);
    for (uint64_t i = 0; i < tickets; i++) {
        bool cut = teams == 0 && i > 0 && rng_below(rng, 2);
        strbuf_printf(out, "%s ", cut ? " |" : "");
        teams += cut;
        random_rules_player(rng, out);
        for (uint64_t k = rng_below(rng, 3); k > 1; k--) {
            strbuf_add_char(out, '/');
            random_rules_player(rng, out);
        }
    }
}

#endif
