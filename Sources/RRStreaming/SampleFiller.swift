internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Fills samples of batches: one thread's part of a stream.
final class SampleFiller {
    private let dataset: Dataset
    private let masks: MaskSet?
    private let reader: ImageReader
    private let givesStored: Bool
    private let options: StreamOptions
    /// The shape of the images in batches.
    private let imageShape: ImageShape
    private let donors: RegionDonors?
    private let scratch = PictureScratch()
    private var regions: RegionSwap

    /// - Parameters:
    ///   - reader: this thread's, of the dataset.
    ///   - givesStored: whether images come as they are stored and not as floats; then nothing is augmented.
    ///   - options: those of the stream, for what changes images.
    ///   - imageShape: the shape of the images in batches.
    ///   - donors: whose images fill the masks of counterexamples; nil where none are wanted.
    init(
        dataset: Dataset, masks: MaskSet?, reader: ImageReader, givesStored: Bool, options: StreamOptions,
        imageShape: ImageShape, donors: RegionDonors?
    ) {
        self.dataset = dataset
        self.masks = masks
        self.reader = reader
        self.givesStored = givesStored
        self.options = options
        self.imageShape = imageShape
        self.donors = donors
        regions = RegionSwap(shape: imageShape)
    }

    /// Asks for the image and mask of a sample that is filled next.
    func prepare(_ row: Int, of storage: BatchStorage) {
        let index = Int(storage.indices.elements[row])
        guard index >= 0 else { return }
        reader.prefetchImage(at: index)
        masks?.prefetchMask(ofSample: index)
    }

    /// Fills the place of a sample whose index stands in the batch.
    ///
    /// - Parameter epoch: that of the batch.
    /// - Throws: what `explained(_:ofSampleIn:of:)` takes.
    func fill(_ row: Int, of storage: BatchStorage, epoch: Int) throws {
        try fillSample(row, of: storage, epoch: epoch)
        if let donors { try fillCounterexample(row, of: storage, epoch: epoch, donors) }
    }

