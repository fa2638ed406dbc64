internal import CRRData
internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Memory of the caller's, into which samples are written.
///
/// `@unchecked Sendable`: the memory is the caller's for the time of the call, and each thread writes the places of other
/// samples.
struct Target: @unchecked Sendable {
    private let target: rr_target
    private let shape: ImageShape
    /// The bytes of an element of an image.
    private let elementSize: Int
    private let imageStrides: [Int]?
    private let maskStrides: [Int]?

    /// The most samples that are read before they are spread over memory that is not in order.
    private static let samplesAtATime = 64

    /// - Parameter elementType: that of the images as they are stored.
    /// - Throws: `DatasetError` with the code `invalidOption` where something in it makes no sense.
    init(
        _ pointer: UnsafePointer<rr_target>?, of shape: ImageShape, elementType: ImageElementType
    ) throws {
        guard let pointer else { throw ArgumentError.missing("target") }
        guard pointer.pointee.size >= MemoryLayout<rr_target>.size else {
            throw ArgumentError.wrong(
                "the size of the target is \(pointer.pointee.size), and must be set to sizeof(rr_target)")
        }
        target = pointer.pointee
        self.shape = shape
        guard target.image_type == RR_FLOAT32 || target.image_type == RR_STORED else {
            throw ArgumentError.wrong("there is no type \(target.image_type.rawValue) of images")
        }
        guard target.mask_type == RR_BYTES || target.mask_type == RR_BITS else {
            throw ArgumentError.wrong("there is no type \(target.mask_type.rawValue) of masks")
        }
        elementSize = target.image_type == RR_FLOAT32 ? MemoryLayout<Float>.size : elementType.size
        imageStrides = try Self.strides(target.image_strides, of: "images")
        maskStrides = try Self.strides(target.mask_strides, of: "masks")
        guard maskStrides == nil || target.mask_type == RR_BYTES else {
            throw ArgumentError.wrong("masks of bits have no strides")
        }
    }

    private static func strides(_ strides: UnsafePointer<Int64>?, of what: String) throws -> [Int]? {
        guard let strides else { return nil }
        return try (0..<4).map { dimension in
            guard let stride = Int(exactly: strides[dimension]), stride >= 0 else {
                throw ArgumentError.wrong(
                    "a stride of the \(what) is \(strides[dimension]), but none can be negative")
            }
            return stride
        }
    }

    var wantsStoredImages: Bool { target.image_type == RR_STORED }

    /// - Throws: `DatasetError` with the code `invalidOption` where there is no room for so many samples.
    func check(room count: Int) throws {
        guard count <= target.room else {
            throw ArgumentError.wrong(
                "there is room for \(target.room) samples, and \(count) are to be written")
        }
    }

    // MARK: One sample

    func set(_ place: Int, label: Int64, index: Int64, isAnnotated: Bool) {
        target.labels?[place] = label
        target.index?[place] = index
        target.annotated?[place] = isAnnotated ? 1 : 0
    }

    /// - Parameter image: `(C, H, W)` in order, of the type that the target wants.
    func setImage(_ place: Int, _ image: UnsafeRawBufferPointer) {
        guard let images = target.images else { return }
        guard let imageStrides else {
            UnsafeMutableRawBufferPointer(start: images + place * image.count, count: image.count)
                .copyMemory(from: image)
            return
        }
        switch elementSize {
        case 1: spread(image, as: UInt8.self, over: images + place * imageStrides[0], imageStrides)
        case 2: spread(image, as: UInt16.self, over: images + place * imageStrides[0], imageStrides)
        default: spread(image, as: UInt32.self, over: images + place * imageStrides[0], imageStrides)
        }
    }

