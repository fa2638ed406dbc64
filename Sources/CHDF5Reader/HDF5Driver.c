#include "CHDF5Reader.h"
#include "ReaderWaits.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// A driver of libhdf5 for files that are only read. Unlike its own it opens nothing by name where it was given a
// descriptor, gathers no metadata in a buffer that damaged addresses overrun, and refuses what lies beyond the file's end.

typedef struct {
    int descriptor;
    char path[4096];
} access_record;

typedef struct {
    H5FD_t base;
    int descriptor;
    haddr_t end_of_addresses;
    haddr_t end_of_file;
    dev_t device;
    ino_t number;
} open_file;

static _Thread_local int is_noting = 0;
static _Thread_local rr_hdf5_place noted;

void rr_hdf5_note_places(void) {
    noted = (rr_hdf5_place){0};
    is_noting = 1;
}

rr_hdf5_place rr_hdf5_noted_place(void) {
    is_noting = 0;
    return noted;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t largest_address) {
    if (flags & (H5F_ACC_RDWR | H5F_ACC_TRUNC | H5F_ACC_CREAT | H5F_ACC_EXCL)) { return NULL; }
    const access_record *record = H5Pget_driver_info(access);
    int descriptor = record != NULL && strcmp(name, record->path) == 0
        ? fcntl(record->descriptor, F_DUPFD_CLOEXEC, 0)
        : open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) { return NULL; }
    struct stat status;
    open_file *file = fstat(descriptor, &status) == 0 ? calloc(1, sizeof *file) : NULL;
    if (file == NULL) {
        close(descriptor);
        return NULL;
    }
    file->descriptor = descriptor;
    file->end_of_file = (haddr_t)status.st_size;
    file->device = status.st_dev;
    file->number = status.st_ino;
    return &file->base;
}

static herr_t driver_close(H5FD_t *base) {
    open_file *file = (open_file *)base;
    close(file->descriptor);
    free(file);
    return 0;
}

static int driver_compare(const H5FD_t *first, const H5FD_t *second) {
    const open_file *one = (const open_file *)first, *other = (const open_file *)second;
    if (one->device != other->device) { return one->device < other->device ? -1 : 1; }
    if (one->number != other->number) { return one->number < other->number ? -1 : 1; }
    return 0;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags) {
    if (flags != NULL) { *flags = H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE; }
    return 0;
}

static haddr_t driver_end_of_addresses(const H5FD_t *base, H5FD_mem_t kind) {
    return ((const open_file *)base)->end_of_addresses;
}

static herr_t driver_set_end_of_addresses(H5FD_t *base, H5FD_mem_t kind, haddr_t address) {
    ((open_file *)base)->end_of_addresses = address;
    return 0;
}

static haddr_t driver_end_of_file(const H5FD_t *base, H5FD_mem_t kind) {
    return ((const open_file *)base)->end_of_file;
}

static herr_t driver_handle(H5FD_t *base, hid_t access, void **handle) {
    *handle = &((open_file *)base)->descriptor;
    return 0;
}

static herr_t driver_read(
    H5FD_t *base, H5FD_mem_t kind, hid_t transfer, haddr_t address, size_t size, void *buffer) {
    open_file *file = (open_file *)base;
    if (address > INT64_MAX || size > INT64_MAX - address) { return -1; }
    if (is_noting && kind == H5FD_MEM_DRAW) {
        noted.address = address;
        noted.size = size;
        noted.count++;
        return 0;
    }
    char *target = buffer;
    while (size > 0) {
        rr_reader_waits = 1;
        ssize_t count = pread(file->descriptor, target, size, (off_t)address);
        rr_reader_waits = 0;
        if (count < 0) {
            if (errno == EINTR) { continue; }
            return -1;
        }
        if (count == 0) {
            // As libhdf5's own driver has it: what lies between the end of the file and that of its addresses is zero.
            memset(target, 0, size);
            return 0;
        }
        target += count;
        address += (haddr_t)count;
        size -= (size_t)count;
    }
    return 0;
}

static herr_t driver_write(
    H5FD_t *base, H5FD_mem_t kind, hid_t transfer, haddr_t address, size_t size, const void *buffer) {
    return -1;
}

static herr_t driver_truncate(H5FD_t *base, hid_t transfer, hbool_t is_closing) { return 0; }

// File systems without locks serve reading all the same.
static herr_t driver_lock(H5FD_t *base, hbool_t is_for_writing) {
    if (flock(((open_file *)base)->descriptor, LOCK_SH | LOCK_NB) == 0 || errno == ENOSYS) { return 0; }
    H5Epush2(
        H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_FILE, H5E_CANTLOCKFILE,
        "unable to lock file, errno = %d, error message = '%s'", errno, strerror(errno));
    return -1;
}

static herr_t driver_unlock(H5FD_t *base) {
    flock(((open_file *)base)->descriptor, LOCK_UN);
    return 0;
}

static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = H5FD_RESERVED,
#endif
    .name = "read-only",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(access_record),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_end_of_addresses,
    .set_eoa = driver_set_end_of_addresses,
    .get_eof = driver_end_of_file,
    .get_handle = driver_handle,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .lock = driver_lock,
    .unlock = driver_unlock,
    .fl_map = H5FD_FLMAP_SINGLE,
};

int rr_hdf5_set_driver(int64_t access, int descriptor, const char *path) {
    static hid_t driver = H5I_INVALID_HID;
    if (driver < 0) { driver = H5FDregister(&driver_class); }
    access_record record = {.descriptor = descriptor};
    if (driver < 0 || strlen(path) >= sizeof record.path) { return -1; }
    strcpy(record.path, path);
    return H5Pset_driver(access, driver, &record);
}
