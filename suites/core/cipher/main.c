/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts and decrypts generated messages with AES-128: cipher SEED MESSAGES KILOBYTES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aes.h"

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void fill(uint8_t *bytes, size_t size, uint64_t *random)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(next_random(random) >> 56);
}

static void print_hex(const char *label, const uint8_t *bytes, size_t size)
{
    printf("%-10s ", label);
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

static uint32_t fnv(uint32_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* The example of FIPS 197, appendix B. */
static void known_answer(void)
{
    static const uint8_t key_bytes[AES_BLOCK] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                                 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const uint8_t plain[AES_BLOCK] = {0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d,
                                             0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34};
    struct aes_key key;
    uint8_t out[AES_BLOCK];

    aes_expand_key(&key, key_bytes);
    aes_encrypt_block(&key, plain, out);
    print_hex("known", out, sizeof out);
    aes_decrypt_block(&key, out, out);
    print_hex("back", out, sizeof out);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: cipher SEED MESSAGES KILOBYTES\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    int messages = atoi(argv[2]);
    size_t size = strtoul(argv[3], NULL, 10) * 1024;
    uint8_t *plain = malloc(size), *secret = malloc(size), *back = malloc(size);
    if (!plain || !secret || !back) {
        fprintf(stderr, "cipher: out of memory\n");
        return 1;
    }
    aes_init_tables();
    known_answer();

    uint32_t cbc = 2166136261u, ctr = 2166136261u;
    int wrong = 0;
    for (int m = 0; m < messages; m++) {
        uint8_t key_bytes[AES_BLOCK], iv[AES_BLOCK], work[AES_BLOCK];
        struct aes_key key;

        fill(key_bytes, sizeof key_bytes, &random);
        fill(iv, sizeof iv, &random);
        fill(plain, size, &random);
        aes_expand_key(&key, key_bytes);

        memcpy(work, iv, sizeof iv);
        aes_cbc_encrypt(&key, work, plain, secret, size);
        cbc = fnv(cbc, secret, size);
        memcpy(work, iv, sizeof iv);
        aes_cbc_decrypt(&key, work, secret, back, size);
        wrong += memcmp(plain, back, size) != 0;

        memcpy(work, iv, sizeof iv);
        aes_ctr(&key, work, plain, secret, size - 7);
        ctr = fnv(ctr, secret, size - 7);
    }
    printf("cbc checksum %08x\nctr checksum %08x\nwrong %d of %d\n", cbc, ctr, wrong, messages);
    free(plain);
    free(secret);
    free(back);
    return wrong != 0;
}
