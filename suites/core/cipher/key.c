/* SPDX-License-Identifier: Apache-2.0 */
/* AES-128 key schedule. */
#include <string.h>

#include "aes.h"

void aes_expand_key(struct aes_key *key, const uint8_t bytes[AES_BLOCK])
{
    uint8_t constant = 1;

    memcpy(key->round[0], bytes, AES_BLOCK);
    for (int r = 1; r <= AES_ROUNDS; r++) {
        const uint8_t *before = key->round[r - 1];
        uint8_t *now = key->round[r];
        for (int i = 0; i < 4; i++)
            now[i] = before[i] ^ aes_sbox[before[12 + (i + 1) % 4]];
        now[0] ^= constant;
        for (int i = 4; i < AES_BLOCK; i++)
            now[i] = before[i] ^ now[i - 4];
        constant = aes_multiply(constant, 2);
    }
}
