#include "CHDF5Filters.h"

#include <blosc.h>
#include <errno.h>
#include <hdf5.h>
#include <lzf.h>
#include <zstd.h>

// A chunk of HDF5 has at most 4 GB.
static const size_t largest_chunk = UINT32_MAX;

static _Thread_local size_t expected_count = 0;

void rr_hdf5_expect_chunk(size_t byte_count) { expected_count = byte_count; }

// Puts decoded bytes into the place of the stored ones.
//
// Returns their number; 0, which is a failure, where they are fewer than a chunk has.
static size_t replace(void **buffer, size_t *room, void *decoded, size_t capacity, size_t count) {
    if (count < expected_count) {
        H5free_memory(decoded);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = decoded;
    *room = capacity;
    return count;
}

// h5py's: the third value is the size of a chunk.
static size_t decode_lzf(
    unsigned flags, size_t value_count, const unsigned values[], size_t count, size_t *room, void **buffer) {
    if (!(flags & H5Z_FLAG_REVERSE)) { return 0; }
    size_t capacity = value_count >= 3 && values[2] > 0 ? values[2] : count;
    // A match of 264 bytes takes three: nothing decodes to more than 88 times its size.
    size_t limit = count < largest_chunk / 88 ? count * 88 : largest_chunk;
    if (capacity > limit) { capacity = limit; }
    for (;;) {
        void *decoded = H5allocate_memory(capacity, false);
        if (decoded == NULL) { return 0; }
        errno = 0;
        size_t written = lzf_decompress(*buffer, (unsigned)count, decoded, (unsigned)capacity);
        if (written > 0) { return replace(buffer, room, decoded, capacity, written); }
        H5free_memory(decoded);
        if (errno != E2BIG || capacity >= limit) { return 0; }
        capacity = capacity < limit / 2 ? capacity * 2 : limit;
    }
}

static size_t decode_blosc(
    unsigned flags, size_t value_count, const unsigned values[], size_t count, size_t *room, void **buffer) {
    if (!(flags & H5Z_FLAG_REVERSE)) { return 0; }
    size_t size = 0;
    if (count < BLOSC_MIN_HEADER_LENGTH || blosc_cbuffer_validate(*buffer, count, &size) < 0 || size == 0
        || size > largest_chunk) {
        return 0;
    }
    void *decoded = H5allocate_memory(size, false);
    if (decoded == NULL) { return 0; }
    int written = blosc_decompress_ctx(*buffer, decoded, size, 1);
    if (written <= 0 || (size_t)written != size) {
        H5free_memory(decoded);
        return 0;
    }
    return replace(buffer, room, decoded, size, size);
}

static size_t decode_zstd(
    unsigned flags, size_t value_count, const unsigned values[], size_t count, size_t *room, void **buffer) {
    if (!(flags & H5Z_FLAG_REVERSE)) { return 0; }
    // ZSTD_CONTENTSIZE_UNKNOWN and ZSTD_CONTENTSIZE_ERROR are above every size.
    unsigned long long size = ZSTD_getFrameContentSize(*buffer, count);
    if (size == 0 || size > largest_chunk) { return 0; }
    void *decoded = H5allocate_memory(size, false);
    if (decoded == NULL) { return 0; }
    size_t written = ZSTD_decompress(decoded, size, *buffer, count);
    if (ZSTD_isError(written) || written != size) {
        H5free_memory(decoded);
        return 0;
    }
    return replace(buffer, room, decoded, size, size);
}

// The numbers are those that The HDF Group has given out.
static const H5Z_class2_t filters[] = {
    {H5Z_CLASS_T_VERS, 32000, 0, 1, "lzf", NULL, NULL, decode_lzf},
    {H5Z_CLASS_T_VERS, 32001, 0, 1, "blosc", NULL, NULL, decode_blosc},
    {H5Z_CLASS_T_VERS, 32015, 0, 1, "zstd", NULL, NULL, decode_zstd},
};

int rr_hdf5_register_filters(void) {
    for (size_t position = 0; position < sizeof filters / sizeof filters[0]; position++) {
        if (H5Zregister(&filters[position]) < 0) { return -1; }
    }
    return 0;
}

const char *rr_blosc_version(void) { return BLOSC_VERSION_STRING; }
const char *rr_zstd_version(void) { return ZSTD_versionString(); }
