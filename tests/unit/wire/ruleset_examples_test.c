/* ruleset_examples_test.c - the published example rule sets behave as their text says. Each has a
 * match and near misses. (The first, second and sixth are in ruleset_json_test.c.)
 */
#include "support/match_text.h"
#include "support/rules_text.h"

#include <stdio.h>

/* Appends `count` copies of a ticket, each behind a space. */
static void add(struct strbuf *match, unsigned count, const char *ticket) {
    for (unsigned i = 0; i < count; i++)
        strbuf_printf(match, " %s", ticket);
}

static void expect(const struct ruleset *r, int64_t age_ms, struct strbuf *match, bool legal) {
    if (match_text_legal(r, age_ms, match->at) != legal) fail_msg("%s", match->at);
    strbuf_clear(match);
}

static uint32_t failing(const struct ruleset *r, int64_t age_ms, const char *match) {
    return match_text_judge(r, age_ms, match).failed_rule;
}

static const char three_team_game[] =
    "'name':'three_team_game','playerAttributes':[{'name':'skill','type':'number','default':10},"
    "{'name':'character','type':'string_list','default':['peasant']}],"
    "'teams':[{'name':'trio','minPlayers':3,'maxPlayers':5,'quantity':3}],"
    "'rules':[{'name':'FairTeamSkill','description':'d','type':'distance',"
    "'measurements':['avg(teams[*].players.attributes[skill])'],"
    "'referenceValue':'avg(flatten(teams[*].players.attributes[skill]))','maxDistance':10},"
    "{'name':'CloseTeamSizes','type':'distance','measurements':['max(count(teams[*].players))'],"
    "'referenceValue':'min(count(teams[*].players))','maxDistance':1},"
    "{'name':'OverallMedicLimit','type':'collection','operation':'contains',"
    "'measurements':['flatten(teams[*].players.attributes[character])'],"
    "'referenceValue':'medic','maxCount':5},"
    "{'name':'FastConnection','type':'latency','maxLatency':50}],"
    "'expansions':[{'target':'rules[FastConnection].maxLatency','steps':["
    "{'waitTimeSeconds':10,'value':100},{'waitTimeSeconds':20,'value':150}]}]";

static void three_teams_are_close_in_size_with_few_medics_and_fast_connections(void **state) {
    (void)state;
    const struct ruleset *r = rules(three_team_game);
#define M "character=medic+"
    assert_true(match_text_legal(
        r, 0, M ",@e=50 " M ",@e=9 @e=9 | " M ",@e=9/" M ",@e=9/@e=9 @e=1 | " M ",@e=9 @e=9 @e=9"));
    assert_int_equal(failing(r, 0,
                             M ",@e=5 " M ",@e=9 @e=9 | " M ",@e=9/" M ",@e=9/" M ",@e=9 | " M
                               ",@e=9 @e=9 @e=9"),
                     2); /* six */
    assert_int_equal(failing(r, 0, "@e=9 @e=9 @e=9 @e=9 @e=9 | @e=9 @e=9 @e=9 | @e=9 @e=9 @e=9"),
                     1);
    assert_int_equal(failing(r, 0,
                             "skill=50,@e=9 skill=50,@e=9 skill=50,@e=9 | @e=9 @e=9 @e=9 | "
                             "@e=9 @e=9 @e=9"),
                     0);
    static const char slow[] = "@e=101 @e=9 @e=9 | @e=9 @e=9 @e=9 | @e=9 @e=9 @e=9";
    assert_int_equal(failing(r, 19999, slow), 3);
    assert_true(match_text_legal(r, 20000, slow));
#undef M
}

