import Foundation
import RRDatasets
import RRFormats
import RRStreaming
import TestSupport
import Testing

@Suite("A stream of a folder of PNGs")
struct PNGFolderStreamTests {
    private func contents(
        _ dataset: Dataset, _ options: StreamOptions, masks: MaskSet? = nil,
        from start: StreamPosition = .beginning, memory: Int? = nil, isRaw: Bool = false
    ) throws -> [BatchContent] {
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: options, from: start,
            resources: StreamResources(memory: memory, threadCount: 3), givesStoredImages: isRaw)
        var contents: [BatchContent] = []
        while let batch = try stream.next() { contents.append(BatchContent(batch)) }
        return contents
    }

    @Test(
        "it is the stream of the folder's import, shuffled or not, as stored or not",
        arguments: PNGFolder.Kind.allCases)
    func sameAsImport(kind: PNGFolder.Kind) throws {
        let pngs = try PNGFolder(kind)
        let (folder, file) = (try pngs.opened(), try pngs.imported())
        #expect(try folder.ids() == file.ids())
        #expect(folder.labels == file.labels && folder.classNames == file.classNames)
        #expect(folder.groups == file.groups && (folder.groups != nil) == (kind == .metadata))
        #expect(folder.classCount == file.classCount && folder.color == file.color)
        #expect(folder.splits == file.splits && folder.splitNames == file.splitNames)
        #expect(folder.elementType == file.elementType && folder.imageShape == file.imageShape)
        #expect(try folder.resizing() == file.resizing())
        for isShuffled in [false, true] {
            for isRaw in [false, true] {
                var options = StreamOptions(
                    batchSize: 7, isShuffled: isShuffled, seed: 3, epochs: 2, split: "all")
                let expected = try contents(file, options, isRaw: isRaw)
                #expect(try contents(pngs.opened(), options, isRaw: isRaw) == expected)
                options.split = nil
                #expect(try contents(folder, options, isRaw: isRaw) == contents(file, options, isRaw: isRaw))
                #expect(expected.count == 2 * ((file.sampleCount - 1) / 7 + 1))
            }
        }
        #expect(try folder.fingerprint == file.fingerprint)
        #expect(try pngs.opened().fingerprint == file.fingerprint)
    }

    @Test("ranks, masks and a cursor are those of the import")
    func ranksAndMasks() throws {
        let pngs = try PNGFolder(.splits)
        let (folder, file) = (try pngs.opened(), try pngs.imported())
        let path = try pngs.writeMasks()
        #expect(!folder.hasFingerprint)
        let masks = try MaskSet(path: path, for: folder)
        #expect(masks.annotatedCount == file.sampleCount / 2 && folder.hasFingerprint)
        var options = StreamOptions(batchSize: 4, isShuffled: true, seed: 8, epochs: 3, split: "all")
        options.world = 3
        for rank in 0..<3 {
            options.rank = rank
            #expect(
                try contents(folder, options, masks: masks)
                    == contents(file, options, masks: MaskSet(path: path, for: file)))
        }
        let cursor = try CursorFile(
            path: pngs.folder.path("c.json"), dataset: file, masks: masks, options: options)
        let all = try contents(folder, options, masks: masks)
        try cursor.write(all[6].next)
        let again = try pngs.opened()
        let place = try #require(
            try CursorFile(path: cursor.path, dataset: again, masks: masks, options: options).read())
        #expect(try contents(again, options, masks: masks, from: place) == Array(all[7...]))
    }

    @Test("masks of other pixels are refused")
    func otherMasks() throws {
        let (pngs, other) = (try PNGFolder(.classes), try PNGFolder(.rgb))
        let folder = try pngs.opened()
        // Of the same size, so that the pixels alone differ.
        let error = #expect(throws: DatasetError.self) { try MaskSet(path: other.writeMasks(), for: folder) }
        #expect(error?.code == .otherDataset)
        let fewer = try PNGFolder(.classes, sampleCount: 50)
        let cheap = try pngs.opened()
        #expect(throws: DatasetError.self) { try MaskSet(path: fewer.writeMasks(), for: cheap) }
        // Another number of samples is told without decoding.
        #expect(!cheap.hasFingerprint)
    }

    @Test("memory bounds what is kept, without effect on the batches", arguments: [0, 500, 10_000_000])
    func memory(kept: Int) throws {
        let pngs = try PNGFolder(.classes)
        let options = StreamOptions(batchSize: 8, isShuffled: true, epochs: 3)
        let least = 2 * 8 * (35 * 4 + 35 + 17)
        #expect(
            try contents(pngs.opened(), options, memory: least + kept) == contents(pngs.imported(), options))
    }

    @Test("images that are kept are not decoded again, and others are")
    func keptImages() throws {
        let pngs = try PNGFolder(.classes)
        let options = StreamOptions(batchSize: 60, epochs: 2)
        for memory in [nil, 2 * 60 * (35 * 4 + 35 + 17)] {
            let stream = try BatchStream(
                dataset: pngs.opened(), options: StreamOptions(batchSize: 6, epochs: .max),
                resources: StreamResources(memory: memory.map { $0 / 10 }))
            for _ in 0..<30 { _ = try stream.next() }
            try FileManager.default.moveItem(atPath: pngs.path, toPath: pngs.path + "-away")
            if memory == nil {
                for _ in 0..<30 { #expect(try stream.next() != nil) }
            } else {
                #expect(throws: StreamError.self) { for _ in 0..<30 { _ = try stream.next() } }
            }
            try FileManager.default.moveItem(atPath: pngs.path + "-away", toPath: pngs.path)
        }
        #expect(try contents(pngs.opened(), options) == contents(pngs.imported(), options))
    }

    /// What befalls a file after the folder was opened.
    enum Fate: CaseIterable {
        case deleted, cut, rewritten, replaced, sameSizeAndTime, becomesFolder
    }

    @Test(
        "a file that is no longer what it was ends the stream with its name and sample",
        arguments: Fate.allCases)
    func changedFile(fate: Fate) throws {
        let pngs = try PNGFolder(.classes)
        let dataset = try pngs.opened()
        // Known from a first pass, as masks and cursors need it.
        if fate == .sameSizeAndTime { _ = try dataset.fingerprint }
        let index = 47
        let path = try pngs.path + "/" + dataset.ids()[index] + ".png"
        let other = try pngs.path + "/" + dataset.ids()[0] + ".png"
        let bytes = try Data(contentsOf: URL(filePath: path))
        let files = FileManager.default
        switch fate {
        case .deleted: try files.removeItem(atPath: path)
        case .cut: try bytes.dropLast(20).write(to: URL(filePath: path))
        case .rewritten:
            // As whole and as long as before, at another time.
            usleep(20_000)
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.write(contentsOf: bytes)
            try handle.close()
        case .replaced: #expect(rename(other, path) == 0)
        case .sameSizeAndTime:
            var status = stat()
            #expect(stat(path, &status) == 0)
            var image = try PNGDecoder.decode(Array(bytes), path: path)
            image = PNGImage(
                width: image.width, height: image.height, channels: 1, bitDepth: 8,
                samples: image.samples.map { $0 ^ 1 })
            let changed = try PNGEncoder.encode(image)
            #expect(changed.count == bytes.count && changed != Array(bytes))
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.write(contentsOf: Data(changed))
            try handle.close()
            var times = [status.st_atim, status.st_mtim]
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        case .becomesFolder:
            try files.removeItem(atPath: path)
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let stream = try BatchStream(
            dataset: dataset, options: StreamOptions(batchSize: 10),
            resources: StreamResources(threadCount: 1))
        let expected = try contents(pngs.imported(), StreamOptions(batchSize: 10))
        var count = 0
        let error = #expect(throws: StreamError.self) {
            while let batch = try stream.next() {
                if fate != .replaced { #expect(BatchContent(batch) == expected[count]) }
                count += 1
            }
        }
        #expect(try stream.next() == nil)
        if fate == .replaced {
            // The file that took the other's place is missing at its own.
            #expect(count == 0 && error?.index == 0 && error?.path == other && error?.code == .fileChanged)
            return
        }
        #expect(count == 4 && error?.index == index && error?.path == path)
        #expect(try error?.id == dataset.ids()[index])
        #expect(error?.code == (fate == .becomesFolder ? .cannotRead : .fileChanged))
        #expect(error?.description.contains("“\(error?.id ?? "")”") == true)
    }

    @Test("a file put in another's place is noticed")
    func replacedFile() throws {
        let pngs = try PNGFolder(.classes)
        let dataset = try pngs.opened()
        let path = try pngs.path + "/" + dataset.ids()[3] + ".png"
        try FileManager.default.copyItem(atPath: path, toPath: path + "-new")
        #expect(rename(path + "-new", path) == 0)
        let error = #expect(throws: StreamError.self) { try contents(dataset, StreamOptions(batchSize: 10)) }
        #expect(error?.code == .fileChanged && error?.index == 3)
    }

    @Test("damaged pixels end the stream with the file's name, and have no fingerprint")
    func damagedPixels() throws {
        let pngs = try PNGFolder(.classes)
        let ids = try pngs.imported().ids()
        let path = pngs.path + "/" + ids[12] + ".png"
        var bytes = try FileBytes.read(path)
        bytes[bytes.count - 20] ^= 0x40
        try pngs.folder.write(bytes, to: "pngs/\(ids[12]).png")
        let dataset = try pngs.opened()
        let error = #expect(throws: StreamError.self) { try contents(dataset, StreamOptions(batchSize: 10)) }
        #expect(error?.code == .damagedFile && error?.path == path && error?.index == 12)
        #expect(error?.id == ids[12])
        let fault = #expect(throws: DatasetError.self) { try dataset.fingerprint }
        #expect(fault?.code == .unreadableImage && fault?.path == path)
        let refused = #expect(throws: DatasetError.self) {
            try MaskSet(path: pngs.writeMasks(), for: dataset)
        }
        #expect(refused?.code == .unreadableImage)
    }

    @Test("a file and a folder join as one dataset, with the masks of one")
    func joined() throws {
        let pngs = try PNGFolder(.classes)
        let other = try PNGFolder(.metadata, sampleCount: 30)
        let flat = try PNGFolder(.flat, sampleCount: 31)
        var reading = ImageFolderOptions()
        reading.labels = .none
        let dataset = try Dataset.joining([flat.importPath, pngs.path], reading: reading)
        #expect(dataset.sampleCount == 91 && dataset.labels == nil && dataset.readsFolder)
        let masks = try #require(try MaskSet.joining([flat.writeMasks()], for: dataset))
        let options = StreamOptions(batchSize: 16, isShuffled: true, seed: 2)
        let found = try contents(dataset, options, masks: masks)
        let parts = try [flat.opened(), Dataset(pngFolder: pngs.path, reading: reading)]
        let stored = try parts.map { try contents($0, StreamOptions(batchSize: 100)) }
        var count = 0
        for batch in found {
            for (row, index) in batch.indices.enumerated() {
                let (part, place) = index < 31 ? (0, Int(index)) : (1, Int(index) - 31)
                #expect(
                    batch.images[row * 35..<row * 35 + 35]
                        == stored[part][0].images[place * 35..<place * 35 + 35])
                #expect(batch.annotated[row] == (part == 0 && place % 2 == 1 && place < 30))
                count += 1
            }
        }
        #expect(count == 91)
        let error = #expect(throws: DatasetError.self) { try Dataset.joining([pngs.path, other.path]) }
        #expect(error?.code == .wrongAttribute)
    }
}
