internal import RRDatasets
internal import RRTraining

/// One sample of a sheet.
struct SheetBlock {
    let sample: Sample
    /// `(C, H, W)`
    let image: [Float]
    /// `(H, W)`; nil where it marks nothing.
    let mask: [UInt8]?
    let marks: [Mark]

    /// What one model makes of the sample.
    struct Mark {
        let runName: String
        let attribution: SampleAttribution
        let prediction: String
        /// Nil without a label.
        let isRight: Bool?

        init(_ runName: String, _ run: Run, _ attribution: SampleAttribution, of sample: Sample) {
            self.runName = runName
            self.attribution = attribution
            let prediction = run.className(of: attribution.prediction, in: sample.dataset)
            self.prediction = prediction
            isRight = sample.label.map { prediction == sample.className ?? String($0) }
        }

        /// `✓ coat 98 %`
        var caption: String {
            let probability = attribution.probabilities[attribution.prediction]
            return (isRight.map { $0 ? "✓ " : "✗ " } ?? "") + prediction
                + " \(Int((probability * 100).rounded())) %"
        }
    }

    /// `coat, group ward 3`
    var caption: String {
        let name = sample.className ?? sample.label.map(String.init)
        return [name, sample.group.map { "group \($0)" }].compactMap { $0 }.joined(separator: ", ")
    }
}

/// Where everything of a sheet is.
struct SheetLayout {
    private let painter: PanelPainter
    private let runPainters: [PanelPainter]
    private let hasMasks: Bool
    private let hasLabels: Bool
    private let count: Int

    /// The width of each panel with its caption.
    private let columnWidths: [Int]
    private let blocksPerRow: Int
    private let headHeight: Int

    /// The least that a caption has: sixteen letters.
    private static let leastColumn = 128
    private static let gap = 8
    /// Between one sample and the next.
    private static let blockGap = 24
    private static let leastWidth = 640
    private static let margin = Sheet.margin

    init(
        painter: PanelPainter, hasMasks: Bool, runPainters: [PanelPainter], hasLabels: Bool, count: Int,
        preferredWidth: Int
    ) {
        self.painter = painter
        self.runPainters = runPainters
        self.hasMasks = hasMasks
        self.hasLabels = hasLabels
        self.count = count
        let panels = Array(repeating: painter, count: hasMasks ? 2 : 1) + runPainters
        columnWidths = panels.map { max($0.width, Self.leastColumn) }
        let width = columnWidths.reduce(0, +) + (columnWidths.count - 1) * Self.gap
        blocksPerRow = max(1, min(count, (preferredWidth + Self.blockGap) / (width + Self.blockGap)))
        headHeight = (1 + (hasMasks ? 1 : 0) + (runPainters.isEmpty ? 0 : 1)) * TextLine.height + Self.margin
    }

    private var blockWidth: Int { columnWidths.reduce(0, +) + (columnWidths.count - 1) * Self.gap }

    /// Panels, the id, what the sample is, and of each run its name and what it takes the sample for.
    private var blockHeight: Int { panelHeight + 2 * TextLine.height }

    private var panelHeight: Int { (runPainters.map(\.height) + [painter.height]).max() ?? 0 }

    private var width: Int {
        max(Self.leastWidth, blocksPerRow * (blockWidth + Self.blockGap) - Self.blockGap)
    }

    var pixelCount: Int {
        let rows = (max(count, 1) - 1) / blocksPerRow + 1
        let height = headHeight + rows * (blockHeight + Self.blockGap) + 2 * Self.margin
        return (width + 2 * Self.margin) * height
    }

    /// Writes what the sheet shows, and what its colours mean.
    func addHead(to sheet: inout Sheet, title: String) {
        var y = Self.margin
        sheet.add(title, x: Self.margin, y: y, width: width)
        y += TextLine.height
        if hasMasks {
            var swatch = PixelPanel(width: 24, height: 12, color: Palette.paper)
            PanelPainter.drawSwatch(on: &swatch)
            sheet.add(swatch, x: Self.margin, y: y + 2, description: "the colour of masks")
            sheet.add(
                "A, what is no valid reason, by its mask", x: Self.margin + 32, y: y, width: width - 32,
                color: Palette.quietInk)
            y += TextLine.height
        }
        guard !runPainters.isEmpty else { return }
        var bar = PixelPanel(width: 128, height: 12)
        for column in 0..<128 { bar.fill(column..<column + 1, 0..<12, Palette.heat(Double(column) / 127)) }
        sheet.add(bar, x: Self.margin, y: y + 2, description: "the colours of heat maps, from low to high")
        sheet.add(
            "|input gradient| of each pixel, from 0 to the image's largest (square root)",
            x: Self.margin + 136,
            y: y, width: width - 136, color: Palette.quietInk)
    }

    /// Adds the sample at a place of the sheet.
    func add(_ block: SheetBlock, at place: Int, to sheet: inout Sheet) {
        let (row, column) = place.quotientAndRemainder(dividingBy: blocksPerRow)
        let left = Self.margin + column * (blockWidth + Self.blockGap)
        let top = Self.margin + headHeight + row * (blockHeight + Self.blockGap)
        let id = block.sample.id
        let picture = painter.picture(block.image)
        sheet.add(picture, x: left, y: top, description: "\(id): the image")
        var x = left + columnWidths[0] + Self.gap
        if hasMasks {
            var marked = picture
            if let mask = block.mask { painter.mark(mask, on: &marked, isTinted: true) }
            sheet.add(
                marked, x: x, y: top,
                description: "\(id): the image with its mask"
                    + (block.mask == nil ? ", which marks nothing" : ""))
            x += columnWidths[1] + Self.gap
        }
        let captions = top + panelHeight + 2
        let captionWidth = x - Self.gap - left
        sheet.add(id, x: left, y: captions, width: captionWidth)
        sheet.add(
            block.caption, x: left, y: captions + TextLine.height, width: captionWidth,
            color: Palette.quietInk)
        for (number, mark) in block.marks.enumerated() {
            let columnWidth = columnWidths[columnWidths.count - block.marks.count + number]
            let painter = runPainters[number]
            var heat = painter.heat(mark.attribution.magnitudes)
            if let mask = mark.attribution.mask { painter.mark(mask, on: &heat, isTinted: false) }
            sheet.add(heat, x: x, y: top, description: "\(id): what \(mark.runName) looks at")
            sheet.add(mark.runName, x: x, y: captions, width: columnWidth, color: Palette.quietInk)
            sheet.add(
                mark.caption, x: x, y: captions + TextLine.height, width: columnWidth,
                color: mark.isRight.map { $0 ? Palette.right : Palette.wrong } ?? Palette.ink)
            x += columnWidth + Self.gap
        }
    }
}

extension PanelPainter {
    /// Draws what a marked region looks like, as wide and high as the panel.
    static func drawSwatch(on panel: inout PixelPanel) {
        let (columns, rows) = (0..<panel.width, 0..<panel.height)
        panel.fill(columns, rows, Palette.maskEdge)
        panel.fill(columns.dropFirst().dropLast(), rows.dropFirst().dropLast(), Palette.mask)
        panel.fill(
            columns.dropFirst(2).dropLast(2), rows.dropFirst(2).dropLast(2),
            Palette.blend(Palette.paper, Palette.mask, share: Palette.tintShare))
    }
}
