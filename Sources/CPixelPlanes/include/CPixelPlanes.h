// The samples of pixels, brought from side by side, (H, W, C), to a plane for each channel, (C, H, W).
//
// In C because Swift compiles for the oldest processor only, on which this takes ten times as long.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Spreads `count` pixels of 2, 3 or 4 channels over planes that begin `plane_size` bytes apart.
void rr_separate(const uint8_t *pixels, ptrdiff_t channels, ptrdiff_t count, uint8_t *planes, ptrdiff_t plane_size);
