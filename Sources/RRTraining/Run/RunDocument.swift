internal import RRFormats
internal import RRSchemas

/// The JSON documents of a run folder.
enum RunDocument {
    /// The largest document that is read, in bytes: made to values it takes thirty times as many.
    static let largestSize = 16 << 20

    /// Reads a JSON file.
    ///
    /// - Throws: `FormatError` where it cannot be read, or with the code `malformed` where it is not JSON.
    static func read(_ path: String, maximumSize: Int = largestSize) throws(FormatError) -> JSONValue {
        try parse(FileBytes.read(path, maximumSize: maximumSize), path: path)
    }

    /// - Throws: `FormatError` with the code `malformed`.
    static func parse(_ bytes: [UInt8], path: String) throws(FormatError) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw FormatError(.malformed, path: path, "is not JSON: \(error)")
        }
    }

    /// Reads a document that names its format and version.
    ///
    /// - Parameter role: what the file is, for messages: `config.json of a run`.
    /// - Throws: `FormatError`, with the code `malformed` where it is another document and `unsupported` where its version
    ///   is not 1.x.
    static func read(
        _ path: String, format: String, role: String, maximumSize: Int = largestSize
    ) throws(FormatError) -> JSONValue {
        let document = try read(path, maximumSize: maximumSize)
        guard document["format"] == .string(format) else {
            throw FormatError(.malformed, path: path, "is not the \(role)")
        }
        guard document["format_version"]?.stringValue?.split(separator: ".").first == "1" else {
            throw FormatError(
                .unsupported, path: path, "has a format_version that is not 1.x: a newer rrdata wrote it")
        }
        return document
    }

    /// Puts a document in the place of another at once.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    static func replace(_ path: String, with document: JSONValue) throws(FormatError) {
        let output = try AtomicOutput(path: path, force: true)
        try FileBytes.write(Array((document.serialized(pretty: true) + "\n").utf8), to: output.temporaryPath)
        try output.commit()
    }
}
