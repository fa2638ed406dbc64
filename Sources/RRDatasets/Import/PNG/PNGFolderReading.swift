internal import RRFormats

/// How the PNG files of a folder become images and labels: what an import and a stream of the folder have in common.
public struct PNGFolderReading: Sendable, Hashable {
    public var labels: PNGFolderImport.Labels = .folders
    /// An alpha channel is kept with `rgba` and `grayAlpha`, and composited over the background with `rgb` and `gray`.
    public var color: PNGFolderImport.Color = .auto
    /// Nil for the depth of the files, which must agree.
    public var depth: PNGFolderImport.Depth?
    /// Nil for the size of the files, which must agree. Channels are resized one by one, after the colour type and
    /// before the depth is changed.
    public var resizing: Resizing?
    /// What lies behind transparent pixels and around padded images.
    public var background: RGBColor = .black

    public init() {}

    /// The image files of a folder, with their classes and splits, in the order of the samples.
    ///
    /// - Throws: as `PNGMetadata.list(in:)` and `PNGFolderScan`.
    func files(in folder: String) throws -> PNGFileList {
        if labels == .folders, let list = try PNGMetadata.list(in: folder) { return list }
        return try PNGFolderScan(folder: folder, labels: labels).files
    }

    /// The error for a file without an image.
    static func unreadable(_ error: FormatError) -> any Error {
        switch error.code {
        case .malformed, .unsupported: DatasetError(.unreadableImage, path: error.path, error.message)
        default: error
        }
    }
}
