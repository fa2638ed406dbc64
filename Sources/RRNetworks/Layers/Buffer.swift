/// Memory for a fixed number of elements, aligned for vector instructions; its contents start undefined.
///
/// Pages that are never written cost no memory, so a buffer that a pass does not use is free.
final class Buffer<Element: BitwiseCopyable> {
    let start: UnsafeMutablePointer<Element>

    init(count: Int) {
        let bytes = max(count, 1) * MemoryLayout<Element>.stride
        start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: Element.self, capacity: max(count, 1))
    }

    deinit { UnsafeMutableRawPointer(start).deallocate() }
}
