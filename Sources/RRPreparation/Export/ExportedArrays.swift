internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// The arrays of an export that an import was given, with all that belongs to the samples.
///
/// The arrays are those that the export was written with, each of its length; what they hold is taken as it stands.
struct ExportedArrays {
    let mark: ExportMark
    private let location: (_ name: String) -> String
    private let open: (_ name: String) throws -> any ArraySource
    private let format: ArrayExport.Format

    /// Finds an export among what an import was given: an HDF5 file without a name for its images, or a folder of NPY
    /// files; nil where neither is given.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where the file or folder is no export, or
    ///   `unsupportedVersion`; `FormatError` where it cannot be read.
    static func find(for arrays: ArrayImport) throws -> ExportedArrays? {
        switch arrays.format {
        case .hdf5 where arrays.options.images.isEmpty: try ofHDF5(arrays)
        case .npy: try ofFolder(arrays)
        default: nil
        }
    }

    private static func ofHDF5(_ arrays: ArrayImport) throws -> ExportedArrays? {
        guard let path = arrays.files.first, arrays.files.count == 1 else {
            throw DatasetError(
                .invalidOption, path: "",
                "\(option: .images) names the array of images in each of several files")
        }
        let file = try HDF5File(reading: path, trustingLinks: arrays.options.trustsLinks)
        // What is there and cannot be read is damage, not absence: names would be lost in silence.
        func text(_ name: String) throws -> String? { try file.attribute(name)?.text }
        var members = try text("export").flatMap { try? JSONValue(parsing: $0) }?.objectValue ?? [:]
        members["format"] = try text("format").map { .string($0) }
        members["format_version"] = try text("format_version").map { .string($0) }
        // The names stand where those who read the file look for them, and may have been changed there.
        for array in [ExportArray.labels, .split, .group] {
            guard let member = array.namesMember else { continue }
            let place = "/" + array.name(in: .hdf5)
            let names = file.exists(place) ? try file.attribute(member, of: place)?.texts : nil
            members[member] = names.map { .array($0.map { .string($0) }) }
        }
        guard let mark = try ExportMark(.object(members), path: path) else {
            let names = try file.memberNames(of: "/")
            // Names may say by habit what the arrays are.
            if (try? NamedSplits(file.datasetNames(), path: path)) != nil { return nil }
            throw DatasetError(
                .invalidOption, path: path,
                "\(option: .images) names the array of images; only a file of `\(operation: .exportHDF5)` needs no name. "
                    + "The file holds "
                    + (names.isEmpty ? "nothing" : names.joined(separator: ", ")))
        }
        return ExportedArrays(
            mark: mark, location: { "\(path):/\($0)" }, open: { try HDF5Array(file.dataset("/" + $0)) },
            format: .hdf5)
    }

    private static func ofFolder(_ arrays: ArrayImport) throws -> ExportedArrays? {
        guard let folder = arrays.options.images.first(where: { FileTree.kind(of: $0) == .folder }) else {
            return nil
        }
        guard arrays.options.images.count == 1,
            let mark = try ExportMark(of: folder, kind: "npy", trustsLinks: arrays.options.trustsLinks)
        else {
            throw DatasetError(
                .invalidOption, path: folder,
                arrays.options.images.count == 1
                    ? "the folder is none of `\(operation: .exportNPY)`; name the NPY files of the images"
                    : "a folder of `\(operation: .exportNPY)` is imported by itself")
        }
        let boundary = arrays.options.trustsLinks ? nil : folder
        return ExportedArrays(
            mark: mark, location: { "\(folder)/\($0)" },
            open: { name in
                let path = try SideFile.path(name, in: folder, within: boundary) ?? folder + "/" + name
                return try ArrayFile(path: path, format: .npy).array(nil)
            }, format: .npy)
    }

    /// Whether the export was written with an array.
    func has(_ array: ExportArray) -> Bool { mark.arrayShapes[name(of: array)] != nil }

    func name(of array: ExportArray) -> String { array.name(in: format) }

    /// Opens an array.
    ///
    /// - Throws: `DatasetError` with the code `missingObject` where it is not there, or `wrongShape` where it has not
    ///   the shape that it was written with; `FormatError` where it is damaged.
    func array(_ array: ExportArray) throws -> any ArraySource {
        let name = name(of: array)
        guard let shape = mark.arrayShapes[name] else {
            throw DatasetError(
                .missingObject, path: location(name), "the export does not list this array; export anew")
        }
        let found: any ArraySource
        do {
            found = try open(name)
        } catch let error as FormatError where error.code == .notFound {
            throw DatasetError(
                .missingObject, path: location(name),
                "the array is missing that the export was written with; export anew, or name the arrays to import"
            )
        }
        guard found.shape.dimensions == shape, shape.first == mark.sampleCount else {
            throw DatasetError(
                .wrongShape, path: location(name),
                "the shape is \(found.shape), but the export was written with \(shape) for "
                    + "\(mark.sampleCount ?? 0) samples; export anew, or name the arrays to import")
        }
        return found
    }

