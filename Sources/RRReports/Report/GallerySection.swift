internal import RRDatasets
internal import RRFormats
internal import RRTensor
internal import RRTraining

/// Samples that the first run is right about while it looks where no valid reason is, and what every run makes of them.
struct GallerySection {
    private let results: [MeasuredRun]
    private let options: RunReport.Options

    private static let edge = 112

    init(_ results: [MeasuredRun], _ options: RunReport.Options) {
        self.results = results
        self.options = options
    }

    /// The samples with the largest share of |g| inside A among those that are right, at least what chance would give.
    private var chosen: [SamplePrediction] {
        let right = (results.first?.evaluation.samples ?? []).filter { sample in
            guard sample.isRight, let explanation = sample.explanation,
                let share = explanation.gradientShareInsideMask, let area = explanation.maskShareOfArea
            else { return false }
            return share > area
        }
        return Array(SampleChoice.worst(right, by: .inside).prefix(options.galleryCount))
    }

    func html(_ dataset: Dataset, _ masks: MaskSet) throws -> String {
        let chosen = chosen
        guard let first = results.first, !chosen.isEmpty else {
            return PageParts.paragraph(
                "The first run is right about no annotated sample with more of |g| inside A than its area.")
        }
        let rows = chosen.map(\.index)
        let found = try results.map {
            try $0.reported.run.attributions(
                of: rows, in: dataset, masks: masks, threadCount: options.threadCount)
        }
        let items = try chosen.enumerated().map { place, sample in
            try item(
                sample, of: dataset, masks,
                zip(results, found).map {
                    SheetBlock.Mark(
                        $0.name, $0.reported.run, $1[place], of: try dataset.sample(at: sample.index))
                })
        }
        return
            "<p>\(Markup.name(first.name)) recognises these samples while more of |g| lies inside A than its area, most of it first. The "
            + "orange line and tint mark A; heat maps, \(DataSection.scale()), have the square root of the share of the image’s largest |g|, "
            + "summed over channels.</p>\n<ul class=\"gallery\">\(items.joined())</ul>\n"
    }

    private func item(
        _ prediction: SamplePrediction, of dataset: Dataset, _ masks: MaskSet, _ marks: [SheetBlock.Mark]
    ) throws -> String {
        let sample = try dataset.sample(at: prediction.index)
        let painter = PanelPainter(shape: dataset.imageShape, edge: Self.edge)
        var picture = painter.picture(try sample.image.elements)
        if let mask = masks.union(ofSample: prediction.index) {
            painter.mark(mask, on: &picture, isTinted: true)
        }
        let share = prediction.explanation?.gradientShareInsideMask ?? 0
        var panels = try PageParts.picture(
            picture, description: "\(sample.id) with its mask", caption: "with its mask")
        for mark in marks {
            let painter = PanelPainter(shape: mark.attribution.imageShape, edge: Self.edge)
            var heat = painter.heat(mark.attribution.magnitudes)
            if let mask = mark.attribution.mask { painter.mark(mask, on: &heat, isTinted: false) }
            let look = mark.isRight.map { $0 ? "right" : "wrong" } ?? ""
            panels += try PageParts.picture(
                heat, description: "what \(mark.runName) looks at in \(sample.id)",
                caption:
                    "\(Markup.name(mark.runName))<br><span class=\"\(look)\">\(Markup.name(mark.caption))</span>"
            )
        }
        let label = sample.className ?? sample.label.map(String.init) ?? ""
        return
            "<li><p>\(Markup.name(sample.id)): \(Markup.name(label)), \(Figure.percent(share)) of |g| inside A</p>"
            + "<div class=\"panels\">\(panels)</div></li>\n"
    }
}
