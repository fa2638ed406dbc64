package import RRFormats
package import RRTensor

/// What is done to every image of an import so that all have one size, colour type and depth.
///
/// First the colour type is changed, then the image is resized, then the depth is changed.
package struct PNGConversion {
    /// The size, colour type and depth of every image afterwards.
    package let target: PNGHeader

    private let color: ImageFolderOptions.Color
    private let depth: ImageFolderOptions.Depth?
    private let resizing: Resizing?
    private let background: RGBColor

    /// Takes what the options leave open from an image.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where the images would be too large.
    package init(_ reading: ImageFolderOptions, first: PNGHeader) throws {
        color = reading.color
        depth = reading.depth
        resizing = reading.resizing
        background = reading.background
        target = Self.target(of: first, reading.color, reading.depth, reading.resizing)
        guard target.height * target.width <= PNGHeader.largestByteCount / 8 else {
            throw DatasetError(
                .invalidOption, path: "",
                "images of \(target.width)×\(target.height) (width × height) are too large")
        }
    }

    private static func target(
        of header: PNGHeader, _ color: ImageFolderOptions.Color, _ depth: ImageFolderOptions.Depth?,
        _ resizing: Resizing?
    ) -> PNGHeader {
        PNGHeader(
            width: resizing?.width ?? header.width, height: resizing?.height ?? header.height,
            channels: color.channels ?? header.channels, bitDepth: depth?.rawValue ?? header.bitDepth)
    }

    /// The shape of every image afterwards.
    package var imageShape: ImageShape {
        get throws(TensorError) {
            try ImageShape(channels: target.channels, height: target.height, width: target.width)
        }
    }

    /// The type in which every image is stored.
    package var elementType: ImageElementType { target.bitDepth == 16 ? .uint16 : .uint8 }

    /// What the channels are called.
    package var colorName: String { PNGHeader.colorNames[target.channels - 1] }

    /// Whether an image becomes what all are to be.
    package func serves(_ header: PNGHeader) -> Bool {
        header == target || Self.target(of: header, color, depth, resizing) == target
    }

    /// Converts an image.
    ///
    /// - Parameters:
    ///   - header: one that is served.
    ///   - source: its planes `(C, H, W)`, which may be written over.
    ///   - image: `target.byteCount` bytes.
    package func convert(
        _ source: UnsafeMutableRawBufferPointer, _ header: PNGHeader,
        into image: UnsafeMutableRawBufferPointer
    ) {
        let (height, width) = (header.height, header.width)
        if header.bitDepth == 16 {
            let planes = source.assumingMemoryBound(to: UInt16.self)
            recolor(planes, header, into: image) { plane, filling, target in
                resizing?.resample(plane, height: height, width: width, filling: filling, into: target)
            }
        } else {
            let planes = source.assumingMemoryBound(to: UInt8.self)
            recolor(planes, header, into: image) { plane, filling, target in
                resizing?.resample(plane, height: height, width: width, filling: filling, into: target)
            }
        }
    }

    /// Resamples a plane, with a filling for what lies around it.
    private typealias Resample<Sample> = (
        UnsafeBufferPointer<Sample>, Sample, UnsafeMutableBufferPointer<Sample>
    ) -> Void

    private func recolor<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ source: UnsafeMutableBufferPointer<Sample>, _ header: PNGHeader,
        into image: UnsafeMutableRawBufferPointer, _ resample: Resample<Sample>
    ) {
        let count = header.height * header.width
        guard header.channels != target.channels else {
            return resize(source, planeSize: count, header, into: image, resample)
        }
        withUnsafeTemporaryAllocation(of: Sample.self, capacity: count * target.channels) { planes in
            colors(from: header.channels).convert(source, into: planes)
            resize(planes, planeSize: count, header, into: image, resample)
        }
    }

    private func resize<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ planes: UnsafeMutableBufferPointer<Sample>, planeSize: Int, _ header: PNGHeader,
        into image: UnsafeMutableRawBufferPointer, _ resample: Resample<Sample>
    ) {
        guard (header.height, header.width) != (target.height, target.width) else {
            return store(UnsafeBufferPointer(planes), into: image)
        }
        let count = target.height * target.width
        let filling = colors(from: header.channels).background(channels: target.channels, as: Sample.self)
        withUnsafeTemporaryAllocation(of: Sample.self, capacity: count * target.channels) { resized in
            for channel in 0..<target.channels {
                let plane = planes[channel * planeSize..<(channel + 1) * planeSize]
                let place = resized[channel * count..<(channel + 1) * count]
                resample(
                    UnsafeBufferPointer(rebasing: plane), filling[channel],
                    UnsafeMutableBufferPointer(rebasing: place))
            }
            store(UnsafeBufferPointer(resized), into: image)
        }
    }

    /// Stores samples at the wanted depth: 16 bits become 8 by `round(v · 255 / 65,535)`, 8 become 16 by `257 v`.
    private func store<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ samples: UnsafeBufferPointer<Sample>, into image: UnsafeMutableRawBufferPointer
    ) {
        precondition(image.count == samples.count * target.bitDepth / 8)
        switch (Sample.bitWidth, target.bitDepth) {
        case (16, 8):
            let bytes = image.assumingMemoryBound(to: UInt8.self)
            for (position, sample) in samples.enumerated() {
                bytes[position] = UInt8(truncatingIfNeeded: (UInt32(sample) + 128) / 257)
            }
        case (8, 16):
            let words = image.assumingMemoryBound(to: UInt16.self)
            for (position, sample) in samples.enumerated() { words[position] = UInt16(sample) * 257 }
        default:
            image.copyMemory(from: UnsafeRawBufferPointer(samples))
        }
    }

    private func colors(from channels: Int) -> ColorConversion {
        ColorConversion(
            sourceChannels: channels, targetChannels: target.channels, background: background)
    }
}
