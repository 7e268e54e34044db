/* SPDX-License-Identifier: Apache-2.0 */
/* Huffman coding of generated messages, with a heap-built tree and decoding by walking it: huffman SEED KILOBYTES MESSAGES */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS 256
#define NODES (2 * SYMBOLS)
#define LEAF (-1)

struct node {
    uint64_t weight;
    int left; /* LEAF, or a node */
    int right;
};

struct tree {
    struct node nodes[NODES];
    int count;
    int root;
};

struct code {
    uint64_t bits; /* first bit of the code is the lowest */
    int length;
};

struct heap {
    int items[SYMBOLS];
    int count;
    const struct tree *tree;
};

static int lighter(const struct heap *heap, int a, int b)
{
    uint64_t wa = heap->tree->nodes[a].weight, wb = heap->tree->nodes[b].weight;
    return wa < wb || (wa == wb && a < b);
}

static void heap_push(struct heap *heap, int node)
{
    int i = heap->count++;
    while (i > 0 && lighter(heap, node, heap->items[(i - 1) / 2])) {
        heap->items[i] = heap->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->items[i] = node;
}

static int heap_pop(struct heap *heap)
{
    int top = heap->items[0], last = heap->items[--heap->count];
    int i = 0;
    for (int child; (child = 2 * i + 1) < heap->count; i = child) {
        if (child + 1 < heap->count && lighter(heap, heap->items[child + 1], heap->items[child]))
            child++;
        if (!lighter(heap, heap->items[child], last))
            break;
        heap->items[i] = heap->items[child];
    }
    heap->items[i] = last;
    return top;
}

/* Symbols that do not occur get weight 1, so that every message can be coded. */
static void build_tree(struct tree *tree, const uint64_t weights[SYMBOLS])
{
    struct heap heap = {.tree = tree};

    for (int s = 0; s < SYMBOLS; s++) {
        tree->nodes[s] = (struct node){weights[s] + 1, LEAF, LEAF};
        heap_push(&heap, s);
    }
    tree->count = SYMBOLS;
    while (heap.count > 1) {
        int a = heap_pop(&heap), b = heap_pop(&heap);
        tree->nodes[tree->count] = (struct node){tree->nodes[a].weight + tree->nodes[b].weight, a, b};
        heap_push(&heap, tree->count++);
    }
    tree->root = heap_pop(&heap);
}

static void assign_codes(const struct tree *tree, int n, uint64_t bits, int length, struct code codes[SYMBOLS])
{
    const struct node *node = &tree->nodes[n];
    if (node->left == LEAF) {
        codes[n] = (struct code){bits, length};
        return;
    }
    assign_codes(tree, node->left, bits, length + 1, codes);
    assign_codes(tree, node->right, bits | (uint64_t)1 << length, length + 1, codes);
}

/* Returns the number of bits written; out must be zero before. */
static size_t encode(const struct code codes[SYMBOLS], const uint8_t *in, size_t size, uint8_t *out)
{
    size_t at = 0;
    for (size_t i = 0; i < size; i++) {
        struct code code = codes[in[i]];
        for (int b = 0; b < code.length; b++, at++)
            out[at / 8] |= (uint8_t)((code.bits >> b & 1) << at % 8);
    }
    return at;
}

static size_t decode(const struct tree *tree, const uint8_t *in, size_t bits, uint8_t *out)
{
    size_t written = 0;
    int n = tree->root;
    for (size_t at = 0; at < bits; at++) {
        const struct node *node = &tree->nodes[n];
        n = in[at / 8] >> at % 8 & 1 ? node->right : node->left;
        if (tree->nodes[n].left == LEAF) {
            out[written++] = (uint8_t)n;
            n = tree->root;
        }
    }
    return written;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A geometric distribution, permuted differently for each message. */
static void fill(uint8_t *message, size_t size, int kind, uint64_t *random)
{
    for (size_t i = 0; i < size; i++) {
        uint64_t r = next_random(random);
        int rank = 0;
        while (rank < 255 && (r & 3) != 0) {
            rank++;
            r >>= 2;
            if (r == 0)
                r = next_random(random) | 1;
        }
        message[i] = (uint8_t)(rank * (2 * kind + 7));
    }
}

static uint32_t fnv(uint32_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: huffman SEED KILOBYTES MESSAGES\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    size_t size = strtoul(argv[2], NULL, 10) * 1024;
    int messages = atoi(argv[3]);
    size_t room = size * 8; /* no code is longer than 64 bits */
    uint8_t *message = malloc(size), *packed = malloc(room), *restored = malloc(size);
    if (!message || !packed || !restored) {
        fprintf(stderr, "huffman: out of memory\n");
        return 1;
    }
    uint32_t checksum = 2166136261u;
    size_t total_bits = 0;
    int wrong = 0, longest = 0;
    for (int m = 0; m < messages; m++) {
        static struct tree tree;
        struct code codes[SYMBOLS];
        uint64_t weights[SYMBOLS] = {0};

        fill(message, size, m, &random);
        for (size_t i = 0; i < size; i++)
            weights[message[i]]++;
        build_tree(&tree, weights);
        assign_codes(&tree, tree.root, 0, 0, codes);
        memset(packed, 0, room);
        size_t bits = encode(codes, message, size, packed);
        wrong += decode(&tree, packed, bits, restored) != size || memcmp(message, restored, size) != 0;
        checksum = fnv(checksum, packed, (bits + 7) / 8);
        total_bits += bits;
        for (int s = 0; s < SYMBOLS; s++)
            if (codes[s].length > longest)
                longest = codes[s].length;
    }
    printf("messages %d of %zu bytes, packed %zu bits, longest code %d\n", messages, size, total_bits, longest);
    printf("checksum %08x, wrong %d\n", checksum, wrong);
    free(message);
    free(packed);
    free(restored);
    return wrong != 0;
}
