internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Finds all that is wrong with a mask set file, by itself and for a dataset.
struct MaskSetValidator {
    /// What the masks cover, as far as they could be read.
    struct Coverage {
        var annotatedCount: Int?
        /// The mean share of 1s in the masks that are not all zero.
        var meanShare: Double?
    }

    private let file: HDF5File
    private let facts: DatasetFacts
    private var list: FindingList
    private var coverage = Coverage()

    /// Judges a file.
    ///
    /// - Throws: `FormatError` with the code `notFound`; everything else is a finding.
    static func run(
        path: String, for facts: DatasetFacts
    ) throws(FormatError) -> (findings: [Finding], coverage: Coverage) {
        do throws(FormatError) {
            let file = try HDF5File(reading: path)
            let size = try InputFile(reading: path).size()
            var validator = MaskSetValidator(file: file, facts: facts)
            if FormatCheck.run(.masks, of: file, evidence: "/A", into: &validator.list) {
                let description = FileDescription(file: file, size: size, kind: .masks)
                validator.list.add(JSONSchema.masks.validate(description.json), of: "masks.schema.json")
                validator.checkContent()
            }
            return (validator.list.findings, validator.coverage)
        } catch {
            return (try FormatCheck.unreadable(error, path: path), Coverage())
        }
    }

    private init(file: HDF5File, facts: DatasetFacts) {
        self.file = file
        self.facts = facts
        list = FindingList(path: file.path)
    }

    private mutating func checkContent() {
        let rows = FileDescriber(file: file).integers("/row")
        guard let masks = try? file.dataset("/A"), masks.shape.rank > 0 else { return }
        checkMatch(masks, rows)
        do throws(FormatError) {
            try masks.checkSize()
        } catch {
            return list.fault(.unreadableArray, "/A", error.message)
        }
        if let rows { checkRange(of: rows, rowCount: masks.shape[0]) }
        guard masks.elementType.size != nil, masks.shape.elementCount > 0 else { return }
        let onesPerRow = checkValues(of: masks, rows)
        if let onesPerRow { measureCoverage(onesPerRow, rows: rows, size: masks.elementsPerRow) }
    }

    /// Compares shape and fingerprint with the dataset's.
    private mutating func checkMatch(_ masks: HDF5Dataset, _ rows: [Int]?) {
        let shape = Array(masks.shape.dimensions.dropFirst())
        let imageShape = facts.imageShape ?? []
        if shape.count == 2, imageShape.count == 3, shape == Array(imageShape[1...]) {
            list.fault(
                .wrongMaskLayout, "/A",
                "A is (N,H,W), where (M+1,C,H,W) is needed: its shape is \(masks.shape)",
                remedy: "rrdata import hdf5 SOURCE.h5 --images IMAGES --masks A --masks-layout NHW "
                    + "-o D.h5 --masks-output M.h5")
        }
        guard let count = facts.sampleCount else { return }
        let match = MaskMatch(
            sampleCount: rows?.count ?? count, maskShape: shape,
            datasetFingerprint: FileDescriber(file: file).text("dataset_fingerprint"))
        let mismatches = match.mismatches(
            datasetPath: facts.path, sampleCount: count, imageShape: imageShape,
            fingerprint: facts.fingerprint)
        for mismatch in mismatches {
            let isLayout =
                mismatch.code == .wrongMaskSize && MaskMatch.layout(of: shape, imageShape: imageShape) != nil
            let code: Finding.Code =
                isLayout ? .wrongMaskLayout : mismatch.code == .wrongMaskSize ? .wrongMaskSize : .otherDataset
            list.fault(code, mismatch.objectPath, mismatch.message, remedy: mismatch.remedy)
        }
    }

