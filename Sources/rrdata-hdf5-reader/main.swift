import Glibc
import RRFormats

// The process that `librrdata.so` starts for each HDF5 file. The command would do as well, which starts itself for this; but most of
// the time to the first batch went into loading what it has beside this.
HDF5ReaderProcess.prepare()

// Started by somebody else, it has nothing to read.
let explanation: StaticString =
    "This program reads HDF5 files for librrdata.so, which starts it. The command is rrdata.\n"
write(STDERR_FILENO, explanation.utf8Start, explanation.utf8CodeUnitCount)
exit(EX_USAGE)
