// C++ names: templates, overloads, a namespace and a lambda.
#include <cstdio>

namespace geo {
template <class T> struct Sum {
    T total{};
    __attribute__((noinline)) void add(const T *values, int count)
    {
        for (int i = 0; i < count; i++)
            total = total * 3 + values[i];
    }
};
int area(int side) { return side * side; }
int area(int width, int height) { return width * height; }
}

int main(int argc, char **)
{
    static int values[256];
    geo::Sum<int> sum;
    auto twice = [](int value) { return 2 * value; };
    for (int i = 0; i < 256; i++)
        values[i] = geo::area(i, argc) + geo::area(i) + twice(i);
    for (int i = 0; i < 2000; i++)
        sum.add(values, 256);
    std::printf("%d\n", sum.total);
}
