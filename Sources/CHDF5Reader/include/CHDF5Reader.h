#pragma once

#include <stddef.h>
#include <stdint.h>

// What the process that reads an HDF5 file needs beside libhdf5: a driver through which libhdf5 reads a file that is
// already open, and the rights and limits of the process. libhdf5 calls a driver by pointers to functions of C, and a
// handler of a signal may not run Swift code.

// Has libhdf5 read `path` through an open descriptor, which it duplicates; other files that the file names are opened by
// their names. `access` is a list of the class H5P_FILE_ACCESS. Returns a negative number where it could not be set.
int rr_hdf5_set_driver(int64_t access, int descriptor, const char *path);

// Where the bytes lie that libhdf5 asked the driver for.
typedef struct {
    // From the start of the file.
    uint64_t address;
    uint64_t size;
    // The number of requests; the two above are those of the last.
    uint64_t count;
} rr_hdf5_place;

// From now on requests for raw data are noted and not served: what libhdf5 is asked to read is then where it would have
// read, and costs no reading.
void rr_hdf5_note_places(void);

// Ends the noting and tells what was noted.
rr_hdf5_place rr_hdf5_noted_place(void);

// Takes the rights away that reading an open file and answering do not need, for the rest of the process: no file can be
// written to or made, no core is dumped, no other program run, and, except where `opens_files`, no file opened and no code
// loaded. Memory is limited to `memory` bytes more than the process has now. A request to end is ignored: the end of the
// socket is what ends the process.
//
// `socket` is the one descriptor that can be written to; those from `first_unused` on are closed. Returns 0, or -1 where a limit could not be set; system calls
// are filtered only where the system can.
int rr_reader_confine(int socket, int first_unused, size_t memory, int opens_files);

// The exit code of a process that did nothing for some seconds though it was asked.
static const int rr_reader_is_stuck = 75;

// Begins a request, which may take this much time of the processor: past it the process ends by SIGPROF. A process that
// waits for seconds, and for no file, ends too.
void rr_reader_begin(int64_t microseconds);

// Ends a request; returns the microseconds that were left.
int64_t rr_reader_end(void);