static void map_players_share_a_mode_and_a_map_and_prefer_alike_ones(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'name':'multi_map_game','playerAttributes':["
              "{'name':'experience','type':'number','default':50},"
              "{'name':'gameMode','type':'string_list','default':['deathmatch','coop']},"
              "{'name':'mapPreference','type':'string_number_map','default':{'defaultMap':100}},"
              "{'name':'acceptableMaps','type':'string_list','default':['defaultMap']}],"
              "'teams':[{'name':'red','maxPlayers':3,'minPlayers':3},"
              "{'name':'blue','maxPlayers':3,'minPlayers':3}],'rules':["
              "{'name':'MapPreference','type':'absoluteSort','sortDirection':'descending',"
              "'sortAttribute':'mapPreference','mapKey':'maxValue'},"
              "{'name':'ExperienceAffinity','type':'distanceSort','sortDirection':'ascending',"
              "'sortAttribute':'experience'},"
              "{'name':'SharedMode','type':'collection','operation':'intersection','minCount':1,"
              "'measurements':['flatten(teams[*].players.attributes[gameMode])']},"
              "{'name':'MapOverlap','type':'collection','operation':'intersection','minCount':1,"
              "'measurements':['flatten(teams[*].players.attributes[acceptableMaps])']}]");
    assert_true(match_text_legal(r, 0, "a=1 a=1 gameMode=coop+ | a=1 a=1 a=1"));
    assert_int_equal(failing(r, 0, "gameMode=deathmatch+ a=1 gameMode=coop+ | a=1 a=1 a=1"), 2);
    assert_int_equal(failing(r, 0, "acceptableMaps=ice+ a=1 a=1 | a=1 a=1 a=1"), 3);
    assert_true(match_text_legal(r, 0,
                                 "acceptableMaps=ice+defaultMap acceptableMaps=defaultMap+ a=1 | "
                                 "a=1 a=1 a=1"));
    struct arena *arena = arena_new(0);
    struct match_text m = match_text_read(arena, "experience=9,mapPreference=ice:60+sun:5 "
                                                 "experience=9,mapPreference=ice:10+sun:90 "
                                                 "experience=99,mapPreference=ice:20");
    double far[RULESET_SORTS_MAX], near[RULESET_SORTS_MAX];
    ruleset_rank(r, 0, &m.specs[0], &m.specs[1], far);
    ruleset_rank(r, 0, &m.specs[0], &m.specs[2], near);
    assert_true(near[0] < far[0]); /* likes the anchor's best map more */
    assert_true(near[1] > far[1]); /* but is of another experience */
    arena_free(arena);
}

static void everybody_has_a_character_that_all_want_to_meet_for_a_while(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'name':'preferred_characters','playerAttributes':["
              "{'name':'myCharacter','type':'string_list'},"
              "{'name':'preferredOpponents','type':'string_list'}],"
              "'teams':[{'name':'red','minPlayers':3,'maxPlayers':3}],'rules':["
              "{'name':'OpponentMatch','type':'collection',"
              "'operation':'reference_intersection_count',"
              "'measurements':['flatten(teams[*].players.attributes[myCharacter])'],"
              "'referenceValue':"
              "'set_intersection(flatten(teams[*].players.attributes[preferredOpponents]))',"
              "'minCount':1}],'expansions':[{'target':'rules[OpponentMatch].minCount','steps':["
              "{'waitTimeSeconds':15,'value':0}]}]");
#define P(mine, wanted) "myCharacter=" mine "+,preferredOpponents=" wanted "+"
    assert_true(match_text_legal(
        r, 0, P("orc", "orc+elf") " " P("elf", "elf+orc") " " P("orc", "man+elf+orc")));
    static const char unwanted[] =
        P("orc", "orc+elf") " " P("man", "elf+orc") " " P("orc", "man+elf+orc");
    assert_int_equal(failing(r, 14999, unwanted), 0);
    assert_true(match_text_legal(r, 15000, unwanted));
    assert_int_equal(failing(r, 0, P("orc", "orc") " " P("elf", "elf") " " P("orc", "orc")), 0);
#undef P
}

#define FREE_FOR_ALL                                                               \
    "'name':'free-for-all','playerAttributes':[{'name':'skill','type':'number'}]," \
    "'algorithm':{'balancedAttribute':'skill','strategy':'balanced',"              \
    "'batchingPreference':'largestPopulation'},"                                   \
    "'teams':[{'name':'Marauders','maxPlayers':200,'minPlayers':175}],"            \
    "'rules':[{'name':'low-latency','description':'d','type':'latency','maxLatency':150}],"

static void free_for_all_gathers_up_to_two_hundred(void **state) {
    (void)state;
    struct strbuf m = {0};
    const struct ruleset *r = rules(
        FREE_FOR_ALL "'expansions':[{'target':'rules[low-latency].maxLatency','steps':["
                     "{'waitTimeSeconds':12,'value':200}]},"
                     "{'target':'teams[Marauders].minPlayers','steps':["
                     "{'waitTimeSeconds':10,'value':150},{'waitTimeSeconds':15,'value':100}]}]");
    add(&m, 175, "skill=1,@e=150");
    expect(r, 0, &m, true);
    add(&m, 200, "skill=1,@e=150");
    expect(r, 0, &m, true);
    add(&m, 174, "skill=1,@e=150");
    expect(r, 9999, &m, false);
    add(&m, 174, "skill=1,@e=150");
    expect(r, 10000, &m, true);
    add(&m, 199, "skill=1,@e=150");
    add(&m, 1, "skill=1,@e=151");
    expect(r, 11999, &m, false);
    add(&m, 100, "skill=1,@e=200");
    expect(r, 15000, &m, true);
    strbuf_fini(&m);
}

