/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the matches of some patterns in the lines of a file: regex FILE ROUNDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regex.h"

static const char *const patterns[] = {
    "ERROR",
    "10\\.3\\.\\d+\\.\\d+",
    "^2024-0[1-6]-\\d\\d",
    "[a-z]+@[a-z]+\\.org",
    "took (1|2)\\d\\d\\d?\\.\\d+ ms",
    "(GET|POST) /[a-z]+/[^ ]*\\.html (200|404)$",
    "\\[(WARN|ERROR)\\] [\\d.]+ (user=|took)",
    "(st|tr|pl)[a-z]*(ing|ock|est)",
    "id=[0-9a-f]*[a-f][a-f][0-9a-f]*$",
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
        text = malloc(*size);
        if (text && fread(text, 1, *size, f) != *size) {
            free(text);
            text = NULL;
        }
    }
    fclose(f);
    return text;
}

struct counts {
    size_t lines;
    size_t matches;
    size_t letters;
    uint32_t checksum;
};

static void count_line(const struct regex *regex, const char *line, size_t size, struct counts *counts)
{
    size_t from = 0, before = counts->matches;
    struct span span;

    while (from <= size && regex_search(regex, line, size, from, &span)) {
        counts->matches++;
        counts->letters += span.end - span.start;
        counts->checksum = counts->checksum * 31 + (uint32_t)(span.start * 257 + span.end);
        from = span.end > span.start ? span.end : span.end + 1;
    }
    counts->lines += counts->matches > before;
}

static void count_all(const struct regex *regex, const char *text, size_t size, struct counts *counts)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        count_line(regex, text + at, length, counts);
        at += length + 1;
    }
}

int main(int argc, char **argv)
{
    static struct regex regex;
    size_t size = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: regex FILE ROUNDS\n");
        return 2;
    }
    char *text = read_file(argv[1], &size);
    if (!text) {
        fprintf(stderr, "regex: cannot read %s\n", argv[1]);
        return 1;
    }
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *error = regex_compile(patterns[i], &regex);
        if (error) {
            fprintf(stderr, "regex: %s: %s\n", patterns[i], error);
            free(text);
            return 1;
        }
        struct counts counts = {0, 0, 0, 0};
        for (int round = 0; round < atoi(argv[2]); round++)
            count_all(&regex, text, size, &counts);
        printf("%zu matches in %zu lines, %zu letters, checksum %08x: %s\n", counts.matches, counts.lines,
               counts.letters, counts.checksum, patterns[i]);
    }
    free(text);
    return 0;
}
