import Foundation
import RRFormats
import TestSupport
import Testing

/// The bytes of an input, made when they are asked for: a sound file, and what is done to it.
///
/// Places are counted from the beginning, or where they are negative from the end.
struct SourceBytes: Sendable {
    let make: @Sendable () throws -> [UInt8]

    init(_ make: @escaping @Sendable () throws -> [UInt8]) { self.make = make }

    // Where it comes from.

    /// A file of `Fixtures`.
    static func fixture(_ name: String) -> SourceBytes {
        SourceBytes { try FileBytes.read(Fixtures.path(name)) }
    }

    /// A file that commands have made, of the workshop.
    static func workshop(_ name: String) -> SourceBytes {
        SourceBytes { try FileBytes.read(Workshop.shared.get().path(name)) }
    }

    static func text(_ text: String) -> SourceBytes { SourceBytes { Array(text.utf8) } }

    static func bytes(_ bytes: [UInt8]) -> SourceBytes { SourceBytes { bytes } }

    static func zeros(_ count: Int) -> SourceBytes { SourceBytes { [UInt8](repeating: 0, count: count) } }

    /// An HDF5 file of parts.
    static func hdf5(_ parts: @escaping @Sendable () throws -> RawFile) -> SourceBytes {
        SourceBytes {
            let folder = try TemporaryFolder()
            return try FileBytes.read(parts().write(to: folder.path("raw.h5")))
        }
    }

    // What is done to it.

    /// The first bytes, or for a negative number all but the last.
    func cut(to count: Int) -> SourceBytes {
        SourceBytes {
            let bytes = try make()
            return Array(bytes.prefix(place(count, bytes)))
        }
    }

    /// The same with a bit of a byte changed.
    func flipped(at offset: Int, bit: Int = 0) -> SourceBytes {
        SourceBytes {
            var bytes = try make()
            bytes[place(offset, bytes)] ^= 1 << UInt8(bit)
            return bytes
        }
    }

    /// The same with other bytes from a place on.
    func with(_ replacement: [UInt8], at offset: Int) -> SourceBytes {
        SourceBytes {
            var bytes = try make()
            let start = place(offset, bytes)
            bytes.replaceSubrange(start..<start + replacement.count, with: replacement)
            return bytes
        }
    }

    /// The same with a text in the place of another, which must be there.
    func replacing(_ text: String, with other: String) -> SourceBytes {
        SourceBytes {
            let bytes = try make()
            let range = try #require(bytes.firstRange(of: Array(text.utf8)))
            return Array(bytes[..<range.lowerBound] + Array(other.utf8) + bytes[range.upperBound...])
        }
    }

    static func + (first: SourceBytes, second: SourceBytes) -> SourceBytes {
        SourceBytes { try first.make() + second.make() }
    }

    static func * (bytes: SourceBytes, count: Int) -> SourceBytes {
        SourceBytes { Array(repeatElement(try bytes.make(), count: count).joined()) }
    }

    private func place(_ offset: Int, _ bytes: [UInt8]) -> Int { offset < 0 ? bytes.count + offset : offset }
}
