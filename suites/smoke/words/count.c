/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of words. */
#include <string.h>

#include "words.h"

static int is_vowel(char c)
{
    switch (c) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
        return 1;
    default:
        return 0;
    }
}

static int is_palindrome(const char *word, size_t size)
{
    for (size_t i = 0; i < size / 2; i++)
        if (word[i] != word[size - 1 - i])
            return 0;
    return 1;
}

static uint32_t word_hash(const char *word, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)word[i]) * 16777619u;
    return hash;
}

void count_words(const char *text, struct statistics *statistics)
{
    while (*text) {
        text += strspn(text, " ");
        size_t size = strcspn(text, " ");
        if (size == 0)
            break;
        statistics->words++;
        for (size_t i = 0; i < size; i++)
            statistics->vowels += (size_t)is_vowel(text[i]);
        statistics->palindromes += (size_t)(size > 2 && is_palindrome(text, size));
        if (size > statistics->longest)
            statistics->longest = size;
        statistics->checksum = statistics->checksum * 31 + word_hash(text, size);
        text += size;
    }
}
