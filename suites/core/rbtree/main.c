/* SPDX-License-Identifier: Apache-2.0 */
/* Events in a red-black tree: inserts, searches, an event loop: rbtree SEED EVENTS SEARCHES */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tree.h"

struct event {
    uint32_t time;
    uint32_t id;
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int compare_events(const void *x, const void *y)
{
    const struct event *a = x, *b = y;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static void hash_event(const void *item, void *context)
{
    const struct event *event = item;
    uint64_t *hash = context;
    *hash = (*hash ^ event->time) * 1099511628211u + event->id;
}

static void report(const char *label, const struct tree *tree)
{
    uint64_t hash = 14695981039346656037u;
    tree_walk(tree, hash_event, &hash);
    printf("%-8s %zu events, black height %d, hash %016llx\n", label, tree->count, tree_check(tree),
           (unsigned long long)hash);
}

/* Every second search is for an event that is there. */
static void search(const struct tree *tree, const struct event *events, size_t searches, uint64_t *random)
{
    size_t found = 0, later = 0;
    uint64_t waits = 0;

    for (size_t i = 0; i < searches; i++) {
        uint64_t r = next_random(random);
        struct event key = {(uint32_t)(r >> 44), (uint32_t)(r & 7)};
        if (i % 2 == 0)
            key = events[r % tree->count];
        found += tree_find(tree, &key) != NULL;
        const struct event *next = tree_ceiling(tree, &key);
        if (next) {
            later++;
            waits += next->time - key.time;
        }
    }
    printf("searches %zu found %zu later %zu waits %llu\n", searches, found, later, (unsigned long long)waits);
}

/* Takes the next event again and again; most events come back later. */
static void event_loop(struct tree *tree, struct event *events, size_t turns, uint64_t *random)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < turns; i++) {
        const struct event *next = tree_pop(tree);
        if (!next)
            break;
        hash = hash * 31 + next->id;
        uint64_t r = next_random(random);
        if (r % 8 == 0)
            continue;
        struct event *again = &events[next->id];
        again->time += (uint32_t)(r >> 48);
        tree_insert(tree, again);
    }
    printf("loop hash %016llx\n", (unsigned long long)hash);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: rbtree SEED EVENTS SEARCHES\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    size_t count = strtoul(argv[2], NULL, 10), searches = strtoul(argv[3], NULL, 10);
    struct event *events = malloc((count + 1) * sizeof *events);
    struct tree tree;

    if (!events) {
        fprintf(stderr, "rbtree: out of memory\n");
        return 1;
    }
    tree_init(&tree, compare_events);
    for (size_t i = 0; i < count; i++) {
        events[i] = (struct event){(uint32_t)(next_random(&random) >> 44), (uint32_t)i};
        tree_insert(&tree, &events[i]);
    }
    report("inserted", &tree);
    search(&tree, events, searches, &random);
    event_loop(&tree, events, 4 * count, &random);
    report("left", &tree);
    int good = tree_check(&tree) >= 0;
    tree_free(&tree);
    free(events);
    return good ? 0 : 1;
}
