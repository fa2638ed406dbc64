internal import RRFormats
internal import RRTensor

extension Dataset {
    /// The elements that a thread reads at a time, at least: below that, waking another thread takes longer.
    private static let elementsPerPart = 131_072

    /// Reads the images of some samples on all processor cores, in any order, and any sample more than once.
    ///
    /// Each image's checksum is verified the first time it is read.
    ///
    /// - Parameters:
    ///   - indices: from 0 on.
    ///   - target: where the image at a place in `indices` goes; called from several threads.
    /// - Throws: `DatasetError` with the code `indexOutOfRange`, before anything is read, or `checksumMismatch`, which
    ///   names the sample; `FormatError` where the file is damaged or was changed since it was opened.
    package func readImages(at indices: [Int], _ target: @Sendable (_ place: Int) -> ImageReader.Target)
        throws
    {
        try check(indices)
        let size = max(1, Self.elementsPerPart / imageShape.elementCount)
        try Workers().run(parts: 0..<(indices.count + size - 1) / size) {
            try BorrowedReader(of: self)
        } _: { borrowed, part in
            for place in part * size..<min((part + 1) * size, indices.count) {
                try borrowed.reader.readImage(at: indices[place], into: target(place))
            }
            try borrowed.reader.checkUnchanged()
        }
    }

    /// - Throws: `DatasetError` with the code `indexOutOfRange` where there is no sample of one of the indices.
    package func check(_ indices: [Int]) throws(DatasetError) {
        for index in indices { try check(index) }
    }

    /// A reader that goes back to the dataset when a thread is done with it.
    private final class BorrowedReader {
        let reader: ImageReader
        private let dataset: Dataset

        init(of dataset: Dataset) throws {
            self.dataset = dataset
            reader = try dataset.readers.take(for: dataset)
        }

        deinit { dataset.readers.giveBack(reader) }
    }
}
