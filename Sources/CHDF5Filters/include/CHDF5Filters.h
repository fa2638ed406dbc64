#pragma once

// The filters of HDF5 data that are not part of libhdf5 and that many a program writes: LZF (h5py), Blosc and Zstd
// (hdf5plugin, PyTables). libhdf5 calls a filter by a pointer to a function of C, with buffers that the filter
// exchanges. Data are decoded only.

// Makes the filters known to libhdf5, for the whole process. Returns a negative number where one could not be.
int rr_hdf5_register_filters(void);
