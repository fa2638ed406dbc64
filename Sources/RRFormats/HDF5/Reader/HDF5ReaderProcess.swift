internal import CHDF5Reader
internal import Glibc
internal import Synchronization

/// Reading of HDF5 files in processes of their own, which a damaged or hostile file may crash or take over and nothing
/// else.
///
/// Such a process is the program itself, started anew. A program that wants this calls `prepare()` first of all; in one
/// that does not, libhdf5 reads in the program's own process. A library in a program of somebody else, which cannot be
/// started anew for this, names one that can by `prepare(program:)`.
public enum HDF5ReaderProcess {
    /// Has HDF5 files read by processes of their own from here on; in such a process, reads the file and never returns.
    ///
    /// Call it first in `main`, before anything is printed, read or started.
    ///
    /// - Parameter words: the words of a command line. For those that name an HDF5 file a process is started at once, and
    ///   is ready by the time that the file is wanted.
    public static func prepare(expecting words: [String] = []) {
        if CommandLine.arguments.first == name { HDF5ReaderService.run() }
        isPrepared.store(true, ordering: .sequentiallyConsistent)
        var paths: [String] = []
        for word in words {
            // `--masks=masks.h5`
            let path = word.hasPrefix("-") ? String(word.drop { $0 != "=" }.dropFirst()) : word
            if !path.isEmpty, !paths.contains(path) { paths.append(path) }
        }
        expect(paths)
    }

    /// Starts a process at once for each path that names an HDF5 file, so that all start while the first is waited for. What
    /// was expected before and not opened is let go.
    package static func expect(_ paths: [String]) {
        let own = getpid()
        // They end here, outside the lock.
        let left = expected.withLock { readers in
            defer { readers.removeAll { $0.owner == own } }
            return readers.filter { $0.owner == own }
        }
        _ = consume left
        var started: [HDF5Reader] = []
        for path in paths where started.count < mostExpected && isHDF5(path) {
            // What is wrong is told where the file is wanted.
            guard let input = try? InputFile(reading: path),
                let reader = try? HDF5Reader(input, trustingLinks: false, awaits: false)
            else { continue }
            started.append(reader)
        }
        expected.withLock { $0 += started.map { ExpectedReader(reader: $0, owner: own) } }
    }

    /// Has HDF5 files read by processes of another program from here on.
    ///
    /// - Parameter program: the path of a program of this release that calls `prepare()` first of all. A file cannot be
    ///   read where it cannot be started: no file is then read in this process either.
    package static func prepare(program path: String) {
        program.withLock { $0 = path }
        isPrepared.store(true, ordering: .sequentiallyConsistent)
        expect([])
    }

    /// What is started: the running program, whatever has its name by now.
    private static let program = Mutex(runningProgram)
    private static let runningProgram = "/proc/self/exe"

    /// The program that was named; nil for the running one.
    static var namedProgram: String? {
        let path = program.withLock { $0 }
        return path == runningProgram ? nil : path
    }

    /// Hands out the process that was started for a file, once, if the file is still the same.
    static func takeExpected(_ input: InputFile) -> HDF5Reader? {
        expected.withLock { readers in
            let position = readers.firstIndex { expected in
                expected.owner == getpid() && expected.reader.input.path == input.path
                    && expected.reader.input.state == input.state
            }
            return position.map { readers.remove(at: $0).reader }
        }
    }

    /// A process that was started for a file which is still to be opened.
    private struct ExpectedReader {
        let reader: HDF5Reader
        /// The process that has started it. A copy that `fork` makes of that one neither asks it nor ends it.
        let owner: pid_t
    }

    private static let expected = Mutex<[ExpectedReader]>([])
    private static let mostExpected = 4

    /// Whether a regular file begins as HDF5 files do. One that does not is no less readable for it.
    private static func isHDF5(_ path: String) -> Bool {
        var status = stat()
        // To open a pipe would be to wait for who writes.
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var start = [UInt8](repeating: 0, count: 8)
        return read(descriptor, &start, 8) == 8 && start == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    }

    static var isReady: Bool { isPrepared.load(ordering: .relaxed) }

    private static let isPrepared = Atomic(false)

    /// What the process is called, by which it knows itself.
    private static let name = "rrdata-hdf5-reader"
    /// The descriptors that the process finds open.
    static let (socket, file): (Int32, Int32) = (3, 4)

    /// Starts a process that reads an open file.
    ///
    /// - Returns: the way to it, and its number.
    /// - Throws: `FormatError` with the code `cannotRead`.
    static func spawn(reading input: InputFile) throws(FormatError) -> (HDF5Socket, pid_t) {
        var ends: [Int32] = [-1, -1]
        // Above the numbers that the descriptors get there.
        var (theirs, descriptor): (Int32, Int32) = (-1, -1)
        defer { for end in [ends[1], theirs, descriptor] where end >= 0 { close(end) } }
        func failure(_ number: Int32, _ program: String? = nil) -> FormatError {
            if ends[0] >= 0 { close(ends[0]) }
            let place: Message = program.map { "\($0): " } ?? ""
            return FormatError(
                .cannotRead, path: input.path,
                "the process that is to read the file cannot be started: \(place)\(SystemFailure.message(number))"
                    as Message)
        }
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw failure(errno)
        }
        theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
        descriptor = fcntl(input.descriptor, F_DUPFD_CLOEXEC, 10)
        guard theirs >= 0, descriptor >= 0 else { throw failure(errno) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, flags) in [(0, O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
            posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", flags, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, theirs, socket)
        posix_spawn_file_actions_adddup2(&actions, descriptor, file)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        // OpenBLAS, which the process has no use for, would start its threads; a crash needs no report.
        var environment = ["OPENBLAS_NUM_THREADS=1", "SWIFT_BACKTRACE=enable=no"]
        var entry = environ
        while let text = entry.pointee {
            environment.append(String(cString: text))
            entry += 1
        }
        var process: pid_t = 0
        let named = namedProgram
        let number = withArgumentList([name, input.path]) { arguments in
            withArgumentList(environment) { environment in
                posix_spawn(&process, named ?? runningProgram, &actions, &attributes, arguments, environment)
            }
        }
        guard number == 0 else { throw failure(number, named) }
        return (HDF5Socket(descriptor: ends[0]), process)
    }

    private static func withArgumentList<Value>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