/* As printed, one object has two targets: JSON would keep the last. */
static void a_published_duplicate_key_is_told_and_not_swallowed(void **state) {
    (void)state;
    struct err_text why;
    enum err code =
        rules_try(FREE_FOR_ALL "'expansions':[{'target':'rules[low-latency].maxLatency','steps':["
                               "{'waitTimeSeconds':12,'value':200}],"
                               "'target':'teams[Marauders].minPlayers','steps':["
                               "{'waitTimeSeconds':10,'value':150}]}]",
                  &why);
    assert_int_equal(code, ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "expansions[0].target stands twice in its object"));
}

static void hunters_outnumber_monsters_and_expand_together(void **state) {
    (void)state;
    struct strbuf m = {0};
    const struct ruleset *r =
        rules("'name':'monster-hunters','playerAttributes':["
              "{'name':'monster-kills','type':'number','default':5}],"
              "'algorithm':{'balancedAttribute':'monster-kills','strategy':'balanced',"
              "'batchingPreference':'fastestRegion'},"
              "'teams':[{'name':'Monsters','maxPlayers':5,'minPlayers':5},"
              "{'name':'Hunters','maxPlayers':15,'minPlayers':12,'quantity':10}],"
              "'rules':[{'name':'latency-catchall','type':'latency','maxLatency':150}],"
              "'expansions':[{'target':'teams[Hunters].minPlayers','steps':["
              "{'waitTimeSeconds':15,'value':10},{'waitTimeSeconds':20,'value':8}]}]");
    assert_int_equal(ruleset_limits_at(r, 0)->players_max, 155);
    assert_int_equal(ruleset_limits_at(r, 0)->players_min, 125);
    assert_int_equal(ruleset_limits_at(r, 20000)->players_min, 85);
    for (unsigned hunters = 8; hunters <= 16; hunters += 2) {
        static const int64_t ages[] = {0, 15000, 20000};
        static const unsigned least[] = {12, 10, 8};
        for (int a = 0; a < 3; a++) {
            add(&m, 5, "@e=150");
            for (int t = 0; t < 10; t++) {
                strbuf_printf(&m, " |");
                add(&m, hunters, "@e=150");
            }
            expect(r, ages[a], &m, hunters >= least[a] && hunters <= 15);
        }
    }
    add(&m, 4, "@e=150");
    for (int t = 0; t < 10; t++) {
        strbuf_printf(&m, " |");
        add(&m, 12, "@e=150");
    }
    expect(r, 0, &m, false);
    strbuf_fini(&m);
}

/* Two teams of a hundred, all like the first but the last. */
static bool hundreds(const struct ruleset *r, int64_t age_ms, const char *all, const char *last) {
    struct strbuf m = {0};
    add(&m, 100, all);
    strbuf_printf(&m, " |");
    add(&m, 99, all);
    add(&m, 1, last);
    bool legal = match_text_legal(r, age_ms, m.at);
    strbuf_fini(&m);
    return legal;
}

