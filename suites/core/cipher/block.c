/* SPDX-License-Identifier: Apache-2.0 */
/* AES-128 on one block, byte by byte: column c, row r is at index 4 c + r. */
#include <string.h>

#include "aes.h"

static uint8_t twice(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b);
}

static void add_round_key(uint8_t state[AES_BLOCK], const uint8_t key[AES_BLOCK])
{
    for (int i = 0; i < AES_BLOCK; i++)
        state[i] ^= key[i];
}

static void substitute_and_shift(uint8_t state[AES_BLOCK])
{
    uint8_t next[AES_BLOCK];
    for (int column = 0; column < 4; column++)
        for (int row = 0; row < 4; row++)
            next[4 * column + row] = aes_sbox[state[4 * ((column + row) % 4) + row]];
    memcpy(state, next, AES_BLOCK);
}

static void inverse_substitute_and_shift(uint8_t state[AES_BLOCK])
{
    uint8_t next[AES_BLOCK];
    for (int column = 0; column < 4; column++)
        for (int row = 0; row < 4; row++)
            next[4 * ((column + row) % 4) + row] = aes_inverse_sbox[state[4 * column + row]];
    memcpy(state, next, AES_BLOCK);
}

static void mix_columns(uint8_t state[AES_BLOCK])
{
    for (uint8_t *c = state; c < state + AES_BLOCK; c += 4) {
        uint8_t all = c[0] ^ c[1] ^ c[2] ^ c[3];
        uint8_t first = c[0];
        c[0] ^= all ^ twice(c[0] ^ c[1]);
        c[1] ^= all ^ twice(c[1] ^ c[2]);
        c[2] ^= all ^ twice(c[2] ^ c[3]);
        c[3] ^= all ^ twice(c[3] ^ first);
    }
}

static void inverse_mix_columns(uint8_t state[AES_BLOCK])
{
    for (uint8_t *c = state; c < state + AES_BLOCK; c += 4) {
        uint8_t even = twice(twice(c[0] ^ c[2]));
        uint8_t odd = twice(twice(c[1] ^ c[3]));
        c[0] ^= even;
        c[2] ^= even;
        c[1] ^= odd;
        c[3] ^= odd;
    }
    mix_columns(state);
}

void aes_encrypt_block(const struct aes_key *key, const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK])
{
    uint8_t state[AES_BLOCK];

    memcpy(state, in, AES_BLOCK);
    add_round_key(state, key->round[0]);
    for (int r = 1; r < AES_ROUNDS; r++) {
        substitute_and_shift(state);
        mix_columns(state);
        add_round_key(state, key->round[r]);
    }
    substitute_and_shift(state);
    add_round_key(state, key->round[AES_ROUNDS]);
    memcpy(out, state, AES_BLOCK);
}

void aes_decrypt_block(const struct aes_key *key, const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK])
{
    uint8_t state[AES_BLOCK];

    memcpy(state, in, AES_BLOCK);
    add_round_key(state, key->round[AES_ROUNDS]);
    for (int r = AES_ROUNDS - 1; r > 0; r--) {
        inverse_substitute_and_shift(state);
        add_round_key(state, key->round[r]);
        inverse_mix_columns(state);
    }
    inverse_substitute_and_shift(state);
    add_round_key(state, key->round[0]);
    memcpy(out, state, AES_BLOCK);
}
