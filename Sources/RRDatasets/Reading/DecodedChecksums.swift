internal import Synchronization

/// The checksums of images that are known once they have been decoded: a number each, which any thread sets and reads.
///
/// Unchecked: the numbers are atomic and stay at their place.
final class DecodedChecksums: @unchecked Sendable {
    /// The checksum and a bit above it, 0 while it is unknown.
    private let values: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    private static let known: UInt64 = 1 << 32

    init(count: Int) {
        self.count = count
        values = .allocate(capacity: count)
        for index in 0..<count { (values + index).initialize(to: Atomic(0)) }
    }

    deinit {
        values.deinitialize(count: count)
        values.deallocate()
    }

    /// The checksum of an image; nil before it was decoded.
    subscript(index: Int) -> UInt32? {
        precondition(index >= 0 && index < count)
        let value = values[index].load(ordering: .relaxed)
        return value == 0 ? nil : UInt32(truncatingIfNeeded: value)
    }

    /// Notes what an image's checksum is; false where it was another before.
    func insert(_ checksum: UInt32, at index: Int) -> Bool {
        precondition(index >= 0 && index < count)
        let value = Self.known | UInt64(checksum)
        let (isFirst, before) = values[index].compareExchange(
            expected: 0, desired: value, ordering: .relaxed)
        return isFirst || before == value
    }
}
