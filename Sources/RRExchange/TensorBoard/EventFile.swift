internal import FoundationEssentials
internal import Glibc
package import RRFormats
internal import SwiftProtobuf

/// A file of scalars by step, as TensorBoard reads it while it grows.
///
/// It is a row of records, each a length, a message `Event` and the checksums of both, and written record by record: a process that is
/// killed leaves all whole records, and TensorBoard passes over a part of one at the end. A record that there is no room for is taken
/// back. Unlike anything else that is written it holds the time at which each record was made, which TensorBoard draws curves by.
///
/// Source: TensorFlow's `tensorflow/core/lib/io/record_writer.h` for the records, TensorBoard's
/// `backend/event_processing/event_accumulator.py` for what a reader makes of them.
package final class EventFile {
    /// Of how many seconds a name of a file tells, and what TensorBoard knows such a file by.
    private static let start = "events.out.tfevents."

    private let path: String
    private let descriptor: Int32
    /// The bytes of all whole records.
    private var size = 0
    /// The seconds since 1970.
    private let time: () -> Double

    /// Whether there are event files in a folder.
    package static func areIn(_ folder: String) -> Bool {
        FileTree.names(in: folder)?.contains { $0.contains("tfevents") } ?? false
    }

    /// Makes the next event file of a folder, and the folder where there is none.
    ///
    /// TensorBoard forgets what earlier files of the folder say of the steps from here on: a process that was killed may have gone
    /// beyond its checkpoint, from which the next one goes on.
    ///
    /// - Parameters:
    ///   - step: the first step that is told of.
    ///   - time: the seconds since 1970.
    /// - Throws: `FormatError` with the code `cannotWrite`; no file is left then.
    package init(
        in folder: String, from step: Int, time: @escaping () -> Double = EventFile.now
    ) throws(FormatError) {
        self.time = time
        try Self.makeFolders(folder)
        // TensorBoard reads the files of a folder in the order of their names.
        let latest = (FileTree.names(in: folder) ?? []).compactMap(Self.seconds).max() ?? 0
        var seconds = max(Int(time()), latest + 1)
        var (path, descriptor) = ("", Int32(-1))
        repeat {
            path = "\(folder)/\(Self.start)\(seconds).rrdata"
            descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0o666)
            seconds += 1
        } while descriptor < 0 && errno == EEXIST
        guard descriptor >= 0 else { throw FormatError(writing: path, failure: errno) }
        (self.path, self.descriptor) = (path, descriptor)
        do {
            try append { $0.fileVersion = "brain.Event:2" }
            try append {
                $0.step = Int64(step)
                $0.sessionLog.status = .start
            }
        } catch {
            FileTree.remove(path)
            throw error
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Adds scalars of one step, which TensorBoard keeps in single precision.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func append(_ scalars: [(tag: String, value: Double)], step: Int) throws(FormatError) {
        try append { event in
            event.step = Int64(step)
            event.summary.value = scalars.map { scalar in
                var value = TensorBoardSummary.Value()
                (value.tag, value.simpleValue) = (scalar.tag, Float(scalar.value))
                return value
            }
        }
    }

    /// Brings what was written to the disk.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func sync() throws(FormatError) {
        try Durability.sync(descriptor, shownAs: path)
        try Durability.sync(namesIn: FileTree.folder(of: path), shownAs: path)
    }

    /// The seconds since 1970 by the system's clock.
    package static func now() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private func append(_ fill: (inout TensorBoardEvent) -> Void) throws(FormatError) {
        var event = TensorBoardEvent()
        event.wallTime = time()
        fill(&event)
        let message: [UInt8]
        do {
            message = try event.serializedBytes()
        } catch {
            throw FormatError(.cannotWrite, path: path, "the event cannot be written as a message: \(error)")
        }
        let length = Self.bytes(of: UInt64(message.count))
        var record = length + Self.bytes(of: CRC32C.masked(of: length)) + message
        record += Self.bytes(of: CRC32C.masked(of: message))
        var written = 0
        while written < record.count {
            let count = record[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                let failure = errno
                if written > 0 { ftruncate(descriptor, off_t(size)) }
                throw FormatError(writing: path, failure: failure)
            }
        }
        size += record.count
    }

    /// The least significant byte first.
    private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// The seconds in a file's name; nil for other names, and for what is no time.
    private static func seconds(_ name: String) -> Int? {
        guard name.hasPrefix(start) else { return nil }
        let digits = name.dropFirst(start.count).prefix { $0 != "." }
        return digits.count == 10 ? Int(digits) : nil
    }

    private static func makeFolders(_ folder: String) throws(FormatError) {
        guard FileTree.kind(of: folder) == nil else { return }
        let outer = FileTree.folder(of: folder)
        if outer != folder { try makeFolders(outer) }
        _ = try FileTree.makeFolder(folder)
    }
}
