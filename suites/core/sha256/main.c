/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes generated messages and derives a key: sha256 SEED MEGABYTES ITERATIONS */
#include <stdio.h>
#include <stdlib.h>

#include "sha256.h"

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void print_digest(const char *label, const uint8_t *digest, size_t size)
{
    printf("%-8s ", label);
    for (size_t i = 0; i < size; i++)
        printf("%02x", digest[i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: sha256 SEED MEGABYTES ITERATIONS\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    size_t size = strtoul(argv[2], NULL, 10) << 20;
    unsigned iterations = (unsigned)strtoul(argv[3], NULL, 10);
    uint8_t *message = malloc(size);
    if (!message) {
        fprintf(stderr, "sha256: out of memory\n");
        return 1;
    }
    for (size_t i = 0; i < size; i++)
        message[i] = (uint8_t)(next_random(&seed) >> 56);

    struct sha256 ctx;
    uint8_t digest[SHA256_DIGEST], key[48];

    sha256_init(&ctx);
    sha256_update(&ctx, "abc", 3);
    sha256_final(&ctx, digest);
    print_digest("abc", digest, sizeof digest);

    sha256_init(&ctx);
    sha256_update(&ctx, message, size);
    sha256_final(&ctx, digest);
    print_digest("whole", digest, sizeof digest);

    sha256_init(&ctx);
    for (size_t at = 0; at < size;) {
        size_t part = 1 + next_random(&seed) % 700;
        if (part > size - at)
            part = size - at;
        sha256_update(&ctx, message + at, part);
        at += part;
    }
    sha256_final(&ctx, digest);
    print_digest("parts", digest, sizeof digest);

    pbkdf2(digest, sizeof digest, message, 16, iterations, key, sizeof key);
    print_digest("key", key, sizeof key);
    free(message);
    return 0;
}
