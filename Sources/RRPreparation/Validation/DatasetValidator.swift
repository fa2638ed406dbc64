internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Finds all that is wrong with a dataset file.
struct DatasetValidator {
    /// What a validation of a dataset leaves.
    struct Outcome {
        let findings: [Finding]
        let facts: DatasetFacts
        /// The images whose bytes were checked.
        let checkedImageCount: Int
    }

    private let file: HDF5File
    private var list: FindingList
    private var facts: DatasetFacts
    private let imageByteLimit: Int
    private var checkedImageCount = 0

    /// Judges a file.
    ///
    /// - Parameter imageByteLimit: the bytes of images that are read at most.
    /// - Throws: `FormatError` with the code `notFound`; everything else is a finding.
    static func run(path: String, imageByteLimit: Int) throws(FormatError) -> Outcome {
        do throws(FormatError) {
            let file = try HDF5File(reading: path)
            let size = try InputFile(reading: path).size
            var validator = DatasetValidator(file: file, imageByteLimit: imageByteLimit)
            if FormatCheck.run(.dataset, of: file, evidence: "/images", into: &validator.list) {
                let description = FileDescription(file: file, size: size, kind: .dataset)
                validator.list.add(JSONSchema.dataset.validate(description.json), of: "dataset.schema.json")
                validator.checkContent()
            }
            try file.checkReader()
            return Outcome(
                findings: validator.list.findings, facts: validator.facts,
                checkedImageCount: validator.checkedImageCount)
        } catch {
            return Outcome(
                findings: try FormatCheck.unreadable(error, path: path), facts: DatasetFacts(path: path),
                checkedImageCount: 0)
        }
    }

    private init(file: HDF5File, imageByteLimit: Int) {
        self.file = file
        self.imageByteLimit = imageByteLimit
        list = FindingList(path: file.path)
        facts = DatasetFacts(path: file.path)
    }

    private mutating func checkContent() {
        list.addChanges(in: file)
        facts.fingerprint = file.text("fingerprint")
        guard let images = try? file.dataset("/images"), images.shape.rank == 4 else { return }
        let count = images.shape[0]
        facts.sampleCount = count
        facts.imageShape = Array(images.shape.dimensions.dropFirst())
        checkLayout(of: images)
        let ids = checkIds(count: count)
        facts.ids = ids
        let labels = checkLabels(count: count)
        (facts.labels, facts.hasLabels) = (labels, file.exists("/labels"))
        facts.classNames = try? file.attribute("class_names", of: "/labels")?.texts
        checkNumbers("/split", names: "split_names", code: .splitOutOfRange, count: count)
        checkNumbers("/group", names: "group_names", code: .groupOutOfRange, count: count)
        if let sizes = try? file.dataset("/source_size"), sizes.shape.dimensions != [count, 2] {
            list.fault(
                .wrongCount, "/source_size", "the shape is \(sizes.shape), where (\(count), 2) is needed")
        }
        let checksums: [UInt32]? = integers("/checksum", count: count).map {
            $0.map { UInt32(truncatingIfNeeded: $0) }
        }
        facts.checksums = checksums
        if ImageElementType(images.elementType) != nil {
            checkedImageCount = ImageCheck(
                images: images, checksums: checksums, facts: facts, byteLimit: imageByteLimit
            ).run(into: &list)
        }
        checkFingerprint(ids: ids, labels: labels, checksums: checksums, images: images)
    }

    private mutating func checkLayout(of images: HDF5Dataset) {
        let shape = images.shape
        if (try? file.attribute("DIMENSION_LABELS", of: "/images")) == .some(nil) {
            list.warning(
                .missingDimensionLabels, "/images", "the attribute DIMENSION_LABELS (N, C, H, W) is missing",
                repair: .importImagesAnew)
        }
        if shape[3] <= 4, shape[1] > 4, shape[2] > 4 {
            list.warning(
                .suspiciousLayout, "/images",
                "the shape \(shape) looks like (N,H,W,C): read as (N,C,H,W) the images have \(shape[1]) channels and "
                    + "are \(shape[3]) wide",
                repair: .importImages(path: file.path, array: "images", layout: .nhwc))
        }
    }

    /// A list of integers with an element for each image; nil, with a finding, where it is not so.
    private mutating func integers(_ objectPath: String, count: Int) -> [Int]? {
        guard file.exists(objectPath) else { return nil }
        do throws(FormatError) {
            let array = try file.dataset(objectPath)
            guard checkCount(of: array, objectPath, count: count), array.elementType.isInteger else {
                return nil
            }
            return try array.readAll(as: Int64.self).map { Int($0) }
        } catch {
            list.fault(.unreadableArray, objectPath, error.message)
            return nil
        }
    }

