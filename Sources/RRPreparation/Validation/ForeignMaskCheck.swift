internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Judges an array of another program as masks for a dataset, and names the import that makes a mask set of it.
struct ForeignMaskCheck {
    private let path: String
    private let facts: DatasetFacts
    private let array: any ArraySource
    /// The name of the array in its file; nil where the file is one array.
    private let name: String?
    private let arrangement: ArrayArrangement?
    private var list: FindingList
    private var coverage = MaskSetValidator.Coverage()
    /// What the masks mark, as far as it can be guessed.
    private var marks = MaskMarks.wrong

    /// What the values of an array are like.
    private struct Values {
        /// Some of the distinct values; more than four are not binary.
        var distinct: Set<Double> = []
        /// The elements that are not 0, by row.
        var onesPerRow: [Int] = []
    }

    /// Judges the arrays of a file; nil where it holds none that could be masks of the dataset.
    ///
    /// - Throws: `FormatError` where the file cannot be read.
    static func run(
        _ file: ArrayFile, for facts: DatasetFacts
    ) throws(FormatError) -> (findings: [Finding], coverage: MaskSetValidator.Coverage)? {
        let names: [String?] = file.format == .npy || file.format == .idx ? [nil] : try file.names()
        // An array that is called masks comes before one that is not.
        let words = ["mask", "segment", "annot", "a"]
        let ranked = names.enumerated().sorted { first, second in
            func rank(_ name: String?) -> Int {
                let name = name?.lowercased() ?? ""
                return words.firstIndex { $0 == "a" ? name == $0 : name.contains($0) } ?? words.count
            }
            return (rank(first.element), first.offset) < (rank(second.element), second.offset)
        }
        var fallback: ForeignMaskCheck?
        for (_, name) in ranked {
            guard let array = try? file.array(name), array.elementType.size != nil,
                2...4 ~= array.shape.rank, (try? array.checkSize()) != nil
            else { continue }
            var check = ForeignMaskCheck(file, array, name, facts)
            if check.arrangement != nil || facts.imageShape == nil {
                check.run()
                return (check.list.findings, check.coverage)
            }
            if fallback == nil { fallback = check }
        }
        guard var fallback else { return nil }
        fallback.run()
        return (fallback.list.findings, fallback.coverage)
    }

    private init(_ file: ArrayFile, _ array: any ArraySource, _ name: String?, _ facts: DatasetFacts) {
        path = file.path
        self.facts = facts
        self.array = array
        self.name = name
        list = FindingList(path: path)
        arrangement = Self.arrangements(of: array.shape, imageShape: facts.imageShape).first
    }

    /// The ways to read an array as masks of images, the plainest first.
    private static func arrangements(of shape: TensorShape, imageShape: [Int]?) -> [ArrayArrangement] {
        guard let imageShape, imageShape.count == 3 else { return [] }
        let orders: [ArrayLayout] = [.nchw, .nhw, .nhwc, .ncwh, .nwhc]
        return orders.filter { $0.rank == shape.rank }.compactMap { try? ArrayArrangement($0, of: shape) }
            .filter {
                $0.imageShape.height == imageShape[1] && $0.imageShape.width == imageShape[2]
                    && ($0.imageShape.channels == 1 || $0.imageShape.channels == imageShape[0])
            }
    }

    private var objectPath: String? { name.map { "/" + $0 } }

    private mutating func run() {
        checkShape()
        let values: Values
        do {
            values = try self.values()
        } catch {
            let message = (error as? FormatError)?.message ?? Message("\(error)")
            return list.fault(.unreadableArray, objectPath, message)
        }
        checkValues(values)
        measureCoverage(values.onesPerRow)
        checkShift(values.onesPerRow)
        let source = name.map { "the array \($0) of the file" } ?? "the file"
        list.fault(
            .wrongFormat, objectPath,
            "\(source) is \(array.elementType) \(array.shape), no mask set: it does not say which samples its rows are "
                + "for",
            repair: .importMasks(
                source: path, array: name, dataset: facts.path, layout: unusualLayout, marks: marks))
    }

    /// The layout that an import must be told; nil where the shape says it.
    private var unusualLayout: ArrayLayout? {
        arrangement.flatMap { $0.layout == .nchw || $0.layout == .nhw ? nil : $0.layout }
    }

    private mutating func checkShape() {
        if let layout = unusualLayout {
            let letters = layout.rawValue.map(String.init).joined(separator: ",")
            list.fault(
                .wrongMaskLayout, objectPath,
                "the array is (\(letters)), where masks are (N,C,H,W): its shape is \(array.shape)",
                repair: .readMasks(layout: layout))
        } else if arrangement == nil, let shape = facts.imageShape {
            list.fault(
                .wrongMaskSize, objectPath,
                "the shape \(array.shape) cannot be read as masks of height \(shape[1]) and width \(shape[2]) in any "
                    + "order of dimensions",
                repair: .fitMasksToImages)
        }
        guard let count = facts.sampleCount, count != array.shape[0] else { return }
        let difference = array.shape[0] - count
        let guess =
            difference.magnitude == 1
            ? ": is one row too \(difference > 0 ? "many" : "few"), and are the rows off by one from there?"
            : difference < 0 ? ": are these the masks of some samples only?" : ""
        list.fault(
            .otherDataset, objectPath,
            "there are \(array.shape[0]) masks, but \(count) samples in \(facts.path)\(guess)",
            repair: difference < 0 ? .selectMaskedSamples : .removeSurplusMasks)
    }