    /// - Parameter mask: `(C, H, W)` in order, 0 and 1.
    func setMask(_ place: Int, _ mask: UnsafeBufferPointer<UInt8>) throws {
        guard let masks = target.masks else { return }
        if target.mask_type == RR_BITS {
            var bits = try MaskBits(rowCount: 1, elementsPerRow: mask.count)
            bits.setRow(0, from: mask)
            let size = (mask.count + 7) / 8
            bits.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(start: masks + place * size, count: size)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(size)))
            }
        } else if let maskStrides {
            spread(
                UnsafeRawBufferPointer(mask), as: UInt8.self,
                over: UnsafeMutableRawPointer(masks) + place * maskStrides[0], maskStrides)
        } else {
            UnsafeMutableRawBufferPointer(start: masks + place * mask.count, count: mask.count)
                .copyMemory(from: UnsafeRawBufferPointer(mask))
        }
    }

    private func spread<Element: BitwiseCopyable>(
        _ elements: UnsafeRawBufferPointer, as type: Element.Type, over start: UnsafeMutableRawPointer,
        _ strides: [Int]
    ) {
        let size = MemoryLayout<Element>.size
        var source = 0
        for channel in 0..<shape.channels {
            for row in 0..<shape.height {
                var target = start + channel * strides[1] + row * strides[2]
                for _ in 0..<shape.width {
                    let element = elements.loadUnaligned(fromByteOffset: source, as: Element.self)
                    target.storeBytes(of: element, as: Element.self)
                    target += strides[3]
                    source += size
                }
            }
        }
    }

    // MARK: Samples of a dataset

    /// Reads samples and their masks.
    ///
    /// - Throws: as `Dataset.readImages`.
    func gather(_ dataset: Dataset, _ masks: MaskSet?, at indices: [Int]) throws {
        if isContiguous {
            try read(dataset, at: indices, into: target.images)
        } else if target.images != nil {
            let imageSize = shape.elementCount * elementSize
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: imageSize * min(indices.count, Self.samplesAtATime), alignment: 64)
            defer { memory.deallocate() }
            for first in stride(from: 0, to: indices.count, by: Self.samplesAtATime) {
                let some = Array(indices[first..<min(first + Self.samplesAtATime, indices.count)])
                try read(dataset, at: some, into: memory.baseAddress)
                for place in some.indices {
                    setImage(
                        first + place,
                        UnsafeRawBufferPointer(
                            rebasing: memory[place * imageSize..<(place + 1) * imageSize]))
                }
            }
        } else {
            // What is out of range is told all the same.
            try read(dataset, at: indices, into: nil)
        }
        let mask = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: shape.elementCount)
        defer { mask.deallocate() }
        mask.update(repeating: 0)
        for (place, index) in indices.enumerated() {
            let isAnnotated = masks?.isAnnotated(index) ?? false
            if target.masks != nil {
                _ = masks?.expandMask(ofSample: index, channels: shape.channels, into: mask)
                try setMask(place, UnsafeBufferPointer(mask))
            }
            set(
                place, label: dataset.labels.map { Int64($0[index]) } ?? -1, index: Int64(index),
                isAnnotated: isAnnotated)
        }
    }

    /// Whether images can be read into the caller's memory as it is.
    private var isContiguous: Bool {
        guard let images = target.images, imageStrides == nil else { return false }
        return wantsStoredImages || UInt(bitPattern: images) % UInt(MemoryLayout<Float>.alignment) == 0
    }

    /// - Parameter memory: room for the images, one after another; nil for no images.
    private func read(_ dataset: Dataset, at indices: [Int], into memory: UnsafeMutableRawPointer?) throws {
        guard let memory else { return try dataset.check(indices) }
        let images = UncheckedSendable(memory)
        let (elementCount, imageSize) = (shape.elementCount, shape.elementCount * elementSize)
        let isStored = wantsStoredImages
        try dataset.readImages(at: indices) { place in
            let start = images.value + place * imageSize
            if isStored { return .stored(UnsafeMutableRawBufferPointer(start: start, count: imageSize)) }
            return .floats(
                UnsafeMutableBufferPointer(
                    start: start.assumingMemoryBound(to: Float.self), count: elementCount))
        }
    }
}
