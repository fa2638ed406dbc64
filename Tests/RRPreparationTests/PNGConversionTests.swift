import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

/// `Fixtures/formats/png-grid/conversions.json` has what Pillow, and NumPy for 16 bits, make of some images.
@Suite("Converting PNGs as asked")
struct PNGConversionTests {
    struct Case: Decodable {
        let name: String
        let color: String
        let depth: Int
        let planes: [Int]
    }

    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Imports `in/` and gives the pixels of all images.
    func pixels(_ change: (inout PNGFolderImport.Options) -> Void) throws -> (ImportSummary, [Int]) {
        var options = PNGFolderImport.Options()
        options.force = true
        change(&options)
        let summary = try PNGFolderImport(
            folder: folder.path("in"), output: folder.path("out.h5"), options: options
        ).run()
        let images = try HDF5File(reading: folder.path("out.h5")).dataset("/images")
        return (summary, try images.readAll(as: Int64.self).map { Int($0) })
    }

    func copy(_ names: String...) throws {
        for (number, name) in names.enumerated() {
            let bytes = try FileBytes.read(Fixtures.path("formats/png-grid/\(name).png"))
            try folder.write(bytes, to: "in/a/\(number).png")
        }
    }

    @Test("colour types and depths are converted as Pillow converts them")
    func conversions() throws {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/png-grid/conversions.json")))
        let cases = try JSONDecoder().decode([Case].self, from: data)
        #expect(cases.count == 48)
        for conversion in cases {
            try copy(conversion.name)
            let (summary, found) = try pixels {
                $0.reading.color = ImageFolderOptions.Color(rawValue: conversion.color) ?? .auto
                $0.reading.depth = ImageFolderOptions.Depth(rawValue: conversion.depth)
                $0.reading.background = RGBColor(red: 10, green: 200, blue: 31)
            }
            #expect(summary.color == conversion.color)
            #expect(summary.elementType == (conversion.depth == 16 ? .uint16 : .uint8))
            // In 16 bits the weights of gray are rounded to 16 binary places too.
            let tolerance = conversion.depth == 16 || conversion.name.hasSuffix("16") ? 1 : 0
            let difference = zip(found, conversion.planes).map { abs($0 - $1) }.max()
            #expect(found.count == conversion.planes.count)
            #expect(
                difference ?? 9 <= tolerance, "\(conversion.name) to \(conversion.color) \(conversion.depth)")
        }
    }

    @Test("every 16-bit value becomes the nearest of 8 bits")
    func depth() throws {
        let samples = (0..<65536).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let image = PNGImage(width: 256, height: 256, channels: 1, bitDepth: 16, samples: samples)
        try folder.write(PNGEncoder.encode(image), to: "in/a/1.png")
        let expected = (0..<65536).map { Int((Double($0) * 255 / 65535).rounded()) }
        #expect(try pixels { $0.reading.depth = .eight }.1 == expected)
        #expect(try pixels { _ in }.1 == Array(0..<65536))
    }

    @Test("gray weighs every colour as ITU-R BT.601 does, to the nearest of 8 bits")
    func gray() throws {
        let levels = stride(from: 0, to: 256, by: 15).map { UInt8($0) }
        let colors = levels.flatMap { red in levels.flatMap { green in levels.map { [red, green, $0] } } }
        let image = PNGImage(
            width: levels.count * levels.count, height: levels.count, channels: 3, bitDepth: 8,
            samples: colors.flatMap { $0 })
        try folder.write(PNGEncoder.encode(image), to: "in/a/1.png")
        let (_, found) = try pixels { $0.reading.color = .gray }
        for (gray, color) in zip(found, colors) {
            let exact = 0.299 * Double(color[0]) + 0.587 * Double(color[1]) + 0.114 * Double(color[2])
            #expect(abs(Double(gray) - exact) <= 0.502)
        }
    }

    @Test("files that differ end in an error that names the options, and with them in a dataset")
    func disagreement() throws {
        try copy("gray-8", "rgba-16")
        let error = #expect(throws: DatasetError.self) { try pixels { _ in } }
        #expect(error?.code == .inconsistentImages)
        #expect(error?.message.contains("`color`") == true && error?.message.contains("`depth`") == true)
        #expect(error?.message.contains("`resizing`") == false)
        let colorless = #expect(throws: DatasetError.self) { try pixels { $0.reading.color = .rgb } }
        #expect(colorless?.message.contains("`color`") == false)
        let (summary, found) = try pixels {
            $0.reading.color = .rgb
            $0.reading.depth = .eight
        }
        #expect(summary.sampleCount == 2 && found.count == 2 * 3 * 63)
    }

    @Test("images of any size are resized, and the dataset remembers it")
    func resizing() throws {
        for (number, (height, width)) in [(4, 6), (8, 3), (5, 5)].enumerated() {
            let samples = (0..<height * width * 3).map { UInt8($0 % 3 * 40 + 10) }
            let image = PNGImage(width: width, height: height, channels: 3, bitDepth: 8, samples: samples)
            try folder.write(PNGEncoder.encode(image), to: "in/a/\(number).png")
        }
        let sizes = #expect(throws: DatasetError.self) { try pixels { _ in } }
        #expect(sizes?.message.contains("`resizing`") == true && sizes?.message.contains("`color`") == false)
        let resizing = try Resizing(height: 4, width: 4, fit: .pad)
        let (summary, found) = try pixels {
            $0.reading.resizing = resizing
            $0.reading.background = RGBColor(red: 1, green: 2, blue: 3)
        }
        #expect(summary.imageShape.dimensions == [3, 4, 4])
        #expect(try Dataset(path: folder.path("out.h5")).resizing() == resizing)
        // The 4×6 image covers rows 0 to 2 of 4 (3 of 4, centred downwards to even), the 8×3 one columns 1 and 2.
        let colors = [(10, 1), (50, 2), (90, 3)]
        for (channel, (color, background)) in colors.enumerated() {
            let plane = found[48 + channel * 16..<48 + channel * 16 + 16]
            #expect(Array(plane.prefix(4)) == [background, color, color, background])
            #expect(found[96 + channel * 16..<96 + channel * 16 + 16].allSatisfy { $0 == color })
        }
    }

    @Test(
        "with stretch, crop and pad an import has the pixels of the resizing",
        arguments: Resizing.Fit.allCases)
    func resizedPixels(fit: Resizing.Fit) throws {
        try copy("gray-8")
        let (_, stored) = try pixels { _ in }
        let resizing = try Resizing(height: 5, width: 4, fit: fit)
        let (_, found) = try pixels { $0.reading.resizing = resizing }
        var expected = [UInt8](repeating: 9, count: 20)
        stored.map { UInt8($0) }.withUnsafeBufferPointer { plane in
            expected.withUnsafeMutableBufferPointer {
                resizing.resample(plane, height: 7, width: 9, filling: [0], into: $0)
            }
        }
        #expect(found == expected.map { Int($0) })
    }

    @Test("ignored colour spaces are counted")
    func colorSpaces() throws {
        try copy("rgb-8-pieces", "rgb-8-stored", "rgb-8-pieces")
        let (summary, _) = try pixels { _ in }
        #expect(summary.colorSpaceCount == 2)
    }

    @Test(
        "colours are six hexadecimal digits",
        arguments: ["", "12345", "1234567", "GGGGGG", "-12345", "１２３４５６"])
    func color(text: String) {
        #expect(RGBColor(hexadecimal: text) == nil)
        #expect(RGBColor(hexadecimal: "#0aFF10") == RGBColor(red: 10, green: 255, blue: 16))
        #expect(RGBColor(red: 10, green: 255, blue: 16).hexadecimal == "0AFF10")
    }
}
