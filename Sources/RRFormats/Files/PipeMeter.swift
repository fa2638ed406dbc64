internal import Glibc

/// Counts what a pipe brings, so that one that never ends, or states less than it brings, does not fill memory or the disk.
struct PipeMeter {
    private let path: String
    /// The most bytes that are taken.
    private(set) var limit: Int
    /// Why no more are.
    private let reason: String
    private var total = 0
    /// The bytes so far, as long as they may still state a length; nil once that is settled.
    private var beginning: [UInt8]? = []
    /// The length that the header of an NPY or IDX file states; nil where there is none so far.
    private(set) var stated: Int?

    /// - Parameter reason: what an error says of the limit: `that there is memory for`.
    init(path: String, limit: Int, reason: String) {
        (self.path, self.limit, self.reason) = (path, limit, reason)
    }

    /// The most bytes of standard input, which is kept in memory: three quarters of the machine's.
    static let memoryLimit: Int = {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? pages / 4 * 3 * size : 1 << 31
    }()

    /// The most bytes that an open file has room for: what is free on its disk but for a twentieth, since others write there.
    static func room(for descriptor: Int32) -> Int {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { return .max }
        let (bytes, isMore) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(status.f_frsize))
        return isMore ? .max : bytes / 20 * 19
    }

    /// Takes further bytes.
    ///
    /// - Throws: `FormatError` with the code `malformed` where a header is damaged or states fewer bytes, or `unsupported` where
    ///   it states more than the limit, or the bytes are more.
    mutating func add(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        total += bytes.count
        if let start = beginning {
            let start = start + bytes.prefix(NPYArray.largestBeginning - start.count)
            stated = try NPYArray.fileSize(statedBy: start, path: path)
            if stated == nil { stated = try IDXArray.fileSize(statedBy: start, path: path) }
            let isSettled = stated != nil || start.count >= NPYArray.largestBeginning || !Self.mayState(start)
            beginning = isSettled ? nil : start
        }
        guard total <= limit, stated ?? 0 <= limit else {
            throw FormatError(
                .unsupported, path: path,
                "the pipe brings more than the \(limit) bytes \(reason): save it as a file first")
        }
        guard total <= stated ?? .max else {
            throw FormatError(
                .malformed, path: path,
                "the pipe brings more than the \(stated ?? 0) bytes that its header states")
        }
    }

    private static func mayState(_ start: [UInt8]) -> Bool {
        let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
        return start.starts(with: magic.prefix(start.count))
            || start.starts(with: [0, 0].prefix(start.count))
    }
}
