/* cli_queue.c - `muster queue`: put, get, versions, list, delete, stats, check, validate, explain.
 */
#include "app/command.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/candidate_json.h"
#include "wire/queue_json.h"
#include "wire/queue_report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct queue_options {
    struct client_options client;
    bool allow_shrinking, json, print, cancel_unfit, cancel_tickets;
    char *tickets, *author, *comment;
    int64_t version;
};

static const struct config_row rows[] = {
    CLIENT_ROWS,
    {"allow-shrinking", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "put, check, validate: accept an expansion that narrows a limit",
     offsetof(struct queue_options, allow_shrinking)},
    {"cancel-unfit", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "put: cancel waiting tickets that the new rules do not admit",
     offsetof(struct queue_options, cancel_unfit)},
    {"author", CONFIG_TEXT, "", 0, 0, "", NULL, "put: who does it, for the queue's history",
     offsetof(struct queue_options, author)},
    {"comment", CONFIG_TEXT, "", 0, 0, "", NULL, "put: why",
     offsetof(struct queue_options, comment)},
    {"version", CONFIG_INT, "0", 0, UINT32_MAX, "", NULL, "get: this version; 0: the present one",
     offsetof(struct queue_options, version)},
    {"cancel-tickets", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "delete: cancel the tickets in the queue", offsetof(struct queue_options, cancel_tickets)},
    {"tickets", CONFIG_TEXT, "", 0, 0, "", NULL,
     "explain: file of tickets that are judged as one match",
     offsetof(struct queue_options, tickets)},
    {"print", CONFIG_BOOL, "false", 0, 0, "", NULL,
     "check: print the definitions anew, in one canonical form",
     offsetof(struct queue_options, print)},
    {"json", CONFIG_BOOL, "false", 0, 0, "", NULL, "print JSON lines",
     offsetof(struct queue_options, json)},
};

static const char usage[] =
    "usage: muster queue put FILE | get NAME | versions NAME | list | delete NAME | stats NAME |\n"
    "                    check FILE | validate FILE | explain FILE --tickets TICKETS\n\n"
    "put stores every queue of the file (- is stdin) as a new version where it differs. versions\n"
    "says who put which, when and what it changed.\n"
    "check needs no server: it says what the rules mean, or what is wrong with them. validate asks "
    "a\n"
    "server for the same, whose version may be another.\n"
    "explain needs none either: it judges the tickets of a file as one match, rule by rule, and\n"
    "ends with 1 where they are none; --json has the numbers, a line for each queue. TICKETS is a\n"
    "list of CreateTicketRequests as JSON, which may have a \"team\" (all or none of them) and\n"
    "\"ageSeconds\".\n";

struct definition {
    const char *path;
    struct str json;
    struct json_place start; /* in the file */
};

typedef int (*definition_fn)(void *arg, const struct queue_options *o, const struct definition *d);

/* A file that cannot be cut into definitions. */
static int refuse_file(const char *path, const struct queue_options *o,
                       const struct problem *fault) {
    struct queue_report r = {0};
    struct strbuf line = {0};
    problems_add_at(&r.problems, &fault->what, fault->line, fault->column);
    if (o->json) {
        queue_report_json(&r, &line);
        (void)fputs(line.at, stdout);
    } else {
        unsigned least = fault->line ? 0 : 1; /* no place: the file's first character */
        (void)fprintf(stderr, "%s:%u:%u: %s\n", path, fault->line + least, fault->column + least,
                      fault->what.text);
    }
    strbuf_fini(&line);
    queue_report_fini(&r);
    return EXIT_CODE_REFUSED;
}

/* Calls `each` for every definition in the file, until one returns another code than 0. */
static int each_definition(const char *path, const struct queue_options *o, definition_fn each,
                           void *arg) {
    struct strbuf file = {0};
    struct queue_texts texts = {0};
    struct err_text why = {0};
    enum err code = command_read_file(path, (size_t)LIMIT_RULESET_BYTES * 64, &file, &why);
    struct problem fault;
    int end = code == ERR_OK ? EXIT_CODE_OK : command_fail(code, &why);
    if (code == ERR_OK && queue_json_split(strbuf_str(&file), &texts, &fault) != ERR_OK)
        end = refuse_file(path, o, &fault);
    for (size_t i = 0; end == EXIT_CODE_OK && i < texts.count; i++)
        end = each(arg, o, &(struct definition){path, texts.at[i], texts.starts[i]});
    queue_texts_fini(&texts);
    strbuf_fini(&file);
    return end;
}

