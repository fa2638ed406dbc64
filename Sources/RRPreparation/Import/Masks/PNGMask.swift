internal import RRDatasets
internal import RRFormats

/// A PNG file that is to be a mask.
struct PNGMask {
    let path: String

    /// Which pixels count.
    struct Rule: Sendable {
        var pixels: MaskPixelRule = .binary
        /// The colours that count; nil where values do.
        var colors: [RGBColor]?
        var inverts = false
        /// Whether the mask's 1s mark the right region.
        var marksRight = false
    }

    /// How a file was read, where that is worth a word.
    enum Reading: Sendable {
        /// By the colours of a palette whose numbers would have said something else.
        case paletteColors
        /// With void pixels, which nothing marks.
        case void
    }

    /// Decodes the file to a mask of the dataset's size.
    ///
    /// Values are those that the file stores: gray of 1, 2 or 4 bits unscaled, and numbers of a palette as
    /// `PaletteMaskReading` has them. Colours must be gray unless some are asked for, and opaque.
    ///
    /// - Parameter turnOfImage: how it is turned where it follows its image; else it is by what its own chunk says.
    /// - Throws: `FormatError` where the file cannot be read; `DatasetError` with the code `unreadableImage`,
    ///   `wrongMaskSize` or `nonBinaryMask`.
    func read(
        _ rule: Rule, ofSample sample: Int, _ placement: MaskPlacement,
        _ orientation: ImageFolderOptions.Orientation, asImage turnOfImage: PNGOrientation,
        _ met: MaskFileTally, into mask: UnsafeMutableBufferPointer<UInt8>
    ) throws -> Reading? {
        let bytes = try FileBytes.read(path)
        let (storage, image): (PNGStorage, PNGImage)
        let turn: (own: PNGOrientation, applied: PNGOrientation)
        do {
            storage = try bytes.withUnsafeBytes { bytes in
                Result { () throws(FormatError) in try PNGDecoder.storage(of: bytes, path: path) }
            }.get()
            turn = bytes.withUnsafeBytes { bytes in
                turnOfImage == .topLeft
                    ? placement.turn(storage, ofSample: sample, own: PNGOrientation(of: bytes), orientation)
                    : (.topLeft, turnOfImage)
            }
            let turned = turn.applied.turned(storage.storedHeader)
            try placement.check(
                height: turned.height, width: turned.width, ofSample: sample, "the mask", at: path)
            image =
                rule.colors == nil
                ? try PNGDecoder.decodeStored(bytes, path: path) : try PNGDecoder.decode(bytes, path: path)
        } catch let error as FormatError where error.code == .malformed || error.code == .unsupported {
            throw DatasetError(.unreadableImage, path: path, error.message)
        }
        let plane = UnsafeMutableBufferPointer<UInt8>.allocate(
            capacity: storage.header.height * storage.header.width)
        defer { plane.deallocate() }
        var reading: Reading?
        try image.samples.withUnsafeBytes { samples in
            Result {
                if storage.colorType == .palette, rule.colors == nil, image.bitDepth == 8 {
                    let palette = bytes.withUnsafeBytes { PNGPalette(of: $0) }
                    reading = try mark(
                        samples.bindMemory(to: UInt8.self), palette, width: storage.header.width, rule,
                        into: plane)
                } else if image.bitDepth == 16 {
                    try mark(samples.bindMemory(to: UInt16.self), image.channels, storage, rule, into: plane)
                } else {
                    try mark(samples.bindMemory(to: UInt8.self), image.channels, storage, rule, into: plane)
                }
            }
        }.get()
        if rule.inverts { MaskAdjustment.invert(plane) }
        met.add(turn.own, image.faults)
        placement.place(rows: UnsafeBufferPointer(plane), storage, turned: turn.applied, into: mask)
        return reading
    }

