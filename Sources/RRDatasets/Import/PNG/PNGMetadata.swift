internal import RRFormats

/// Lists of image files with their labels, as Hugging Face's image folders have them.
enum PNGMetadata {
    static func list(in folder: String) throws -> PNGFileList? { nil }
}