/* Each line of `notes` with a prefix. */
static void print_lines(const char *prefix, struct str notes) {
    while (notes.size > 0) {
        const char *end = memchr(notes.at, '\n', notes.size);
        size_t size = end ? (size_t)(end - notes.at) : notes.size;
        printf("%s%.*s\n", prefix, (int)size, notes.at);
        size_t used = end ? size + 1 : size;
        notes.at += used;
        notes.size -= used;
    }
}

/* "FILE:line:column: what", as compilers say it. */
static void print_places(FILE *out, const char *kind, const struct problems *all,
                         const struct definition *d) {
    for (size_t i = 0; i < all->count; i++) {
        const struct problem *p = &all->at[i];
        (void)fprintf(out, "%s:%u:%u: %s%s\n", d->path, p->line, p->column, kind, p->what.text);
    }
}

static void print_problems(const struct queue_report *r, const struct definition *d) {
    print_places(stderr, "", &r->problems, d);
    if (r->problems.left_out) {
        (void)fprintf(stderr, "%s: %zu problems more\n", d->path, r->problems.left_out);
    }
}

/* From places in the definition to places in the file. */
static void shift_places(struct problems *all, struct json_place start) {
    for (size_t i = 0; i < all->count; i++) {
        struct problem *p = &all->at[i];
        if (p->line <= 1) p->column = p->line ? p->column + start.column - 1 : start.column;
        p->line = p->line ? p->line + start.line - 1 : start.line;
    }
}

/* A definition that was found right. */
static void print_definition(struct str json, const struct queue_options *o) {
    struct strbuf text = {0};
    struct err_text why;
    if (queue_json_print(json, o->allow_shrinking, &text, &why) == ERR_OK)
        print_lines("", strbuf_str(&text));
    strbuf_fini(&text);
}

/* `arg`: a bool, set where a definition is wrong; the others are still checked. */
static int check_one(void *arg, const struct queue_options *o, const struct definition *d) {
    struct queue_report r;
    queue_report_make(d->json, o->allow_shrinking, &r);
    shift_places(&r.problems, d->start);
    shift_places(&r.notes, d->start);
    if (!r.ok) *(bool *)arg = true;
    if (o->print && r.ok) {
        print_definition(d->json, o);
    } else if (o->json) {
        struct strbuf line = {0};
        queue_report_json(&r, &line);
        print_lines("", strbuf_str(&line));
        strbuf_fini(&line);
    } else if (r.ok) {
        printf("%.*s: ok\n", STR_PRINT(strbuf_str(&r.name)));
        print_lines("  ", strbuf_str(&r.summary));
        print_places(stdout, "note: ", &r.notes, d);
    } else {
        print_problems(&r, d);
    }
    queue_report_fini(&r);
    return EXIT_CODE_OK;
}

static int check(const char *path, const struct queue_options *o) {
    bool wrong = false;
    int end = each_definition(path, o, check_one, &wrong);
    return end == EXIT_CODE_OK && wrong ? EXIT_CODE_REFUSED : end;
}

/* Judges the tickets (`arg`, a strbuf of JSON) by one definition. */
static int explain_one(void *arg, const struct queue_options *o, const struct definition *d) {
    struct candidate_source source = {strbuf_str(arg),
                                      &muster__v1__create_ticket_request__descriptor};
    struct queue_def *def = NULL;
    struct candidate_words words = {.as_json = o->json};
    struct err_text why = {0};
    enum err code = queue_json_parse(d->json, o->allow_shrinking, &def, NULL, &why);
    if (code == ERR_OK) code = candidate_json_explain(&source, def, &words, &why);
    int end = words.legal ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
    if (code != ERR_OK) {
        end = command_fail(code, &why);
    } else {
        if (!o->json) printf("%.*s: ", STR_PRINT(def->name));
        print_lines("", strbuf_str(&words.text));
    }
    queue_def_free(def);
    strbuf_fini(&words.text);
    return end;
}

static int explain(const char *path, const struct queue_options *o) {
    struct strbuf tickets = {0};
    struct err_text why = {0};
    if (!o->tickets[0]) {
        (void)fprintf(stderr, "muster: queue explain needs --tickets\n%s", usage);
        return EXIT_CODE_USAGE;
    }
    enum err code = command_read_file(o->tickets, 1048576, &tickets, &why);
    int end =
        code == ERR_OK ? each_definition(path, o, explain_one, &tickets) : command_fail(code, &why);
    strbuf_fini(&tickets);
    return end;
}

