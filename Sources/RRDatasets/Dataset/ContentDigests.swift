package import RRFormats
internal import RRSchemas
internal import RRTensor

/// The digests by which a file of ours tells that what it says of its images or masks is what was written.
///
/// The root attribute `digests` is the JSON text of an object with a member for each array, `/labels`, and for each
/// other attribute, `@fingerprint` and `/labels@class_names`. A value is hexadecimal SHA-256 over
/// - of texts, in an attribute or an array: the UTF-8 of each and a zero byte;
/// - of any other array: its type as NumPy names it and a zero byte, its extents as int64, and its elements unless it has
///   more than two dimensions: images and masks have checksums of their own. Numbers are little-endian.
package struct ContentDigests: Sendable {
    package static let attribute = "digests"

    /// The digests by their places.
    private(set) var members: [String: String] = [:]

    package init() {}

    /// Reads what a file of ours holds; nil where it was written before there were digests, in format version 1.0.
    ///
    /// - Throws: `DatasetError` with the code `missingObject` or `wrongAttribute`; `FormatError`.
    package init?(of file: HDF5File) throws {
        guard let value = try file.attribute(Self.attribute) else {
            guard case .string("1.0")? = try file.attribute("format_version") else {
                throw DatasetError(
                    .missingObject, path: file.path,
                    "the attribute “\(Self.attribute)” is missing, which every file of a format version above 1.0 has"
                )
            }
            return nil
        }
        guard let text = value.text, let stored = try? JSONValue(parsing: text),
            let object = stored.objectValue
        else {
            throw DatasetError(
                .wrongAttribute, path: file.path, "the attribute “\(Self.attribute)” is no JSON object")
        }
        members = object.compactMapValues(\.stringValue)
    }

    /// The name of an attribute's place: `/labels@class_names`, `@fingerprint`.
    package static func place(of attribute: String, in objectPath: String) -> String {
        (objectPath == "/" ? "" : objectPath) + "@" + attribute
    }

    package subscript(place: String) -> String? {
        get { members[place] }
        set { members[place] = newValue }
    }

    /// What the attribute `digests` says.
    var text: String { JSONValue.object(members.mapValues { .string($0) }).serialized() }

    /// The places whose content is not what was written, sorted.
    ///
    /// - Parameter excluded: places that are not looked at.
    /// - Throws: `FormatError` where the file cannot be read, which says nothing of what is in it.
    package func changedPlaces(
        in file: HDF5File, excluding excluded: Set<String> = []
    ) throws(FormatError) -> [String] {
        var changed: [String] = []
        for (place, stored) in members where !excluded.contains(place) {
            do {
                if try Self.digest(of: place, in: file) != stored { changed.append(place) }
            } catch let error as FormatError where error.code == .cannotRead || error.code == .changed {
                throw error
            } catch {
                changed.append(place)
            }
        }
        return changed.sorted()
    }

    /// Checks that what a file says is what was written.
    ///
    /// - Throws: `DatasetError` with the code `changedContent`, which names the first place; `FormatError` where the file
    ///   cannot be read.
    func check(_ file: HDF5File, excluding excluded: Set<String> = []) throws {
        guard let place = try changedPlaces(in: file, excluding: excluded).first else { return }
        throw Self.changed(place, in: file.path)
    }

    /// The error for a place whose content is not what was written.
    static func changed(_ place: String, in path: String) -> DatasetError {
        DatasetError(
            .changedContent, path: place.hasPrefix("/") ? "\(path):\(place)" : path + place,
            "this is not what was written: its digest is another, so the file was damaged or changed. Copy it from where "
                + "it is sound, or import it anew; who has changed it on purpose removes the attribute "
                + "“\(attribute)” and sets “format_version” to 1.0")
    }
}

extension ContentDigests {
    /// The digest of texts.
    package static func digest(of texts: some Sequence<String>) -> String {
        var hasher = SHA256Hasher()
        for text in texts { (Array(text.utf8) + [0]).withUnsafeBytes { hasher.update($0) } }
        return hasher.finalize()
    }

