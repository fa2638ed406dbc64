package import RRFormats

/// How the PNG files of a folder become images and labels: what an import and a stream of the folder have in common.
public struct ImageFolderOptions: Sendable, Hashable {
    /// Where labels come from.
    public enum Labels: String, Sendable, CaseIterable {
        /// From class folders, or from `metadata.csv` or `metadata.jsonl` where there is one.
        case folders
        /// Samples have no labels.
        case none
    }

    /// The colour type of all images.
    public enum Color: String, Sendable, CaseIterable {
        /// That of the files, which must agree.
        case auto
        /// Colours weighted as in ITU-R BT.601, rounded: `(19,595 R + 38,470 G + 7,471 B + 32,768) >> 16`.
        case gray
        case rgb
        case rgba
        case grayAlpha = "gray-alpha"

        var channels: Int? {
            switch self {
            case .auto: nil
            case .gray: 1
            case .grayAlpha: 2
            case .rgb: 3
            case .rgba: 4
            }
        }
    }

    /// The bits of all samples.
    public enum Depth: Int, Sendable, CaseIterable {
        /// 16-bit samples v become `round(v · 255 / 65,535)`.
        case eight = 8
        /// 8-bit samples v become `257 v`.
        case sixteen = 16
    }

    public var labels: ImageFolderOptions.Labels = .folders
    /// An alpha channel is kept with `rgba` and `grayAlpha`, and composited over the background with `rgb` and `gray`.
    public var color: ImageFolderOptions.Color = .auto
    /// Nil for the depth of the files, which must agree.
    public var depth: ImageFolderOptions.Depth?
    /// Nil for the size of the files, which must agree. Channels are resized one by one, after the colour type and
    /// before the depth is changed.
    public var resizing: Resizing?
    /// What lies behind transparent pixels and around padded images.
    public var background: RGBColor = .black

    public init() {}

    /// The image files of a folder, with their classes and splits, in the order of the samples.
    ///
    /// - Throws: as `PNGMetadata.list(in:)` and `PNGFolderScan`.
    package func files(in folder: String) throws -> PNGFileList {
        if labels == .folders, let list = try PNGMetadata.list(in: folder) { return list }
        return try PNGFolderScan(folder: folder, labels: labels).files
    }

    /// The error for a file without an image.
    package static func unreadable(_ error: FormatError) -> any Error {
        switch error.code {
        case .malformed, .unsupported: DatasetError(.unreadableImage, path: error.path, error.message)
        default: error
        }
    }
}
