package import RRFormats
package import RRTensor

/// What is done to every image of an import so that all have one size, colour type and depth.
///
/// First the colour type is changed, then the image is resized, then the depth is changed.
package struct PNGConversion {
    /// The size, colour type and depth of every image afterwards.
    package let target: PNGHeader

    /// What the files become, as far as it is said.
    package let reading: ImageFolderOptions

    /// Takes what the options leave open from the first file of a list that has a sound header.
    ///
    /// - Parameter skipsDamaged: whether files without one are passed over.
    /// - Throws: `DatasetError` with the code `invalidOption` where the images would be too large, `empty` where no file
    ///   is left, or `unreadableImage`; `FormatError` where a file is not there or cannot be read.
    package init(
        _ reading: ImageFolderOptions, firstOf files: PNGFileList, in folder: String,
        skipsDamaged: Bool = false
    ) throws {
        let reader = PNGFileReader(folder: folder, reading.files)
        var header: PNGHeader?
        for position in files.paths.indices where header == nil {
            do throws(FormatError) {
                header = try reader.header(of: position, in: files.paths, reading.orientation).header
            } catch {
                guard skipsDamaged else { throw ImageFolderOptions.unreadable(error) }
            }
        }
        guard let first = header else { throw files.noneReadable(in: folder) }
        self.reading = reading
        let channels = PNGHeader.colorNames.firstIndex(of: reading.color.rawValue).map { $0 + 1 }
        target = PNGHeader(
            width: reading.resizing?.width ?? first.width, height: reading.resizing?.height ?? first.height,
            channels: channels ?? first.channels, bitDepth: reading.depth?.rawValue ?? first.bitDepth)
        guard target.height * target.width <= PNGHeader.largestByteCount / 8 else {
            throw DatasetError(
                .invalidOption, path: "",
                "images of \(target.width)×\(target.height) (width × height) are too large")
        }
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

    /// Whether an image becomes what all are to be: it is so already in all that the options leave open.
    package func serves(_ header: PNGHeader) -> Bool {
        (reading.resizing != nil || (header.width, header.height) == (target.width, target.height))
            && (reading.color != .auto || header.channels == target.channels)
            && (reading.depth != nil || header.bitDepth == target.bitDepth)
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
            recolor(planes, header, into: image) { planes, filling, target in
                reading.resizing?.resample(
                    planes, height: height, width: width, filling: filling, into: target)
            }
        } else {
            let planes = source.assumingMemoryBound(to: UInt8.self)
            recolor(planes, header, into: image) { planes, filling, target in
                reading.resizing?.resample(
                    planes, height: height, width: width, filling: filling, into: target)
            }
        }
    }

    /// Resamples planes, with a filling for what lies around each.
    private typealias Resample<Sample> = (
        UnsafeBufferPointer<Sample>, [Sample], UnsafeMutableBufferPointer<Sample>
    ) -> Void

    private func recolor<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ source: UnsafeMutableBufferPointer<Sample>, _ header: PNGHeader,
        into image: UnsafeMutableRawBufferPointer, _ resample: Resample<Sample>
    ) {
        let count = header.height * header.width
        guard header.channels != target.channels else {
            return resize(UnsafeBufferPointer(source), header, into: image, resample)
        }
        withUnsafeTemporaryAllocation(of: Sample.self, capacity: count * target.channels) { planes in
            colors(from: header.channels).convert(source, into: planes)
            resize(UnsafeBufferPointer(planes), header, into: image, resample)
        }
    }

    private func resize<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ planes: UnsafeBufferPointer<Sample>, _ header: PNGHeader, into image: UnsafeMutableRawBufferPointer,
        _ resample: Resample<Sample>
    ) {
        guard (header.height, header.width) != (target.height, target.width) else {
            return store(planes, into: image)
        }
        let count = target.height * target.width
        let filling = colors(from: header.channels).background(channels: target.channels, as: Sample.self)
        withUnsafeTemporaryAllocation(of: Sample.self, capacity: count * target.channels) { resized in
            let size = header.height * header.width * target.channels
            resample(UnsafeBufferPointer(rebasing: planes[..<size]), filling, resized)
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
            sourceChannels: channels, targetChannels: target.channels, background: reading.background)
    }
}