    private mutating func checkValues(_ values: Values) {
        let distinct = values.distinct.sorted()
        guard !distinct.allSatisfy({ $0 == 0 || $0 == 1 }) else { return }
        if distinct.allSatisfy({ $0 == 0 || $0 == 255 }) {
            return list.fault(
                .nonBinaryMask, objectPath, "the masks hold 0 and 255, where 0 and 1 are needed",
                repair: .importMasksOf255)
        }
        let listed = distinct.prefix(5).map { $0 == $0.rounded() ? "\(Int(exactly: $0) ?? 0)" : "\($0)" }
        let isSoft = distinct.allSatisfy { 0...1 ~= $0 }
        list.fault(
            .nonBinaryMask, objectPath,
            "masks hold 0 and 1 only, but here are \(listed.joined(separator: ", "))"
                + (distinct.count > 5 ? " and others" : ""),
            repair: isSoft ? .thresholdMasks : .chooseMaskValues)
    }

    private mutating func measureCoverage(_ onesPerRow: [Int]) {
        let masked = onesPerRow.filter { $0 > 0 }
        if facts.sampleCount == nil || facts.sampleCount == onesPerRow.count {
            coverage.annotatedCount = masked.count
        }
        guard !masked.isEmpty else {
            return list.warning(
                .nothingMasked, objectPath,
                "no mask has a 1: training with these masks is training without masks")
        }
        let share =
            masked.reduce(0) { $0 + Double($1) } / Double(masked.count) / Double(max(1, array.elementsPerRow))
        coverage.meanShare = share
        guard share > 0.5 else { return }
        list.warning(
            .mostlyMasked, objectPath,
            "masks cover \(Int((share * 100).rounded())) % of their images on average. A 1 says “no valid reason”; "
                + "do these masks mark the right region instead?",
            repair: .invertMasks(areImported: false))
        marks = .right
    }

    private mutating func checkShift(_ onesPerRow: [Int]) {
        guard let arrangement, facts.sampleCount == onesPerRow.count, let check = MaskShiftCheck(facts) else {
            return
        }
        let shift = check.run(annotated: onesPerRow.indices.filter { onesPerRow[$0] > 0 }) { sample in
            guard let row = try? rowValues(sample) else { return nil }
            let (height, width) = (arrangement.imageShape.height, arrangement.imageShape.width)
            return (0..<height * width).map { pixel in
                row[pixel / width * arrangement.steps[1] + pixel % width * arrangement.steps[2]] ? 1 : 0
            }
        }
        guard let shift else { return }
        list.warning(
            .shiftedMasks, objectPath,
            "the edges of the masks lie on edges of the image \(shift > 0 ? "after" : "before") their own: the masks "
                + "of all samples seem to be shifted by one",
            repair: .compareOrder)
    }

    /// Whether each element of a row is not 0.
    private func rowValues(_ row: Int) throws(FormatError) -> [Bool] {
        var bytes = [UInt8](repeating: 0, count: array.bytesPerRow)
        let result: Result<Void, FormatError> = bytes.withUnsafeMutableBytes { bytes in
            do throws(FormatError) {
                return .success(try array.read(rows: row..<row + 1, into: bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        let size = max(1, array.elementType.size ?? 1)
        return stride(from: 0, to: bytes.count, by: size).map { start in
            bytes[start..<start + size].contains { $0 != 0 }
        }
    }

    private func values() throws -> Values {
        var values = Values()
        try array.forEachBlock { _, bytes in
            switch array.elementType {
            case .uint8, .bool: gather(UInt8.self, bytes, &values) { Double($0) }
            case .int8: gather(Int8.self, bytes, &values) { Double($0) }
            case .uint16: gather(UInt16.self, bytes, &values) { Double($0) }
            case .int16: gather(Int16.self, bytes, &values) { Double($0) }
            case .uint32: gather(UInt32.self, bytes, &values) { Double($0) }
            case .int32: gather(Int32.self, bytes, &values) { Double($0) }
            case .uint64: gather(UInt64.self, bytes, &values) { Double($0) }
            case .int64: gather(Int64.self, bytes, &values) { Double($0) }
            case .float32: gather(Float.self, bytes, &values) { Double($0) }
            case .float64: gather(Double.self, bytes, &values) { $0 }
            case .float16: gather(Float16.self, bytes, &values) { Double($0) }
            case .text, .other: break
            }
        }
        return values
    }

    private func gather<Element: BitwiseCopyable & Equatable & ExpressibleByIntegerLiteral>(
        _ type: Element.Type, _ bytes: UnsafeRawBufferPointer, _ values: inout Values,
        _ number: (Element) -> Double
    ) {
        let elements = bytes.assumingMemoryBound(to: type)
        let size = array.elementsPerRow
        var last: Element = 0
        for start in stride(from: 0, to: elements.count, by: max(1, size)) {
            var ones = 0
            for position in start..<start + size {
                let element = elements[position]
                if element != 0 { ones += 1 }
                // Most elements are like the one before.
                if element != last || values.distinct.isEmpty {
                    last = element
                    if values.distinct.count < 8 { values.distinct.insert(number(element)) }
                }
            }
            values.onesPerRow.append(ones)
        }
    }
}
