#include "CPixelPlanes.h"

#include "processors.h"

// The compiler makes shuffles of whole vectors of these loops.
FOR_EACH_PROCESSOR
void rr_separate(const uint8_t *pixels, ptrdiff_t channels, ptrdiff_t count, uint8_t *planes, ptrdiff_t plane_size) {
    uint8_t *restrict first = planes, *restrict second = planes + plane_size;
    if (channels == 2) {
        for (ptrdiff_t pixel = 0; pixel < count; pixel++) {
            first[pixel] = pixels[2 * pixel];
            second[pixel] = pixels[2 * pixel + 1];
        }
        return;
    }
    uint8_t *restrict third = planes + 2 * plane_size;
    if (channels == 3) {
        for (ptrdiff_t pixel = 0; pixel < count; pixel++) {
            first[pixel] = pixels[3 * pixel];
            second[pixel] = pixels[3 * pixel + 1];
            third[pixel] = pixels[3 * pixel + 2];
        }
        return;
    }
    uint8_t *restrict fourth = planes + 3 * plane_size;
    for (ptrdiff_t pixel = 0; pixel < count; pixel++) {
        first[pixel] = pixels[4 * pixel];
        second[pixel] = pixels[4 * pixel + 1];
        third[pixel] = pixels[4 * pixel + 2];
        fourth[pixel] = pixels[4 * pixel + 3];
    }
}
