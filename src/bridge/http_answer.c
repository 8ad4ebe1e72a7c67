/* http_answer.c - status line, headers, CORS, body. */
#include "bridge/http_answer.h"

#include <string.h>

static const char *status_text(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Payload Too Large";
    case 426:
        return "Upgrade Required";
    case 503:
        return "Service Unavailable";
    default:
        return status < 500 ? "Bad Request" : "Internal Server Error";
    }
}

bool http_answer_repeatable(struct str value) {
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.at[i] < 0x20 || value.at[i] == 0x7f) return false;
    return value.size > 0;
}

static void add_cors(struct strbuf *out, const struct eio_answer *a) {
    if (!a->allow_origin) return;
    strbuf_printf(out, "Access-Control-Allow-Origin: %s\r\n", a->allow_origin);
    if (strcmp(a->allow_origin, "*") != 0) strbuf_add_str(out, STR("Vary: Origin\r\n"));
    if (!a->preflight) return;
    strbuf_add_str(out, STR("Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"));
    if (http_answer_repeatable(a->allow_headers))
        strbuf_printf(out, "Access-Control-Allow-Headers: %.*s\r\n", STR_PRINT(a->allow_headers));
}

/* Everything from here, nothing inline, nobody's frame; markup is never made of text. */
static const struct str page_headers =
    STR("Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n");

void http_answer_write(struct strbuf *out, const struct eio_answer *a, unsigned form) {
    strbuf_printf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\nCache-Control: no-store\r\n",
                  a->status, status_text(a->status));
    if (a->type) strbuf_printf(out, "Content-Type: %s\r\n", a->type);
    if (a->status != 204) strbuf_printf(out, "Content-Length: %zu\r\n", a->body.size);
    if (a->status == 426) strbuf_add_str(out, STR("Sec-WebSocket-Version: 13\r\n"));
    if (form & HTTP_ANSWER_PAGE) strbuf_add_str(out, page_headers);
    add_cors(out, a);
    strbuf_add_str(out, STR("\r\n"));
    if (!(form & HTTP_ANSWER_BODILESS)) strbuf_add_str(out, a->body);
}
