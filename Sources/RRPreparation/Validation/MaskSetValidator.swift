internal import RRDatasets
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
            if let file = try? ArrayFile(path: path), try isForeign(file),
                let outcome = try ForeignMaskCheck.run(file, for: facts)
            {
                return outcome
            }
            let file = try HDF5File(reading: path)
            let size = try InputFile(reading: path).size
            var validator = MaskSetValidator(file: file, facts: facts)
            if FormatCheck.run(.masks, of: file, evidence: "/A", into: &validator.list) {
                let description = FileDescription(file: file, size: size, kind: .masks)
                validator.list.add(JSONSchema.masks.validate(description.json), of: "masks.schema.json")
                validator.checkContent()
            }
            try file.checkReader()
            return (validator.list.findings, validator.coverage)
        } catch {
            return (try FormatCheck.unreadable(error, path: path), Coverage())
        }
    }

    /// Whether a file's arrays are another program's: NPY, NPZ, IDX, or HDF5 that says of itself neither what it is nor
    /// that it has the arrays of a mask set.
    private static func isForeign(_ file: ArrayFile) throws(FormatError) -> Bool {
        guard file.format == .hdf5 else { return true }
        let file = try HDF5File(reading: file.path)
        return file.text("format") == nil && !(file.exists("/A") && file.exists("/row"))
    }

    private init(file: HDF5File, facts: DatasetFacts) {
        self.file = file
        self.facts = facts
        list = FindingList(path: file.path)
    }

    private mutating func checkContent() {
        list.addChanges(in: file)
        let rows = file.integers("/row")
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
        if let onesPerRow, let rows { checkShift(masks, rows, onesPerRow: onesPerRow) }
    }

    /// Compares shape and fingerprint with the dataset's.
    private mutating func checkMatch(_ masks: HDF5Dataset, _ rows: [Int]?) {
        let shape = Array(masks.shape.dimensions.dropFirst())
        let imageShape = facts.imageShape ?? []
        if shape.count == 2, imageShape.count == 3, shape == Array(imageShape[1...]) {
            list.fault(
                .wrongMaskLayout, "/A",
                "A is (N,H,W), where (M+1,C,H,W) is needed: its shape is \(masks.shape)",
                repair: .importSourceOfMasks(layout: .nhw))
        }
        guard let count = facts.sampleCount else { return }
        let match = MaskMatch(
            sampleCount: rows?.count ?? count, maskShape: shape,
            datasetFingerprint: file.text("dataset_fingerprint"))
        let mismatches = match.mismatches(
            datasetPath: facts.path, sampleCount: count, imageShape: imageShape,
            fingerprint: facts.fingerprint)
        for mismatch in mismatches {
            let (code, repair): (Finding.Code, Repair) =
                if mismatch.code != .wrongMaskSize {
                    (.otherDataset, .giveDatasetOfMasks)
                } else if let layout = MaskMatch.layout(of: shape, imageShape: imageShape)
                    .flatMap(ArrayLayout.init(rawValue:))
                {
                    (.wrongMaskLayout, .importSourceOfMasks(layout: layout))
                } else {
                    (.wrongMaskSize, .fitMasksToImages)
                }
            if code == .otherDataset, mismatch.objectPath == nil, let guess = guess() {
                list.fault(guess.code, nil, guess.message, repair: guess.repair)
            } else {
                list.fault(code, mismatch.objectPath, mismatch.message, repair: repair)
            }
        }
    }

    /// What explains that the masks have another dataset's fingerprint.
    private func guess() -> FingerprintGuess? {
        if let text = file.text("provenance"), let provenance = try? JSONValue(parsing: text),
            let fingerprint = facts.fingerprint, provenance["source"] == .string(fingerprint),
            let command = provenance["command"]?.stringValue
        {
            return FingerprintGuess(
                code: .otherDataset,
                message:
                    "the masks are not for \(facts.path) itself, but for what `rrdata \(command)` made of it",
                repair: .giveDatasetMade(by: command))
        }
        return file.text("dataset_fingerprint").flatMap { FingerprintGuess(of: facts, wanted: $0) }
    }

    private mutating func checkRange(of rows: [Int], rowCount: Int) {
        let outside = rows.indices.filter { !(0..<rowCount ~= rows[$0]) }
        if !outside.isEmpty { reportOutside(outside, rows, rowCount: rowCount) }
        if outside.isEmpty, rowCount > 2, rows.indices.allSatisfy({ rows[$0] == $0 + 1 }) {
            list.warning(
                .rowsFromOne, "/row",
                "sample 0 has row 1, sample 1 row 2, and so on, and no sample has row 0: are rows counted from 1? "
                    + "They count from 0",
                repair: .countRowsFromZero)
            return
        }
        var isUsed = Array(repeating: false, count: rowCount)
        for row in rows where 0..<rowCount ~= row { isUsed[row] = true }
        var unused = Examples()
        for row in 0..<max(0, rowCount - 1) where !isUsed[row] { unused.add("row \(row)") }
        if unused.count > 0 {
            list.warning(.unusedMasks, "/A", "no sample refers to \(unused.summary)")
        }
    }

    private mutating func reportOutside(_ outside: [Int], _ rows: [Int], rowCount: Int) {
        var examples = Examples()
        for index in outside { examples.add("\(facts.name(of: index)) has row \(rows[index])") }
        let message: Message = "A has the rows 0 to \(rowCount - 1), but \(examples.summary)"
        if rows.allSatisfy({ 1...rowCount ~= $0 }) {
            return list.fault(
                .rowsFromOne, "/row",
                message + ". No sample has row 0: rows were counted from 1, as if A began there",
                repair: .countRowsFromZero)
        }
        guard outside.contains(where: { rows[$0] != -1 }) else {
            return list.fault(
                .rowOutOfRange, "/row",
                message + ". In NumPy and PyTorch, −1 is the last row of A, and no error",
                repair: .storeLastRow(rowCount - 1, inPlaceOfMinusOne: true))
        }
        list.fault(
            .rowOutOfRange, "/row", message,
            repair: .storeLastRow(rowCount - 1, inPlaceOfMinusOne: false))
    }

    /// Tells where masks fit neighbouring images better than their own.
    private mutating func checkShift(_ masks: HDF5Dataset, _ rows: [Int], onesPerRow: [Int]) {
        let shape = masks.shape.dimensions
        guard shape.count == 4, let images = facts.imageShape, Array(shape[2...]) == Array(images[1...]),
            let check = MaskShiftCheck(facts), rows.count == facts.sampleCount
        else { return }
        let size = masks.elementsPerRow
        let annotated = rows.indices.filter {
            onesPerRow.indices.contains(rows[$0]) && onesPerRow[rows[$0]] > 0
        }
        let shift = check.run(annotated: annotated) { sample in
            var mask = [UInt8](repeating: 0, count: size)
            let isRead = mask.withUnsafeMutableBufferPointer { mask in
                (try? masks.read(rows: rows[sample]..<rows[sample] + 1, as: UInt8.self, into: mask)) != nil
            }
            return isRead ? Array(mask.prefix(shape[2] * shape[3])) : nil
        }
        guard let shift else { return }
        list.warning(
            .shiftedMasks, "/row",
            "the edges of the masks lie on edges of the image \(shift > 0 ? "after" : "before") their own: the masks "
                + "of all samples seem to be shifted by one",
            repair: .moveRows(by: -shift))
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
        let checksums = file.integers("/checksum").flatMap { $0.count == masks.shape[0] ? $0 : nil }
        var corrupt = Examples()
        do {
            try MaskRows(masks).forEach { row, bytes in
                if let stored = checksums?[row], CRC32.checksum(of: UnsafeRawBufferPointer(bytes)) != stored {
                    corrupt.add("row \(row)")
                }
                let ones = bytes.count { $0 != 0 }
                onesPerRow.append(ones)
                if row == lastRow { lastRowOnes = ones }
                guard let place = MaskRows.firstNonBinary(in: bytes) else {
                    if ones > 0 { hasValue[1] = true }
                    return
                }
                for byte in bytes { hasValue[Int(byte)] = true }
                let owner = owners[row].map { ", the mask of \(facts.name(of: $0))" } ?? ""
                places.add(
                    "\(MaskRows.describe(row: row, place: place, shape: shape)) is \(bytes[place])\(owner)")
            }
        } catch {
            let message = (error as? FormatError)?.message ?? Message("\(error)")
            list.fault(.unreadableArray, "/A", "the masks cannot be read as bytes: \(message)")
            return nil
        }
        if corrupt.count > 0 {
            list.fault(
                .checksumMismatch, "/A", "the bytes are not those that were imported: \(corrupt.summary)",
                repair: .restoreFile)
        }
        reportValues(hasValue, places)
        if lastRowOnes > 0 {
            list.fault(
                .lastRowNotZero, "/A",
                "the last row of A, row \(lastRow), is for unannotated samples and must be all zero, but it has "
                    + "\(lastRowOnes) other elements",
                repair: .appendZeroRow)
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
                repair: .chooseMaskValues)
            return
        }
        list.fault(
            .nonBinaryMask, "/A",
            "A holds 0 and 255, where 0 and 1 are needed: \(places.count) masks, "
                + "such as \(places.summary)",
            repair: .importMasksAnew)
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
        guard share > 0.5, !wereInverted else { return }
        list.warning(
            .mostlyMasked, "/A",
            "masks cover \(Int((share * 100).rounded())) % of their images on average. A 1 says “no valid reason”; "
                + "do these masks mark the right region instead?",
            repair: .invertMasks(areImported: true))
    }

    /// Whether an import says that the masks marked the right regions and were inverted.
    private var wereInverted: Bool {
        let provenance = file.text("provenance").flatMap { try? JSONValue(parsing: $0) }
        return provenance?["options"]?["marks"]?.stringValue == MaskMarks.right.rawValue
    }
}
