#ifndef CUNIFONT_H
#define CUNIFONT_H

#include <stddef.h>

/// GNU Unifont's bitmaps of the Basic Multilingual Plane, as `generate.py` packs them.
const unsigned char *rr_unifont(size_t *size);

#endif
