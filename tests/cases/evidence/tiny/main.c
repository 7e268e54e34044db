/* Two units that both have a local function `step`; main.c's is the cold one. */
#include <stdio.h>
#include <stdlib.h>

unsigned work(unsigned rounds, unsigned seed);
unsigned apply(unsigned (*function)(unsigned), unsigned value);

static unsigned step(unsigned value)
{
    return value * 3u + 1u;
}

static void nothing(void)
{
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 1000u;
    unsigned result = work(rounds, 7u);

    nothing();
    for (int i = 0; i < 5; i++)
        result = apply(step, result);
    printf("%u\n", result);
    return result == 12345u;
}
