/* answer.c - answers that say a ticket, or why there is none. */
#include "matcher/answer.h"

#include "matcher/decide.h"
#include "matcher/matcher_state.h"
#include "wire/request.h"
#include "wire/response.h"

void answer_fail(struct matcher *m, struct call *c, enum err code, const struct err_text *why) {
    batch_reply(&m->batch, c, code, why, STR_EMPTY);
}

void answer_ok(struct matcher *m, struct call *c) {
    batch_reply(&m->batch, c, ERR_OK, NULL, strbuf_str(&m->answer));
}

static const struct match *match_of(const struct matcher *m, const struct ticket *t) {
    struct id match_id = ticket_match_id(t);
    return id_is_none(match_id) ? NULL : realm_match(m->realm, match_id);
}

void answer_ticket(struct matcher *m, struct call *c, const struct ticket *t) {
    response_ticket(t, realm_wait(m->realm, t, decide_now_ms(m)), match_of(m, t), &m->answer);
    answer_ok(m, c);
}

void answer_not_found(struct matcher *m, struct call *c, const char *what, struct str name) {
    struct err_text why;
    answer_fail(m, c, err_set(&why, ERR_NOT_FOUND, "no %s %.*s here", what, STR_PRINT(name)), &why);
}

void answer_id_not_found(struct matcher *m, struct call *c, const char *what, struct id id) {
    char text[ID_TEXT_BYTES];
    id_format(id, text);
    answer_not_found(m, c, what, str_of(text));
}

void answer_watch(struct matcher *m, struct call *c) {
    struct request *r = c->command;
    const struct ticket *t = realm_ticket(m->realm, r->watch.ticket_id);
    strbuf_clear(&m->answer);
    if (t)
        answer_ticket(m, c, t);
    else
        answer_id_not_found(m, c, "ticket", r->watch.ticket_id);
}
