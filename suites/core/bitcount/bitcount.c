/* SPDX-License-Identifier: Apache-2.0 */
/* Counts bits by several methods through a table of functions: bitcount SEED WORDS ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned (*count_fn)(uint32_t);

struct method {
    const char *name;
    count_fn count;
};

static uint8_t byte_bits[256];
static uint8_t nibble_bits[16];

static unsigned count_loop(uint32_t x)
{
    unsigned n = 0;
    for (; x; x >>= 1)
        n += x & 1;
    return n;
}

static unsigned count_clear_lowest(uint32_t x)
{
    unsigned n = 0;
    while (x) {
        x &= x - 1;
        n++;
    }
    return n;
}

static unsigned count_parallel(uint32_t x)
{
    x = (x & 0x55555555u) + (x >> 1 & 0x55555555u);
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    x = (x & 0x0f0f0f0fu) + (x >> 4 & 0x0f0f0f0fu);
    x = (x & 0x00ff00ffu) + (x >> 8 & 0x00ff00ffu);
    return (x & 0xffffu) + (x >> 16);
}

static unsigned count_multiply(uint32_t x)
{
    x -= x >> 1 & 0x55555555u;
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0fu;
    return x * 0x01010101u >> 24;
}

static unsigned count_nibbles(uint32_t x)
{
    unsigned n = 0;
    for (int shift = 0; shift < 32; shift += 4)
        n += nibble_bits[x >> shift & 15];
    return n;
}

static unsigned count_bytes(uint32_t x)
{
    return byte_bits[x & 255] + byte_bits[x >> 8 & 255] + byte_bits[x >> 16 & 255] + byte_bits[x >> 24];
}

static unsigned count_recursive(uint32_t x)
{
    return x ? nibble_bits[x & 15] + count_recursive(x >> 4) : 0;
}

static unsigned count_modulo(uint32_t x)
{
    x -= (x >> 1 & 033333333333u) + (x >> 2 & 011111111111u);
    return ((x + (x >> 3)) & 030707070707u) % 63;
}

static const struct method methods[] = {
    {"loop", count_loop},         {"clear-lowest", count_clear_lowest},
    {"parallel", count_parallel}, {"multiply", count_multiply},
    {"nibbles", count_nibbles},   {"bytes", count_bytes},
    {"recursive", count_recursive}, {"modulo", count_modulo},
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void build_tables(void)
{
    for (int i = 1; i < 256; i++)
        byte_bits[i] = (uint8_t)(byte_bits[i / 2] + (i & 1));
    for (int i = 0; i < 16; i++)
        nibble_bits[i] = byte_bits[i];
}

/* Words of differing density: and-ing and or-ing random words moves the share of ones. */
static void fill(uint32_t *words, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t r = next_random(&seed);
        uint32_t a = (uint32_t)r, b = (uint32_t)(r >> 32);
        switch (i % 4) {
        case 0: words[i] = a; break;
        case 1: words[i] = a & b; break;
        case 2: words[i] = a | b; break;
        default: words[i] = a >> (b & 31); break;
        }
    }
}

/* Sum of all counts, and a checksum that depends on their order. */
static uint64_t run(count_fn count, const uint32_t *words, size_t n, uint32_t *checksum)
{
    uint64_t total = 0;
    uint32_t sum = *checksum;
    for (size_t i = 0; i < n; i++) {
        unsigned bits = count(words[i]);
        total += bits;
        sum = sum * 33 + bits;
    }
    *checksum = sum;
    return total;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bitcount SEED WORDS ROUNDS\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    size_t words = strtoul(argv[2], NULL, 10);
    int rounds = atoi(argv[3]);
    uint32_t *data = malloc(words * sizeof *data);
    if (!data) {
        fprintf(stderr, "bitcount: out of memory\n");
        return 1;
    }
    build_tables();
    fill(data, words, seed);
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
        uint64_t total = 0;
        uint32_t checksum = 5381;
        for (int round = 0; round < rounds; round++)
            total += run(methods[m].count, data, words, &checksum);
        printf("%-12s %llu bits, checksum %08x\n", methods[m].name, (unsigned long long)total, checksum);
    }
    free(data);
    return 0;
}
