// Fails or kills at the n-th call of a kind, of those that a program makes of the C library. Loaded with LD_PRELOAD; glibc only.
//
//     FAULTS=KIND:N:FAULT  KIND as in `names` below; FAULT an error number's name, short, full, gone or kill
//     FAULTS=count         fails nothing
//     FAULTS_REPORT=FILE   64 bytes a kind with the number of calls, then a line on the call that failed
//
// Counting begins with `main`, so that the start of the libraries is left alone. A process that the program starts counts
// nothing. Calls within the C library (stdio's writes) do not come by here; `fopen` and `opendir` do.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { READ, WRITE, TRUNCATE, SYNC, RENAME, OPEN, MKDIR, UNLINK, LOCK, MMAP, MALLOC, KINDS };
static const char *const names[KINDS] = {"read",  "write",  "truncate", "sync", "rename", "open",
                                         "mkdir", "unlink", "lock",     "mmap", "malloc"};

// After one call: none, that call alone, every call that needs room on the disk, or every call that changes the disk.
enum reach { ONCE, FULL, GONE };
enum { SHORT = -1, KILL = -2 };

static struct {
    int kind;
    long number;
    int fault;
    enum reach reach;
} plan = {.kind = KINDS};
static atomic_bool counting, broken;
static struct {
    struct {
        _Alignas(64) atomic_long calls;
    } kinds[KINDS];
    char line[1024];
} nowhere, *report = &nowhere;

// The function that this library stands in front of.
#define REAL(name)                                                   \
    ({                                                               \
        static __typeof__(&name) found;                              \
        if (!found) found = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        found;                                                       \
    })

static int number_of(const char *fault) {
    static const struct {
        const char *name;
        int number;
    } known[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE},
                 {"ENOLCK", ENOLCK}, {"full", ENOSPC},   {"gone", EIO},    {"short", SHORT},   {"kill", KILL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(fault, known[i].name)) return known[i].number;
    fprintf(stderr, "faults: no such fault: %s\n", fault);
    _exit(99);
}

static void begin(void) {
    const char *text = getenv("FAULTS"), *path = getenv("FAULTS_REPORT");
    if (!text) return;
    if (path) {
        int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        void *memory = MAP_FAILED;
        if (file >= 0 && !ftruncate(file, sizeof *report))
            memory = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) _exit(99);
        close(file);
        report = memory;
    }
    char kind[16], fault[16];
    if (sscanf(text, "%15[a-z]:%ld:%15[A-Za-z]", kind, &plan.number, fault) == 3) {
        plan.fault = number_of(fault);
        plan.reach = !strcmp(fault, "full") ? FULL : !strcmp(fault, "gone") ? GONE : ONCE;
        for (plan.kind = 0; plan.kind < KINDS && strcmp(kind, names[plan.kind]); plan.kind++) {}
    }
    // Not for the processes that this one starts.
    unsetenv("FAULTS");
    counting = 1;
}

// Says which call it was: path, or that of an open file.
static void note(const char *function, int file, const char *path) {
    char link[64], target[512];
    if (!path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = file >= 0 ? readlink(link, target, sizeof target - 1) : -1;
        target[length < 0 ? 0 : length] = 0;
        path = target;
    }
    snprintf(report->line, sizeof report->line, "%s %s\n", function, path);
}

// 0 for a call that goes through, an error number, or SHORT.
static int fault(enum kind kind, int takes_room, const char *function, int file, const char *path) {
    if (!counting) return 0;
    int saved = errno;
    long number = atomic_fetch_add(&report->kinds[kind].calls, 1) + 1;
    int result = 0;
    if (kind == (enum kind)plan.kind && number == plan.number) {
        note(function, file, path);
        if (plan.fault == KILL) {
            kill(getpid(), SIGKILL);
            for (;;) pause();
        }
        result = plan.fault;
        if (plan.reach != ONCE) broken = 1;
    } else if (broken && (plan.reach == FULL ? takes_room : takes_room || kind == SYNC || kind == RENAME || kind == UNLINK)) {
        result = plan.fault;
    }
    errno = saved;
    return result;
}

