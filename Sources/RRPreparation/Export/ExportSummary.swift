public import RRFormats

/// What an export has written.
public struct ExportSummary: Sendable {
    /// The file or folder.
    public let path: String
    public let sampleCount: Int
    /// The samples whose mask is not all zero; nil without masks.
    public let annotatedCount: Int?
    /// Where masks stand that have a place of their own.
    public let masksPath: String?
    /// The files that belong to no single sample, relative to `path`: arrays, shards, `metadata.csv`.
    public let files: [String]
    /// What a user may not expect: what an import of the export would not give back.
    public let notes: [Message]
}
