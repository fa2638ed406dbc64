import Foundation
import RRDatasets
import RRFormats
import RRTensor
import RRTraining
import TestSupport
import Testing

@testable import RRReports

@Suite("sheets of samples")
struct ContactSheetTests {
    static let names = [
        "plain", "\"quotes\" & 'others'", "<script>alert(1)</script>", "a]]>b",
        "\u{5E9}\u{5DC}\u{5D5}\u{5DD}",
        "e\u{301}\u{302}\u{303}", "👩‍👩‍👧",
    ]

    private static let kinds: [(channels: Int, type: ImageElementType, color: String)] = [
        (1, .uint8, "gray"), (2, .uint8, "gray-alpha"), (3, .uint16, "rgb"), (4, .uint8, "rgba"),
        (3, .float32, "other"), (6, .float32, "other"),
    ]

    @Test("every kind of image is drawn, whatever the samples are called", arguments: 0..<6)
    func kinds(number: Int) throws {
        let kind = Self.kinds[number]
        let folder = try TemporaryFolder()
        var sample = try SampleDataset(folder, channels: kind.channels)
        (sample.elementType, sample.color, sample.ids) = (kind.type, kind.color, Self.names)
        let dataset = try sample.dataset()
        let sheet = try ContactSheet(
            of: Array(0..<7), in: dataset, masks: sample.masks(dataset.fingerprint), title: Self.names[2])
        let png = try PNGDecoder.decode(sheet.png(), path: "sheet.png")
        #expect(png.width > 640 && png.height > 128 && png.channels == 3)
        let svg = try sheet.svg()
        #expect(!svg.contains("<script") && !svg.contains("]]>"))
        #expect(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(try sheet.png() == sheet.png())
    }

    @Test("one sample, no labels, no masks and no samples at all")
    func little() throws {
        let folder = try TemporaryFolder()
        let sample = try SampleDataset(
            folder, images: [[7]], of: ImageShape(channels: 1, height: 1, width: 1))
        let dataset = try sample.dataset()
        #expect(try ContactSheet(of: [0], in: dataset).png().count > 100)
        #expect(try ContactSheet(of: [], in: dataset).png().count > 100)
        #expect(throws: DatasetError.self) { try ContactSheet(of: [1], in: dataset) }
    }

    @Test("a sheet shows the mask of each sample, and no other's")
    func masks() throws {
        let folder = try TemporaryFolder()
        let sample = try SampleDataset(folder, height: 8, width: 8)
        let dataset = try sample.dataset()
        try sample.writeMasks()
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset, keeping: [1, 3])
        #expect(masks.isAnnotated(1) && !masks.isAnnotated(3) && !masks.isAnnotated(4))
        let sheet = try ContactSheet(of: [1, 3], in: dataset, masks: masks).sheet
        let panels = sheet.items.compactMap { item -> PixelPanel? in
            if case .panel(let panel, _, _, let text) = item, text.contains("mask") { panel } else { nil }
        }
        // The legend, and one a sample.
        #expect(panels.count == 3)
        let tint = { (panel: PixelPanel) in
            (0..<panel.height).reduce(0) { sum, row in
                sum + (0..<panel.width).count { panel[row, $0] == Palette.mask }
            }
        }
        // Sample 1 has one pixel, drawn 16 pixels large: its border is the line.
        #expect(tint(panels[1]) == 60 && tint(panels[2]) == 0)
    }

    @Test(
        "terminals get all pixels in the form that was asked for", arguments: TerminalImage.allCases)
    func terminals(terminal: TerminalImage) throws {
        let folder = try TemporaryFolder()
        let sheet = try ContactSheet(of: [0, 1, 2], in: SampleDataset(folder).dataset())
        let text = try terminal.text(of: sheet)
        switch terminal {
        case .kitty:
            let pieces = text.components(separatedBy: "\u{1B}\\").filter { $0.hasPrefix("\u{1B}_G") }
            #expect(pieces.first?.contains("f=100,a=T,m=") == true)
            #expect(pieces.last?.contains("m=0;") == true)
            let digits = pieces.map { $0.components(separatedBy: ";")[1] }.joined()
            #expect(try Base64.bytes(of: digits) == sheet.png())
        case .iterm2:
            let digits = text.components(separatedBy: ":")[1].dropLast(2)
            #expect(try Base64.bytes(of: String(digits)) == sheet.png())
        case .sixel:
            let pixels = sheet.sheet.pixels()
            #expect(text.hasPrefix("\u{1B}Pq\"1;1;\(pixels.width);\(pixels.height)#0;2;0;0;0"))
            #expect(text.filter { $0 == "-" }.count == (pixels.height + 5) / 6)
        }
    }

    @Test("a choice is the seed's, in the order of the dataset or class by class")
    func choice() throws {
        let folder = try TemporaryFolder()
        let dataset = try SampleDataset(folder).dataset()
        #expect(try SampleChoice(.first, count: 3).rows(in: dataset) == [0, 1, 2])
        #expect(try SampleChoice(.first, count: 9, split: "test").rows(in: dataset) == [4, 5, 6])
        let drawn = try SampleChoice(.random, count: 4, seed: 1).rows(in: dataset)
        #expect(try drawn == SampleChoice(.random, count: 4, seed: 1).rows(in: dataset))
        #expect(drawn == drawn.sorted() && Set(drawn).count == 4)
        #expect(
            try (0..<9).contains { try SampleChoice(.random, count: 4, seed: $0).rows(in: dataset) != drawn })
        let classes = try SampleChoice(.classes, count: 6).rows(in: dataset)
        #expect(classes.map { dataset.labels?[$0] } == [0, 0, 1, 1, 2, 2])
        #expect(throws: DatasetError.self) { try SampleChoice(.loss).rows(in: dataset) }
        #expect(throws: DatasetError.self) { try SampleChoice(.first, split: "dev").rows(in: dataset) }
    }

    @Test("an id that is not there is answered with those that are most like it")
    func ids() throws {
        let folder = try TemporaryFolder()
        let dataset = try SampleDataset(folder).dataset()
        #expect(try SampleChoice.rows(ofIds: ["sample/4", "sample/0"], in: dataset) == [4, 0])
        let error = #expect(throws: DatasetError.self) {
            try SampleChoice.rows(ofIds: ["smaple/3"], in: dataset)
        }
        #expect(error?.message.contains("did you mean “sample/3”") == true)
        #expect(throws: DatasetError.self) {
            try SampleChoice.rows(ofIds: ["sample/4", "sample/4"], in: dataset)
        }
    }
}
