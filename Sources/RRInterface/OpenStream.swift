internal import RRDatasets
internal import RRFormats
internal import RRStreaming
internal import RRTensor
internal import Synchronization

/// A stream that callers in C have.
///
/// `@unchecked Sendable`: of the stream only what any number of threads may call is used, `next(within:)` and `cancel()`,
/// and what does not change.
final class OpenStream: @unchecked Sendable {
    let stream: BatchStream
    let dataset: Dataset
    let masks: MaskSet?
    let request: StreamRequest
    let start: StreamPosition
    private let isCancelledFlag = Atomic(false)
    /// The file that a cursor would be in, once one was asked for: masks are read for it.
    private let knownCursor = Mutex<CursorFile?>(nil)

    /// What errors call a cursor that is not in a file.
    private static let cursorName = "cursor"

    /// - Parameters:
    ///   - dataset: what is streamed.
    ///   - masks: its masks, or none.
    ///   - request: the options.
    ///   - place: where to begin, of the file of a cursor that would be for this stream.
    /// - Throws: as `BatchStream.init` and `place`.
    init(
        _ dataset: Dataset, _ masks: MaskSet?, _ request: StreamRequest,
        from place: (() throws -> CursorFile) throws -> StreamPosition
    ) throws {
        (self.dataset, self.masks, self.request) = (dataset, masks, request)
        start = try place { try Self.cursor(dataset, masks, request) }
        stream = try BatchStream(
            dataset: dataset, masks: masks, options: request.options, from: start,
            resources: request.resources, givesStoredImages: request.isRaw)
    }

    // A reference in a handle is the last: nobody waits any more.
    deinit { stream.cancel() }

    var isCancelled: Bool { isCancelledFlag.load(ordering: .acquiring) }

    func cancel() {
        isCancelledFlag.store(true, ordering: .releasing)
        stream.cancel()
    }

    /// The cursor of a place.
    ///
    /// - Throws: as `CursorFile.init`.
    func cursor(of position: StreamPosition) throws -> String {
        try knownCursor.withLock { known in
            let file = try known ?? Self.cursor(dataset, masks, request)
            known = file
            return file.text(of: position)
        }
    }

    private static func cursor(
        _ dataset: Dataset, _ masks: MaskSet?, _ request: StreamRequest
    ) throws -> CursorFile {
        try CursorFile(path: cursorName, dataset: dataset, masks: masks, options: request.options)
    }
}

/// A batch that callers in C have, whose memory nobody else has.
struct OpenBatch: Sendable {
    let batch: Batch
    let elementType: ImageElementType
    /// Whether images are as they are stored.
    let isRaw: Bool
    /// Whether the stream has masks; the memory of masks is else one that is never written again.
    let hasMasks: Bool

    /// The first byte of the images, which lives as long as the batch.
    var images: UnsafeMutableRawPointer? {
        isRaw
            ? batch.storedImages.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
            : batch.images.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
    }

    /// The bytes of an image.
    var imageSize: Int {
        batch.imageShape.elementCount * (isRaw ? elementType.size : MemoryLayout<Float>.size)
    }
}
