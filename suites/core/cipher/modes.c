/* SPDX-License-Identifier: Apache-2.0 */
/* Cipher block chaining and counter mode. */
#include <string.h>

#include "aes.h"

static void xor_block(uint8_t *to, const uint8_t *from)
{
    for (int i = 0; i < AES_BLOCK; i++)
        to[i] ^= from[i];
}

void aes_cbc_encrypt(const struct aes_key *key, uint8_t iv[AES_BLOCK], const uint8_t *in, uint8_t *out, size_t size)
{
    for (; size >= AES_BLOCK; size -= AES_BLOCK, in += AES_BLOCK, out += AES_BLOCK) {
        xor_block(iv, in);
        aes_encrypt_block(key, iv, iv);
        memcpy(out, iv, AES_BLOCK);
    }
}

void aes_cbc_decrypt(const struct aes_key *key, uint8_t iv[AES_BLOCK], const uint8_t *in, uint8_t *out, size_t size)
{
    uint8_t cipher[AES_BLOCK], plain[AES_BLOCK];

    for (; size >= AES_BLOCK; size -= AES_BLOCK, in += AES_BLOCK, out += AES_BLOCK) {
        memcpy(cipher, in, AES_BLOCK);
        aes_decrypt_block(key, cipher, plain);
        xor_block(plain, iv);
        memcpy(iv, cipher, AES_BLOCK);
        memcpy(out, plain, AES_BLOCK);
    }
}

static void increment(uint8_t counter[AES_BLOCK])
{
    for (int i = AES_BLOCK - 1; i >= 0; i--)
        if (++counter[i] != 0)
            break;
}

void aes_ctr(const struct aes_key *key, uint8_t counter[AES_BLOCK], const uint8_t *in, uint8_t *out, size_t size)
{
    uint8_t pad[AES_BLOCK];

    while (size > 0) {
        size_t part = size < AES_BLOCK ? size : AES_BLOCK;
        aes_encrypt_block(key, counter, pad);
        increment(counter);
        for (size_t i = 0; i < part; i++)
            out[i] = in[i] ^ pad[i];
        in += part;
        out += part;
        size -= part;
    }
}
