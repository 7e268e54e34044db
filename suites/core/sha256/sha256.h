/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), HMAC (RFC 2104) and PBKDF2 (RFC 8018). */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64
#define SHA256_DIGEST 32

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t buffer[SHA256_BLOCK];
};

struct hmac {
    struct sha256 inner;
    struct sha256 outer;
};

void sha256_init(struct sha256 *ctx);
void sha256_update(struct sha256 *ctx, const void *data, size_t size);
void sha256_final(struct sha256 *ctx, uint8_t digest[SHA256_DIGEST]);

void hmac_init(struct hmac *ctx, const void *key, size_t size);
void hmac_update(struct hmac *ctx, const void *data, size_t size);
void hmac_final(struct hmac *ctx, uint8_t digest[SHA256_DIGEST]);

void pbkdf2(const void *password, size_t password_size, const void *salt, size_t salt_size,
            unsigned iterations, uint8_t *key, size_t key_size);

#endif
