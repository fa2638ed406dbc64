internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Reads images and masks of an export's samples into memory that is used again and again; each thread has its own.
final class SampleReader {
    private let source: ExportSource
    private let shape: ImageShape
    private let stored: UnsafeMutableRawBufferPointer
    private let interleaved: UnsafeMutableRawBufferPointer
    private var mask: [UInt8] = []
    private var interleavedMask: [UInt8] = []

    init(_ source: ExportSource) {
        self.source = source
        shape = source.dataset.imageShape
        stored = .allocate(byteCount: source.dataset.imageSize, alignment: 16)
        interleaved = .allocate(byteCount: source.dataset.imageSize, alignment: 16)
    }

    deinit {
        stored.deallocate()
        interleaved.deallocate()
    }

    /// The stored bytes of the image at a position among the samples, checked against its checksum.
    ///
    /// - Parameter layout: `(C, H, W)` for NCHW, `(H, W, C)` for NHWC.
    /// - Throws: as `Dataset.readStored(at:into:)`.
    func image(_ position: Int, layout: ArrayExport.Layout) throws -> UnsafeRawBufferPointer {
        try source.dataset.readStored(at: source.indices[position], into: stored)
        guard layout == .nhwc, shape.channels > 1 else { return UnsafeRawBufferPointer(stored) }
        switch source.dataset.elementType {
        case .uint8: interleave(UInt8.self)
        case .uint16: interleave(UInt16.self)
        case .float32: interleave(UInt32.self)
        }
        return UnsafeRawBufferPointer(interleaved)
    }

    private func interleave<Element>(_ type: Element.Type) {
        Self.interleave(
            UnsafeBufferPointer(stored.bindMemory(to: type)), into: interleaved.bindMemory(to: type),
            channels: shape.channels)
    }

    /// Turns `(C, H, W)` into `(H, W, C)`.
    private static func interleave<Element>(
        _ source: UnsafeBufferPointer<Element>, into target: UnsafeMutableBufferPointer<Element>,
        channels: Int
    ) {
        let pixelCount = source.count / channels
        for channel in 0..<channels {
            for pixel in 0..<pixelCount {
                target[pixel * channels + channel] = source[channel * pixelCount + pixel]
            }
        }
    }

    /// Calls a body with the mask at a position as bytes that are 0 or 1, all 0 where the sample has none.
    ///
    /// - Parameter layout: `(C or 1, H, W)` for NCHW, `(H, W, C or 1)` for NHWC.
    func withMask<Value>(
        _ position: Int, of masks: MaskSet, layout: ArrayExport.Layout,
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Value
    ) rethrows -> Value {
        let shape = masks.maskShape
        if mask.count != shape.elementCount { mask = Array(repeating: 0, count: shape.elementCount) }
        mask.withUnsafeMutableBufferPointer { bytes in
            _ = masks.expandMask(
                ofSample: source.indices[position], channels: shape.channels, into: bytes)
        }
        guard layout == .nhwc, shape.channels > 1 else { return try mask.withUnsafeBufferPointer(body) }
        if interleavedMask.count != mask.count { interleavedMask = mask }
        mask.withUnsafeBufferPointer { mask in
            interleavedMask.withUnsafeMutableBufferPointer {
                Self.interleave(mask, into: $0, channels: shape.channels)
            }
        }
        return try interleavedMask.withUnsafeBufferPointer(body)
    }

    /// Encodes the mask at a position as 1-bit gray PNG.
    ///
    /// - Throws: `DatasetError` with the code `unsupported` where the mask differs from channel to channel.
    func maskPNG(_ position: Int, of masks: MaskSet, encoder: PNGEncoder) throws -> [UInt8] {
        let shape = masks.maskShape
        return try withMask(position, of: masks, layout: .nchw) { bytes in
            let plane = UnsafeBufferPointer(rebasing: bytes.prefix(shape.pixelCount))
            for channel in 1..<max(1, shape.channels) {
                let start = channel * shape.pixelCount
                guard plane.elementsEqual(bytes[start..<start + shape.pixelCount]) else {
                    throw DatasetError(
                        .unsupported, path: source.dataset.path,
                        "the mask of sample \(source.indices[position]) (“\(source.ids[position])”) differs from "
                            + "channel to channel, which a PNG mask cannot hold; "
                            + ExportSource.exportsOfAnything + " keep it, and masks that are made with "
                            + "\(option: OptionName("isPerPixel")) are the same in all channels"
                    )
                }
            }
            return try encoder.encodeMask(plane, width: shape.width, height: shape.height)
        }
    }
}
