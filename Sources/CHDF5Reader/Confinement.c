#define _GNU_SOURCE
#include "CHDF5Reader.h"
#include "ReaderWaits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

volatile sig_atomic_t rr_reader_waits = 0;

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
// Both kinds of machine are little-endian: the low half of an argument stands first.
#define ARGUMENT(number) args[number]
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), RETURN(SECCOMP_RET_ALLOW)

// System calls that are not listed fail with EPERM: nothing ends because a C library wants something else.
static int filter_calls(int socket) {
    struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_KILL),
        LOAD(nr),
        ALLOW(read), ALLOW(pread64), ALLOW(lseek), ALLOW(fstat), ALLOW(close), ALLOW(flock), ALLOW(fcntl),
        ALLOW(munmap), ALLOW(mremap), ALLOW(brk), ALLOW(madvise), ALLOW(futex),
        ALLOW(rt_sigreturn), ALLOW(rt_sigprocmask), ALLOW(rt_sigaction), ALLOW(sigaltstack),
        ALLOW(setitimer), ALLOW(getitimer), ALLOW(getrusage), ALLOW(clock_gettime), ALLOW(gettimeofday),
        ALLOW(getpid), ALLOW(gettid), ALLOW(tgkill), ALLOW(sched_yield), ALLOW(sched_getaffinity),
        ALLOW(getrandom), ALLOW(getcwd), ALLOW(exit), ALLOW(exit_group), ALLOW(restart_syscall),
        ALLOW(newfstatat),
        // Answers go to the socket alone.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sendto, 0, 4),
        LOAD(ARGUMENT(0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)socket, 0, 1),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_ERRNO | EPERM),
        // Memory is no code.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 0, 3),
        LOAD(ARGUMENT(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else

static int filter_calls(int socket) { return -1; }

#endif

static size_t mapped_bytes(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) { return 0; }
    if (fscanf(file, "%lu", &pages) != 1) { pages = 0; }
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

// The time of the processor at the last ticks.
static volatile int64_t used_before = 0;
static volatile int idle_ticks = 0;

// Each second of a request: a process that waits for a lock that its own damaged memory holds uses no time.
static void tick(int signal) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) { return; }
    int64_t used = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    idle_ticks = used - used_before < 1000 && !rr_reader_waits ? idle_ticks + 1 : 0;
    used_before = used;
    if (idle_ticks >= 3) { _exit(rr_reader_is_stuck); }
}

// What the program had open and did not mark as its own would be open here too.
static void close_from(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0) { return; }
#endif
    long count = sysconf(_SC_OPEN_MAX);
    for (int descriptor = first; descriptor < (count > 0 && count < 65536 ? count : 65536); descriptor++) {
        close(descriptor);
    }
}

int rr_reader_confine(int socket, int first_unused, size_t memory, int opens_files) {
    close_from(first_unused);
    const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGPROF};
    for (size_t number = 0; number < sizeof crashes / sizeof crashes[0]; number++) {
        signal(crashes[number], SIG_DFL);
    }
    const int requests[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ};
    for (size_t number = 0; number < sizeof requests / sizeof requests[0]; number++) {
        signal(requests[number], SIG_IGN);
    }
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    if (sigaction(SIGALRM, &action, NULL) != 0) { return -1; }

    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_FSIZE, &none) != 0) { return -1; }
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) != 0) { return -1; }
    rlim_t wanted = mapped_bytes() + memory;
    if (space.rlim_cur == RLIM_INFINITY || wanted < space.rlim_cur) {
        space.rlim_cur = wanted;
        if (setrlimit(RLIMIT_AS, &space) != 0) { return -1; }
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && !opens_files) { filter_calls(socket); }
    return 0;
}

static void set_timer(int which, int64_t first, int64_t interval) {
    struct itimerval timer = {
        .it_value = {first / 1000000, first % 1000000}, .it_interval = {interval / 1000000, 0}};
    setitimer(which, &timer, NULL);
}

void rr_reader_begin(int64_t allowed) {
    idle_ticks = 0;
    set_timer(ITIMER_PROF, allowed > 0 ? allowed : 1, 0);
    set_timer(ITIMER_REAL, 1000000, 1000000);
}

int64_t rr_reader_end(void) {
    struct itimerval left;
    getitimer(ITIMER_PROF, &left);
    set_timer(ITIMER_PROF, 0, 0);
    set_timer(ITIMER_REAL, 0, 0);
    return microseconds(left.it_value);
}
