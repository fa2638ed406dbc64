internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Masks from annotations of any tool: a sample's is the union of the shapes on its image.
struct AnnotationMasks: MaskSource {
    let maskShape: ImageShape
    let samples: [Int]
    let tally: MaskTally

    private let placement: MaskPlacement
    private let options: MaskImport.Options
    /// The image of each of `samples`, and its size.
    private let images: [(image: AnnotatedImage, height: Int, width: Int)]

    /// Finds the samples of images, and takes the shapes with the labels that are asked for.
    ///
    /// - Throws: `DatasetError` with the code `badAnnotation`, `unmatchedMasks`, `ambiguousName`, `contradictoryFolder`,
    ///   `duplicateMask`, `invalidOption` (a label) or `wrongMaskSize`.
    init(_ source: AnnotationSet, names: SampleNames, dataset: Dataset, options: MaskImport.Options) throws {
        let placement = try MaskPlacement(dataset)
        let naming = try NamingChoice(source, names: names)
        var tally = MaskTally()
        tally.take(naming.match)
        tally.readings = source.notes + [naming.note, source.noteOnUntaken].compactMap(\.self)
        let labels = try source.labels(wanted: options.categories)
        var counts = MaskTally.Annotations()
        var taken: [Int: AnnotatedImage] = [:]
        var degenerateCount = 0
        for (image, sample) in zip(source.images, naming.match.samples) {
            guard let sample else {
                tally.withoutSample.add(image.names[naming.position])
                counts.unmatched += image.shapes.count
                continue
            }
            var kept = image
            kept.shapes = []
            for shape in image.shapes {
                guard labels.map({ !$0.isDisjoint(with: shape.labels) }) ?? true else {
                    counts.filtered += 1
                    continue
                }
                if let degeneracy = shape.form.degeneracy {
                    guard !options.isStrict else { throw image.fault("\(shape.description): \(degeneracy)") }
                    degenerateCount += 1
                } else {
                    kept.shapes.append(shape)
                }
                counts.used += 1
            }
            guard image.isLookedAt || !kept.shapes.isEmpty else { continue }
            if let other = taken[sample] {
                throw DatasetError(
                    .duplicateMask, path: image.path,
                    "\(other.description) and \(image.description) are for the same sample “\(names.ids[sample])”"
                )
            }
            taken[sample] = kept
        }
        tally.annotations = counts
        if degenerateCount > 0 {
            tally.readings.append(
                "polygons of fewer than three points, which mark nothing: \(degenerateCount); \(option: .isStrict) stops at them"
            )
        }
        samples = taken.keys.sorted()
        images = try samples.compactMap { sample in
            try taken[sample].map { image in
                let size = try Self.size(of: image, sample: sample, dataset, placement)
                return (image, size.height, size.width)
            }
        }
        self.tally = tally
        self.placement = placement
        self.options = options
        maskShape = placement.maskShape
    }

    /// The size of the image that an annotation's coordinates are of.
    private static func size(
        of image: AnnotatedImage, sample: Int, _ dataset: Dataset, _ placement: MaskPlacement
    ) throws(DatasetError) -> (height: Int, width: Int) {
        if let size = image.size {
            guard size.height > 0, size.width > 0 else {
                throw image.fault("it has the height \(size.height) and the width \(size.width)")
            }
            try placement.check(
                height: size.height, width: size.width, ofSample: sample, image.description, at: image.path)
            return size
        }
        if let size = dataset.sourceSizes?[sample] {
            try placement.check(
                height: size.height, width: size.width, ofSample: sample, image.description, at: image.path)
            return (size.height, size.width)
        }
        guard !placement.resizes || placement.stretches else {
            throw image.fault(
                "the dataset's images were resized, and neither they nor the annotations say how large they were before"
            )
        }
        return (placement.maskShape.height, placement.maskShape.width)
    }

    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws {
        let (image, height, width) = images[position]
        let pixels = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width)
        defer { pixels.deallocate() }
        pixels.update(repeating: 0)
        let plane = DrawnPlane(pixels, height: height, width: width)
        for shape in image.shapes {
            do {
                try shape.form.draw(on: plane, threshold: options.maskThreshold)
            } catch let error as FormatError {
                throw DatasetError(
                    .badAnnotation, path: image.path,
                    Message("\(image.description): \(shape.description): ") + error.message)
            } catch {
                throw image.fault("\(shape.description): \(error)")
            }
        }
        if options.adjustment.inverts { MaskAdjustment.invert(pixels) }
        placement.place(rows: UnsafeBufferPointer(pixels), height: height, width: width, into: mask)
    }
}
