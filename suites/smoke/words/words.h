/* SPDX-License-Identifier: Apache-2.0 */
/* Generated text and its statistics. */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

/* text.c: fills the buffer with words between single spaces; the last letter is a zero byte. */
void text_fill(char *text, size_t size, uint64_t seed);

struct statistics {
    size_t words;
    size_t vowels;
    size_t palindromes;
    size_t longest;
    uint32_t checksum;
};

/* count.c */
void count_words(const char *text, struct statistics *statistics);

#endif
