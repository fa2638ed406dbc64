#include "CStoredElements.h"
#include <stdbool.h>
#include <string.h>

// Which version runs is decided when the program starts. That is before the thread sanitizer is ready,
// which has one version alone.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

typedef uint8_t Bytes __attribute__((ext_vector_type(32)));
typedef bool Bits __attribute__((ext_vector_type(32)));

enum { width = sizeof(Bytes) };

// 1/255 is the sum of 0x1.01p-8, whose product with a byte is exact, and a rest that is 65,536 times smaller: the one
// rounding that shows is that of the sum. Two products and a sum take a third of the time of a division.
FOR_EACH_PROCESSOR
void rr_scale_bytes(const uint8_t *restrict bytes, ptrdiff_t count, float *restrict floats) {
#pragma STDC FP_CONTRACT OFF
    const float high = 0x1.01p-8f, low = (float)(1.0 / 255 - 0x1.01p-8);
    for (ptrdiff_t position = 0; position < count; position++) {
        float value = bytes[position];
        floats[position] = value * high + value * low;
    }
}

FOR_EACH_PROCESSOR
void rr_spread_bits(const uint64_t *restrict words, ptrdiff_t count, uint8_t *restrict bytes) {
    const Bytes bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128,
                       1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    ptrdiff_t first = 0;
    for (; first + width <= count; first += width) {
        uint32_t half = (uint32_t)(words[first / 64] >> first % 64);
        typedef uint32_t Halves __attribute__((ext_vector_type(8)));
        Bytes stored = (Bytes)(Halves)half;
        Bytes copies = __builtin_shufflevector(
            stored, stored, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
            18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19);
        Bytes ones = (Bytes)((copies & bit) == bit) & 1;
        memcpy(bytes + first, &ones, width);
    }
    for (; first < count; first++) bytes[first] = words[first / 64] >> first % 64 & 1;
}

FOR_EACH_PROCESSOR
uint8_t rr_gather_bits(const uint8_t *restrict bytes, ptrdiff_t count, uint64_t *restrict words) {
    Bytes all = 0;
    ptrdiff_t first = 0;
    for (; first + 2 * width <= count; first += 2 * width) {
        Bytes low, high;
        memcpy(&low, bytes + first, width);
        memcpy(&high, bytes + first + width, width);
        all |= low | high;
        Bits low_bits = __builtin_convertvector(low != 0, Bits), high_bits = __builtin_convertvector(high != 0, Bits);
        uint32_t halves[2];
        memcpy(&halves[0], &low_bits, sizeof halves[0]);
        memcpy(&halves[1], &high_bits, sizeof halves[1]);
        words[first / 64] = halves[0] | (uint64_t)halves[1] << 32;
    }
    uint8_t any = __builtin_reduce_or(all);
    if (first < count) {
        uint64_t word = 0;
        for (ptrdiff_t position = first; position < count; position++) {
            any |= bytes[position];
            word |= (uint64_t)(bytes[position] != 0) << (position - first);
        }
        words[first / 64] = word;
    }
    return any;
}

void rr_prefetch(const void *bytes, ptrdiff_t count) {
    // More would push out what is being worked on.
    const ptrdiff_t most = 4096, line = 64;
    for (ptrdiff_t offset = 0; offset < count && offset < most; offset += line)
        __builtin_prefetch((const char *)bytes + offset);
}
