/* export.h - a realm's events, from the start of its journal to its end, as JSON lines.
 *
 * Read through the server's door (ReplayEvents), with players anonymised (wire/anonymise.h) by a
 * hash whose key is drawn anew each time. The queues' definitions come first, so that the recording
 * can be replayed. Blocks. Thread safety: none.
 */
#ifndef MUSTER_APP_EXPORT_H
#define MUSTER_APP_EXPORT_H

#include "base/err.h"
#include "base/str.h"

#include <muster/client.h>

/* Takes a line with its newline, borrowed for the call. False ends the export. */
typedef bool (*export_line_fn)(void *arg, struct str line);

struct export {
    struct muster_client *client;
    const char
        *hash_lists; /* further attributes, comma-separated, whose lists hold players' names */
    export_line_fn line;
    void *arg;
    uint64_t events; /* out: lines written */
};

/* Errors as the calls have them; CANCELLED when a line was not taken. */
enum err export_events(struct export *e, struct err_text *why) ERR_CHECKED;

#endif
