/* tls.c - OpenSSL's view of a certificate and its key. */
#include "bridge/tls.h"

#include "base/log.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

/* The first thing OpenSSL has to say; empties its list. */
static const char *complaint(void) {
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "unknown reason";
}

static enum err load(SSL_CTX *ctx, const struct tls_files *files, struct err_text *why) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, files->cert) != 1)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "tls-cert", "tls-cert %.200s: %.150s",
                             files->cert, complaint());
    if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "tls-key", "tls-key %.200s: %.150s",
                             files->key, complaint());
    if (SSL_CTX_check_private_key(ctx) != 1)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "tls-key",
                             "tls-key %.200s does not belong to tls-cert: %.150s", files->key,
                             complaint());
    return ERR_OK;
}

enum err tls_check(const struct tls_files *files, struct err_text *why) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) return err_set(why, ERR_INTERNAL, "no TLS: %.150s", complaint());
    enum err code = load(ctx, files, why);
    SSL_CTX_free(ctx);
    return code;
}

static uint64_t mix(uint64_t digest, uint64_t value) {
    return (digest ^ value) * 0x9e3779b97f4a7c15u + (digest >> 29);
}

static uint64_t digest_of(const struct tls_files *files) {
    const char *paths[] = {files->cert, files->key};
    uint64_t digest = 1;
    for (int i = 0; i < 2; i++) {
        struct stat s = {0};
        if (stat(paths[i], &s) != 0) continue;
        digest = mix(digest, (uint64_t)s.st_ino);
        digest = mix(digest, (uint64_t)s.st_size);
        digest = mix(digest, (uint64_t)s.st_mtim.tv_sec);
        digest = mix(digest, (uint64_t)s.st_mtim.tv_nsec);
    }
    return digest;
}

void tls_watch_init(struct tls_watch *w, const struct tls_files *files) {
    w->seen = digest_of(files);
}

void tls_renew(struct tls_watch *w, const struct tls_files *files, void *ssl_ctx) {
    struct err_text why = {0};
    uint64_t digest = digest_of(files);
    if (digest == w->seen) return;
    w->seen = digest;
    enum err code = tls_check(files, &why);
    if (code == ERR_OK) code = load(ssl_ctx, files, &why);
    if (code == ERR_OK)
        LOG_INFO("certificate-renewed", "cert=%s", log_quote(str_of(files->cert)));
    else
        LOG_WARN("certificate-not-renewed", "why=%s", log_quote(str_of(why.text)));
}
