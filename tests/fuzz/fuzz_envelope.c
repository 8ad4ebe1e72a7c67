/* fuzz_envelope.c - any bytes as a Request; what is accepted keeps the header's promises. */
#include "base/limits.h"
#include "wire/envelope.h"
#include "wire/method.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct envelope e;
    struct err_text why;
    struct strbuf response = {0};
    enum err code = envelope_decode((struct str){(const char *)data, size}, &e, &why);
    if (code == ERR_OK) {
        require(e.method.size <= 128 && str_utf8_valid(e.method));
        require(e.timeout_ms <= LIMIT_TIMEOUT_MS);
        require(e.request_id.size == 0 || str_name_valid(e.request_id));
        require(e.authorization.size <= 4096 && str_utf8_valid(e.authorization));
        require(e.traceparent.size <= 4096 && str_utf8_valid(e.traceparent));
        (void)method_find(e.method);
    }
    envelope_encode_response(code, code == ERR_OK ? NULL : &why, e.payload, &response);
    strbuf_fini(&response);
    return 0;
}