    private func fillSample(_ row: Int, of storage: BatchStorage, epoch: Int) throws {
        let index = Int(storage.indices.elements[row])
        let (elementCount, imageSize) = (imageShape.elementCount, dataset.imageSize)
        let elements = row * elementCount..<(row + 1) * elementCount
        // One of the two is empty.
        let image = UnsafeMutableBufferPointer(
            rebasing: storage.images.elements[givesStored ? 0..<0 : elements])
        let stored = UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(storage.storedImages.elements)[
                givesStored ? row * imageSize..<(row + 1) * imageSize : 0..<0])
        let mask = UnsafeMutableBufferPointer(rebasing: storage.masks.elements[elements])
        guard index >= 0 else {
            image.update(repeating: 0)
            stored.initializeMemory(as: UInt8.self, repeating: 0)
            mask.update(repeating: 0)
            storage.labels.elements[row] = -1
            storage.annotated.elements[row] = false
            return
        }
        storage.labels.elements[row] = dataset.labels.map { Int64($0[index]) } ?? -1
        guard imageShape == dataset.imageShape else {
            storage.annotated.elements[row] = try fillResized(image, mask, index: index, epoch: epoch)
            return
        }
        try reader.readImage(at: index, into: givesStored ? .stored(stored) : .floats(image))
        // Without a mask set the masks are zero from the start.
        let isAnnotated =
            masks?.expandMask(ofSample: index, channels: dataset.imageShape.channels, into: mask) ?? false
        storage.annotated.elements[row] = isAnnotated
        guard changesImages, !givesStored else { return }
        change(
            image, isAnnotated ? mask : nil, index: index, epoch: epoch)
        // A crop or cutout may have left nothing of the mask.
        if isAnnotated { storage.annotated.elements[row] = mask.contains(1) }
    }

    private var changesImages: Bool { options.augmentation != nil || options.resizeCrop != nil }

    /// Fills the counterexample of a sample that is filled: its image as it is in this epoch, with its mask filled by a donor
    /// as that is in this epoch.
    private func fillCounterexample(
        _ row: Int, of storage: BatchStorage, epoch: Int, _ donors: RegionDonors
    ) throws {
        let (index, count) = (Int(storage.indices.elements[row]), imageShape.elementCount)
        let elements = row * count..<(row + 1) * count
        let changed = UnsafeMutableBufferPointer(rebasing: storage.counterexamples.elements[elements])
        guard storage.annotated.elements[row] else {
            changed.update(repeating: 0)
            return
        }
        _ = changed.update(fromContentsOf: storage.images.elements[elements])
        let mask = UnsafeBufferPointer(rebasing: storage.masks.elements[elements])
        for donor in donors.donors(for: index, epoch: epoch) {
            let picture = scratch.picture(max(dataset.imageShape.elementCount, count))
            guard try readPicture(picture, index: donor, epoch: epoch) else { continue }
            let isDone = regions.swap(
                changed, mask: mask, donor: UnsafeBufferPointer(rebasing: picture.image[..<count]),
                donorMask: UnsafeBufferPointer(rebasing: picture.mask[..<count]))
            if isDone { return }
        }
    }

    /// Fills a sample whose image has another size in the dataset.
    ///
    /// - Returns: whether the mask has a 1.
    private func fillResized(
        _ image: UnsafeMutableBufferPointer<Float>, _ mask: UnsafeMutableBufferPointer<UInt8>, index: Int,
        epoch: Int
    ) throws -> Bool {
        let picture = scratch.picture(max(dataset.imageShape.elementCount, imageShape.elementCount))
        let isAnnotated = try readPicture(picture, index: index, epoch: epoch)
        _ = image.update(fromContentsOf: picture.image[..<image.count])
        guard isAnnotated else {
            mask.update(repeating: 0)
            return false
        }
        _ = mask.update(fromContentsOf: picture.mask[..<mask.count])
        return mask.contains(1)
    }

    /// Reads an image and its mask, and makes the changes of the stream to them.
    ///
    /// - Parameter picture: memory that has room for both before and after.
    /// - Returns: whether the sample has a mask with a 1, before it was changed.
    private func readPicture(
        _ picture: (image: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<UInt8>),
        index: Int, epoch: Int
    ) throws -> Bool {
        let shape = dataset.imageShape
        let place = UnsafeMutableBufferPointer(rebasing: picture.image[..<shape.elementCount])
        try reader.readImage(at: index, into: .floats(place))
        let isAnnotated =
            masks?.expandMask(
                ofSample: index, channels: shape.channels,
                into: UnsafeMutableBufferPointer(rebasing: picture.mask[..<shape.elementCount])) ?? false
        if changesImages {
            change(picture.image, isAnnotated ? picture.mask : nil, index: index, epoch: epoch)
        }
        return isAnnotated
    }

    /// The error of a sample that could not be filled: `DatasetError` with the code `checksumMismatch`, or `StreamError`, which
    /// both name it.
    func explained(_ error: any Error, ofSampleIn row: Int, of storage: BatchStorage) -> any Error {
        guard let error = error as? FormatError else { return error }
        return StreamError(sample: Int(storage.indices.elements[row]), of: dataset, error)
    }

    /// Makes the changes of the stream to an image of the dataset and its mask, in memory that has room for both sizes.
    private func change(
        _ image: UnsafeMutableBufferPointer<Float>, _ mask: UnsafeMutableBufferPointer<UInt8>?, index: Int,
        epoch: Int
    ) {
        var picture = Picture(shape: dataset.imageShape, imageMemory: image, maskMemory: mask)
        let isUnit = dataset.elementType != .float32
        if let resizeCrop = options.resizeCropOfStream {
            picture.resample(resizeCrop.resampling(of: picture.shape), to: imageShape, scratch)
            if isUnit { picture.clampImage() }
        }
        options.augmentation?.apply(
            seed: options.seed, epoch: epoch, index: index, to: &picture, outputShape: imageShape,
            isUnit: isUnit, scratch: scratch)
    }

    /// Checks that what was read since the stream began is of one and the same file.
    ///
    /// - Throws: `StreamError` with the code `fileChanged`, naming a sample.
    func checkUnchanged(afterReading index: Int) throws {
        do {
            try reader.checkUnchanged()
        } catch let error as FormatError {
            throw StreamError(.fileChanged, sample: index, of: dataset, error)
        }
    }
}