static void print_findings(FILE *out, const char *kind, Muster__V1__Finding *const *all,
                           size_t count, const struct definition *d) {
    for (size_t i = 0; i < count; i++) {
        struct problem p = {.line = all[i]->line, .column = all[i]->column};
        struct problems one = {.at = &p, .count = 1};
        (void)snprintf(p.what.text, sizeof p.what.text, "%s", all[i]->message);
        shift_places(&one, d->start);
        print_places(out, kind, &one, d);
    }
}

/* As check, by a server. `arg`: what asks it, and a bool as check_one's. */
struct validation {
    struct muster_client *client;
    bool wrong;
};

static int validate_one(void *arg, const struct queue_options *o, const struct definition *d) {
    struct validation *v = arg;
    Muster__V1__ValidateRulesetRequest request = MUSTER__V1__VALIDATE_RULESET_REQUEST__INIT;
    Muster__V1__ValidateRulesetResponse *answer = NULL;
    struct muster_status status;
    char *text = mem_text(d->json);
    request.definition_json = text;
    request.allow_shrinking = o->allow_shrinking;
    bool answered =
        muster_validate_ruleset(v->client, &request, NULL, &answer, &status) == MUSTER_OK;
    mem_free(text);
    if (!answered) return command_fail_status(&status);
    v->wrong = v->wrong || !answer->ok;
    if (o->json) {
        command_print(&answer->base);
    } else {
        if (answer->ok) printf("%s: ok\n", answer->queue);
        for (size_t i = 0; i < answer->n_summary; i++)
            printf("  %s\n", answer->summary[i]);
        print_findings(stdout, "note: ", answer->notes, answer->n_notes, d);
        print_findings(stderr, "", answer->problems, answer->n_problems, d);
    }
    muster_free(answer);
    return EXIT_CODE_OK;
}

static int validate(struct muster_client *client, const char *path, const struct queue_options *o) {
    struct validation v = {client, false};
    int end = each_definition(path, o, validate_one, &v);
    return end == EXIT_CODE_OK && v.wrong ? EXIT_CODE_REFUSED : end;
}

static int put_one(void *arg, const struct queue_options *o, const struct definition *d) {
    struct muster_client *client = arg;
    Muster__V1__PutQueueRequest put = MUSTER__V1__PUT_QUEUE_REQUEST__INIT;
    char *text = mem_text(d->json);
    put.definition_json = text;
    put.allow_shrinking = o->allow_shrinking;
    put.cancel_unfit = o->cancel_unfit;
    put.author = o->author;
    put.comment = o->comment;
    Muster__V1__PutQueueResponse *answer = NULL;
    struct muster_status status;
    int end = EXIT_CODE_OK;
    if (muster_put_queue(client, &put, NULL, &answer, &status) != MUSTER_OK) {
        end = command_fail_status(&status);
    } else if (o->json) {
        command_print(&answer->base);
    } else {
        printf("%s version %u%s\n", answer->queue->name, answer->queue->version,
               answer->changed ? "" : " (unchanged)");
        for (size_t i = 0; i < answer->n_notes; i++)
            printf("  note: %s\n", answer->notes[i]);
    }
    muster_free(answer);
    mem_free(text);
    return end;
}

