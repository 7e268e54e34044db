/* SPDX-License-Identifier: Apache-2.0 */
/* Tries every position; also the case-insensitive variant. */
#include "search.h"

static int matches(const char *text, const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != pattern[i])
            return 0;
    return 1;
}

struct hits search_naive(const char *text, size_t size, const char *pattern, size_t length)
{
    struct hits hits = {0, 0};
    for (size_t at = 0; at + length <= size; at++) {
        if (matches(text + at, pattern, length)) {
            hits.count++;
            hits.last = at;
        }
    }
    return hits;
}

static void fill_folding(unsigned char fold[256])
{
    for (int c = 0; c < 256; c++)
        fold[c] = (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

struct hits search_folded(const char *text, size_t size, const char *pattern, size_t length)
{
    struct hits hits = {0, 0};
    unsigned char fold[256];

    fill_folding(fold);
    for (size_t at = 0; at + length <= size; at++) {
        size_t i = 0;
        while (i < length && fold[(unsigned char)text[at + i]] == fold[(unsigned char)pattern[i]])
            i++;
        if (i == length) {
            hits.count++;
            hits.last = at;
        }
    }
    return hits;
}
