internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Masks from a COCO annotation file: a sample's is the union of its image's annotations.
struct COCOMasks: MaskSource {
    let maskShape: ImageShape
    let samples: [Int]

    private let opened: MaskTally
    private let degenerate = OccurrenceCounts<Occurrence>()
    private let isStrict: Bool
    private let inverts: Bool
    private let isNormalized: Bool
    private let file: COCOAnnotationFile
    private let placement: MaskPlacement
    /// The image of each of `samples`, and its annotations.
    private let images: [COCOAnnotationFile.Image]
    private let annotations: [[Int]]

    private enum Occurrence { case polygonOfTwoPoints }

    /// The areas that are taken, in pixels.
    private struct AreaFilter {
        let minimum: Double?
        let maximum: Double?

        func take(_ annotation: COCOAnnotationFile.Annotation, at path: String) throws(DatasetError) -> Bool {
            guard minimum != nil || maximum != nil else { return true }
            guard let area = annotation.area, area.isFinite else {
                throw DatasetError(
                    .badAnnotation, path: path,
                    "\(annotation.description) has no area, which \(option: .minimumArea) and \(option: .maximumArea) ask for"
                )
            }
            return area >= minimum ?? area && area <= maximum ?? area
        }
    }

    /// Reads a file and finds its images among the samples.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no JSON; `DatasetError` with the code
    ///   `badAnnotation`, `unmatchedMasks`, `ambiguousName`, `duplicateMask`, `invalidOption` (a category) or
    ///   `wrongMaskSize`.
    init(path: String, names: SampleNames, dataset: Dataset, options: MaskImport.Options) throws {
        let file = try COCOAnnotationFile(path: path)
        let placement = try MaskPlacement(dataset)
        var imageNumbers: [COCOAnnotationFile.Identifier: Int] = [:]
        for (number, image) in file.images.enumerated() {
            guard imageNumbers.updateValue(number, forKey: image.id) == nil else {
                throw DatasetError(.badAnnotation, path: path, "two images have the id \(image.id)")
            }
        }
        let stems = file.images.map { Self.stem(of: $0.fileName) }
        let match = try names.match(stems, at: path)
        let found = match.samples
        guard found.contains(where: { $0 != nil }) else {
            throw names.noMatch(
                of: file.images.map(\.fileName), what: "images",
                remedy: "A file_name without its extension is an id, or the last part of one", at: path)
        }
        var tally = MaskTally()
        tally.take(match)
        for (image, sample) in zip(file.images, found) where sample == nil {
            tally.withoutSample.add(image.fileName)
        }

        let categories = try Self.categories(options.categories, of: file)
        var counts = MaskTally.Annotations()
        let areas = AreaFilter(minimum: options.minimumArea, maximum: options.maximumArea)
        var taken: [Int: (image: Int, annotations: [Int])] = [:]
        var orphans = MaskTally.Names()
        for (number, annotation) in file.annotations.enumerated() {
            guard let image = imageNumbers[annotation.imageId] else {
                let fault = "\(annotation.description) is for the image \(annotation.imageId)"
                orphans.add(fault)
                guard !options.isStrict, orphans.count < file.annotations.count else {
                    throw DatasetError(
                        .badAnnotation, path: path,
                        "\(orphans.first[0]), which is not in the file")
                }
                continue
            }
            guard let sample = found[image] else {
                counts.unmatched += 1
                continue
            }
            let isOfCategory = categories.map { known in annotation.categoryId.map(known.contains) ?? false }
            guard isOfCategory ?? true, try areas.take(annotation, at: path) else {
                counts.filtered += 1
                continue
            }
            counts.used += 1
            if let other = taken[sample]?.image, other != image {
                throw DatasetError(
                    .duplicateMask, path: path,
                    "the images \(file.images[other].fileName) and \(file.images[image].fileName) are for the same "
                        + "sample “\(names.ids[sample])”")
            }
            taken[sample, default: (image, [])].annotations.append(number)
        }
        tally.annotations = counts
        if orphans.count > 0 {
            tally.readings.append(
                "annotations for images that are not in the file, left out: \(orphans.count) (\(orphans.first[0])"
                    + "\(orphans.count > 1 ? ", …" : "")); \(option: .isStrict) stops at them")
        }
        let order = taken.sorted { $0.key < $1.key }
        samples = order.map(\.key)
        images = order.map { file.images[$0.value.image] }
        annotations = order.map(\.value.annotations)
        self.file = file
        self.placement = placement
        isStrict = options.isStrict
        inverts = options.adjustment.inverts
        maskShape = placement.maskShape
        isNormalized = file.hasNormalizedCoordinates(Array(annotations.joined()))
        if isNormalized {
            tally.readings.append(
                "all coordinates are from 0 to 1: they are shares of the image's width and height")
        }
        var (boxCount, overhanging) = (0, 0)
        for (image, numbers) in zip(images, annotations) {
            guard let height = image.height, let width = image.width else { continue }
            for annotation in numbers.lazy.map({ file.annotations[$0] })
            where annotation.hasBox && annotation.segmentation == nil {
                let (x, y, boxWidth, boxHeight) = annotation.box
                let box = BoxTable.Box(
                    left: x, top: y, right: x + boxWidth, bottom: y + boxHeight, isNormalized: isNormalized)
                boxCount += 1
                if box.overhangs(height: height, width: width) { overhanging += 1 }
            }
        }
        tally.readings += [MaskTally.note(onOverhanging: overhanging, of: boxCount)].compactMap(\.self)
        opened = tally
        for position in images.indices { _ = try size(at: position) }
    }

    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws {
        let (height, width) = try size(at: position)
        let columns = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width)
        defer { columns.deallocate() }
        columns.update(repeating: 0)
        for number in annotations[position] {
            let masks = try file.masks(
                of: file.annotations[number], height: height, width: width, isNormalized: isNormalized
            ) { (defect) throws(COCODefect) in
                guard !isStrict else { throw defect }
                degenerate.add(.polygonOfTwoPoints)
            }
            for runs in masks { runs.formUnion(into: columns) }
        }
        if inverts { MaskAdjustment.invert(columns) }
        placement.place(columns: UnsafeBufferPointer(columns), height: height, width: width, into: mask)
    }

    var tally: MaskTally {
        var tally = opened
        let count = degenerate.count(of: .polygonOfTwoPoints)
        if count > 0 {
            tally.readings.append(
                "polygons of fewer than three points, and empty segmentations without a box, which mark nothing: \(count); \(option: .isStrict) stops at them"
            )
        }
        return tally
    }

    private func size(at position: Int) throws -> (height: Int, width: Int) {
        let image = images[position]
        guard let height = image.height, let width = image.width, height > 0, width > 0 else {
            throw DatasetError(
                .badAnnotation, path: file.path,
                "image \(image.id) (\(image.fileName)) has no height and width")
        }
        try placement.check(
            height: height, width: width, ofSample: samples[position],
            "image \(image.id) (\(image.fileName))", at: file.path)
        return (height, width)
    }
}