    @specialized(where Sample == UInt8)
    @specialized(where Sample == UInt16)
    private func mark<Sample: MaskElement & FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ channels: Int, _ storage: PNGStorage, _ rule: Rule,
        into plane: UnsafeMutableBufferPointer<UInt8>
    ) throws {
        if let colors = rule.colors {
            return try mark(samples, channels, width: storage.header.width, colors, into: plane)
        }
        if channels > 1 { try checkColors(samples, channels, width: storage.header.width) }
        let largest = 1 << storage.bitDepth - 1
        // Each image may have a value of its own.
        var mark: Sample?
        let wrong = rule.pixels.firstUnmarkable(
            samples, step: channels, largest: largest, scale: largest, mark: &mark, into: plane)
        if wrong != nil {
            throw notBinary(samples, channels, width: storage.header.width, largest: largest)
        }
    }

    /// Marks the pixels of some colours; where nothing is visible there is none.
    private func mark<Sample: FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ channels: Int, width: Int, _ colors: [RGBColor],
        into plane: UnsafeMutableBufferPointer<UInt8>
    ) throws(DatasetError) {
        // A sample of 16 bits is that of 8 where its bytes are alike.
        let scale = Sample.max / Sample(UInt8.max)
        let wanted = colors.map { [$0.red, $0.green, $0.blue].map { Sample($0) * scale } }
        let (green, blue) = channels > 2 ? (1, 2) : (0, 0)
        for pixel in plane.indices {
            let start = pixel * channels
            if channels % 2 == 0, samples[start + channels - 1] != Sample.max {
                guard samples[start + channels - 1] == 0 else {
                    throw notOpaque(samples[start + channels - 1], at: pixel, width: width)
                }
                plane[pixel] = 0
                continue
            }
            let isWanted = wanted.contains { color in
                samples[start] == color[0] && samples[start + green] == color[1]
                    && samples[start + blue] == color[2]
            }
            plane[pixel] = isWanted ? 1 : 0
        }
    }

    /// Marks the pixels of a mask with a palette.
    private func mark(
        _ numbers: UnsafeBufferPointer<UInt8>, _ palette: PNGPalette, width: Int, _ rule: Rule,
        into plane: UnsafeMutableBufferPointer<UInt8>
    ) throws -> Reading? {
        var isUsed = Array(repeating: false, count: 256)
        for number in numbers { isUsed[Int(number)] = true }
        let used = isUsed.indices.filter { isUsed[$0] }
        var marked: Set<Int> = []
        var result: Reading?
        switch rule.pixels {
        case .values(let values):
            marked = Set(values)
            // Where what is not named becomes wrong, void does not.
            if rule.marksRight != rule.inverts, PaletteMaskReading.hasVoid(palette, used: used),
                marked.insert(PaletteMaskReading.void).inserted
            {
                result = .void
            }
        case .threshold(let threshold):
            let grays = used.compactMap {
                palette.colors.indices.contains($0) ? palette.colors[$0].gray : nil
            }
            guard grays.count == used.count else {
                throw DatasetError(
                    .nonBinaryMask, path: path,
                    "\(option: .maskThreshold) is for gray masks, but this has a palette, whose numbers have no order; "
                        + "\(option: .maskValues) says which count")
            }
            marked = Set(zip(used, grays).filter { Double($1) / 255 >= threshold }.map(\.0))
        case .binary:
            switch PaletteMaskReading(used: used, palette: palette) {
            case .marks(let numbers, let isByColor):
                marked = numbers
                result = isByColor ? .paletteColors : nil
            case .voc:
                marked = rule.marksRight != rule.inverts ? [1, PaletteMaskReading.void] : [1]
                result = .void
            case .voidAlone: throw voidAlone
            case .unclear: throw unclear(used, palette)
            case .severalValues:
                throw notBinary(numbers, 1, width: width, largest: 255, palette: palette)
            }
        }
        var counts = [UInt8](repeating: 0, count: 256)
        for number in marked where counts.indices.contains(number) { counts[number] = 1 }
        for pixel in plane.indices { plane[pixel] = counts[Int(numbers[pixel])] }
        return result
    }
}

