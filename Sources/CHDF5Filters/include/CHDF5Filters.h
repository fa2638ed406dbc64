#pragma once

#include <stddef.h>

// The filters of HDF5 data that are not part of libhdf5 and that many a program writes: LZF (h5py), Blosc and Zstd
// (hdf5plugin, PyTables). libhdf5 calls a filter by a pointer to a function of C, with buffers that the filter
// exchanges. Data are decoded only.

// Makes the filters known to libhdf5, for the whole process. Returns a negative number where one could not be.
int rr_hdf5_register_filters(void);

// The least number of bytes that a chunk of the data read next by this thread decodes to; 0 for any number. libhdf5 1.10
// copies a whole chunk out of what a filter gives it, however little that is.
void rr_hdf5_expect_chunk(size_t byte_count);

// The versions of Blosc that this was compiled with, and of Zstandard that runs.
const char *rr_blosc_version(void);
const char *rr_zstd_version(void);
