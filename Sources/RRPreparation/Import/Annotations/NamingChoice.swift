internal import RRDatasets
internal import RRFormats

/// By which of their names the images of a source are samples of a dataset.
///
/// Where a source names an image in several ways, the way counts whose names are samples: whole ids before last parts of
/// them, and more before fewer.
struct NamingChoice {
    /// Which of the images' names it is.
    let position: Int
    let match: SampleNames.Match
    /// Which it is; nil where there is but one.
    let note: Message?

    /// - Throws: `DatasetError` with the code `unmatchedMasks`, `ambiguousName`, `contradictoryFolder`, or
    ///   `badAnnotation` where two namings name different samples equally well.
    init(_ source: AnnotationSet, names: SampleNames) throws {
        var best: (position: Int, rank: (Int, Int), match: SampleNames.Match)?
        var failure: (any Error)?
        for position in source.namings.indices {
            let match: SampleNames.Match
            do {
                match = try names.match(source.images.map { $0.names[position] }, at: source.path)
            } catch {
                failure = failure ?? error
                continue
            }
            let count = match.samples.count { $0 != nil }
            guard count > 0 else { continue }
            let rank = (match.matching == .id ? 2 : 1, count)
            if let other = best, rank == other.rank {
                try Self.checkSame(source, (other.position, other.match), (position, match))
            }
            if rank > best?.rank ?? (0, 0) { best = (position, rank, match) }
        }
        guard let best else {
            if let failure { throw failure }
            throw names.noMatch(
                of: source.images.map { $0.names.last ?? "" }, what: "images",
                remedy: "The name of an image without its extension is an id, or the last part of one",
                at: source.path)
        }
        (position, match) = (best.position, best.match)
        note =
            source.namings.count > 1
            ? Message("the samples' names are those of \(source.namings[position])") : nil
    }

    private static func checkSame(
        _ source: AnnotationSet, _ one: (position: Int, match: SampleNames.Match),
        _ two: (position: Int, match: SampleNames.Match)
    ) throws(DatasetError) {
        for (image, (first, second)) in zip(source.images, zip(one.match.samples, two.match.samples))
        where first != second {
            throw DatasetError(
                .badAnnotation, path: image.path,
                "\(image.description): \(source.namings[one.position]) and \(source.namings[two.position]) name "
                    + "different samples, “\(image.names[one.position])” and “\(image.names[two.position])”")
        }
    }
}
