internal import Dispatch
internal import RRFormats
internal import Synchronization

/// Decodes blocks of PNG files on several threads into one piece of memory, which is used again and again.
///
/// Unchecked: `decode` is called by one thread, and within it each position of the block is written by the one
/// thread that has taken it.
final class PNGBlockDecoder: @unchecked Sendable {
    /// Why a file has no image.
    enum Fault: Sendable {
        case failure(FormatError)
        /// The file's kind or size is not that of the others.
        case otherHeader
    }

    /// The number of images in a block.
    let blockCount: Int

    private let header: PNGHeader
    private let jobs: Int
    private let pixels: UnsafeMutableRawBufferPointer
    private let checksums: UnsafeMutableBufferPointer<UInt32>
    private var count = 0

    /// Allocates a block: images of about 32 MB, and enough of them to keep every thread busy.
    init(header: PNGHeader, jobs: Int) {
        self.header = header
        self.jobs = jobs
        blockCount = max(min(4096, (32 << 20) / header.byteCount), jobs)
        pixels = .allocate(byteCount: blockCount * header.byteCount, alignment: 16)
        checksums = .allocate(capacity: blockCount)
    }

    deinit {
        pixels.deallocate()
        checksums.deallocate()
    }

    /// Decodes files into the block; an image without a fault is stored `(C, H, W)`, others are zero.
    ///
    /// - Returns: the fault of each file.
    func decode(_ paths: ArraySlice<String>) -> [Fault?] {
        count = paths.count
        let first = paths.startIndex
        let next = Atomic<Int>(0)
        let faults = Mutex<[Fault?]>(Array(repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: min(jobs, count)) { _ in
            let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: header.byteCount, alignment: 16)
            defer { scratch.deallocate() }
            while true {
                let position = next.add(1, ordering: .relaxed).oldValue
                guard position < paths.count else { return }
                if let fault = decode(paths[first + position], to: position, scratch: scratch) {
                    faults.withLock { $0[position] = fault }
                }
            }
        }
        return faults.withLock { $0 }
    }

    /// Calls a body with the images of the last block and their checksums.
    func withBlock(_ body: (UnsafeRawBufferPointer, [UInt32]) throws -> Void) throws {
        let images = UnsafeRawBufferPointer(rebasing: pixels[..<(count * header.byteCount)])
        try body(images, Array(checksums[..<count]))
    }

    private func decode(_ path: String, to position: Int, scratch: UnsafeMutableRawBufferPointer) -> Fault? {
        let start = position * header.byteCount
        let image = UnsafeMutableRawBufferPointer(rebasing: pixels[start..<start + header.byteCount])
        do throws(FormatError) {
            let bytes = try FileBytes.read(path)
            let fault: Fault? = bytes.withUnsafeBytes { bytes in
                do throws(FormatError) {
                    let storage = try PNGDecoder.storage(of: bytes, path: path)
                    guard storage.header == header else { return .otherHeader }
                    try PNGDecoder.decode(
                        bytes, storage: storage, path: path, arrangement: .planar, workspace: PNGWorkspace(),
                        into: image)
                    return nil
                } catch {
                    return .failure(error)
                }
            }
            if let fault { return clear(image, at: position, for: fault) }
        } catch {
            return clear(image, at: position, for: .failure(error))
        }
        checksums[position] = CRC32.checksum(of: UnsafeRawBufferPointer(image))
        return nil
    }

    private func clear(
        _ image: UnsafeMutableRawBufferPointer, at position: Int, for fault: Fault
    ) -> Fault {
        image.initializeMemory(as: UInt8.self, repeating: 0)
        checksums[position] = 0
        return fault
    }

    /// Turns `(H, W, C)` into `(C, H, W)`.
    private func separateChannels(
        of source: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) {
        if header.bitDepth == 16 {
            Self.separate(
                source.bindMemory(to: UInt16.self), into: target.bindMemory(to: UInt16.self),
                channels: header.channels)
        } else {
            Self.separate(
                source.bindMemory(to: UInt8.self), into: target.bindMemory(to: UInt8.self),
                channels: header.channels)
        }
    }

    private static func separate<Sample>(
        _ source: UnsafeMutableBufferPointer<Sample>, into target: UnsafeMutableBufferPointer<Sample>,
        channels: Int
    ) {
        let pixelCount = source.count / channels
        for channel in 0..<channels {
            for pixel in 0..<pixelCount {
                target[channel * pixelCount + pixel] = source[pixel * channels + channel]
            }
        }
    }
}
