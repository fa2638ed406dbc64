public import RRFormats

/// Data that cannot be used: what is wrong, in which file, and the remedy where there is one.
public struct DatasetError: ExplainedError, Equatable, Sendable {
    public enum Code: String, Sendable {
        // What a file is.
        /// An array or attribute that the format demands is not there.
        case missingObject
        /// The file is HDF5, but its `format` attribute names something else.
        case wrongFormat
        /// The file's `format_version` has a major version that this release does not read.
        case unsupportedVersion
        /// An array has another shape than it must have.
        case wrongShape
        /// An array has another element type than it must have.
        case wrongType
        /// An attribute holds something else than it must hold.
        case wrongAttribute
        /// The feature exists in the format but is not served.
        case unsupported

        // What a dataset says.
        /// An image's bytes do not have the checksum that was stored at import.
        case checksumMismatch
        /// What a file says of its images or masks is not what was written.
        case changedContent
        /// The fingerprint attribute is not the one of the content.
        case wrongFingerprint
        /// Two samples have the same id.
        case duplicateId
        /// A label is below zero, or has no class.
        case labelOutOfRange
        /// A sample has several classes, or none, where each has one.
        case severalLabels
        /// An operation needs labels and there are none.
        case missingLabels
        /// The split is not in the dataset.
        case unknownSplit
        /// A sample's split number has no name.
        case splitOutOfRange
        /// A sample's group number is below zero, or has no name.
        case groupOutOfRange
        /// A sample, row or class was asked for that does not exist.
        case indexOutOfRange
        /// A number is outside what can be stored or trained on.
        case valueOutOfRange
        /// There is nothing to work on: no samples, no images, no classes.
        case empty

        // What a mask set says.
        /// The masks were made for a dataset of another size or with other pixels.
        case otherDataset
        /// Files of a folder of images are called as masks of others are.
        case masksAmongImages
        /// A mask's height, width or channels are not those of the images.
        case wrongMaskSize
        /// A mask holds a value that is neither 0 nor 1 (nor 255 in a source file).
        case nonBinaryMask
        /// A sample's row number has no row in A.
        case rowOutOfRange
        /// The last row of A, which unannotated samples use, is not zero.
        case lastRowNotZero

        // What a writer meets.
        /// A sample of a dataset that is to be finished has no image.
        case missingImage
        /// A sample was given two images.
        case duplicateImage

        // What an importer meets.
        /// A folder has no layout that an import can read.
        case badFolderStructure
        /// An image file cannot be read.
        case unreadableImage
        /// Two images differ in size or kind, and no option says what to do.
        case inconsistentImages
        /// `metadata.csv` breaks its rules.
        case badMetadata
        /// No mask of a source is for a sample of the dataset.
        case unmatchedMasks
        /// The name of a mask could be of several samples.
        case ambiguousName
        /// A mask's folder is that of another class or split than its sample's.
        case contradictoryFolder
        /// A mask of a turned image fits as it stands and turned alike.
        case ambiguousOrientation
        /// Two masks are for the same sample.
        case duplicateMask
        /// An annotation, or the file that it is in, cannot be made a mask.
        case badAnnotation
        /// An id would leave the folder, or cannot be a file's name.
        case unsafeId
        /// Shape and options leave more than one reading.
        case ambiguousLayout
        /// An option or argument contradicts the data or another option.
        case invalidOption
    }

    public let code: Code
    /// The file, where known followed by the place inside it: `masks.h5:/A`.
    public let path: String
    /// What is wrong, with the figures, and the remedy where there is one.
    public let message: Message

    public init(_ code: Code, path: String, _ message: Message) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// Takes a message that names no option, in one line.
    public init(_ code: Code, path: String, _ message: String) {
        self.init(code, path: path, Message(message.escaped(keepingLines: false)))
    }

    /// `masks.h5:/A: the last row is not zero`
    public var explanation: Message { path.isEmpty ? message : "\(path): \(message)" }
}

extension DatasetError {
    package var kind: FailureKind {
        switch code {
        case .invalidOption, .unknownSplit, .ambiguousLayout: .usage
        default: .badData
        }
    }
}
