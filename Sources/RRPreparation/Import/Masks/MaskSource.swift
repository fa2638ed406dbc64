internal import RRDatasets
internal import RRTensor

/// Where the masks of an import come from.
protocol MaskSource: Sendable {
    /// The shape `(C, H, W)` of every mask; C is 1 or the number of the images' channels.
    var maskShape: ImageShape { get }

    /// The samples that have a mask, ascending, each once.
    var samples: [Int] { get }

    /// What was met while the source was opened.
    var tally: MaskTally { get }

    /// Writes the mask of `samples[position]` as bytes that are 0 or 1.
    ///
    /// Any number of threads may call at once.
    ///
    /// - Parameter mask: `maskShape.elementCount` bytes to fill; what they hold before is undefined.
    /// - Throws: `DatasetError` or `FormatError` that names the mask and what is wrong with it.
    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws
}
