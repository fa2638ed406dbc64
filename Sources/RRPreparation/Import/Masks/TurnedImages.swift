internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// The images of a folder that were turned as their files say, and how masks follow them that say nothing of the kind.
///
/// A mask with an orientation of its own is turned by that. Another one is turned as its image where only that gives the
/// image's size, and stands where only that does. Where it fits both ways, the masks decide of which that is not so, if they
/// are of one mind; else an option does.
struct TurnedImages: Sendable {
    private let turns: [Int: PNGTurn]
    private let drawnOn: MaskImport.DrawnOn?
    /// The turn of each file that is to be turned as its image is.
    private var turnsOfFiles: [String: PNGOrientation] = [:]

    /// The number of files that are turned as their images are.
    var fileCount: Int { turnsOfFiles.count }

    /// - Parameters:
    ///   - turns: how images were turned, by sample.
    ///   - drawnOn: what is said of masks that fit both ways; nil where nobody says it.
    init(_ turns: [Int: PNGTurn] = [:], drawnOn: MaskImport.DrawnOn? = nil) {
        (self.turns, self.drawnOn) = (turns, drawnOn)
    }

    /// How a mask file is turned as its image is.
    func turn(ofFile file: String) -> PNGOrientation { turnsOfFiles[file] ?? .topLeft }

    /// Looks at the files of all masks of turned images, and decides for each.
    ///
    /// - Parameters:
    ///   - files: the files of each sample's mask, relative to the folder.
    ///   - imageShape: that of the dataset's images, which masks may have already.
    /// - Throws: `DatasetError` with the code `ambiguousOrientation` where a mask fits both ways and nothing decides.
    func deciding(
        files: [(sample: Int, files: [String])], in folder: String, height: Int, width: Int
    ) throws(DatasetError) -> TurnedImages {
        guard !turns.isEmpty else { return self }
        var decided = self
        var open: [(file: String, turn: PNGTurn)] = []
        var isMet: Set<MaskImport.DrawnOn> = []
        for (sample, files) in files {
            guard let turn = turns[sample] else { continue }
            for file in files {
                // What is wrong with a file is said where it is read.
                guard let header = Self.uprightHeader(of: folder + "/" + file) else { continue }
                let isStored = header.height == turn.height && header.width == turn.width
                let turned = turn.orientation.turned(
                    PNGHeader(width: turn.width, height: turn.height, channels: 1, bitDepth: 8))
                let isShown =
                    (header.height == turned.height && header.width == turned.width)
                    || (header.height == height && header.width == width)
                switch (isStored, isShown) {
                case (true, true): open.append((file, turn))
                case (true, false):
                    decided.turnsOfFiles[file] = turn.orientation
                    isMet.insert(.stored)
                case (false, true): isMet.insert(.shown)
                case (false, false): break
                }
            }
        }
        guard let first = open.first else { return decided }
        guard let choice = drawnOn ?? (isMet.count == 1 ? isMet.first : nil) else {
            throw DatasetError(
                .ambiguousOrientation, path: folder + "/" + first.file,
                "the image was turned as its eXIf chunk says; the mask has no such chunk, and fits as it stands and turned "
                    + "alike: \(option: .masksDrawnOn) stored turns it as its image, for masks that were drawn on the "
                    + "pixels as the file has them, \(option: .masksDrawnOn) shown takes it as it stands")
        }
        if choice == .stored { for (file, turn) in open { decided.turnsOfFiles[file] = turn.orientation } }
        return decided
    }

    /// The header of a file without an orientation of its own; nil for any other.
    private static func uprightHeader(of path: String) -> PNGHeader? {
        guard let bytes = try? FileBytes.read(path) else { return nil }
        return bytes.withUnsafeBytes { bytes in
            guard PNGOrientation(of: bytes) == .topLeft else { return nil }
            return try? PNGDecoder.storage(of: bytes, path: path).storedHeader
        }
    }
}

extension Dataset {
    /// What those should know who import masks for images that were turned when they were imported; nil where none was.
    func noteOnTurnedImages() throws -> Message? {
        guard let count = try orientedCount(policy: .apply) else { return nil }
        return """
            images of the dataset that were turned by their eXIf chunks: \(count); masks without such a chunk are taken as \
            drawn on the turned images, and `\(operation: .importFolder(of: .images))` with \(option: .masks) turns them with their images
            """
    }

    /// What those should know who import annotations, which are drawn on images as viewers show them, where images stand as
    /// their files have them; nil where none does that is to be turned.
    func noteOnUnturnedImages() throws -> Message? {
        guard let count = try orientedCount(policy: .ignore) else { return nil }
        return """
            images of the dataset that are to be turned by their Exif data, and were not: \(count); annotation tools show them \
            turned, so what is drawn on them is misplaced: `\(operation: .importFolder(of: .images))` with \
            \(option: .orientation) apply turns them
            """
    }

    /// The number of images that are to be turned by what their files say, where they were imported with a policy; nil for
    /// none, or another policy.
    private func orientedCount(policy: ImageFolderOptions.Orientation) throws -> Int? {
        guard let text = try provenanceText(), let provenance = try? JSONValue(parsing: text),
            let turned = provenance["orientations"], turned["policy"] == .string(policy.rawValue),
            let count = turned["images"]?.integerValue, count > 0
        else { return nil }
        return count
    }
}

extension MaskImport {
    /// What masks were drawn on that have no orientation of their own, where their images have one.
    public enum DrawnOn: String, Sendable, CaseIterable {
        /// The pixels as the image's file has them: masks are turned as their images.
        case stored
        /// The image as viewers show it: masks stand.
        case shown
    }
}

extension OptionName {
    static let masksDrawnOn = OptionName("masksDrawnOn")
}
