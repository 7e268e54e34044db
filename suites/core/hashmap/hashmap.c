/* SPDX-License-Identifier: Apache-2.0 */
/* A hash map with open addressing and deletion, used to count words: hashmap SEED KEYS OPERATIONS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 24

typedef uint64_t (*hash_fn)(const char *key);

struct slot {
    uint64_t hash; /* 0: never used */
    const char *key; /* NULL: deleted, if hash is not 0 */
    int64_t value;
};

struct map {
    struct slot *slots;
    size_t capacity; /* a power of two */
    size_t live;
    size_t used; /* live and deleted */
    hash_fn hash;
    uint64_t probes;
};

static uint64_t hash_fnv(const char *key)
{
    uint64_t h = 14695981039346656037u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h ^ h >> 29;
}

/* Eight bytes at a time. */
static uint64_t hash_mix(const char *key)
{
    size_t size = strlen(key);
    uint64_t h = size * 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        for (size_t j = 0; j < 8 && i + j < size; j++)
            word |= (uint64_t)(unsigned char)key[i + j] << 8 * j;
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h;
}

static int map_init(struct map *map, hash_fn hash)
{
    *map = (struct map){.capacity = 64, .hash = hash};
    map->slots = calloc(map->capacity, sizeof *map->slots);
    return map->slots ? 0 : -1;
}

static void map_free(struct map *map)
{
    free(map->slots);
}

static uint64_t key_hash(const struct map *map, const char *key)
{
    uint64_t hash = map->hash(key);
    return hash ? hash : 1;
}

/* The slot of the key, or the slot where it would be put. */
static struct slot *locate(struct map *map, const char *key, uint64_t hash)
{
    size_t mask = map->capacity - 1;
    struct slot *deleted = NULL;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &map->slots[i];
        map->probes++;
        if (slot->hash == 0)
            return deleted ? deleted : slot;
        if (!slot->key) {
            if (!deleted)
                deleted = slot;
        } else if (slot->hash == hash && strcmp(slot->key, key) == 0) {
            return slot;
        }
    }
}

static int grow(struct map *map)
{
    struct map larger = *map;
    larger.capacity = map->live * 4 > map->capacity ? map->capacity * 2 : map->capacity;
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key)
            *locate(&larger, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    larger.used = map->live;
    free(map->slots);
    *map = larger;
    return 0;
}

/* The value of the key, put in as 0 if it was absent; NULL when out of memory. */
static int64_t *map_at(struct map *map, const char *key)
{
    if (map->used * 4 >= map->capacity * 3 && grow(map) != 0)
        return NULL;
    uint64_t hash = key_hash(map, key);
    struct slot *slot = locate(map, key, hash);
    if (!slot->key) {
        map->used += slot->hash == 0;
        map->live++;
        *slot = (struct slot){hash, key, 0};
    }
    return &slot->value;
}

static const int64_t *map_find(struct map *map, const char *key)
{
    struct slot *slot = locate(map, key, key_hash(map, key));
    return slot->key ? &slot->value : NULL;
}

static int map_remove(struct map *map, const char *key)
{
    struct slot *slot = locate(map, key, key_hash(map, key));
    if (!slot->key)
        return 0;
    slot->key = NULL;
    map->live--;
    return 1;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void fill_keys(char (*keys)[KEY_SIZE], size_t count, uint64_t *random)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t r = next_random(random);
        int size = 3 + (int)(r % 17);
        for (int n = 0; n < size; n++)
            keys[i][n] = (char)('a' + (next_random(random) >> 40) % 26);
        keys[i][size] = '\0';
    }
}

/* Small indices are far more frequent. */
static size_t skewed(size_t limit, uint64_t *random)
{
    uint64_t r = next_random(random);
    size_t a = (size_t)(r & 0xffffff) * limit >> 24, b = (size_t)(r >> 40) * (a + 1) >> 24;
    return b;
}

struct result {
    uint64_t added, found, absent, removed;
    int64_t sum;
};

static int exercise(struct map *map, char (*keys)[KEY_SIZE], size_t count, size_t operations, uint64_t random,
                    struct result *result)
{
    for (size_t i = 0; i < operations; i++) {
        const char *key = keys[skewed(count, &random)];
        uint64_t choice = next_random(&random) % 10;
        if (choice < 5) {
            int64_t *value = map_at(map, key);
            if (!value)
                return -1;
            *value += (int64_t)(i % 1000);
            result->added++;
        } else if (choice < 9) {
            const int64_t *value = map_find(map, key);
            if (value) {
                result->found++;
                result->sum += *value;
            } else {
                result->absent++;
            }
        } else {
            result->removed += (uint64_t)map_remove(map, key);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        hash_fn hash;
    } hashes[] = {{"fnv", hash_fnv}, {"mix", hash_mix}};

    if (argc != 4) {
        fprintf(stderr, "usage: hashmap SEED KEYS OPERATIONS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    size_t count = strtoul(argv[2], NULL, 10), operations = strtoul(argv[3], NULL, 10);
    char(*keys)[KEY_SIZE] = malloc(count * sizeof *keys);
    if (count == 0 || !keys)
        return 1;
    fill_keys(keys, count, &random);
    for (size_t h = 0; h < sizeof hashes / sizeof hashes[0]; h++) {
        struct map map;
        struct result r = {0, 0, 0, 0, 0};
        if (map_init(&map, hashes[h].hash) != 0 || exercise(&map, keys, count, operations, random, &r) != 0) {
            fprintf(stderr, "hashmap: out of memory\n");
            return 1;
        }
        printf("%s: added %llu found %llu absent %llu removed %llu sum %lld\n", hashes[h].name,
               (unsigned long long)r.added, (unsigned long long)r.found, (unsigned long long)r.absent,
               (unsigned long long)r.removed, (long long)r.sum);
        printf("%s: live %zu of %zu slots, %llu probes\n", hashes[h].name, map.live, map.capacity,
               (unsigned long long)map.probes);
        map_free(&map);
    }
    free(keys);
    return 0;
}
