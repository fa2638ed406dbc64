internal import Synchronization

/// Compressed bytes whose beginning is there, and whose rest is inflated when somebody asks for it.
///
/// Whoever wants to know the shape of an array only never pays for its elements.
package final class DeferredBytes: Sendable {
    /// The bytes that they are when they are inflated.
    let size: Int
    private let beginning: [UInt8]
    private let inflate: @Sendable () throws(FormatError) -> [UInt8]
    private let whole = Mutex<[UInt8]?>(nil)

    /// - Parameters:
    ///   - beginning: the first of the bytes.
    ///   - inflate: makes all of them, `size`; it throws where there are more or fewer.
    init(size: Int, beginning: [UInt8], inflate: @escaping @Sendable () throws(FormatError) -> [UInt8]) {
        self.size = size
        self.beginning = beginning
        self.inflate = inflate
    }

    /// The bytes from an offset on, of which there may be fewer.
    ///
    /// - Throws: as the inflation.
    func bytes(at offset: Int, count: Int) throws(FormatError) -> ArraySlice<UInt8> {
        let end = offset + max(0, min(count, size - offset))
        return end <= beginning.count ? beginning[offset..<end] : try inflated()[offset..<end]
    }

    /// All bytes, inflated by whoever asks first.
    ///
    /// - Throws: as the inflation.
    func inflated() throws(FormatError) -> [UInt8] {
        let result: Result<[UInt8], FormatError> = whole.withLock { whole in
            if let whole { return .success(whole) }
            return Result { () throws(FormatError) in
                let bytes = try inflate()
                whole = bytes
                return bytes
            }
        }
        return try result.get()
    }
}
