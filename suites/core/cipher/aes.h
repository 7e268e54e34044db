/* SPDX-License-Identifier: Apache-2.0 */
/* The AES-128 block cipher (FIPS 197) with computed tables, and two modes of use. Not for secrets. */
#ifndef AES_H
#define AES_H

#include <stddef.h>
#include <stdint.h>

#define AES_BLOCK 16
#define AES_ROUNDS 10

struct aes_key {
    uint8_t round[AES_ROUNDS + 1][AES_BLOCK];
};

/* tables.c: must be called once before anything else. */
void aes_init_tables(void);
extern uint8_t aes_sbox[256];
extern uint8_t aes_inverse_sbox[256];
uint8_t aes_multiply(uint8_t a, uint8_t b);

/* key.c */
void aes_expand_key(struct aes_key *key, const uint8_t bytes[AES_BLOCK]);

/* block.c */
void aes_encrypt_block(const struct aes_key *key, const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK]);
void aes_decrypt_block(const struct aes_key *key, const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK]);

/* modes.c: size is a multiple of AES_BLOCK for CBC, any for CTR; in and out may be the same. */
void aes_cbc_encrypt(const struct aes_key *key, uint8_t iv[AES_BLOCK], const uint8_t *in, uint8_t *out, size_t size);
void aes_cbc_decrypt(const struct aes_key *key, uint8_t iv[AES_BLOCK], const uint8_t *in, uint8_t *out, size_t size);
void aes_ctr(const struct aes_key *key, uint8_t counter[AES_BLOCK], const uint8_t *in, uint8_t *out, size_t size);

#endif
