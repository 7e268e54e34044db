/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, reverses and permutes bits; a small program for tests: bits SEED WORDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static unsigned count_bits(uint32_t x)
{
    unsigned n = 0;
    while (x) {
        x &= x - 1;
        n++;
    }
    return n;
}

static uint32_t reverse_bits(uint32_t x)
{
    uint32_t reversed = 0;
    for (int i = 0; i < 32; i++, x >>= 1)
        reversed = reversed << 1 | (x & 1);
    return reversed;
}

static unsigned longest_run(uint32_t x)
{
    unsigned longest = 0;
    for (; x; x &= x << 1)
        longest++;
    return longest;
}

/* The next larger number with as many ones. */
static uint32_t next_same_count(uint32_t x)
{
    uint32_t lowest = x & (0u - x);
    uint32_t ripple = x + lowest;
    if (x == 0 || ripple < x)
        return x;
    return ripple | ((x ^ ripple) / lowest >> 2);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bits SEED WORDS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    unsigned long words = strtoul(argv[2], NULL, 10);
    uint64_t ones = 0, runs = 0;
    uint32_t reversed = 0, followers = 0;

    for (unsigned long i = 0; i < words; i++) {
        uint32_t x = (uint32_t)(next_random(&random) >> 32);
        ones += count_bits(x);
        runs += longest_run(x);
        reversed = reversed * 31 + reverse_bits(x);
        followers = followers * 31 + next_same_count(x);
    }
    printf("words %lu ones %llu runs %llu\n", words, (unsigned long long)ones, (unsigned long long)runs);
    printf("reversed %08x followers %08x\n", reversed, followers);
    return 0;
}
