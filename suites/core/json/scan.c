/* SPDX-License-Identifier: Apache-2.0 */
/* Splits JSON text into tokens. */
#include <string.h>

#include "json.h"

static int is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int is_number_letter(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static struct token scan_string(struct scanner *scanner)
{
    const char *start = scanner->at;

    for (const char *p = start; p < scanner->end; p++) {
        if (*p == '"') {
            scanner->at = p + 1;
            return (struct token){TOKEN_STRING, start, (size_t)(p - start)};
        }
        if ((unsigned char)*p < 0x20)
            break;
        if (*p == '\\')
            p++;
    }
    return (struct token){TOKEN_BAD, start, 0};
}

static struct token scan_word(struct scanner *scanner, const char *word, enum token_kind kind)
{
    size_t size = strlen(word);
    const char *start = scanner->at;

    if ((size_t)(scanner->end - start) < size || memcmp(start, word, size) != 0)
        return (struct token){TOKEN_BAD, start, 0};
    scanner->at += size;
    return (struct token){kind, start, size};
}

struct token scan(struct scanner *scanner)
{
    while (scanner->at < scanner->end && is_space(*scanner->at))
        scanner->at++;
    if (scanner->at == scanner->end)
        return (struct token){TOKEN_END, scanner->at, 0};

    const char *start = scanner->at;
    switch (*start) {
    case '{':
    case '}':
    case '[':
    case ']':
    case ',':
    case ':':
        scanner->at++;
        return (struct token){TOKEN_PUNCTUATION, start, 1};
    case '"':
        scanner->at++;
        return scan_string(scanner);
    case 't':
        return scan_word(scanner, "true", TOKEN_TRUE);
    case 'f':
        return scan_word(scanner, "false", TOKEN_FALSE);
    case 'n':
        return scan_word(scanner, "null", TOKEN_NULL);
    default:
        while (scanner->at < scanner->end && is_number_letter(*scanner->at))
            scanner->at++;
        return (struct token){scanner->at > start ? TOKEN_NUMBER : TOKEN_BAD, start, (size_t)(scanner->at - start)};
    }
}
