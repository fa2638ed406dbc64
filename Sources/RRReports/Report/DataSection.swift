internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// What a dataset and its masks hold.
enum DataSection {
    /// The rows of a table of classes or groups; the others are counted.
    private static let mostRows = 50
    /// The masks that the map of coverage is of; of more, as many at equal distances.
    private static let mostMasks = 4000

    static func html(_ dataset: Dataset, _ masks: MaskSet?) throws -> String {
        let shape = dataset.imageShape
        var text =
            "<p>\(Markup.name(dataset.path)): \(dataset.sampleCount) images of \(shape.channels)×\(shape.height)×"
            + "\(shape.width) (channels × height × width), \(dataset.elementType.rawValue), "
            + "\(Markup.escaped(dataset.color)). "
            + "Fingerprint <code>\(Markup.escaped(String(try dataset.fingerprint.prefix(12))))</code>.</p>\n"
        if let labels = dataset.labels {
            text += balance(
                labels, count: dataset.classCount, of: "class", in: dataset,
                name: { dataset.classNames?[$0] ?? String($0) })
        } else {
            text += PageParts.paragraph("The samples have no labels.")
        }
        if let groups = dataset.groups {
            text += balance(
                groups.numbers, count: groups.count, of: "group", in: dataset, name: groups.name(of:))
        }
        if let masks { text += try html(masks, of: dataset) }
        if let provenance = try dataset.provenanceText() {
            text += PageParts.details(
                "Where the images come from",
                body: PageParts.code(pretty(provenance), named: "provenance of the images"))
        }
        if let provenance = masks?.provenance {
            text += PageParts.details(
                "Where the masks come from",
                body: PageParts.code(pretty(provenance), named: "provenance of the masks"))
        }
        return text
    }

    private static func pretty(_ document: String) -> String {
        let text = (try? JSONValue(parsing: document))?.serialized(pretty: true) ?? document
        // A list of skipped files may be of any length.
        return text.shortened(to: 20_000)
    }

    /// How many samples are of each class or group, by split.
    private static func balance(
        _ numbers: [Int], count: Int, of kind: String, in dataset: Dataset, name: (Int) -> String
    ) -> String {
        var counts = Array(
            repeating: Array(repeating: 0, count: max(1, dataset.splitNames.count)), count: count)
        for (row, number) in numbers.enumerated() {
            counts[number][dataset.splits.map { Int($0[row]) } ?? 0] += 1
        }
        let totals = counts.map { $0.reduce(0, +) }
        let most = max(1, totals.max() ?? 1)
        let splits = dataset.splitNames.count > 1 ? dataset.splitNames.map(Markup.name) : []
        let rows = (0..<min(count, mostRows)).map { number in
            [Markup.name(name(number)), String(totals[number]), bar(Double(totals[number]) / Double(most))]
                + (splits.isEmpty ? [] : counts[number].map(String.init))
        }
        var text = PageParts.table(
            caption: "Samples of each \(kind)",
            header: [kind, "samples", "by the largest"] + splits,
            rows: rows)
        let others = totals.dropFirst(mostRows)
        if let least = others.min(), let largest = others.max() {
            text += PageParts.paragraph(
                "And \(others.count) more, with \(least) to \(largest) samples each.")
        }
        return text
    }

    private static func bar(_ share: Double) -> String {
        let width = Int((share * 100).rounded())
        return "<svg class=\"bars\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
            + "<rect class=\"bar\" width=\"\(width)\" height=\"10\"/></svg>"
    }

    private static func html(_ masks: MaskSet, of dataset: Dataset) throws -> String {
        let annotated = (0..<dataset.sampleCount).filter(masks.isAnnotated)
        var text = PageParts.paragraph(
            "\(annotated.count) of \(dataset.sampleCount) samples have a mask that marks something; on average "
                + "\(Figure.percent(masks.meanCoverage)) of their image is no valid reason.")
        guard !annotated.isEmpty else { return text }
        let step = (annotated.count - 1) / mostMasks + 1
        let chosen = stride(from: 0, to: annotated.count, by: step).map { annotated[$0] }
        var sums = Array(repeating: 0, count: masks.maskShape.pixelCount)
        for index in chosen {
            for (place, element) in (masks.union(ofSample: index) ?? []).enumerated() {
                sums[place] += Int(element)
            }
        }
        let largest = max(1, sums.max() ?? 1)
        let painter = PanelPainter(shape: masks.maskShape, edge: 224)
        // The painter takes roots, and coverage is to be read off.
        let shares = sums.map { Float($0) / Float(largest) }
        let panel = painter.heat(shares.map { $0 * $0 })
        let top = Figure.percent(Double(largest) / Double(chosen.count))
        let scope = step == 1 ? "" : ", by \(chosen.count) of them"
        text += try PageParts.picture(
            panel,
            description:
                "Where masks lie on average: dark where none does, light where up to \(top) do\(scope)",
            caption: "Where masks lie on average\(scope): \(scale()) none to \(top)")
        return text
    }

    /// The colours of heat from dark to light.
    static func scale() -> String {
        let steps = (0..<32).map { step -> String in
            "<rect x=\"\(step)\" width=\"1.05\" height=\"4\" fill=\"#\(Palette.heat(Double(step) / 31).hexadecimal)\"/>"
        }
        return
            "<svg class=\"scale\" viewBox=\"0 0 32 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\(steps.joined())</svg>"
    }
}
