import Glibc
import RRStreaming

/// Writes the cursor of a stream as its reader gets on.
///
/// On a pipe a batch counts as given once its last byte has left the pipe: what is still in there would be lost with
/// the reader. Writing for every batch would take longer than reading small ones, so the file is written at most every
/// 50 ms, less often where the disk is slow, and when the stream ends.
struct CursorKeeper {
    private static let shortestInterval = Duration.milliseconds(50)
    /// The writes wait for the disk, the reader meanwhile for its batch: for a twentieth of the time at most.
    private static let intervalPerWrite = 20

    private let file: CursorFile
    private let clock = ContinuousClock()
    private var lastWrite: ContinuousClock.Instant
    private var interval = shortestInterval
    private let isPipe: Bool
    private var waiting: [(end: Int, next: StreamPosition)] = []
    private var byteCount = 0

    /// - Parameter isNew: whether there is no cursor yet; then the beginning is written.
    init(_ file: CursorFile, isNew: Bool, writesBatches: Bool) throws {
        self.file = file
        lastWrite = clock.now
        var status = stat()
        isPipe = writesBatches && fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        if isNew { try file.write(.beginning) }
    }

    /// Notes that a batch was handed over.
    ///
    /// - Parameter byteCount: the bytes written to standard output so far.
    mutating func add(_ next: StreamPosition, byteCount: Int) throws {
        self.byteCount = byteCount
        waiting.append((byteCount, next))
        let start = clock.now
        guard start - lastWrite >= interval else { return }
        try write()
        lastWrite = clock.now
        interval = max(Self.shortestInterval, (lastWrite - start) * Self.intervalPerWrite)
    }

    /// Writes the last place once the reader has taken everything, or what it took before it closed the pipe.
    mutating func finish() throws {
        while isPipe, unreadCount > 0 {
            var request = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            // Nobody reads any more once this is an error.
            if poll(&request, 1, 1) > 0 { break }
        }
        try write()
    }

    private mutating func write() throws {
        let taken = byteCount - unreadCount
        guard let last = waiting.lastIndex(where: { $0.end <= taken }) else { return }
        try file.write(waiting[last].next)
        waiting.removeFirst(last + 1)
    }

    private var unreadCount: Int {
        guard isPipe else { return 0 }
        var count: Int32 = 0
        return ioctl(STDOUT_FILENO, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }
}
