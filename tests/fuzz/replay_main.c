/* replay_main.c - runs a fuzz target over the files of its corpus folder, without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return -1;
    size_t capacity = 1u << 22;
    uint8_t *bytes = malloc(capacity);
    if (!bytes) abort();
    size_t size = fread(bytes, 1, capacity, f);
    fclose(f);
    uint8_t *exact = malloc(size ? size : 1); /* so that ASan sees the first byte past the end */
    if (!exact) abort();
    memcpy(exact, bytes, size);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    DIR *dir = opendir(argv[1]);
    if (!dir) {
        fprintf(stderr, "no corpus folder %s\n", argv[1]);
        return 2;
    }
    int count = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        if (replay_file(path) == 0) count++;
    }
    closedir(dir);
    printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1; /* an empty corpus is a mistake */
}