/// Brings the planes of an image to another colour type, at the same depth.
///
/// - Gray of a colour is `(19,595 R + 38,470 G + 7,471 B + 32,768) >> 16`: the weights of ITU-R BT.601, 0.299, 0.587 and
///   0.114, in 16 binary places, rounded, as Pillow's `convert("L")`.
/// - A transparent pixel on the background is `round((a v + (M − a) b) / M)`, with M the largest sample. It is
///   composited before it becomes gray.
/// - An alpha channel that an image lacks is opaque.
struct ColorConversion {
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    let sourceChannels: Int
    let targetChannels: Int
    let background: RGBColor

    /// The weighted sum of a colour.
    @inline(__always)
    static func gray<Sample: FixedWidthInteger>(_ red: Sample, _ green: Sample, _ blue: Sample) -> Sample {
        let sum = 19_595 &* UInt32(red) &+ 38_470 &* UInt32(green) &+ 7_471 &* UInt32(blue) &+ 32_768
        return Sample(truncatingIfNeeded: sum >> 16)
    }

    /// The background's samples in a colour type, alpha opaque, at a depth.
    func background<Sample: FixedWidthInteger & UnsignedInteger>(
        channels: Int, as type: Sample.Type
    ) -> [Sample] {
        let factor = Sample.max / 255
        let color = [background.red, background.green, background.blue].map { Sample($0) * factor }
        let gray = Self.gray(color[0], color[1], color[2])
        switch channels {
        case 1: return [gray]
        case 2: return [gray, .max]
        case 3: return color
        default: return color + [.max]
        }
    }

    /// Converts an image.
    ///
    /// - Parameters:
    ///   - source: `sourceChannels` planes. A conversion that composites uses them as its scratch.
    ///   - target: `targetChannels` planes of as many samples.
    @specialized(where Sample == UInt8)
    @specialized(where Sample == UInt16)
    func convert<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ source: UnsafeMutableBufferPointer<Sample>, into target: UnsafeMutableBufferPointer<Sample>
    ) {
        let count = source.count / sourceChannels
        precondition(source.count == count * sourceChannels && target.count == count * targetChannels)
        func plane(_ buffer: UnsafeMutableBufferPointer<Sample>, _ channel: Int)
            -> UnsafeMutableBufferPointer<Sample>
        {
            UnsafeMutableBufferPointer(rebasing: buffer[channel * count..<(channel + 1) * count])
        }
        let sourceHasAlpha = sourceChannels % 2 == 0
        let sourceColors = sourceChannels - (sourceHasAlpha ? 1 : 0)
        let targetHasAlpha = targetChannels % 2 == 0
        let targetColors = targetChannels - (targetHasAlpha ? 1 : 0)
        if sourceHasAlpha && !targetHasAlpha {
            let colors = background(channels: sourceColors, as: Sample.self)
            let alpha = UnsafeBufferPointer(plane(source, sourceColors))
            for channel in 0..<sourceColors {
                Self.composite(plane(source, channel), alpha: alpha, on: colors[channel])
            }
        }
        if targetColors == sourceColors {
            for channel in 0..<sourceColors {
                _ = plane(target, channel).update(fromContentsOf: plane(source, channel))
            }
        } else if targetColors == 1 {
            let (red, green, blue) = (plane(source, 0), plane(source, 1), plane(source, 2))
            let gray = plane(target, 0)
            for position in 0..<count {
                gray[position] = Self.gray(red[position], green[position], blue[position])
            }
        } else {
            for channel in 0..<targetColors {
                _ = plane(target, channel).update(fromContentsOf: plane(source, 0))
            }
        }
        guard targetHasAlpha else { return }
        if sourceHasAlpha {
            _ = plane(target, targetColors).update(fromContentsOf: plane(source, sourceColors))
        } else {
            plane(target, targetColors).update(repeating: .max)
        }
    }

    @inline(__always)
    private static func composite<Sample: FixedWidthInteger & UnsignedInteger>(
        _ plane: UnsafeMutableBufferPointer<Sample>, alpha: UnsafeBufferPointer<Sample>, on background: Sample
    ) {
        let largest = UInt64(Sample.max)
        for position in plane.indices {
            let share = UInt64(alpha[position])
            let sum = share * UInt64(plane[position]) + (largest - share) * UInt64(background)
            plane[position] = Sample(truncatingIfNeeded: (sum + largest / 2) / largest)
        }
    }
}
