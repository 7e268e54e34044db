/* SPDX-License-Identifier: Apache-2.0 */
/* A trie with sorted sibling lists in one array: word counts and prefix queries: trie WORDS QUERIES ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE 0 /* node 0 is the root and nobody's child */

struct node {
    uint32_t child;   /* first child */
    uint32_t sibling; /* next child of the same parent, with a larger letter */
    uint32_t words;   /* how often this very word was inserted */
    uint32_t below;   /* how many insertions went through here */
    unsigned char letter;
};

struct trie {
    struct node *nodes;
    uint32_t count;
    uint32_t capacity;
};

struct text {
    char *bytes;
    char **lines;
    size_t count;
};

static int trie_init(struct trie *trie)
{
    trie->capacity = 1024;
    trie->count = 1;
    trie->nodes = calloc(trie->capacity, sizeof *trie->nodes);
    return trie->nodes ? 0 : -1;
}

/* Returns the index of a new node, or NONE when out of memory. */
static uint32_t new_node(struct trie *trie, unsigned char letter)
{
    if (trie->count == trie->capacity) {
        struct node *nodes = realloc(trie->nodes, 2u * trie->capacity * sizeof *nodes);
        if (!nodes)
            return NONE;
        trie->nodes = nodes;
        trie->capacity *= 2;
    }
    trie->nodes[trie->count] = (struct node){.letter = letter};
    return trie->count++;
}

static uint32_t find_child(const struct trie *trie, uint32_t parent, unsigned char letter)
{
    uint32_t n = trie->nodes[parent].child;
    while (n != NONE && trie->nodes[n].letter < letter)
        n = trie->nodes[n].sibling;
    return n != NONE && trie->nodes[n].letter == letter ? n : NONE;
}

static uint32_t find_or_add_child(struct trie *trie, uint32_t parent, unsigned char letter)
{
    uint32_t before = NONE, n = trie->nodes[parent].child;

    while (n != NONE && trie->nodes[n].letter < letter) {
        before = n;
        n = trie->nodes[n].sibling;
    }
    if (n != NONE && trie->nodes[n].letter == letter)
        return n;
    uint32_t added = new_node(trie, letter);
    if (added == NONE)
        return NONE;
    trie->nodes[added].sibling = n;
    if (before == NONE)
        trie->nodes[parent].child = added;
    else
        trie->nodes[before].sibling = added;
    return added;
}

static int trie_insert(struct trie *trie, const char *word)
{
    uint32_t n = 0;
    trie->nodes[0].below++;
    for (; *word; word++) {
        n = find_or_add_child(trie, n, (unsigned char)*word);
        if (n == NONE)
            return -1;
        trie->nodes[n].below++;
    }
    trie->nodes[n].words++;
    return 0;
}

static const struct node *trie_find(const struct trie *trie, const char *prefix)
{
    uint32_t n = 0;
    for (; *prefix; prefix++) {
        n = find_child(trie, n, (unsigned char)*prefix);
        if (n == NONE)
            return NULL;
    }
    return &trie->nodes[n];
}

/* Calls itself for every child; the words come in alphabetical order. */
static void walk(const struct trie *trie, uint32_t n, size_t depth, uint64_t *hash, size_t *longest)
{
    const struct node *node = &trie->nodes[n];
    *hash = (*hash ^ node->letter) * 1099511628211u + node->words;
    if (node->words && depth > *longest)
        *longest = depth;
    for (uint32_t c = node->child; c != NONE; c = trie->nodes[c].sibling)
        walk(trie, c, depth + 1, hash, longest);
}

static int read_lines(const char *path, struct text *text)
{
    FILE *f = fopen(path, "rb");
    long size;

    memset(text, 0, sizeof *text);
    if (!f)
        return -1;
    if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0 &&
        (text->bytes = malloc((size_t)size + 1)) != NULL &&
        fread(text->bytes, 1, (size_t)size, f) == (size_t)size) {
        text->bytes[size] = '\0';
        text->lines = malloc(((size_t)size / 2 + 1) * sizeof *text->lines);
    }
    fclose(f);
    if (!text->lines)
        return -1;
    for (char *p = strtok(text->bytes, "\n"); p; p = strtok(NULL, "\n"))
        text->lines[text->count++] = p;
    return 0;
}

static void free_lines(struct text *text)
{
    free(text->bytes);
    free(text->lines);
}

int main(int argc, char **argv)
{
    struct text words, queries;

    if (argc != 4) {
        fprintf(stderr, "usage: trie WORDS QUERIES ROUNDS\n");
        return 2;
    }
    if (read_lines(argv[1], &words) != 0 || read_lines(argv[2], &queries) != 0) {
        fprintf(stderr, "trie: cannot read %s or %s\n", argv[1], argv[2]);
        return 1;
    }
    int rounds = atoi(argv[3]);
    uint64_t found = 0, absent = 0, completions = 0, hash = 14695981039346656037u;
    size_t longest = 0;
    uint32_t nodes = 0;
    for (int round = 0; round < rounds; round++) {
        struct trie trie;
        if (trie_init(&trie) != 0)
            return 1;
        for (size_t i = 0; i < words.count; i++)
            if (i % 5 != (size_t)round % 5 && trie_insert(&trie, words.lines[i]) != 0)
                return 1;
        for (size_t i = 0; i < queries.count; i++) {
            const char *query = queries.lines[i]; /* "= word" or "^ prefix" */
            const struct node *node = trie_find(&trie, query + 2);
            if (query[0] == '^')
                completions += node ? node->below : 0;
            else if (node && node->words)
                found++;
            else
                absent++;
        }
        walk(&trie, 0, 0, &hash, &longest);
        nodes = trie.count;
        free(trie.nodes);
    }
    printf("words %zu queries %zu nodes %u longest %zu\n", words.count, queries.count, nodes, longest);
    printf("found %llu absent %llu completions %llu\n", (unsigned long long)found, (unsigned long long)absent,
           (unsigned long long)completions);
    printf("hash %016llx\n", (unsigned long long)hash);
    free_lines(&words);
    free_lines(&queries);
    return 0;
}
