public import RRTensor

/// One sample of a dataset. Its image is read when it is asked for, so that a sequence of samples needs no memory for
/// images.
public struct Sample: Sendable {
    /// The dataset that it is of.
    public let dataset: Dataset
    /// Its place in the dataset, from 0 on.
    public let index: Int
    /// What it is called in the dataset.
    public let id: String

    /// The label; nil where the dataset has none.
    public var label: Int? { dataset.labels?[index] }

    /// The name of the class; nil where classes have no names.
    public var className: String? { dataset.classNames.flatMap { names in label.map { names[$0] } } }

    /// The name of the split; nil where the dataset has one.
    public var split: String? { dataset.splits.map { dataset.splitNames[Int($0[index])] } }

    /// The name of the group, or its digits where groups have no names; nil where samples are in none.
    public var group: String? { dataset.groups.map { $0.name(of: $0.numbers[index]) } }

    /// The image `(C, H, W)` as it reaches a network: uint8 / 255, uint16 / 65,535, float32 as it is.
    ///
    /// - Throws: as `Dataset.image(at:)`.
    public var image: Tensor<Float> {
        get throws { try dataset.image(at: index) }
    }
}

/// Samples of a dataset, in ascending order.
public struct SampleSequence: RandomAccessCollection, Sendable {
    private let dataset: Dataset
    private let ids: [String]
    private let samples: [Int]

    fileprivate init(_ dataset: Dataset, samples: [Int]) throws {
        self.dataset = dataset
        self.samples = samples
        ids = try dataset.idsOfSamples()
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { samples.count }

    /// The sample at a place in the sequence.
    public subscript(place: Int) -> Sample {
        Sample(dataset: dataset, index: samples[place], id: ids[samples[place]])
    }
}

extension Dataset {
    /// Reads the image of a sample, `(C, H, W)`, as it reaches a network: uint8 / 255, uint16 / 65,535, float32 as it
    /// is. Any number of threads may do so.
    ///
    /// The image's checksum is verified the first time it is read.
    ///
    /// - Throws: `DatasetError` with the code `indexOutOfRange` or `checksumMismatch`, which names the sample;
    ///   `FormatError` where the file is damaged or was changed since it was opened.
    public func image(at index: Int) throws -> Tensor<Float> {
        let elements = try withReader(of: index) { reader in
            try [Float](unsafeUninitializedCapacity: imageShape.elementCount) { image, count in
                count = imageShape.elementCount
                try reader.readImage(
                    at: index, into: .floats(UnsafeMutableBufferPointer(rebasing: image[..<count])))
            }
        }
        return try Tensor(shape: TensorShape(imageShape.dimensions), elements: elements)
    }

    /// A sample at an index from 0 on.
    ///
    /// - Throws: `DatasetError` with the code `indexOutOfRange`; as `ids()`.
    public func sample(at index: Int) throws -> Sample {
        try check(index)
        return Sample(dataset: self, index: index, id: try idsOfSamples()[index])
    }

    /// The samples of a split, or of all the dataset.
    ///
    /// Going through them reads nothing: each image is read as the sample is asked for it, where damage is thrown.
    ///
    /// - Throws: `DatasetError` with the code `unknownSplit`; as `ids()`.
    public func samples(inSplit split: String = "all") throws -> SampleSequence {
        try SampleSequence(self, samples: indices(inSplit: split))
    }

    /// Reads the stored bytes of an image, verifying its checksum the first time.
    ///
    /// - Parameter bytes: `imageSize` bytes to fill, C order, little-endian.
    /// - Throws: as `image(at:)`.
    package func readStored(at index: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        try withReader(of: index) { try $0.readImage(at: index, into: .stored(bytes)) }
    }

    private func withReader<Value>(of index: Int, _ body: (ImageReader) throws -> Value) throws -> Value {
        try check(index)
        let reader = try readers.take(for: self)
        defer { readers.giveBack(reader) }
        return try body(reader)
    }

    func check(_ index: Int) throws(DatasetError) {
        guard index >= 0, index < sampleCount else {
            throw DatasetError(
                .indexOutOfRange, path: path,
                "there is no sample \(index); the samples are 0 to \(sampleCount - 1)")
        }
    }
}
