/* The hot unit: a fixed inner loop in a hot outer loop, with a call through a pointer. */

static unsigned table[16];

__attribute__((noinline)) static unsigned step(unsigned value, unsigned round)
{
    unsigned sum = value;

    for (unsigned i = 0; i < 16; i++) {
        if (sum & 1u)
            sum = (sum >> 1) ^ 0xedb88320u;
        else
            sum = (sum >> 1) + round;
        table[i] += sum;
    }
    return sum;
}

unsigned work(unsigned rounds, unsigned seed)
{
    for (unsigned round = 0; round < rounds; round++)
        seed = step(seed, round);
    return seed + table[3];
}

unsigned apply(unsigned (*function)(unsigned), unsigned value)
{
    return function(value);
}
