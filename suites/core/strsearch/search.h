/* SPDX-License-Identifier: Apache-2.0 */
/* Exact string search: every algorithm counts the occurrences, overlapping ones included. */
#ifndef SEARCH_H
#define SEARCH_H

#include <stddef.h>

#define PATTERN_MAX 64 /* longest pattern */

struct hits {
    size_t count;
    size_t last; /* position of the last one, or 0 */
};

typedef struct hits (*search_fn)(const char *text, size_t size, const char *pattern, size_t length);

struct hits search_naive(const char *text, size_t size, const char *pattern, size_t length);
struct hits search_kmp(const char *text, size_t size, const char *pattern, size_t length);
struct hits search_horspool(const char *text, size_t size, const char *pattern, size_t length);
struct hits search_rabin_karp(const char *text, size_t size, const char *pattern, size_t length);
struct hits search_shift_and(const char *text, size_t size, const char *pattern, size_t length);

/* Case-insensitive for ASCII letters, by a folding table. */
struct hits search_folded(const char *text, size_t size, const char *pattern, size_t length);

#endif