static int list_queues(struct muster_client *client, const struct queue_options *o) {
    Muster__V1__ListQueuesRequest request = MUSTER__V1__LIST_QUEUES_REQUEST__INIT;
    Muster__V1__ListQueuesResponse *answer = NULL;
    struct muster_status status;
    if (muster_list_queues(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    for (size_t i = 0; i < answer->n_queues; i++) {
        if (o->json)
            command_print(&answer->queues[i]->base);
        else
            printf("%s version %u\n", answer->queues[i]->name, answer->queues[i]->version);
    }
    muster_free(answer);
    return EXIT_CODE_OK;
}

static int get_queue(struct muster_client *client, const char *name,
                     const struct queue_options *o) {
    Muster__V1__GetQueueRequest request = MUSTER__V1__GET_QUEUE_REQUEST__INIT;
    request.name = (char *)name;
    request.version = (uint32_t)o->version;
    Muster__V1__GetQueueResponse *answer = NULL;
    struct muster_status status;
    if (muster_get_queue(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    command_print(&answer->queue->base);
    muster_free(answer);
    return EXIT_CODE_OK;
}

static void print_version(const Muster__V1__QueueVersion *v) {
    const Muster__V1__Queue *q = v->queue;
    time_t put_s = (time_t)(q->update_time_ms / 1000);
    struct tm utc;
    char when[32];
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&put_s, &utc));
    printf("%s version %u, %s%s%s%s%s\n", q->name, q->version, when, q->author[0] ? ", " : "",
           q->author, q->comment[0] ? ": " : "", q->comment);
    for (size_t i = 0; i < v->n_changes; i++)
        printf("  %s\n", v->changes[i]);
    if (v->changes_left_out) printf("  and %u changes more\n", v->changes_left_out);
}

static int list_versions(struct muster_client *client, const char *name,
                         const struct queue_options *o) {
    Muster__V1__ListQueueVersionsRequest request = MUSTER__V1__LIST_QUEUE_VERSIONS_REQUEST__INIT;
    request.name = (char *)name;
    Muster__V1__ListQueueVersionsResponse *answer = NULL;
    struct muster_status status;
    if (muster_list_queue_versions(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    for (size_t i = 0; i < answer->n_versions; i++) {
        if (o->json)
            command_print(&answer->versions[i]->base);
        else
            print_version(answer->versions[i]);
    }
    muster_free(answer);
    return EXIT_CODE_OK;
}

static int delete_queue(struct muster_client *client, const char *name,
                        const struct queue_options *o) {
    Muster__V1__DeleteQueueRequest request = MUSTER__V1__DELETE_QUEUE_REQUEST__INIT;
    request.name = (char *)name;
    request.cancel_tickets = o->cancel_tickets;
    Muster__V1__DeleteQueueResponse *answer = NULL;
    struct muster_status status;
    if (muster_delete_queue(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    muster_free(answer);
    return EXIT_CODE_OK;
}

static int queue_stats(struct muster_client *client, const char *name) {
    Muster__V1__GetQueueStatsRequest request = MUSTER__V1__GET_QUEUE_STATS_REQUEST__INIT;
    request.name = (char *)name;
    Muster__V1__GetQueueStatsResponse *answer = NULL;
    struct muster_status status;
    if (muster_get_queue_stats(client, &request, NULL, &answer, &status) != MUSTER_OK)
        return command_fail_status(&status);
    command_print(&answer->base);
    muster_free(answer);
    return EXIT_CODE_OK;
}

static int with_client(const char *verb, const char *operand, const struct queue_options *o) {
    struct muster_client *client = command_client(&o->client);
    if (!client) return EXIT_CODE_USAGE;
    int end = EXIT_CODE_USAGE;
    if (strcmp(verb, "list") == 0)
        end = list_queues(client, o);
    else if (strcmp(verb, "put") == 0)
        end = each_definition(operand, o, put_one, client);
    else if (strcmp(verb, "validate") == 0)
        end = validate(client, operand, o);
    else if (strcmp(verb, "get") == 0)
        end = get_queue(client, operand, o);
    else if (strcmp(verb, "versions") == 0)
        end = list_versions(client, operand, o);
    else if (strcmp(verb, "delete") == 0)
        end = delete_queue(client, operand, o);
    else
        end = queue_stats(client, operand);
    muster_close(client);
    return end;
}

int queue_command(int argc, char **argv) {
    static const char *const verbs[] = {"put",   "get",   "versions", "list",   "delete",
                                        "stats", "check", "validate", "explain"};
    struct queue_options o = {0};
    struct config c;
    config_init(&c, rows, sizeof rows / sizeof rows[0], &o);
    int end = command_options(&c, &argc, argv, usage);
    if (end < 0) {
        const char *verb = command_verb(argc, argv, verbs, sizeof verbs / sizeof verbs[0], usage);
        int operands = verb && strcmp(verb, "list") == 0 ? 0 : 1;
        if (!verb || !command_operands(argc, argv, operands, usage))
            end = EXIT_CODE_USAGE;
        else if (strcmp(verb, "check") == 0)
            end = check(argv[2], &o);
        else if (strcmp(verb, "explain") == 0)
            end = explain(argv[2], &o);
        else
            end = with_client(verb, argv[2], &o);
    }
    config_fini(&c);
    return end;
}
