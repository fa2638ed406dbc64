internal import Glibc

/// One end of the line between a program and the process that reads a file for it.
///
/// A message is the number of its bytes, then the bytes; that of an answer stands behind a byte that says whether it is an
/// error.
struct HDF5Socket: Sendable {
    let descriptor: Int32

    /// The other end is gone.
    struct Closed: Error {}

    func send(_ bytes: UnsafeRawBufferPointer) throws(Closed) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            // Unlike of a write, the end of the other end is no signal.
            let count = Glibc.send(descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw Closed()
            }
        }
    }

    func receive(into bytes: UnsafeMutableRawBufferPointer) throws(Closed) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeMutableRawBufferPointer(rebasing: rest)
            let count = Glibc.read(descriptor, part.baseAddress, part.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                throw Closed()
            }
        }
    }

    func receive(_ count: Int) throws(Closed) -> [UInt8] {
        var isReceived = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(Closed) {
                try receive(
                    into: UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: buffer.prefix(count))))
                (filled, isReceived) = (count, true)
            } catch {
                filled = 0
            }
        }
        guard isReceived else { throw Closed() }
        return bytes
    }

    /// Sends a message.
    ///
    /// What is short goes with its number in one piece: each piece wakes the other end, and costs as much as the rest together.
    ///
    /// - Parameter isError: of an answer, whether it is an error; nil where the message is none.
    func send(message: UnsafeRawBufferPointer, isError: Bool? = nil) throws(Closed) {
        var start: [UInt8] = isError.map { [$0 ? 1 : 0] } ?? []
        withUnsafeBytes(of: UInt64(message.count).littleEndian) { start.append(contentsOf: $0) }
        let isOnePiece = message.count <= Self.longestPiece
        if isOnePiece { start.append(contentsOf: message) }
        try start.withUnsafeBytes { bytes in Result { () throws(Closed) in try send(bytes) } }.get()
        if !isOnePiece { try send(message) }
    }

    func send(message: [UInt8], isError: Bool? = nil) throws(Closed) {
        try message.withUnsafeBytes { bytes in
            Result { () throws(Closed) in try send(message: bytes, isError: isError) }
        }.get()
    }

    private static let longestPiece = 1 << 16

    /// Takes what an answer begins with: whether it is an error, and the number of its bytes.
    func receiveAnswer() throws(Closed) -> (isError: Bool, count: Int) {
        let start = try receive(9)
        return (start[0] != 0, Self.number(start.dropFirst()))
    }

    /// What the process that reads says before anything else, so that one of another release is told apart.
    func greet() throws(Closed) { try send(message: Array(Release.name.utf8)) }

    /// Takes the greeting of the other end.
    ///
    /// - Returns: its release; nil where it says nothing of the kind.
    func receiveGreeting() -> String? {
        do throws(Closed) {
            let count = try receiveNumber()
            guard 1...Self.longestRelease ~= count else { return nil }
            return String(validating: try receive(count), as: UTF8.self)
        } catch {
            return nil
        }
    }

    private static let longestRelease = 64

    /// A number of bytes; negative where it is none.
    func receiveNumber() throws(Closed) -> Int {
        Self.number(try receive(8)[...])
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        Int(truncatingIfNeeded: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