extension PNGMask {
    /// Refuses colours that are not gray and pixels that are not opaque.
    private func checkColors<Sample: FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ channels: Int, width: Int
    ) throws(DatasetError) {
        for start in stride(from: 0, to: samples.count, by: channels) {
            if channels > 2, samples[start] != samples[start + 1] || samples[start] != samples[start + 2] {
                throw DatasetError(
                    .nonBinaryMask, path: path,
                    "the pixel at \(Self.place(of: start / channels, width: width)) has the colour (\(samples[start]), \(samples[start + 1]), "
                        + "\(samples[start + 2])); masks are gray or have a palette, or \(option: .maskColors) "
                        + "\(Self.hexadecimal(samples, start)) says which colours count")
            }
            if channels % 2 == 0, samples[start + channels - 1] != Sample.max {
                throw notOpaque(samples[start + channels - 1], at: start / channels, width: width)
            }
        }
    }

    private func notOpaque(_ alpha: some FixedWidthInteger, at pixel: Int, width: Int) -> DatasetError {
        DatasetError(
            .nonBinaryMask, path: path,
            "the pixel at \(Self.place(of: pixel, width: width)) is not opaque: alpha \(alpha); masks have no alpha"
        )
    }

    /// `FF8000`, of 16 bits the higher byte of each sample.
    private static func hexadecimal<Sample: FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ start: Int
    ) -> String {
        let bytes = (0..<3).map { UInt8(truncatingIfNeeded: samples[start + $0] >> (Sample.bitWidth - 8)) }
        return RGBColor(red: bytes[0], green: bytes[1], blue: bytes[2]).hexadecimal
    }

    private static func place(of pixel: Int, width: Int) -> String {
        "row \(pixel / width), column \(pixel % width)"
    }

    /// The error for a mask of other values than 0 and one more.
    private func notBinary<Sample: FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ channels: Int, width: Int, largest: Int,
        palette: PNGPalette? = nil
    ) -> DatasetError {
        var counts: [Int: Int] = [:]
        for start in stride(from: 0, to: samples.count, by: channels) {
            counts[Int(samples[start]), default: 0] += 1
        }
        let values = counts.keys.sorted()
        let wrong = values.first { $0 != 0 && $0 != 1 && $0 != largest } ?? largest
        let position =
            stride(from: 0, to: samples.count, by: channels).first { Int(samples[$0]) == wrong } ?? 0
        let pixel = position / channels
        let listed =
            values.prefix(8).map(String.init).joined(separator: ", ") + (values.count > 8 ? ", …" : "")
        let served = largest == 1 ? "only 0 and 1" : "only 0 and 1, or only 0 and \(largest)"
        let other: Message =
            if let palette {
                palette.colors.indices.contains(wrong)
                    ? ", \(option: .maskColors) \(palette.colors[wrong].hexadecimal) which of the palette's colours"
                    : ""
            } else {
                ", or \(option: .maskThreshold) 0.5 from which share of \(largest) on"
            }
        return DatasetError(
            .nonBinaryMask, path: path,
            "the mask has the value \(wrong) at \(Self.place(of: pixel, width: width)) (its values: "
                + "\(listed)); masks hold \(served). \(option: .maskValues) \(wrong) says which values count\(other)"
        )
    }

    /// The error for a palette that can be read in more than one way.
    private func unclear(_ used: [Int], _ palette: PNGPalette) -> DatasetError {
        let listed = used.prefix(4).map { number in
            palette.colors.indices.contains(number)
                ? "\(number) is \(palette.colors[number].hexadecimal)" : "\(number) is no colour"
        }
        let marked = used.last ?? 0
        let color = palette.colors.indices.contains(marked) ? palette.colors[marked].hexadecimal : "FFFFFF"
        let first = palette.colors.first.map { used.contains(0) ? "" : " (0 is \($0.hexadecimal))" } ?? ""
        return DatasetError(
            .nonBinaryMask, path: path,
            "of the mask's palette \(listed.joined(separator: ", "))\(first): the numbers say that 0 is the background, "
                + "the colours do not, and they are no black and white. \(option: .maskValues) \(marked) reads the "
                + "numbers, \(option: .maskColors) \(color) the colours")
    }

    private var voidAlone: DatasetError {
        DatasetError(
            .nonBinaryMask, path: path,
            "the mask has the numbers 0 and 255 of Pascal VOC's palette, in which 255 is void: \(option: .maskValues) 255 "
                + "takes them as what the mask marks, \(option: .maskValues) 1 as void, which marks nothing")
    }
}

extension OptionName {
    static let maskColors = OptionName("maskColors")
}
