internal import RRDatasets
internal import RRFormats

/// A PNG file that is to be a mask.
struct PNGMask {
    let path: String

    /// Decodes the file to a mask of the dataset's size.
    ///
    /// Values are those that the file stores: numbers of a palette, and gray of 1, 2 or 4 bits unscaled. Colours must
    /// be gray, and opaque.
    ///
    /// - Throws: `FormatError` where the file cannot be read; `DatasetError` with the code `unreadableImage`,
    ///   `wrongMaskSize` or `nonBinaryMask`.
    func read(
        _ rule: MaskPixelRule, _ placement: MaskPlacement, into mask: UnsafeMutableBufferPointer<UInt8>
    ) throws {
        let bytes = try FileBytes.read(path)
        let (storage, image): (PNGStorage, PNGImage)
        do {
            storage = try bytes.withUnsafeBytes { bytes in
                Result { () throws(FormatError) in try PNGDecoder.storage(of: bytes, path: path) }
            }.get()
            try placement.check(
                height: storage.header.height, width: storage.header.width, of: "the mask", at: path)
            image = try PNGDecoder.decodeStored(bytes, path: path)
        } catch let error as FormatError where error.code == .malformed || error.code == .unsupported {
            throw DatasetError(.unreadableImage, path: path, error.message)
        }
        let plane = UnsafeMutableBufferPointer<UInt8>.allocate(
            capacity: storage.header.height * storage.header.width)
        defer { plane.deallocate() }
        try image.samples.withUnsafeBytes { samples in
            Result {
                if image.bitDepth == 16 {
                    try mark(samples.bindMemory(to: UInt16.self), image.channels, storage, rule, into: plane)
                } else {
                    try mark(samples.bindMemory(to: UInt8.self), image.channels, storage, rule, into: plane)
                }
            }
        }.get()
        placement.place(
            rows: UnsafeBufferPointer(plane), height: storage.header.height, width: storage.header.width,
            into: mask)
    }

    @specialized(where Sample == UInt8)
    @specialized(where Sample == UInt16)
    private func mark<Sample: MaskElement & FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ channels: Int, _ storage: PNGStorage, _ rule: MaskPixelRule,
        into plane: UnsafeMutableBufferPointer<UInt8>
    ) throws {
        if channels > 1 { try checkColors(samples, channels, width: storage.header.width) }
        let isPalette = storage.colorType == .palette
        if isPalette, case .threshold = rule {
            throw DatasetError(
                .nonBinaryMask, path: path,
                "\(option: .maskThreshold) is for gray masks, but this has a palette, whose numbers have no order; "
                    + "\(option: .maskValues) says which count")
        }
        // A palette's last number says nothing, but tools that save gray as a palette write 255.
        let largest = isPalette ? 255 : 1 << storage.bitDepth - 1
        // Each image may have a value of its own.
        var mark: Sample?
        let wrong = rule.firstUnmarkable(
            samples, step: channels, largest: largest, scale: largest, mark: &mark, into: plane)
        if wrong != nil {
            throw notBinary(samples, channels, width: storage.header.width, largest: largest, isPalette)
        }
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
                        + "\(samples[start + 2])); masks are gray or have a palette")
            }
            if channels % 2 == 0, samples[start + channels - 1] != Sample.max {
                throw DatasetError(
                    .nonBinaryMask, path: path,
                    "the pixel at \(Self.place(of: start / channels, width: width)) is not opaque: alpha \(samples[start + channels - 1]); masks have no alpha"
                )
            }
        }
    }

    private static func place(of pixel: Int, width: Int) -> String {
        "row \(pixel / width), column \(pixel % width)"
    }

    /// The error for a mask of other values than 0 and one more.
    private func notBinary<Sample: FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafeBufferPointer<Sample>, _ channels: Int, width: Int, largest: Int, _ isPalette: Bool
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
        let soft: Message =
            isPalette ? "" : ", or \(option: .maskThreshold) 0.5 from which share of \(largest) on"
        return DatasetError(
            .nonBinaryMask, path: path,
            "the mask has the value \(wrong) at \(Self.place(of: pixel, width: width)) (its values: "
                + "\(listed)); masks hold \(served). \(option: .maskValues) \(wrong) says which values count\(soft)"
        )
    }
}
