/// Elements in memory of their own, which any number of owners read and none changes: what a batch is made of.
///
/// A copy shares the memory, in O(1). Whoever made the memory may use it again once no copy is left, which is what an
/// `Array` that is written through a pointer does not allow.
public struct SharedElements<Element: BitwiseCopyable & Sendable>: RandomAccessCollection, Sendable {
    @usableFromInline let memory: ElementMemory<Element>

    public let count: Int

    /// Copies elements, O(n).
    public init(_ elements: some Collection<Element>) {
        count = elements.count
        memory = ElementMemory(count: count)
        let end = memory.elements.update(fromContentsOf: elements)
        precondition(end == memory.elements.endIndex, "the collection has fewer elements than it counts")
    }

    /// Lets a body write the elements, every one.
    package init(count: Int, _ write: (UnsafeMutableBufferPointer<Element>) -> Void) {
        memory = ElementMemory(count: count)
        self.count = count
        write(memory.elements)
    }

    /// Shares the first elements of memory that is not written as long as it is shared.
    package init(_ memory: ElementMemory<Element>, count: Int) {
        precondition(0...memory.elements.count ~= count)
        self.memory = memory
        self.count = count
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { count }

    @inlinable
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < count)
        return memory.elements[position]
    }

    /// Calls a body with the elements, which are valid only during the call.
    @inlinable
    public func withUnsafeBufferPointer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The memory lives until the body is done.
        defer { withExtendedLifetime(memory) {} }
        return try body(UnsafeBufferPointer(rebasing: memory.elements[..<count]))
    }

    @inlinable
    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result? {
        try withUnsafeBufferPointer(body)
    }

    /// Calls a body with the bytes of the elements, which are valid only during the call.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { elements throws(Failure) in try body(UnsafeRawBufferPointer(elements)) }
    }
}

extension SharedElements: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Element...) { self.init(elements) }
}

extension SharedElements: Equatable where Element: Equatable {
    public static func == (left: Self, right: Self) -> Bool { left.elementsEqual(right) }
}

/// The memory of shared elements, freed with the last reference.
///
/// `@unchecked Sendable`: it is written only by its maker, before it shares it or when `isKnownUniquelyReferenced` says
/// that nobody shares it any more; each element by one thread. All others read.
@usableFromInline
package final class ElementMemory<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    @usableFromInline package let elements: UnsafeMutableBufferPointer<Element>

    /// Memory that holds nothing of meaning yet.
    init(count: Int) { elements = UnsafeMutableBufferPointer.allocate(capacity: count) }

    /// Memory of elements whose bits are all zero: 0 of every number, and false.
    package convenience init(zeroBitsOf count: Int) {
        self.init(count: count)
        UnsafeMutableRawBufferPointer(elements).initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { elements.deallocate() }
}
