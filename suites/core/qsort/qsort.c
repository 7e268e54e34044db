/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts records by several keys, with a generic quicksort and with the library's: qsort SEED COUNT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 12
#define NAME_SIZE 12

typedef int (*compare_fn)(const void *, const void *);

struct record {
    uint32_t id; /* unique, so that every order is total */
    int32_t score;
    double weight;
    char name[NAME_SIZE];
};

struct order {
    const char *name;
    compare_fn compare;
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void swap_items(char *a, char *b, size_t size)
{
    char item[64];
    while (size > 0) {
        size_t part = size < sizeof item ? size : sizeof item;
        memcpy(item, a, part);
        memcpy(a, b, part);
        memcpy(b, item, part);
        a += part;
        b += part;
        size -= part;
    }
}

static void insertion_sort(char *base, size_t count, size_t size, compare_fn compare)
{
    for (size_t i = 1; i < count; i++)
        for (char *p = base + i * size; p > base && compare(p - size, p) > 0; p -= size)
            swap_items(p - size, p, size);
}

static char *median_of_three(char *a, char *b, char *c, compare_fn compare)
{
    if (compare(a, b) < 0)
        return compare(b, c) < 0 ? b : compare(a, c) < 0 ? c : a;
    return compare(a, c) < 0 ? a : compare(b, c) < 0 ? c : b;
}

/* Hoare partition around the median of three; recursion on the smaller side only. */
static void quicksort(void *items, size_t count, size_t size, compare_fn compare)
{
    char *base = items;

    while (count > SMALL) {
        char *last = base + (count - 1) * size;
        swap_items(base, median_of_three(base, base + count / 2 * size, last, compare), size);
        char *left = base, *right = last + size;
        for (;;) {
            do
                left += size;
            while (left < last && compare(left, base) < 0);
            do
                right -= size;
            while (compare(right, base) > 0);
            if (left >= right)
                break;
            swap_items(left, right, size);
        }
        swap_items(base, right, size);
        size_t before = (size_t)(right - base) / size;
        size_t after = count - before - 1;
        if (before < after) {
            quicksort(base, before, size, compare);
            base = right + size;
            count = after;
        } else {
            quicksort(right + size, after, size, compare);
            count = before;
        }
    }
    insertion_sort(base, count, size, compare);
}

static int compare_ids(const struct record *a, const struct record *b)
{
    return (a->id > b->id) - (a->id < b->id);
}

static int by_score(const void *x, const void *y)
{
    const struct record *a = x, *b = y;
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return compare_ids(a, b);
}

static int by_weight(const void *x, const void *y)
{
    const struct record *a = x, *b = y;
    if (a->weight != b->weight)
        return a->weight < b->weight ? -1 : 1;
    return compare_ids(a, b);
}

static int by_name(const void *x, const void *y)
{
    const struct record *a = x, *b = y;
    int order = strcmp(a->name, b->name);
    return order ? order : compare_ids(a, b);
}

static int by_id(const void *x, const void *y)
{
    return compare_ids(x, y);
}

static const struct order orders[] = {
    {"score", by_score},
    {"weight", by_weight},
    {"name", by_name},
    {"id", by_id},
};

static void fill(struct record *records, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        struct record *r = &records[i];
        r->id = (uint32_t)(i * 2654435761u);
        r->score = (int32_t)(next_random(&seed) % 20001) - 10000;
        r->weight = (double)(next_random(&seed) >> 40) / 1024.0;
        uint64_t letters = next_random(&seed);
        memset(r->name, 0, sizeof r->name);
        for (int n = 0; n < 3 + (int)(i % 8); n++, letters /= 26)
            r->name[n] = (char)('a' + letters % 26);
    }
}

static uint64_t checksum(const struct record *records, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum = sum * 6364136223846793005u + records[i].id;
    return sum;
}

static size_t disorder(const struct record *records, size_t count, compare_fn compare)
{
    size_t wrong = 0;
    for (size_t i = 1; i < count; i++)
        wrong += compare(&records[i - 1], &records[i]) >= 0;
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: qsort SEED COUNT\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    size_t count = strtoul(argv[2], NULL, 10);
    struct record *mine = malloc(count * sizeof *mine);
    struct record *library = malloc(count * sizeof *library);
    if (count == 0 || !mine || !library) {
        fprintf(stderr, "qsort: cannot sort %zu records\n", count);
        return 1;
    }
    fill(mine, count, seed);
    memcpy(library, mine, count * sizeof *mine);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        quicksort(mine, count, sizeof *mine, orders[i].compare);
        qsort(library, count, sizeof *library, orders[i].compare);
        const struct record *middle = &mine[count / 2];
        printf("by %-6s checksum %016llx, wrong %zu, median %d %.3f %s, %s\n", orders[i].name,
               (unsigned long long)checksum(mine, count), disorder(mine, count, orders[i].compare),
               middle->score, middle->weight, middle->name,
               checksum(mine, count) == checksum(library, count) ? "same as qsort" : "DIFFERS");
    }
    free(mine);
    free(library);
    return 0;
}
