/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses and expands a file at several levels: lz FILE REPEATS LEVEL... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lz.h"

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    long length;

    if (!f)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (length = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
        *size = (size_t)length;
        data = malloc(*size);
        if (data && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}

static uint32_t fnv(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: lz FILE REPEATS LEVEL...\n");
        return 2;
    }
    size_t size = 0;
    uint8_t *data = read_file(argv[1], &size);
    int repeats = atoi(argv[2]);
    if (!data) {
        fprintf(stderr, "lz: cannot read %s\n", argv[1]);
        return 1;
    }
    uint8_t *packed = malloc(lz_bound(size));
    uint8_t *expanded = malloc(size);
    if (!packed || !expanded) {
        fprintf(stderr, "lz: out of memory\n");
        return 1;
    }
    printf("input %zu bytes, checksum %08x\n", size, fnv(data, size));
    int status = 0;
    for (int i = 3; i < argc; i++) {
        int level = atoi(argv[i]);
        if (level < 1 || level > 9) {
            fprintf(stderr, "lz: level %s is not 1..9\n", argv[i]);
            status = 2;
            break;
        }
        size_t packed_size = lz_compress(data, size, packed, level);
        int good = lz_expanded_size(packed, packed_size) == size;
        for (int r = 0; r < repeats; r++) {
            memset(expanded, 0, size);
            good &= lz_expand(packed, packed_size, expanded, size) == size;
            good &= memcmp(data, expanded, size) == 0;
        }
        printf("level %d: %zu bytes, checksum %08x, %s\n", level, packed_size, fnv(packed, packed_size),
               good ? "restored" : "NOT RESTORED");
        if (!good)
            status = 1;
    }
    free(data);
    free(packed);
    free(expanded);
    return status;
}
