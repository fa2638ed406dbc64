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

    /// - Parameters:
    ///   - reader: this thread's, of the dataset.
    ///   - givesStored: whether images come as they are stored and not as floats; then nothing is augmented.
    ///   - options: those of the stream, for its augmentation.
    init(
        dataset: Dataset, masks: MaskSet?, reader: ImageReader, givesStored: Bool, options: StreamOptions
    ) {
        self.dataset = dataset
        self.masks = masks
        self.reader = reader
        self.givesStored = givesStored
        self.options = options
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
    /// - Throws: `DatasetError` with the code `checksumMismatch`, or `StreamError`; both name the sample.
    func fill(_ row: Int, of storage: BatchStorage, epoch: Int) throws {
        let index = Int(storage.indices.elements[row])
        let (elementCount, imageSize) = (dataset.imageShape.elementCount, dataset.imageSize)
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
        do {
            try reader.readImage(at: index, into: givesStored ? .stored(stored) : .floats(image))
        } catch let error as FormatError {
            throw StreamError(sample: index, of: dataset, error)
        }
        storage.labels.elements[row] = dataset.labels.map { Int64($0[index]) } ?? -1
        // Without a mask set the masks are zero from the start.
        storage.annotated.elements[row] =
            masks?.expandMask(ofSample: index, channels: dataset.imageShape.channels, into: mask) ?? false
        if let augmentation = options.augmentation, !givesStored {
            augmentation.apply(
                seed: options.seed, epoch: epoch, index: index, shape: dataset.imageShape, image: image,
                mask: masks == nil ? nil : mask, isUnit: dataset.elementType != .float32)
            // A crop or cutout may have left nothing of the mask.
            if storage.annotated.elements[row] { storage.annotated.elements[row] = mask.contains(1) }
        }
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