extension COCOMasks {
    /// The ids of the categories that are asked for by name or id; nil for all.
    private static func categories(
        _ wanted: [String], of file: COCOAnnotationFile
    ) throws -> Set<COCOAnnotationFile.Identifier>? {
        guard !wanted.isEmpty else { return nil }
        var ids: Set<COCOAnnotationFile.Identifier> = []
        for category in wanted {
            let named = file.categories.filter { $0.name == category }
            let numbered = file.categories.filter { candidate in
                candidate.id == .text(category) || Int(category).map { candidate.id == .number($0) } ?? false
            }
            let found = named.isEmpty ? numbered : named
            guard !found.isEmpty else {
                let known = file.categories.prefix(20).map { "\($0.name ?? "") (\($0.id))" }
                let more = file.categories.count > 20 ? ", …" : ""
                throw DatasetError(
                    .invalidOption, path: file.path,
                    "there is no category “\(category)”; there are \(known.joined(separator: ", "))\(more)"
                        + NearestNames(to: category, among: file.categories.compactMap(\.name)).question)
            }
            ids.formUnion(found.map(\.id))
        }
        return ids
    }

    /// A file name without its extension.
    static func stem(of fileName: String) -> String {
        let start = fileName.lastIndex(of: "/").map(fileName.index(after:)) ?? fileName.startIndex
        guard let point = fileName[start...].lastIndex(of: "."), point > start else { return fileName }
        return String(fileName[..<point])
    }
}
