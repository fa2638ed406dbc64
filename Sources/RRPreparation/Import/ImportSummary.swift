public import RRDatasets
public import RRFormats
package import RRSchemas
public import RRTensor

/// What an import has stored, and what it has not.
public struct ImportSummary: Sendable {
    /// A file that was left out, and why.
    public struct SkippedFile: Sendable, Hashable {
        /// The path relative to the folder.
        public let path: String
        public let reason: String

        package var json: JSONValue { ["file": .string(path), "reason": .string(reason)] }
    }

    /// A split and its number of samples.
    public struct SplitCount: Sendable, Hashable {
        public let name: String
        public let sampleCount: Int
    }

    /// What a mask set holds that was imported along.
    public struct Masks: Sendable, Hashable {
        /// The mask set's file.
        public let path: String
        /// The number of samples that have a mask.
        public let annotatedCount: Int
        /// The mean share of an annotated sample's elements that are masked, 0 to 1.
        public let meanShare: Double
        /// What a 1 in the source's masks says.
        public let marks: MaskMarks

        /// Whether the masks cover more than half of their images and nobody said that they mark the right regions.
        public var suggestsRightMarks: Bool { marks == .wrong && meanShare > 0.5 }
    }

    /// The dataset's file.
    public let path: String
    public let sampleCount: Int
    public let imageShape: ImageShape
    public let elementType: ImageElementType
    /// `gray`, `rgb`, `gray-alpha`, `rgba` or `other`.
    public let color: String
    /// Whether the samples have labels.
    public let isLabelled: Bool
    /// The names of the classes in the order of the labels; nil where the source names none.
    public let classNames: [String]?
    /// The splits in the order of their numbers; empty where there is one.
    public let splits: [SplitCount]
    public let fingerprint: String
    /// Files that could not be decoded, in the order of the samples.
    public let skippedFiles: [SkippedFile]
    /// The number of files that are no images by their names.
    public let otherFileCount: Int
    /// Present where masks were imported along.
    public let masks: Masks?
    /// The number of images whose files give a gamma or a colour space (gAMA, cHRM, sRGB, iCCP, cICP), which was
    /// ignored: the samples are stored as they stand.
    public var colorSpaceCount: Int = 0
    /// The path of each sample's mask relative to the folder, as `mask_file_name` of the metadata gives it, empty
    /// where it gives none; nil where there is no such column.
    package var maskPaths: [[String]]?
    /// The arrays of the source that were left where they are, by name.
    public var untakenArrays: [String] = []
    /// What a user should know of the source, such as arrays that had to be held in memory.
    public var notes: [Message] = []
}

extension ImportSummary {
    /// Networks take floating-point images as they are, and learn badly of numbers beyond this distance from 0.
    static let largestUnremarked: Float = 10

    static let remarkOnBinary: Message = """
        the images hold only 0 and 1 as integers, which reach a network as 0 and 1/255: multiply them by 255, or store them as \
        floating-point numbers
        """

    static func remark(onMagnitude largest: Float) -> Message {
        """
        the images are floating-point numbers as far from 0 as \(largest), and reach a network as they are: train with \
        \(option: OptionName("normalization")), or divide them, by 255 where they are bytes
        """
    }
}