    private mutating func checkRange(of rows: [Int], rowCount: Int) {
        var outside = Examples()
        for (index, row) in rows.enumerated() where !(0..<rowCount ~= row) {
            outside.add("\(facts.name(of: index)) has row \(row)")
        }
        if outside.count > 0 {
            list.fault(
                .rowOutOfRange, "/row", "A has the rows 0 to \(rowCount - 1), but \(outside.summary)",
                remedy: "unannotated samples have the row of the last, all-zero mask: \(rowCount - 1)")
        }
        var isUsed = Array(repeating: false, count: rowCount)
        for row in rows where 0..<rowCount ~= row { isUsed[row] = true }
        var unused = Examples()
        for row in 0..<max(0, rowCount - 1) where !isUsed[row] { unused.add("row \(row)") }
        if unused.count > 0 {
            list.warning(.unusedMasks, "/A", "no sample refers to \(unused.summary)")
        }
    }

    /// Reads all masks; the number of 1s in each row, nil where they could not be read.
    private mutating func checkValues(of masks: HDF5Dataset, _ rows: [Int]?) -> [Int]? {
        let owners = Dictionary((rows ?? []).enumerated().map { ($1, $0) }) { first, _ in first }
        let shape = Array(masks.shape.dimensions.dropFirst())
        let lastRow = masks.shape[0] - 1
        var onesPerRow: [Int] = []
        var hasValue = Array(repeating: false, count: 256)
        var places = Examples()
        var lastRowOnes = 0
        do {
            try MaskRows(masks).forEach { row, bytes in
                for byte in bytes { hasValue[Int(byte)] = true }
                let ones = bytes.count { $0 != 0 }
                onesPerRow.append(ones)
                if row == lastRow { lastRowOnes = ones }
                guard let place = MaskRows.firstNonBinary(in: bytes) else { return }
                let owner = owners[row].map { ", the mask of \(facts.name(of: $0))" } ?? ""
                places.add(
                    "\(MaskRows.describe(row: row, place: place, shape: shape)) is \(bytes[place])\(owner)")
            }
        } catch {
            let message = (error as? FormatError)?.message ?? "\(error)"
            list.fault(.unreadableArray, "/A", "the masks cannot be read as bytes: \(message)")
            return nil
        }
        reportValues(hasValue, places)
        if lastRowOnes > 0 {
            list.fault(
                .lastRowNotZero, "/A",
                "the last row of A, row \(lastRow), is for unannotated samples and must be all zero, but it has "
                    + "\(lastRowOnes) other elements",
                remedy: "append a row of zeros to A, and let unannotated samples refer to it")
        }
        return onesPerRow
    }

    private mutating func reportValues(_ hasValue: [Bool], _ places: Examples) {
        guard places.count > 0 else { return }
        let values = hasValue.indices.filter { hasValue[$0] }
        guard values.allSatisfy({ $0 == 0 || $0 == 255 }) else {
            list.fault(
                .nonBinaryMask, "/A",
                "masks hold 0 and 1 only, but \(places.summary) (the first place of each mask)",
                remedy: "decide which values mean “no valid reason”, and store 1 there and 0 elsewhere")
            return
        }
        list.fault(
            .nonBinaryMask, "/A",
            "A holds 0 and 255, where 0 and 1 are needed: \(places.count) masks, "
                + "such as \(places.summary)",
            remedy: "`rrdata import hdf5 … --masks A` takes masks of 0 and 255 and stores 0 and 1")
    }

    private mutating func measureCoverage(_ onesPerRow: [Int], rows: [Int]?, size: Int) {
        let masked = onesPerRow.dropLast().filter { $0 > 0 }
        coverage.annotatedCount = rows.map { rows in
            rows.count { onesPerRow.dropLast().indices.contains($0) && onesPerRow[$0] > 0 }
        }
        guard !masked.isEmpty, size > 0 else {
            list.warning(
                .nothingMasked, "/A", "no mask has a 1: training with these masks is training without masks")
            return
        }
        let share = masked.reduce(0) { $0 + Double($1) } / Double(masked.count) / Double(size)
        coverage.meanShare = share
        guard share > 0.5 else { return }
        list.warning(
            .mostlyMasked, "/A",
            "masks cover \(Int((share * 100).rounded())) % of their images on average. A 1 says “no valid reason”; "
                + "do these masks mark the right region instead?",
            remedy: "if so, import them anew with --marks right, which inverts them")
    }
}
