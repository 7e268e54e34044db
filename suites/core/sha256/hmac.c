/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256 and PBKDF2 on top of it. */
#include <string.h>

#include "sha256.h"

void hmac_init(struct hmac *ctx, const void *key, size_t size)
{
    uint8_t padded[SHA256_BLOCK] = {0};

    if (size > SHA256_BLOCK) {
        sha256_init(&ctx->inner);
        sha256_update(&ctx->inner, key, size);
        sha256_final(&ctx->inner, padded);
    } else {
        memcpy(padded, key, size);
    }
    for (int i = 0; i < SHA256_BLOCK; i++)
        padded[i] ^= 0x36;
    sha256_init(&ctx->inner);
    sha256_update(&ctx->inner, padded, sizeof padded);
    for (int i = 0; i < SHA256_BLOCK; i++)
        padded[i] ^= 0x36 ^ 0x5c;
    sha256_init(&ctx->outer);
    sha256_update(&ctx->outer, padded, sizeof padded);
}

void hmac_update(struct hmac *ctx, const void *data, size_t size)
{
    sha256_update(&ctx->inner, data, size);
}

void hmac_final(struct hmac *ctx, uint8_t digest[SHA256_DIGEST])
{
    sha256_final(&ctx->inner, digest);
    sha256_update(&ctx->outer, digest, SHA256_DIGEST);
    sha256_final(&ctx->outer, digest);
}

void pbkdf2(const void *password, size_t password_size, const void *salt, size_t salt_size,
            unsigned iterations, uint8_t *key, size_t key_size)
{
    struct hmac keyed, ctx;

    hmac_init(&keyed, password, password_size);
    for (uint32_t block = 1; key_size > 0; block++) {
        uint8_t number[4] = {(uint8_t)(block >> 24), (uint8_t)(block >> 16), (uint8_t)(block >> 8),
                             (uint8_t)block};
        uint8_t u[SHA256_DIGEST], sum[SHA256_DIGEST];

        ctx = keyed;
        hmac_update(&ctx, salt, salt_size);
        hmac_update(&ctx, number, sizeof number);
        hmac_final(&ctx, u);
        memcpy(sum, u, sizeof sum);
        for (unsigned i = 1; i < iterations; i++) {
            ctx = keyed;
            hmac_update(&ctx, u, sizeof u);
            hmac_final(&ctx, u);
            for (int j = 0; j < SHA256_DIGEST; j++)
                sum[j] ^= u[j];
        }
        size_t part = key_size < SHA256_DIGEST ? key_size : SHA256_DIGEST;
        memcpy(key, sum, part);
        key += part;
        key_size -= part;
    }
}
