/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and numbers: escapes to UTF-8 and back, decimal text to double. */
#include <stdio.h>
#include <string.h>

#include "json.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four hexadecimal digits, or -1. */
static int read_hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Code points of the basic plane only. */
static char *put_utf8(char *out, int code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

const char *json_unescape(const char *raw, size_t size, struct arena *arena)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char *string = arena_alloc(arena, size + 1), *out = string;
    const char *end = raw + size;

    if (!string)
        return NULL;
    while (raw < end) {
        if (*raw != '\\') {
            *out++ = *raw++;
            continue;
        }
        if (++raw == end)
            return NULL;
        if (*raw == 'u') {
            int code = read_hex4(raw + 1, end);
            if (code <= 0)
                return NULL;
            out = put_utf8(out, code);
            raw += 5;
            continue;
        }
        const char *letter = strchr(letters, *raw);
        if (!letter || !*raw)
            return NULL;
        *out++ = meanings[letter - letters];
        raw++;
    }
    *out = '\0';
    return string;
}

void json_write_string(const char *string, struct buffer *out)
{
    buffer_put(out, "\"", 1);
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c == '"' || c == '\\') {
            buffer_put(out, "\\", 1);
            buffer_put(out, string, 1);
        } else if (c < 0x20) {
            char code[8];
            int size = snprintf(code, sizeof code, "\\u%04x", c);
            buffer_put(out, code, (size_t)size);
        } else {
            buffer_put(out, string, 1);
        }
    }
    buffer_put(out, "\"", 1);
}

static double power_of_ten(int exponent)
{
    double power = 1.0, base = 10.0;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            power *= base;
    return power;
}

static const char *read_digits(const char *p, const char *end, double *value, int *count)
{
    for (*count = 0; p < end && *p >= '0' && *p <= '9'; p++, ++*count)
        *value = *value * 10.0 + (*p - '0');
    return p;
}

/* Exact for up to 15 digits and small exponents, which is enough here. */
int json_number(const char *text, size_t size, double *value)
{
    const char *p = text, *end = text + size;
    int count, fraction = 0, exponent = 0;
    double mantissa = 0.0;
    int negative = p < end && *p == '-';

    p = read_digits(p + negative, end, &mantissa, &count);
    if (count == 0)
        return 0;
    if (p < end && *p == '.') {
        p = read_digits(p + 1, end, &mantissa, &fraction);
        if (fraction == 0)
            return 0;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        double digits = 0.0;
        p++;
        int negative_exponent = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        p = read_digits(p, end, &digits, &count);
        if (count == 0 || digits > 300)
            return 0;
        exponent = negative_exponent ? -(int)digits : (int)digits;
    }
    exponent -= fraction;
    mantissa = exponent < 0 ? mantissa / power_of_ten(-exponent) : mantissa * power_of_ten(exponent);
    *value = negative ? -mantissa : mantissa;
    return p == end;
}
