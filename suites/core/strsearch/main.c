/* SPDX-License-Identifier: Apache-2.0 */
/* Searches a text for patterns with several algorithms: strsearch TEXT PATTERNS ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

static const struct {
    const char *name;
    search_fn search;
} methods[] = {
    {"naive", search_naive},           {"kmp", search_kmp},
    {"horspool", search_horspool},     {"rabin-karp", search_rabin_karp},
    {"shift-and", search_shift_and},   {"folded", search_folded},
};

static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long length;

    if (!f)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (length = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
        *size = (size_t)length;
        text = malloc(*size + 1);
        if (text && fread(text, 1, *size, f) != *size) {
            free(text);
            text = NULL;
        }
        if (text)
            text[*size] = '\0';
    }
    fclose(f);
    return text;
}

/* Searches for each line of patterns in turn. */
static void run(const char *name, search_fn search, const char *text, size_t size, const char *patterns, int rounds)
{
    uint64_t total = 0, positions = 0;

    for (int round = 0; round < rounds; round++) {
        size_t start = (size_t)round * 101 % size; /* another alignment each time */
        for (const char *p = patterns; *p;) {
            size_t length = strcspn(p, "\n");
            if (length > 0 && length <= PATTERN_MAX) {
                struct hits hits = search(text + start, size - start, p, length);
                total += hits.count;
                positions = positions * 31 + hits.last;
            }
            p += length;
            p += *p == '\n';
        }
    }
    printf("%-10s %llu found, positions %016llx\n", name, (unsigned long long)total, (unsigned long long)positions);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: strsearch TEXT PATTERNS ROUNDS\n");
        return 2;
    }
    size_t size = 0, patterns_size = 0;
    char *text = read_file(argv[1], &size);
    char *patterns = read_file(argv[2], &patterns_size);
    if (!text || !patterns) {
        fprintf(stderr, "strsearch: cannot read %s\n", argv[text ? 2 : 1]);
        return 1;
    }
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++)
        run(methods[m].name, methods[m].search, text, size, patterns, atoi(argv[3]));
    free(text);
    free(patterns);
    return 0;
}