    /// The digest of an array of numbers.
    ///
    /// - Parameter elements: in the array's own type; empty where they have checksums of their own.
    package static func digest<Element: HDF5Element & FixedWidthInteger>(
        of elements: [Element], type: HDF5ElementType, shape: [Int]
    ) -> String {
        var hasher = SHA256Hasher()
        (Array(type.description.utf8) + [0]).withUnsafeBytes { hasher.update($0) }
        shape.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        elements.map(\.littleEndian).withUnsafeBytes { hasher.update($0) }
        return hasher.finalize()
    }

    /// The digest of what stands in a file at a place; nil where there is nothing, or what was never written.
    private static func digest(of place: String, in file: HDF5File) throws -> String? {
        if let at = place.lastIndex(of: "@") {
            let objectPath = at == place.startIndex ? "/" : String(place[..<at])
            switch try file.attribute(String(place[place.index(after: at)...]), of: objectPath) {
            case .string(let text): return Self.digest(of: CollectionOfOne(text))
            case .strings(let texts): return Self.digest(of: texts)
            case .integer, .other, nil: return nil
            }
        }
        let array = try file.dataset(place)
        func digestOfNumbers<Element: HDF5Element & FixedWidthInteger>(as type: Element.Type) throws -> String
        {
            let hasOwnChecksums = array.shape.rank > 2
            return Self.digest(
                of: hasOwnChecksums ? [] : try array.readAll(as: type), type: array.elementType,
                shape: array.shape.dimensions)
        }
        switch array.elementType.kind {
        case .fixedString: return Self.digest(of: try array.readStrings())
        case .uint8: return try digestOfNumbers(as: UInt8.self)
        case .uint16: return try digestOfNumbers(as: UInt16.self)
        case .uint32: return try digestOfNumbers(as: UInt32.self)
        case .int32: return try digestOfNumbers(as: Int32.self)
        case .int64: return try digestOfNumbers(as: Int64.self)
        case .float32:
            return Self.digest(of: [UInt8](), type: array.elementType, shape: array.shape.dimensions)
        default: return nil
        }
    }
}

/// Writes what a file of ours says of its images or masks, and the digest of each part.
struct ContentWriter {
    private let file: HDF5File
    private var digests = ContentDigests()

    init(_ file: HDF5File) {
        self.file = file
    }

    /// Keeps the digest of an array that is written elsewhere.
    ///
    /// - Parameter digest: nil for images and masks, whose type and extents it is of.
    mutating func note(_ array: HDF5Dataset, digest: String? = nil) {
        digests[array.objectPath] =
            digest
            ?? ContentDigests.digest(
                of: [UInt8](), type: array.elementType, shape: array.shape.dimensions)
    }

    /// Writes an attribute.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`, or `unsupported` for a text with a zero character.
    mutating func set(_ name: String, of objectPath: String = "/", to text: String) throws(FormatError) {
        try file.setAttribute(name, of: objectPath, to: .string(text))
        digests[ContentDigests.place(of: name, in: objectPath)] = ContentDigests.digest(
            of: CollectionOfOne(text))
    }

    /// Writes an attribute that is a list.
    ///
    /// - Throws: as `set(_:of:to:)` of a text.
    mutating func set(_ name: String, of objectPath: String, to texts: [String]) throws(FormatError) {
        try file.setAttribute(name, of: objectPath, to: .strings(texts))
        digests[ContentDigests.place(of: name, in: objectPath)] = ContentDigests.digest(of: texts)
    }

    /// Writes an array of numbers.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func write<Element: HDF5Element & FixedWidthInteger>(
        _ elements: [Element], as objectPath: String, shape: [Int]? = nil
    ) throws {
        let extents = shape ?? [elements.count]
        let array = try file.createDataset(
            objectPath, type: Element.storedType, shape: TensorShape(extents))
        try array.write(elements.span)
        digests[objectPath] = ContentDigests.digest(of: elements, type: Element.storedType, shape: extents)
    }

    /// Writes what the file is, and the digests, after all else.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func finish(_ format: FileFormat) throws(FormatError) {
        try set("format", to: format.rawValue)
        try set("format_version", to: FileFormat.version)
        try set("creator", to: Dataset.creator)
        try file.setAttribute(ContentDigests.attribute, to: .string(digests.text))
    }
}
