#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Decodes whole PNG images, from memory to memory. libpng reports errors by longjmp, which must not cross a Swift
// frame: each function here sets its jump once, returns a status, and leaves a message.

typedef enum {
    RR_PNG_OK = 0,
    // The bytes break the rules of PNG.
    RR_PNG_MALFORMED = 1,
    // libpng or we could not allocate.
    RR_PNG_OUT_OF_MEMORY = 2,
} rr_png_status;

typedef struct {
    char text[192];
} rr_png_message;

// Decodes an image into rows of interleaved samples, 16-bit ones little-endian. Palettes become RGB, tRNS becomes
// alpha, and gray of fewer than 8 bits is scaled to 8; with `is_stored`, numbers of the palette and unscaled gray
// come one a byte, and tRNS is ignored. Fails where an image does not fill `size` bytes exactly.
rr_png_status rr_png_decode(
    const uint8_t *bytes, size_t count, bool is_stored, uint8_t *samples, size_t size, rr_png_message *message);

// The version of libpng that runs, as 1.6.39.
const char *rr_png_version(void);
