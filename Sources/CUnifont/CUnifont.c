#include "CUnifont.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// In C, since a literal of so many numbers takes the Swift compiler minutes.
static const unsigned char glyphs[] = {
#embed "glyphs.bin"
};

const unsigned char *rr_unifont(size_t *size) {
    *size = sizeof glyphs;
    return glyphs;
}