// Sockets, pipes of the run-time libraries and the messages on standard error are no concern.
static int is_data(int file) {
    struct stat status;
    return file != STDERR_FILENO && !fstat(file, &status) && (file == STDOUT_FILENO || S_ISREG(status.st_mode));
}

typedef int program(int, char **, char **);
static program *real_main;
static int counted_main(int count, char **arguments, char **environment) {
    begin();
    return real_main(count, arguments, environment);
}
int __libc_start_main(program *main, int count, char **arguments, void (*start)(void), void (*end)(void), void (*last)(void),
                      void *stack) {
    int (*real)(program *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
        dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return real(counted_main, count, arguments, start, end, last, stack);
}

#define FAIL(error, result)  \
    do {                     \
        errno = (error);     \
        return (result);     \
    } while (0)

// A call that moves bytes between memory and a file.
#define MOVES(name, KIND, parameters, arguments, shorter)                       \
    ssize_t name parameters {                                                         \
        int found = is_data(file) ? fault(KIND, KIND == WRITE, #name, file, NULL) : 0; \
        if (found > 0) FAIL(found, -1);                                               \
        if (found == SHORT) shorter;                                                  \
        return REAL(name) arguments;                                                  \
    }
#define HALF size = size > 1 ? size / 2 : size
#define ONE size = size > 1 ? 1 : size
MOVES(read, READ, (int file, void *bytes, size_t size), (file, bytes, size), HALF)
MOVES(pread, READ, (int file, void *bytes, size_t size, off_t at), (file, bytes, size, at), HALF)
MOVES(pread64, READ, (int file, void *bytes, size_t size, off64_t at), (file, bytes, size, at), HALF)
MOVES(readv, READ, (int file, const struct iovec *parts, int size), (file, parts, size), ONE)
MOVES(preadv, READ, (int file, const struct iovec *parts, int size, off_t at), (file, parts, size, at), ONE)
MOVES(write, WRITE, (int file, const void *bytes, size_t size), (file, bytes, size), HALF)
MOVES(pwrite, WRITE, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at), HALF)
MOVES(pwrite64, WRITE, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at), HALF)
MOVES(writev, WRITE, (int file, const struct iovec *parts, int size), (file, parts, size), ONE)
MOVES(pwritev, WRITE, (int file, const struct iovec *parts, int size, off_t at), (file, parts, size, at), ONE)

// A call that succeeds with 0 and fails with -1.
#define SIMPLE(name, KIND, takes_room, parameters, arguments, file, path)   \
    int name parameters {                                                   \
        int found = fault(KIND, takes_room, #name, file, path);             \
        if (found > 0) FAIL(found, -1);                                     \
        return REAL(name) arguments;                                        \
    }
SIMPLE(ftruncate, TRUNCATE, 1, (int file, off_t size), (file, size), file, NULL)
SIMPLE(ftruncate64, TRUNCATE, 1, (int file, off64_t size), (file, size), file, NULL)
SIMPLE(truncate, TRUNCATE, 1, (const char *path, off_t size), (path, size), -1, path)
SIMPLE(truncate64, TRUNCATE, 1, (const char *path, off64_t size), (path, size), -1, path)
SIMPLE(fallocate, TRUNCATE, 1, (int file, int mode, off_t at, off_t size), (file, mode, at, size), file, NULL)
SIMPLE(fallocate64, TRUNCATE, 1, (int file, int mode, off64_t at, off64_t size), (file, mode, at, size), file, NULL)
SIMPLE(fsync, SYNC, 0, (int file), (file), file, NULL)
SIMPLE(fdatasync, SYNC, 0, (int file), (file), file, NULL)
SIMPLE(syncfs, SYNC, 0, (int file), (file), file, NULL)
SIMPLE(rename, RENAME, 0, (const char *from, const char *to), (from, to), -1, to)
SIMPLE(renameat, RENAME, 0, (int a, const char *from, int b, const char *to), (a, from, b, to), -1, to)
SIMPLE(renameat2, RENAME, 0, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags), -1, to)
SIMPLE(link, RENAME, 0, (const char *from, const char *to), (from, to), -1, to)
SIMPLE(linkat, RENAME, 0, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), -1, to)
SIMPLE(symlink, RENAME, 0, (const char *from, const char *to), (from, to), -1, to)
SIMPLE(mkdir, MKDIR, 1, (const char *path, mode_t mode), (path, mode), -1, path)
SIMPLE(mkdirat, MKDIR, 1, (int folder, const char *path, mode_t mode), (folder, path, mode), -1, path)
SIMPLE(unlink, UNLINK, 0, (const char *path), (path), -1, path)
SIMPLE(unlinkat, UNLINK, 0, (int folder, const char *path, int flags), (folder, path, flags), -1, path)
SIMPLE(rmdir, UNLINK, 0, (const char *path), (path), -1, path)
SIMPLE(remove, UNLINK, 0, (const char *path), (path), -1, path)
SIMPLE(flock, LOCK, 0, (int file, int operation), (file, operation), file, NULL)