static void large_teams_of_alike_players_share_map_and_mode(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        "'name':'large','playerAttributes':[{'name':'league','type':'number'},"
        "{'name':'skill','type':'number'},{'name':'map','type':'string'},"
        "{'name':'mode','type':'string'}],"
        "'algorithm':{'balancedAttribute':'skill','strategy':'balanced',"
        "'batchingPreference':'fastestRegion'},"
        "'teams':[{'name':'red','maxPlayers':100,'minPlayers':100},"
        "{'name':'blue','maxPlayers':100,'minPlayers':100}],'rules':["
        "{'name':'SimilarLeague','type':'batchDistance','batchAttribute':'league','maxDistance':2},"
        "{'name':'SimilarSkill','type':'batchDistance','batchAttribute':'skill','maxDistance':10},"
        "{'name':'SameMap','type':'batchDistance','batchAttribute':'map'},"
        "{'name':'SameMode','type':'batchDistance','batchAttribute':'mode'}],"
        "'expansions':[{'target':'rules[SimilarSkill].maxDistance','steps':["
        "{'waitTimeSeconds':10,'value':20},{'waitTimeSeconds':20,'value':40}]}]");
    static const char all[] = "league=1,skill=50,map=ice,mode=ctf";
    assert_true(hundreds(r, 0, all, "league=3,skill=60,map=ice,mode=ctf"));
    assert_false(hundreds(r, 0, all, "league=4,skill=60,map=ice,mode=ctf"));
    assert_false(hundreds(r, 0, all, "league=3,skill=61,map=ice,mode=ctf"));
    assert_false(hundreds(r, 0, all, "league=3,skill=60,map=sun,mode=ctf"));
    assert_false(hundreds(r, 0, all, "league=3,skill=60,map=ice,mode=duel"));
    assert_false(hundreds(r, 19999, all, "league=3,skill=90,map=ice,mode=ctf"));
    assert_true(hundreds(r, 20000, all, "league=3,skill=90,map=ice,mode=ctf"));
}

static void a_compound_accepts_the_same_game_or_alike_players(void **state) {
    (void)state;
    const struct ruleset *r =
        rules("'name':'compound','playerAttributes':[{'name':'league','type':'number'},"
              "{'name':'skill','type':'number'},{'name':'map','type':'string'},"
              "{'name':'mode','type':'string'}],"
              "'algorithm':{'balancedAttribute':'skill','strategy':'balanced',"
              "'batchingPreference':'fastestRegion'},"
              "'teams':[{'name':'red','maxPlayers':2,'minPlayers':1},"
              "{'name':'blue','maxPlayers':2,'minPlayers':1}],'rules':["
              "{'name':'SimilarSkill','type':'distance','maxDistance':10,"
              "'measurements':['max(flatten(teams[*].players.attributes[skill]))'],"
              "'referenceValue':'min(flatten(teams[*].players.attributes[skill]))'},"
              "{'name':'SimilarLeague','type':'distance','maxDistance':2,"
              "'measurements':['max(flatten(teams[*].players.attributes[league]))'],"
              "'referenceValue':'min(flatten(teams[*].players.attributes[league]))'},"
              "{'name':'SameMap','type':'comparison','operation':'=',"
              "'measurements':['flatten(teams[*].players.attributes[map])']},"
              "{'name':'SameMode','type':'comparison','operation':'=',"
              "'measurements':['flatten(teams[*].players.attributes[mode])']},"
              "{'name':'Either','type':'compound',"
              "'statement':'or(and(SameMap,SameMode),and(SimilarSkill,SimilarLeague))'}],"
              "'expansions':[{'target':'rules[SimilarSkill].maxDistance','steps':["
              "{'waitTimeSeconds':10,'value':20},{'waitTimeSeconds':20,'value':40}]}]");
    assert_true(
        match_text_legal(r, 0, "league=1,skill=0,map=a,mode=x | league=9,skill=99,map=a,mode=x"));
    assert_true(
        match_text_legal(r, 0, "league=1,skill=0,map=a,mode=x | league=3,skill=10,map=b,mode=y"));
    static const char neither[] = "league=1,skill=0,map=a,mode=x | league=3,skill=11,map=a,mode=y";
    assert_int_equal(failing(r, 9999, neither), 4);
    assert_true(match_text_legal(r, 10000, neither));
    assert_int_equal(failing(r, 0, "league=1,skill=0,map=a,mode=x | league=4,skill=1,map=b,mode=x"),
                     4);
}

static void nobody_meets_whom_he_blocks(void **state) {
    (void)state;
    static const char members[] =
        "'name':'block list','playerAttributes':["
        "{'name':'BlockList','type':'string_list','default':[]}],"
        "'teams':[{'name':'red','maxPlayers':5,'minPlayers':5},"
        "{'name':'blue','maxPlayers':5,'minPlayers':5}],'rules':["
        "{'name':'PlayerIdNotInBlockList','type':'collection',"
        "'operation':'reference_intersection_count',"
        "'measurements':'flatten(teams[*].players.attributes[BlockList])',"
        "'referenceValue':'flatten(teams[*].players[playerId])','maxCount':0}],"
        "'expansions':[{'target':'rules[PlayerIdNotInBlockList].maxCount','steps':["
        "{'waitTimeSeconds':60,'value':1}]}]";
    const struct ruleset *r = rules(members);
    assert_true(match_text_legal(r, 0, "BlockList=p11+x a=1 a=1 a=1 a=1 | a=1 a=1 a=1 a=1 a=1"));
    static const char blocked[] = "BlockList=p10+x a=1 a=1 a=1 a=1 | a=1 a=1 a=1 a=1 a=1";
    assert_int_equal(failing(r, 59999, blocked), 0);
    assert_true(match_text_legal(r, 60000, blocked)); /* avoided, no longer blocked */
    assert_int_equal(failing(r, 60000, "BlockList=p10+p9 a=1 a=1 a=1 a=1 | a=1 a=1 a=1 a=1 a=1"),
                     0);
}

