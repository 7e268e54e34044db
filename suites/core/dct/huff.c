/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical Huffman codes over byte symbols, at most 16 bits long. */
#include "huff.h"

#include <string.h>

struct node {
    uint32_t weight;
    int parent; /* -1: root or still free */
};

/* Index of the lightest node without parent, or -1. */
static int lightest(const struct node *nodes, int count, int except)
{
    int best = -1;
    for (int i = 0; i < count; i++)
        if (nodes[i].parent < 0 && nodes[i].weight > 0 && i != except &&
            (best < 0 || nodes[i].weight < nodes[best].weight))
            best = i;
    return best;
}

/* Fills in the lengths; returns the longest. */
static int code_lengths(const uint32_t *weights, uint8_t *lengths)
{
    struct node nodes[2 * HUFF_SYMBOLS];
    int count = HUFF_SYMBOLS, longest = 0;

    for (int i = 0; i < HUFF_SYMBOLS; i++)
        nodes[i] = (struct node){weights[i], -1};
    for (;;) {
        int a = lightest(nodes, count, -1);
        int b = lightest(nodes, count, a);
        if (b < 0)
            break;
        nodes[count] = (struct node){nodes[a].weight + nodes[b].weight, -1};
        nodes[a].parent = nodes[b].parent = count++;
    }
    for (int i = 0; i < HUFF_SYMBOLS; i++) {
        int depth = 0;
        for (int n = i; nodes[n].parent >= 0; n = nodes[n].parent)
            depth++;
        if (weights[i] > 0 && depth == 0)
            depth = 1; /* the only symbol */
        lengths[i] = (uint8_t)depth;
        if (depth > longest)
            longest = depth;
    }
    return longest;
}

static void assign_codes(struct huff *huff)
{
    int next = 0, code = 0;

    memset(huff->count, 0, sizeof huff->count);
    for (int bits = 1; bits <= HUFF_MAX_BITS; bits++) {
        code <<= 1;
        for (int i = 0; i < HUFF_SYMBOLS; i++) {
            if (huff->length[i] != bits)
                continue;
            huff->code[i] = (uint16_t)code++;
            huff->sorted[next++] = (uint8_t)i;
            huff->count[bits]++;
        }
    }
}

void huff_build(struct huff *huff, const uint32_t frequency[HUFF_SYMBOLS])
{
    uint32_t weights[HUFF_SYMBOLS];

    memset(huff, 0, sizeof *huff);
    memcpy(weights, frequency, sizeof weights);
    while (code_lengths(weights, huff->length) > HUFF_MAX_BITS)
        for (int i = 0; i < HUFF_SYMBOLS; i++) /* flatten until the codes fit */
            weights[i] = (weights[i] + 1) / 2;
    assign_codes(huff);
}

void huff_write_table(const struct huff *huff, struct bit_writer *out)
{
    for (int i = 0; i < HUFF_SYMBOLS; i++)
        bit_write(out, huff->length[i], 5);
}

void huff_read_table(struct huff *huff, struct bit_reader *in)
{
    memset(huff, 0, sizeof *huff);
    for (int i = 0; i < HUFF_SYMBOLS; i++)
        huff->length[i] = (uint8_t)bit_read(in, 5);
    assign_codes(huff);
}

void huff_put(const struct huff *huff, struct bit_writer *out, int symbol)
{
    bit_write(out, huff->code[symbol], huff->length[symbol]);
}

int huff_get(const struct huff *huff, struct bit_reader *in)
{
    int code = 0, first = 0, index = 0;

    for (int bits = 1; bits <= HUFF_MAX_BITS; bits++) {
        code |= bit_read_one(in);
        int count = huff->count[bits];
        if (code - first < count)
            return huff->sorted[index + code - first];
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}
