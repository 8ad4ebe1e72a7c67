/* sio_packet_dump.c - what the packet parser makes of each file of a folder, a JSON line for each:
 * {"file":...,"ok":false} or {"file":...,"ok":true,"type":2,"nsp":"/","id":"7","count":0,
 * "payload":[...]}. For comparison with another parser. */
#include "base/mem.h"
#include "socketio/sio_json.h"
#include "socketio/sio_packet.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH = 64, FILE_BYTES_MAX = 65536 };

static void dump(const char *name, struct str text) {
    struct strbuf line = {0};
    struct sio_packet p;
    strbuf_add_str(&line, STR("{\"file\":"));
    sio_json_escape(&line, str_of(name));
    if (!str_utf8_valid(text)) {
        strbuf_add_str(&line, STR(",\"utf8\":false}"));
    } else if (!sio_packet_parse(text, DEPTH, &p)) {
        strbuf_add_str(&line, STR(",\"ok\":false}"));
    } else {
        strbuf_printf(&line, ",\"ok\":true,\"type\":%d,\"count\":%zu,\"id\":\"%.*s\",\"nsp\":",
                      (int)p.type, p.attachment_count, STR_PRINT(p.id));
        sio_json_escape(&line, p.nsp);
        strbuf_add_str(&line, STR(",\"payload\":"));
        strbuf_add_str(&line, p.payload.size ? p.payload : STR("null"));
        strbuf_add_char(&line, '}');
    }
    for (size_t i = 0; i < line.size; i++) /* white space in a payload */
        if (line.at[i] == '\n' || line.at[i] == '\r') line.at[i] = ' ';
    puts(line.at);
    strbuf_fini(&line);
}

static void dump_file(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) return;
    char *bytes = mem_alloc(FILE_BYTES_MAX);
    size_t size = fread(bytes, 1, FILE_BYTES_MAX, f);
    fclose(f);
    dump(name, (struct str){bytes, size});
    mem_free(bytes);
}

int main(int argc, char **argv) {
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        fprintf(stderr, "usage: sio_packet_dump FOLDER\n");
        return 2;
    }
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.') dump_file(argv[1], e->d_name);
    closedir(dir);
    return 0;
}