/* The rule reference's own snippets. */
static void the_rule_reference_examples_are_accepted(void **state) {
    (void)state;
    const struct ruleset *r = rules(
        "'playerAttributes':[{'name':'SkillRating','type':'number','default':10},"
        "{'name':'GameMode','type':'string','default':'duel'},"
        "{'name':'mapPreference','type':'string_number_map','default':{'a':1}},"
        "{'name':'serious','type':'number','default':0}],"
        "'teams':[{'name':'red','maxPlayers':2,'minPlayers':1},"
        "{'name':'blue','maxPlayers':2,'minPlayers':1}],'rules':["
        "{'name':'SimilarSkillRatings','type':'batchDistance','batchAttribute':'SkillRating',"
        "'maxDistance':'500'},"
        "{'name':'SameGameMode','type':'batchDistance','batchAttribute':'GameMode'},"
        "{'name':'AbsoluteSortExample','type':'absoluteSort','sortDirection':'ascending',"
        "'sortAttribute':'mapPreference','mapKey':'minValue','partyAggregation':'avg'},"
        "{'name':'SeriousPlayers','type':'comparison','operation':'=','referenceValue':1,"
        "'measurements':'flatten(teams[*].players.attributes[serious])'},"
        "{'name':'CasualPlayers','type':'comparison','operation':'=','referenceValue':0,"
        "'measurements':'flatten(teams[*].players.attributes[serious])'},"
        "{'name':'VeryCloseSkill','type':'distance','maxDistance':10,"
        "'measurements':'flatten(teams[*].players.attributes[SkillRating])',"
        "'referenceValue':'avg(flatten(teams[*].players.attributes[SkillRating]))'},"
        "{'name':'SomewhatCloseSkill','type':'distance','maxDistance':100,"
        "'measurements':'flatten(teams[*].players.attributes[SkillRating])',"
        "'referenceValue':'avg(flatten(teams[*].players.attributes[SkillRating]))'},"
        "{'name':'CompoundRuleExample','type':'compound','statement':"
        "'or(and(SeriousPlayers, VeryCloseSkill), and(CasualPlayers, SomewhatCloseSkill))'}]");
    assert_true(match_text_legal(r, 0, "SkillRating=100 | SkillRating=300"));
    assert_int_equal(failing(r, 0, "SkillRating=100 | SkillRating=301"), 7);
    assert_int_equal(failing(r, 0, "SkillRating=100,serious=1 | SkillRating=300,serious=1"), 7);
    assert_true(match_text_legal(r, 0, "SkillRating=100,serious=1 | SkillRating=120,serious=1"));
    assert_int_equal(failing(r, 0, "serious=1 | serious=0"), 7);
    assert_int_equal(failing(r, 0, "SkillRating=0 | SkillRating=501"), 0);
    assert_int_equal(failing(r, 0, "GameMode=a | GameMode=b"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_teams_are_close_in_size_with_few_medics_and_fast_connections),
        cmocka_unit_test(map_players_share_a_mode_and_a_map_and_prefer_alike_ones),
        cmocka_unit_test(everybody_has_a_character_that_all_want_to_meet_for_a_while),
        cmocka_unit_test(free_for_all_gathers_up_to_two_hundred),
        cmocka_unit_test(a_published_duplicate_key_is_told_and_not_swallowed),
        cmocka_unit_test(hunters_outnumber_monsters_and_expand_together),
        cmocka_unit_test(large_teams_of_alike_players_share_map_and_mode),
        cmocka_unit_test(a_compound_accepts_the_same_game_or_alike_players),
        cmocka_unit_test(nobody_meets_whom_he_blocks),
        cmocka_unit_test(the_rule_reference_examples_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, rules_free);
}
