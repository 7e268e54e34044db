/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a JSON file, sums it up and writes it again: json FILE ROUNDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

struct summary {
    size_t count[JSON_OBJECT + 1];
    size_t letters;
    int depth;
    double sum; /* of the numbers of moderate size */
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

static void sum_up(const struct json *json, int depth, struct summary *summary)
{
    summary->count[json->kind]++;
    if (depth > summary->depth)
        summary->depth = depth;
    if (json->kind == JSON_STRING)
        summary->letters += strlen(json->string);
    if (json->kind == JSON_NUMBER && json->number > -1e6 && json->number < 1e6)
        summary->sum += json->number;
    for (const struct json *item = json->items; item; item = item->next)
        sum_up(item, depth + 1, summary);
}

static size_t count_tags(const struct json *records)
{
    size_t tags = 0;
    for (const struct json *record = records->items; record; record = record->next) {
        const struct json *list = json_member(record, "tags");
        for (const struct json *tag = list ? list->items : NULL; tag; tag = tag->next)
            tags++;
    }
    return tags;
}

static uint32_t fnv(const char *bytes, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    return hash;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: json FILE ROUNDS\n");
        return 2;
    }
    size_t size = 0;
    char *text = read_file(argv[1], &size);
    if (!text) {
        fprintf(stderr, "json: cannot read %s\n", argv[1]);
        return 1;
    }
    struct summary summary = {.depth = 0};
    struct buffer out = {NULL, 0, 0, 0};
    size_t tags = 0;
    for (int round = 0; round < atoi(argv[2]); round++) {
        struct arena arena = {NULL, 0};
        struct json *json = json_parse(text, size, &arena);
        if (!json) {
            fprintf(stderr, "json: %s is not valid JSON\n", argv[1]);
            return 1;
        }
        sum_up(json, 1, &summary);
        tags += count_tags(json);
        out.size = 0;
        json_write(json, &out);
        arena_free(&arena);
    }
    printf("objects %zu arrays %zu strings %zu numbers %zu true %zu false %zu null %zu\n",
           summary.count[JSON_OBJECT], summary.count[JSON_ARRAY], summary.count[JSON_STRING],
           summary.count[JSON_NUMBER], summary.count[JSON_TRUE], summary.count[JSON_FALSE], summary.count[JSON_NULL]);
    printf("depth %d letters %zu tags %zu sum %.3f\n", summary.depth, summary.letters, tags, summary.sum);
    printf("written %zu bytes, checksum %08x\n", out.size, fnv(out.bytes, out.size));
    free(out.bytes);
    free(text);
    return out.failed;
}
