// The elements of a sample as they are stored, brought to what a batch holds, and back: bytes to floats, bits to bytes.
//
// In C because Swift compiles for the oldest processor only, on which this takes several times as long.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Writes bytes divided by 255, bit for bit IEEE's quotient and so NumPy's.
void rr_scale_bytes(const uint8_t *bytes, ptrdiff_t count, float *floats);

// Writes the first `count` bits of words, the lowest of each first, as bytes that are 0 or 1.
void rr_spread_bits(const uint64_t *words, ptrdiff_t count, uint8_t *bytes);

// Sets a bit for every byte that is not zero, and those beyond `count` in the last word to 0.
//
// Returns the bitwise or of all bytes.
uint8_t rr_gather_bits(const uint8_t *bytes, ptrdiff_t count, uint64_t *words);

// Asks for bytes that are wanted soon, so that they come from memory while others are worked on.
void rr_prefetch(const void *bytes, ptrdiff_t count);
