public import RRDatasets
public import RRExplanation
internal import RRFormats
internal import RRTensor
public import RRTraining

/// A picture of some samples: each image, where its mask marks it, and what models look at in it.
///
/// ```swift
/// let rows = try SampleChoice(.random, count: 16).rows(in: dataset)
/// let sheet = try ContactSheet(of: rows, in: dataset, masks: masks, runs: [("first-run", run)])
/// try sheet.write(to: "sheet.png")
/// ```
public struct ContactSheet: Sendable {
    package let sheet: Sheet
    /// What each model takes each sample for: the class by name and its probability, in the order of the runs.
    public let predictions: [[(name: String, probability: Double)]]

    /// The panel's edge that is taken where none is given.
    public static let defaultPanelSize = 128
    /// The panel's edges that are drawn.
    public static let panelSizes = 16...1024
    /// The pixels of a sheet, beyond which it is refused: a gigabyte of memory.
    private static let mostPixels = 1 << 28
    /// The width that a sheet keeps to where a sample leaves room beside it.
    private static let preferredWidth = 1400

    /// - Parameters:
    ///   - rows: samples of the dataset, none twice.
    ///   - dataset: images, with or without labels.
    ///   - masks: the masks of the dataset; nil for none.
    ///   - runs: the models, and what they are called.
    ///   - title: what the sheet says it shows.
    ///   - panelSize: the longer side of a panel in pixels, in `panelSizes`.
    ///   - target: the quantity whose input gradient is shown.
    ///   - threadCount: the number of threads; nil for one a processor core.
    /// - Throws: `DatasetError` where a sample is damaged, or with the code `invalidOption` where the sheet would be too large; as
    ///   `Run.attributions`.
    public init(
        of rows: [Int], in dataset: Dataset, masks: MaskSet? = nil, runs: [(name: String, run: Run)] = [],
        title: String = "", panelSize: Int = ContactSheet.defaultPanelSize,
        target: PenaltyTarget = .sumLogProbability, threadCount: Int? = nil
    ) throws {
        try dataset.check(rows)
        let attributions = try runs.map {
            try $0.run.attributions(
                of: rows, in: dataset, masks: masks, target: target, threadCount: threadCount)
        }
        predictions = zip(runs, attributions).map { named, found in
            found.map {
                (named.run.className(of: $0.prediction, in: dataset), $0.probabilities[$0.prediction])
            }
        }
        let edge = min(max(panelSize, Self.panelSizes.lowerBound), Self.panelSizes.upperBound)
        let layout = SheetLayout(
            painter: PanelPainter(shape: dataset.imageShape, edge: edge), hasMasks: masks != nil,
            runPainters: attributions.map {
                PanelPainter(shape: $0.first?.imageShape ?? dataset.imageShape, edge: edge)
            }, hasLabels: dataset.labels != nil, count: rows.count, preferredWidth: Self.preferredWidth)
        guard layout.pixelCount <= Self.mostPixels else {
            throw DatasetError(
                .invalidOption, path: dataset.path,
                "a sheet of \(rows.count) samples would have \(layout.pixelCount) pixels, more than \(Self.mostPixels): give a "
                    + "smaller \(option: .count) or \(option: .panelSize)")
        }
        var sheet = Sheet(title: title)
        layout.addHead(to: &sheet, title: title)
        for (place, row) in rows.enumerated() {
            let sample = try dataset.sample(at: row)
            let block = SheetBlock(
                sample: sample, image: try sample.image.elements,
                mask: masks.flatMap { $0.union(ofSample: row) },
                marks: zip(runs, attributions).map { named, found in
                    SheetBlock.Mark(named.name, named.run, found[place], of: sample)
                })
            layout.add(block, at: place, to: &sheet)
        }
        self.sheet = sheet
    }

    /// The sheet as a PNG file.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where it is too large for one.
    public func png() throws -> [UInt8] { try sheet.pixels().png() }

    /// The sheet as an SVG document.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where a panel is too large.
    public func svg() throws -> String { try sheet.svg() }

    /// Writes the sheet as a PNG file, or as SVG.
    ///
    /// - Parameters:
    ///   - path: the file, which appears whole or not at all.
    ///   - isSVG: whether it is SVG.
    ///   - force: whether an existing file is replaced.
    /// - Throws: `FormatError`.
    public func write(to path: String, isSVG: Bool = false, force: Bool = false) throws {
        let output = try AtomicOutput(path: path, force: force)
        try FileBytes.write(isSVG ? Array(svg().utf8) : png(), to: output.temporaryPath)
        try output.commit()
    }
}

extension MaskSet {
    /// `(H, W)`: 1 where a sample's mask marks any channel; nil where it marks nothing.
    func union(ofSample index: Int) -> [UInt8]? {
        guard let mask = mask(ofSample: index) else { return nil }
        let count = maskShape.pixelCount
        var union = Array(mask.elements.prefix(count))
        for (place, element) in mask.elements.enumerated().dropFirst(count) where element != 0 {
            union[place % count] = 1
        }
        return union
    }
}