    /// The id of each sample.
    ///
    /// - Throws: as `array(_:)`, and `duplicateId`.
    func ids() throws -> [String] {
        let array = try array(.ids)
        try array.checkSize()
        let ids = try array.texts()
        let order = ids.indices.sorted { ids[$0].utf8.lexicographicallyPrecedes(ids[$1].utf8) }
        for (left, right) in zip(order, order.dropFirst()) where ids[left].utf8.elementsEqual(ids[right].utf8)
        {
            throw DatasetError(
                .duplicateId, path: array.location,
                "samples \(min(left, right)) and \(max(left, right)) have the same id “\(ids[left])”")
        }
        return ids
    }

    /// The group of each sample with the names that the export gives them; nil where it has none.
    ///
    /// - Throws: as `array(_:)`, and `groupOutOfRange`.
    func groups() throws -> SampleGroups? {
        guard has(.group), let count = mark.sampleCount else { return nil }
        return try ArrayGroups.read(try array(.group), count: count, names: mark.groupNames)
    }

    /// The number of each sample's split among `mark.splitNames`; nil where there is one split.
    ///
    /// - Throws: as `array(_:)`, and `splitOutOfRange`.
    func splits() throws -> [UInt8]? {
        guard has(.split) else { return nil }
        let array = try array(.split)
        let numbers = try array.integers()
        let names = mark.splitNames
        if let sample = numbers.firstIndex(where: { $0 < 0 || $0 >= min(names.count, 256) }) {
            throw DatasetError(
                .splitOutOfRange, path: array.location,
                "sample \(sample) is in split \(numbers[sample]), but \(names.count) splits are named")
        }
        return numbers.map { UInt8(truncatingIfNeeded: $0) }
    }

    /// Gives labels their names.
    ///
    /// - Throws: `DatasetError` with the code `labelOutOfRange` for a label without a name.
    func classNames(of labels: [Int]) throws(DatasetError) -> [String]? {
        guard let names = mark.classNames else { return nil }
        if let sample = labels.firstIndex(where: { $0 >= names.count }) {
            throw DatasetError(
                .labelOutOfRange, path: location(name(of: .labels)),
                "sample \(sample) has the label \(labels[sample]), but \(names.count) classes are named")
        }
        return names
    }

    /// The masks with their rows in A as they were.
    ///
    /// - Parameter images: how the images are read.
    /// - Throws: as `array(_:)`; `DatasetError` with the code `nonBinaryMask`, `rowOutOfRange` (also where two samples
    ///   of one row have masks that differ, or a sample without a row has one).
    func masks(images: ArrayArrangement, layout: ArrayLayout?) throws -> ArrayMaskReader.Masks {
        let (array, rowArray) = (try array(.masks), try array(.row))
        let count = mark.maskCount ?? 0
        let rows = try rowArray.integers()
        if let sample = rows.firstIndex(where: { $0 < 0 || $0 > count }) {
            throw DatasetError(
                .rowOutOfRange, path: rowArray.location,
                "sample \(sample) has row \(rows[sample]), but there are \(count) masks")
        }
        guard count <= rows.count else {
            throw DatasetError(
                .rowOutOfRange, path: rowArray.location,
                "the export names \(count) masks for \(rows.count) samples; export anew")
        }
        let arrangement = try ArrayArrangement.ofMasks(
            array.shape, layout: layout ?? mark.layout, images: images, at: array.location)
        let size = arrangement.imageShape.elementCount
        var bits = try MaskBits(rowCount: count + 1, elementsPerRow: size)
        var isSet = Array(repeating: false, count: count)
        let known = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
        defer { known.deallocate() }
        let samples = try MaskedSamples(
            .order, maskCount: rows.count, sampleCount: rows.count, ids: { [] }, location: array.location)
        try ArrayMaskReader(array: array, reading: arrangement).forEachMask(samples) { sample, mask in
            let row = Int(rows[sample])
            if row < count, !isSet[row] {
                isSet[row] = true
                bits.setRow(row, from: UnsafeBufferPointer(mask))
                return
            }
            bits.expandRow(row, into: known)
            guard known.elementsEqual(mask) else {
                throw DatasetError(
                    .rowOutOfRange, path: rowArray.location,
                    row == count
                        ? "sample \(sample) has no row, but a mask; \(option: .flags), \(option: .rows) or \(option: .ids) say which masks count"
                        : "sample \(sample) has the row \(row) of another sample, but another mask")
            }
        }
        let share = (0..<count).reduce(0.0) { $0 + Double(bits.count(row: $1)) / Double(size) }
        return ArrayMaskReader.Masks(
            bits: bits, rows: rows.map { Int($0) }, shape: arrangement.imageShape, emptyCount: 0,
            meanShare: count == 0 ? 0 : share / Double(count))
    }
}
