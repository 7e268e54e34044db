/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 (polynomial 0xedb88320) by bit, by byte table and by four tables: crc32 SEED KILOBYTES ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define POLYNOMIAL 0xedb88320u

static uint32_t table[4][256];

static void build_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        table[0][i] = crc;
    }
    for (int t = 1; t < 4; t++)
        for (int i = 0; i < 256; i++)
            table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 255];
}

static uint32_t crc_bitwise(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            if (crc & 1)
                crc = crc >> 1 ^ POLYNOMIAL;
            else
                crc >>= 1;
        }
    }
    return ~crc;
}

static uint32_t crc_bytewise(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    while (size-- > 0)
        crc = crc >> 8 ^ table[0][(crc ^ *data++) & 255];
    return ~crc;
}

static uint32_t crc_slicing(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (; size >= 4; size -= 4, data += 4) {
        crc ^= (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
        crc = table[3][crc & 255] ^ table[2][crc >> 8 & 255] ^ table[1][crc >> 16 & 255] ^ table[0][crc >> 24];
    }
    while (size-- > 0)
        crc = crc >> 8 ^ table[0][(crc ^ *data++) & 255];
    return ~crc;
}

/* Multiplies a matrix over GF(2) with a vector. */
static uint32_t matrix_times(const uint32_t *matrix, uint32_t vector)
{
    uint32_t sum = 0;
    for (; vector; vector >>= 1, matrix++)
        if (vector & 1)
            sum ^= *matrix;
    return sum;
}

/* CRC of two parts put together, given the CRC of each and the size of the second. */
static uint32_t crc_combine(uint32_t first, uint32_t second, size_t second_size)
{
    uint32_t zeros[32], square[32];

    zeros[0] = POLYNOMIAL; /* one zero bit */
    for (int i = 1; i < 32; i++)
        zeros[i] = 1u << (i - 1);
    for (int doublings = 0; doublings < 3; doublings++) { /* one zero byte */
        for (int i = 0; i < 32; i++)
            square[i] = matrix_times(zeros, zeros[i]);
        for (int i = 0; i < 32; i++)
            zeros[i] = square[i];
    }
    for (; second_size; second_size >>= 1) {
        if (second_size & 1)
            first = matrix_times(zeros, first);
        for (int i = 0; i < 32; i++)
            square[i] = matrix_times(zeros, zeros[i]);
        for (int i = 0; i < 32; i++)
            zeros[i] = square[i];
    }
    return first ^ second;
}

static uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: crc32 SEED KILOBYTES ROUNDS\n");
        return 2;
    }
    uint32_t random = (uint32_t)strtoul(argv[1], NULL, 10) * 2654435761u | 1;
    size_t size = strtoul(argv[2], NULL, 10) * 1024;
    int rounds = atoi(argv[3]);
    uint8_t *data = malloc(size + 1);
    if (!data) {
        fprintf(stderr, "crc32: out of memory\n");
        return 1;
    }
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(next_random(&random) >> 24);
    build_tables();
    printf("check value %08x\n", crc_bytewise(0, (const uint8_t *)"123456789", 9));

    uint32_t bitwise = 0, bytewise = 0, slicing = 0, combined = 0;
    for (int round = 0; round < rounds; round++) {
        size_t cut = size / 3 + (size_t)round % 1000;
        bitwise = crc_bitwise(bitwise, data, size / 8);
        bytewise = crc_bytewise(bytewise, data, size);
        slicing = crc_slicing(slicing, data, size);
        combined ^= crc_combine(crc_slicing(0, data, cut), crc_slicing(0, data + cut, size - cut), size - cut);
        data[(size_t)round * 977 % size] ^= (uint8_t)round;
    }
    printf("bitwise  %08x\n", bitwise);
    printf("bytewise %08x\n", bytewise);
    printf("slicing  %08x\n", slicing);
    printf("combined %08x\n", combined);
    free(data);
    return 0;
}
