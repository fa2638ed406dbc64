internal import RRFormats
internal import RRSchemas

// JSON files are told by the keys of their first level.
extension MaskSourceKind {
    /// Tells what a JSON file holds: Label Studio's is a list, or an object with a task's keys; labelme's has shapes and the
    /// image's path; all else is taken for COCO's.
    ///
    /// - Throws: `FormatError` where the file cannot be read.
    static func ofJSON(_ path: String) throws(FormatError) -> MaskSourceKind {
        // Nearly always the first keys tell; a whole file may be large.
        let start = try FileBytes.read(path, prefix: 1 << 16, takesPipe: true)
        if let kind = kind(of: start) { return kind }
        guard start.count == 1 << 16 else { return .coco }
        return kind(of: try FileBytes.read(path, takesPipe: true)) ?? .coco
    }

    private static let kinds: [String: MaskSourceKind] = [
        "shapes": .labelme, "imagePath": .labelme, "imageData": .labelme, "images": .coco,
        "categories": .coco,
        "licenses": .coco, "data": .labelStudio, "completions": .labelStudio, "predictions": .labelStudio,
    ]

    /// What the first key says that tells; nil where none does as far as the bytes go.
    private static func kind(of bytes: [UInt8]) -> MaskSourceKind? {
        struct Found: Error { let kind: MaskSourceKind }
        var parser = JSONParser(bytes: bytes, allowsNonFinite: true)
        if parser.nextIsArray() { return .labelStudio }
        guard parser.nextIsObject() else { return nil }
        do {
            try parser.readMembers { key, parser in
                if let kind = kinds[key] { throw Found(kind: kind) }
                try parser.skipValue()
            }
        } catch {
            return (error as? Found)?.kind
        }
        return nil
    }
}
