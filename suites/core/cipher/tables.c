/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic in GF(2^8) and the S-boxes made from it. */
#include "aes.h"

uint8_t aes_sbox[256];
uint8_t aes_inverse_sbox[256];

/* Multiplies modulo x^8 + x^4 + x^3 + x + 1. */
uint8_t aes_multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    while (b) {
        if (b & 1)
            product ^= a;
        a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
        b >>= 1;
    }
    return product;
}

static uint8_t rotate(uint8_t x, int n)
{
    return (uint8_t)(x << n | x >> (8 - n));
}

void aes_init_tables(void)
{
    uint8_t power = 1, inverse = 1; /* of the generator 3, and of its inverse 0xf6 */

    do {
        uint8_t s = (uint8_t)(inverse ^ rotate(inverse, 1) ^ rotate(inverse, 2) ^ rotate(inverse, 3) ^
                              rotate(inverse, 4) ^ 0x63);
        aes_sbox[power] = s;
        power = aes_multiply(power, 3);
        inverse = aes_multiply(inverse, 0xf6);
    } while (power != 1);
    aes_sbox[0] = 0x63;
    for (int i = 0; i < 256; i++)
        aes_inverse_sbox[aes_sbox[i]] = (uint8_t)i;
}