static int makes_file(int flags) { return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE; }

// A call that opens a file; a mode follows the flags where the file may be made.
#define OPENS(name, parameters, arguments)                                         \
    int name parameters {                                                          \
        mode_t mode = 0;                                                           \
        if (makes_file(flags)) {                                       \
            va_list rest;                                                          \
            va_start(rest, flags);                                                 \
            mode = va_arg(rest, mode_t);                                           \
            va_end(rest);                                                          \
        }                                                                          \
        int found = fault(OPEN, makes_file(flags), #name, -1, path);  \
        if (found > 0) FAIL(found, -1);                                            \
        return REAL(name) arguments;                                               \
    }
OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENS(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
SIMPLE(creat, OPEN, 1, (const char *path, mode_t mode), (path, mode), -1, path)
SIMPLE(creat64, OPEN, 1, (const char *path, mode_t mode), (path, mode), -1, path)

#define GIVES(type, name, KIND, parameters, arguments, file, path, failed) \
    type name parameters {                                                 \
        int found = fault(KIND, 0, #name, file, path);                     \
        if (found > 0) FAIL(found, failed);                                \
        return REAL(name) arguments;                                       \
    }
GIVES(FILE *, fopen, OPEN, (const char *path, const char *mode), (path, mode), -1, path, NULL)
GIVES(FILE *, fopen64, OPEN, (const char *path, const char *mode), (path, mode), -1, path, NULL)
GIVES(DIR *, opendir, OPEN, (const char *path), (path), -1, path, NULL)
GIVES(void *, mmap, MMAP, (void *place, size_t size, int use, int flags, int file, off_t at),
      (place, size, use, flags, file, at), file, NULL, MAP_FAILED)
GIVES(void *, mmap64, MMAP, (void *place, size_t size, int use, int flags, int file, off64_t at),
      (place, size, use, flags, file, at), file, NULL, MAP_FAILED)

// `dlsym` allocates, so these call the C library's own names.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
#define ALLOCATES(name, parameters, arguments)                       \
    void *name parameters {                                          \
        int found = fault(MALLOC, 0, #name, -1, "");                 \
        if (found > 0) FAIL(found, NULL);                            \
        return __libc_##name arguments;                              \
    }
ALLOCATES(malloc, (size_t size), (size))
ALLOCATES(calloc, (size_t count, size_t size), (count, size))
ALLOCATES(realloc, (void *memory, size_t size), (memory, size))
ALLOCATES(memalign, (size_t alignment, size_t size), (alignment, size))
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *found = memalign(alignment, size);
    if (!found) return ENOMEM;
    *memory = found;
    return 0;
}