    private mutating func checkCount(of array: HDF5Dataset, _ objectPath: String, count: Int) -> Bool {
        guard array.shape.dimensions != [count] else { return true }
        // Another rank is the schema's to report.
        if array.shape.rank == 1 {
            list.fault(.wrongCount, objectPath, "there are \(array.shape[0]) elements, but \(count) images")
        }
        return false
    }

    private mutating func checkIds(count: Int) -> [String]? {
        guard let array = try? file.dataset("/ids"), checkCount(of: array, "/ids", count: count) else {
            return nil
        }
        let ids: [String]
        do throws(FormatError) {
            ids = try array.readStrings()
        } catch {
            list.fault(.unreadableArray, "/ids", error.message)
            return nil
        }
        // Swift compares text by meaning; ids are the same where their bytes are.
        var first: [[UInt8]: Int] = [:]
        var duplicates = Examples()
        for (index, id) in ids.enumerated() {
            if let earlier = first.updateValue(index, forKey: Array(id.utf8)) {
                duplicates.add("samples \(earlier) and \(index) are both “\(id)”")
            }
        }
        if duplicates.count > 0 {
            list.fault(
                .duplicateId, "/ids", Message(duplicates.summary),
                repair: .giveUniqueIDs)
        }
        return ids
    }

    private mutating func checkLabels(count: Int) -> [Int]? {
        guard file.exists("/labels") else { return nil }
        return checkNumbers("/labels", names: "class_names", code: .labelOutOfRange, count: count)
    }

    /// Checks that numbers lie in the range of their names.
    @discardableResult
    private mutating func checkNumbers(
        _ objectPath: String, names attribute: String, code: Finding.Code, count: Int
    ) -> [Int]? {
        guard let numbers = integers(objectPath, count: count) else { return nil }
        let stored: HDF5Attribute?
        do throws(FormatError) {
            stored = try file.attribute(attribute, of: objectPath)
        } catch {
            list.fault(
                .unreadableArray, objectPath, "the attribute \(attribute) cannot be read: \(error.message)")
            return numbers
        }
        let names = stored?.texts
        if names == nil, stored != nil || code == .splitOutOfRange {
            list.fault(.schema, objectPath, "the attribute \(attribute) is missing or no list of texts")
            return numbers
        }
        let limit = names?.count ?? Dataset.largestBareLabel + 1
        var examples = Examples()
        for (index, number) in numbers.enumerated() where !(0..<limit ~= number) {
            examples.add("\(facts.name(of: index)) has \(number)")
        }
        if examples.count > 0 {
            list.fault(code, objectPath, "only 0 to \(limit - 1) have a name, but \(examples.summary)")
        }
        return numbers
    }

    private mutating func checkFingerprint(
        ids: [String]?, labels: [Int]?, checksums: [UInt32]?, images: HDF5Dataset
    ) {
        guard let stored = facts.fingerprint, let ids, let checksums,
            labels != nil || !file.exists("/labels"),
            let shape = try? ImageShape(
                channels: images.shape[1], height: images.shape[2], width: images.shape[3])
        else { return }
        let computed = DatasetFingerprint.compute(
            id: { ids[$0] }, labels: labels, imageShape: shape, checksums: checksums)
        if computed != stored {
            list.fault(
                .wrongFingerprint, nil,
                "the stored fingerprint is \(stored.prefix(12))…, but that of ids, labels, shape and checksums is "
                    + "\(computed.prefix(12))…: the file was changed after its import",
                repair: .importUnchangedDataset)
        }
    }
}

/// What could be learnt of a dataset, sound or not, to judge masks by.
struct DatasetFacts: Sendable {
    let path: String
    var sampleCount: Int?
    /// `(C, H, W)`
    var imageShape: [Int]?
    var fingerprint: String?
    var ids: [String]?
    /// Nil also where there are none; then `hasLabels` is false.
    var labels: [Int]?
    var hasLabels = false
    var classNames: [String]?
    var checksums: [UInt32]?

    init(path: String) {
        self.path = path
    }

    /// `sample 3 (“train/coat/17”)`
    func name(of index: Int) -> String {
        guard let ids, ids.indices.contains(index) else { return "sample \(index)" }
        return "sample \(index) (“\(ids[index])”)"
    }
}
