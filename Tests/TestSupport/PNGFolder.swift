import Foundation
package import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor

/// A folder of random PNGs and the dataset that its import makes, in a folder of its own.
package struct PNGFolder {
    /// What kind of folder and images.
    package enum Kind: CaseIterable {
        case classes, splits, metadata, jsonLines, flat, rgb, sixteenBit, grayAlpha, palette, mixed
    }

    package let folder: TemporaryFolder
    package let reading: ImageFolderOptions

    package var path: String { folder.path("pngs") }
    package var importPath: String { folder.path("d.h5") }

    package init(_ kind: Kind, sampleCount: Int = 60) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        var reading = ImageFolderOptions()
        var generator = SplitMix64(seed: UInt64(sampleCount))
        func write(_ name: String, channels: Int = 1, bitDepth: Int = 8, height: Int = 5, width: Int = 7)
            throws
        {
            let count = height * width * channels * bitDepth / 8
            let image = PNGImage(
                width: width, height: height, channels: channels, bitDepth: bitDepth,
                samples: (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
            try folder.write(PNGEncoder.encode(image), to: "pngs/" + name)
        }
        func writeGrid(_ name: String, to target: String) throws {
            let bytes = try FileBytes.read(Fixtures.path("formats/png-grid/\(name).png"))
            try folder.write(bytes, to: "pngs/" + target)
        }
        switch kind {
        case .classes:
            for sample in 0..<sampleCount { try write("\(["b", "a/x", "ü"][sample % 3])/\(sample).png") }
        case .splits:
            for sample in 0..<sampleCount {
                try write("\(["train", "test", "val"][sample % 3])/\(["b", "a"][sample % 2])/\(sample).png")
            }
        case .metadata, .jsonLines:
            var lines = kind == .metadata ? ["file_name,label,split,group"] : []
            for sample in (0..<sampleCount).reversed() {
                try write("x\(sample % 4)/\(sample).png")
                let (name, split) = ("x\(sample % 4)/\(sample).png", ["train", "dev"][sample % 2])
                lines.append(
                    kind == .metadata
                        ? "\(name),\(sample * 7 % 5),\(split),g\(sample % 3)"
                        : "{\"file_name\": \"\(name)\", \"label\": \"\(sample * 7 % 5)-th\", \"split\": \"\(split)\"}"
                )
            }
            let name = kind == .metadata ? "metadata.csv" : "metadata.jsonl"
            try folder.write(Array(lines.joined(separator: "\n").utf8), to: "pngs/" + name)
        case .flat:
            for sample in 0..<sampleCount { try write("\(sample % 2 == 0 ? "" : "below/")\(sample).png") }
            reading.labels = .none
        case .rgb: for sample in 0..<sampleCount { try write("c/\(sample).png", channels: 3) }
        case .sixteenBit: for sample in 0..<sampleCount { try write("c/\(sample).png", bitDepth: 16) }
        case .grayAlpha: for sample in 0..<sampleCount { try write("c/\(sample).png", channels: 2) }
        case .palette:
            for name in [
                "palette-8", "palette-4", "palette-2-interlaced", "palette-1", "rgb-8", "rgb-8-palette",
            ] {
                try writeGrid(name, to: "c/\(name).png")
            }
        case .mixed:
            for sample in 0..<sampleCount {
                try write(
                    "c/\(sample).png", channels: 1 + sample % 4, bitDepth: sample % 3 == 0 ? 16 : 8,
                    height: 4 + sample % 5)
            }
            (reading.color, reading.depth) = (.gray, .eight)
            reading.resizing = try Resizing(height: 6, width: 5, fit: .pad)
            reading.background = RGBColor(red: 9, green: 80, blue: 200)
        }
        self.reading = reading
        var options = PNGFolderImport.Options()
        options.reading = reading
        _ = try PNGFolderImport(folder: path, output: importPath, options: options).run()
    }

    /// The folder, opened anew, so that nothing of it has been read.
    package func opened() throws -> Dataset { try Dataset(pngFolder: path, reading: reading) }

    package func imported() throws -> Dataset { try Dataset(path: importPath) }

    /// Random masks for every second sample of the import, in a file.
    package func writeMasks() throws -> String {
        let dataset = try imported()
        let (count, shape) = (dataset.sampleCount, dataset.imageShape)
        var generator = SplitMix64(seed: 1)
        var bits = try MaskBits(rowCount: count / 2 + 1, elementsPerRow: shape.pixelCount)
        for row in 0..<count / 2 {
            for place in 0..<shape.pixelCount { bits[row, place] = generator.next() & 1 == 1 }
        }
        let masks = try MaskSet(
            bits: bits, rows: (0..<count).map { $0 % 2 == 1 ? $0 / 2 : count / 2 },
            maskShape: ImageShape(channels: 1, height: shape.height, width: shape.width),
            datasetFingerprint: dataset.fingerprint)
        try MaskSetWriter.write(masks, provenance: [:], path: folder.path("m.h5"), force: true)
        return folder.path("m.h5")
    }
}
