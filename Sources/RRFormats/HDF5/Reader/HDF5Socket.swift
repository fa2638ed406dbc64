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

    func send(_ bytes: [UInt8]) throws(Closed) {
        let isSent = bytes.withUnsafeBytes { bytes in
            do throws(Closed) {
                try send(bytes)
                return true
            } catch {
                return false
            }
        }
        guard isSent else { throw Closed() }
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

    func send(number: Int) throws(Closed) {
        try send(withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) })
    }

    /// What the process that reads says before anything else, so that one of another release is told apart.
    func greet() throws(Closed) {
        let release = Array(Release.name.utf8)
        try send(number: release.count)
        try send(release)
    }

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
        let bits = try receive(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(truncatingIfNeeded: bits)
    }
}
