internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Writes a dataset as a folder of PNG files, from which `PNGFolderImport` makes the same dataset.
///
/// The file of a sample is its id with `.png`, so ids that an import made of folders go back to these folders. Where
/// the folders alone would not give back labels, class names, splits and the order of samples, `metadata.csv` names
/// them. 8- and 16-bit samples stay as they are.
///
/// Masks go to a folder of their own as 1-bit gray, white where a pixel is no valid reason; samples without a mask
/// have no file there.
public struct PNGFolderExport: Sendable {
    public let source: ExportSource
    public let output: String
    /// The folder for the masks; nil for that of the images with `-masks` after its name.
    public var masksOutput: String?
    /// The number of threads that encode; it has no effect on the result.
    public var threadCount = Workers.coreCount
    /// Whether earlier exports are replaced.
    public var force = false

    /// The samples between two calls of `progress`.
    private static let blockCount = 2048

    /// The folder for the masks where none is named.
    package static func masksPath(beside output: String) -> String {
        var path = Substring(output)
        while path.count > 1, path.last == "/" { path.removeLast() }
        return path + "-masks"
    }

    public init(source: ExportSource, output: String) {
        self.source = source
        self.output = output
    }

    /// Exports; the same dataset makes the same files.
    ///
    /// - Parameter progress: called with the number of files done and the number of all.
    /// - Throws: `DatasetError` with the code `unsupported` (float images, channels that PNG does not have, masks that
    ///   differ from channel to channel), `invalidOption` (one folder for both), `unsafeId` or `checksumMismatch`; `FormatError` where a file cannot be read
    ///   or written. Nothing is left then.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ExportSummary {
        let header = try header()
        let paths = try ExportedPaths(
            ids: source.ids, datasetPath: source.dataset.path, reserved: [Metadata.fileName])
        let images = try ExportFolder(path: output, force: force, markName: ".export.json")
        let masksPath = masksOutput ?? Self.masksPath(beside: output)
        let maskFolder = try source.masks.map { _ in
            try ExportFolder(path: masksPath, force: force, markName: ".export.json")
        }
        guard maskFolder.map({ !PathPlan.areSame($0.path, images.path) }) ?? true else {
            throw DatasetError(
                .invalidOption, path: output,
                "images and masks cannot go to the same folder: their names are the same")
        }
        let total = source.count * (source.masks == nil ? 1 : 2)
        try write(paths, to: images, firstDone: 0, total: total, progress: progress) {
            reader, encoder, position in
            try encoder.encode(try reader.image(position, layout: .nhwc), of: header)
        }
        let needsMetadata = try !Metadata.isRestored(by: images.temporaryPath, source)
        var members = try source.markMembers()
        members["kind"] = "pngs"
        try images.writeMark(members)
        if needsMetadata {
            try FileBytes.write(
                Metadata(source).bytes, to: images.temporaryPath + "/" + Metadata.fileName)
        }
        let isRestored = try !needsMetadata || Metadata.isRestored(by: images.temporaryPath, source)
        if let masks = source.masks, let maskFolder {
            let maskPaths = try ExportedPaths(
                ids: source.ids, datasetPath: source.dataset.path, reserved: [])
            try write(maskPaths, to: maskFolder, firstDone: source.count, total: total, progress: progress) {
                reader, encoder, position in
                guard masks.hasRow(source.indices[position]) else { return nil }
                return try reader.maskPNG(position, of: masks, encoder: encoder)
            }
        }
        members["kind"] = "mask-pngs"
        try maskFolder?.writeMark(members)
        try images.commit(before: maskFolder)
        return ExportSummary(
            path: images.path, sampleCount: source.count,
            annotatedCount: source.masks.map { _ in source.annotatedCount }, masksPath: maskFolder?.path,
            files: needsMetadata ? [Metadata.fileName] : [], notes: notes(isRestored: isRestored))
    }

    /// What the file of every sample is.
    private func header() throws(DatasetError) -> PNGHeader {
        let dataset = source.dataset
        guard dataset.elementType != .float32 else {
            throw DatasetError(
                .unsupported, path: dataset.path,
                "the images are float32, and PNG holds integers only; " + ExportSource.exportsOfAnything
                    + " keep them")
        }
        let shape = dataset.imageShape
        guard 1...4 ~= shape.channels, max(shape.height, shape.width) <= PNGHeader.largestExtent else {
            throw DatasetError(
                .unsupported, path: dataset.path,
                "there is no PNG of \(shape.channels) channels of \(shape.height)×\(shape.width); "
                    + ExportSource.exportsOfAnything + " keep them")
        }
        return PNGHeader(
            width: shape.width, height: shape.height, channels: shape.channels,
            bitDepth: dataset.elementType.size * 8)
    }

    private func write(
        _ paths: ExportedPaths, to folder: ExportFolder, firstDone: Int, total: Int,
        progress: (Int, Int) -> Void,
        encode: @Sendable (SampleReader, PNGEncoder, Int) throws -> [UInt8]?
    ) throws {
        let workers = Workers(count: threadCount)
        let target = folder.temporaryPath
        try paths.makeFolders(in: target, datasetPath: source.dataset.path)
        for start in stride(from: 0, to: source.count, by: Self.blockCount) {
            let positions = start..<min(start + Self.blockCount, source.count)
            try workers.run(parts: positions, makeState: { (SampleReader(source), PNGEncoder()) }) {
                guard let bytes = try encode($0.0, $0.1, $1) else { return }
                try paths.write(bytes, at: $1, in: target, datasetPath: source.dataset.path)
            }
            progress(firstDone + positions.upperBound, total)
        }
    }

    /// What an import of the folder does not give back.
    private func notes(isRestored: Bool) -> [Message] {
        let dataset = source.dataset
        let name = PNGHeader.colorNames[dataset.imageShape.channels - 1]
        var notes: [Message] = []
        if !isRestored {
            if dataset.color != name {
                notes.append(
                    "an import of the folder calls the images \(name), where the dataset says \(dataset.color)"
                )
            }
            notes.append(
                "an import of the folder does not give back all labels, class names, splits and their order; "
                    + ExportSource.exportsOfAnything + " keep them")
        }
        return notes
    }
}
