#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Decodes JPEG images, from memory to memory. libjpeg reports errors by a callback that must not return, and longjmp must
// not cross a Swift frame: each function here sets its jump once, returns a status, and leaves a message.

typedef enum {
    RR_JPEG_OK = 0,
    // The bytes break the rules of JPEG.
    RR_JPEG_MALFORMED = 1,
    // JPEG of a kind that libjpeg does not decode, or that we do not serve.
    RR_JPEG_UNSUPPORTED = 2,
    RR_JPEG_OUT_OF_MEMORY = 3,
} rr_jpeg_status;

typedef enum {
    RR_JPEG_GRAY = 1,
    // RGB, or YCbCr that becomes RGB.
    RR_JPEG_COLOR = 3,
    // CMYK, or YCCK that becomes CMYK.
    RR_JPEG_INK = 4,
} rr_jpeg_kind;

typedef struct {
    char text[256];
} rr_jpeg_message;

typedef struct {
    size_t width;
    size_t height;
    rr_jpeg_kind kind;
    bool is_progressive;
    // Whether there is an ICC profile.
    bool has_color_profile;
    // The TIFF structure of the first Exif segment: where it begins in the file, and its bytes; 0 where there is none.
    size_t exif_offset;
    size_t exif_size;
    // The fewest bits that the blocks of such an image take, were every one as empty as can be.
    uint64_t least_bits;
} rr_jpeg_header;

// What a decoder had to read over.
typedef enum {
    // Bytes that belong to nothing, before a marker.
    RR_JPEG_SURPLUS = 1,
    // The file ends before the image does, and the rest was filled with gray.
    RR_JPEG_COMPLETED = 2,
} rr_jpeg_faults;

// Reads all that stands before the first scan.
//
// `bytes` may be the beginning of a file; `is_cut` then tells whether it ends before the first scan.
rr_jpeg_status rr_jpeg_read_header(
    const uint8_t *bytes, size_t count, rr_jpeg_header *header, bool *is_cut, rr_jpeg_message *message);

// Decodes an image, gray or RGB, into rows of interleaved samples or into planes, by the accurate integer transform and with
// smooth upsampling of colour, which are libjpeg's defaults.
//
// CMYK is taken as Adobe's programs write it, inverted, and becomes RGB as in Pillow: (255 − K) − C (255 − K) / 255, rounded.
//
// `samples` holds `size` bytes; it fails where the image does not fill them exactly. With `completes` a file that is cut
// short is completed; otherwise that fails, as does damage to the data.
rr_jpeg_status rr_jpeg_decode(
    const uint8_t *bytes, size_t count, bool completes, bool is_planar, uint8_t *samples, size_t size, unsigned *faults,
    rr_jpeg_message *message);

// The version of libjpeg-turbo that this was compiled with, as 2.1.5: the library does not say.
const char *rr_jpeg_version(void);
