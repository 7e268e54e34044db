/* SPDX-License-Identifier: Apache-2.0 */
/* Generated text. */
#include "words.h"

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

void text_fill(char *text, size_t size, uint64_t seed)
{
    static const char letters[] = "eeeeaaaaoooiiittnnsshhrrddllucmwfgypbvkjxqz";
    uint64_t random = seed * 0x9e3779b97f4a7c15u | 1;
    size_t left = 0; /* letters to go in this word */

    for (size_t i = 0; i + 1 < size; i++) {
        uint64_t r = next_random(&random) >> 20;
        if (left == 0) {
            left = 1 + r % 9;
            text[i] = ' ';
        } else {
            left--;
            text[i] = letters[r % (sizeof letters - 1)];
        }
    }
    text[size - 1] = '\0';
}
