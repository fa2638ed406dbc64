internal import Synchronization

/// A value for each sample, which any thread sets and reads.
///
/// Unchecked: the values are atomic and stay at their place.
private final class SampleAtomics<Value: AtomicRepresentable>: @unchecked Sendable {
    let values: UnsafeMutablePointer<Atomic<Value>>
    let count: Int

    init(count: Int, initially value: Value) where Value: BitwiseCopyable {
        self.count = count
        values = .allocate(capacity: count)
        for index in 0..<count { (values + index).initialize(to: Atomic(value)) }
    }

    deinit {
        values.deinitialize(count: count)
        values.deallocate()
    }

    /// Where a sample's value is.
    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Atomic<Value>> {
        precondition(index >= 0 && index < count)
        return values + index
    }
}

/// A flag for each sample: whose checksum was found right, or whose image was written.
struct SampleFlags: Sendable {
    private let flags: SampleAtomics<Bool>

    init(count: Int) { flags = SampleAtomics(count: count, initially: false) }

    func contains(_ index: Int) -> Bool { places.contains(index) }

    /// Sets a flag; false where it was set before.
    func insert(_ index: Int) -> Bool { !flags[index].pointee.exchange(true, ordering: .relaxed) }

    /// The flags themselves, for somebody who holds them as long.
    struct Places {
        fileprivate let flags: UnsafeMutablePointer<Atomic<Bool>>
        fileprivate let count: Int

        func contains(_ index: Int) -> Bool {
            precondition(index >= 0 && index < count)
            return flags[index].load(ordering: .relaxed)
        }

        func insert(_ index: Int) {
            precondition(index >= 0 && index < count)
            flags[index].store(true, ordering: .relaxed)
        }
    }

    var places: Places { Places(flags: flags.values, count: flags.count) }
}

/// The checksums of images that are known once they have been decoded.
struct DecodedChecksums: Sendable {
    /// The checksum and a bit above it, 0 while it is unknown.
    private let values: SampleAtomics<UInt64>

    private static let known: UInt64 = 1 << 32

    init(count: Int) { values = SampleAtomics(count: count, initially: 0) }

    /// The checksum of an image; nil before it was decoded.
    subscript(index: Int) -> UInt32? {
        let value = values[index].pointee.load(ordering: .relaxed)
        return value == 0 ? nil : UInt32(truncatingIfNeeded: value)
    }

    /// Notes what an image's checksum is; false where it was another before.
    func insert(_ checksum: UInt32, at index: Int) -> Bool {
        let value = Self.known | UInt64(checksum)
        let (isFirst, before) = values[index].pointee.compareExchange(
            expected: 0, desired: value, ordering: .relaxed)
        return isFirst || before == value
    }
}
