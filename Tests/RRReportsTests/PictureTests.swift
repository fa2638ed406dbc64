import Foundation
import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

@testable import RRReports

/// Pictures as they were once looked at and found right: what changes them shows here. `RRDATA_DRAW=1 swift test --filter
/// PictureTests` draws them anew, to be looked at again.
@Suite("pictures are those that are kept")
struct PictureTests {
    private static let draws = ProcessInfo.processInfo.environment["RRDATA_DRAW"] != nil

    private func kept(_ name: String, _ bytes: [UInt8]) throws -> [UInt8] {
        let path = Fixtures.path("pictures/\(name)")
        if Self.draws { try Data(bytes).write(to: URL(filePath: path)) }
        return try Array(Data(contentsOf: URL(filePath: path)))
    }

    /// Compressed bytes are those of a release of libdeflate; the pixels are ours.
    private func checkPixels(_ name: String, _ png: [UInt8]) throws {
        let found = try PNGDecoder.decode(png, path: name)
        let expected = try PNGDecoder.decode(kept(name, png), path: name)
        #expect(
            (found.width, found.height, found.channels) == (
                expected.width, expected.height, expected.channels
            ))
        // A million samples are nothing to be printed.
        let areAlike = found.samples == expected.samples
        #expect(areAlike, "\(name)")
    }

    /// A drawing with its pictures by the sums of their pixels.
    private func text(_ svg: String) throws -> String {
        let start = "data:image/png;base64,"
        let parts = svg.components(separatedBy: start)
        return try (parts.first ?? "")
            + parts.dropFirst().map { part in
                let digits = part.prefix { $0 != "\"" }
                let bytes = try #require(Base64.bytes(of: String(digits)))
                let panel = try PNGDecoder.decode(bytes, path: "panel.png")
                var hasher = SHA256Hasher()
                panel.samples.withUnsafeBytes { hasher.update($0) }
                return "pixels:\(hasher.finalize().prefix(16))" + part.dropFirst(digits.count)
            }.joined()
    }

    private func sheet(channels: Int, _ type: ImageElementType, _ color: String) throws -> ContactSheet {
        let folder = try TemporaryFolder()
        var sample = try SampleDataset(folder, channels: channels, height: 12, width: 16)
        (sample.elementType, sample.color, sample.ids) = (type, color, ContactSheetTests.names)
        let dataset = try sample.dataset()
        return try ContactSheet(
            of: Array(0..<7), in: dataset, masks: sample.masks(dataset.fingerprint),
            title: "names of every kind")
    }

    @Test(
        "sheets as PNG and as SVG",
        arguments: [
            ("gray", 1, ImageElementType.uint8, "gray"), ("rgb-uint16", 3, .uint16, "rgb"),
            ("rgba", 4, .uint8, "rgba"), ("float", 3, .float32, "other"),
        ])
    func sheets(name: String, channels: Int, type: ImageElementType, color: String) throws {
        let sheet = try sheet(channels: channels, type, color)
        try checkPixels("sheet-\(name).png", sheet.png())
        let svg = try text(sheet.svg())
        #expect(try svg == String(decoding: kept("sheet-\(name).svg", Array(svg.utf8)), as: UTF8.self))
    }

    @Test("a heat map with the line of a mask")
    func heat() throws {
        let painter = PanelPainter(shape: try ImageShape(channels: 1, height: 16, width: 16), edge: 128)
        var panel = painter.heat((0..<256).map { Float($0 % 16 * ($0 / 16)) / 225 })
        painter.mark(
            (0..<256).map { 5..<11 ~= $0 % 16 && 3..<8 ~= $0 / 16 ? 1 : 0 }, on: &panel, isTinted: false)
        try checkPixels("heat.png", panel.png())
    }

    @Test("curves as SVG")
    func curves() throws {
        let plain: [(Double, Double)] = (0..<500).map { step in
            let noise = Double(step % 7) / 20
            return (Double(step), 100 / Double(step + 40) + noise)
        }
        let chart = LineChart(
            title: "Loss", xName: "step",
            lines: [ChartLine("plain", plain), ChartLine("<b>right", [(0, 1.5), (250, 0.5), (499, 0.25)])])
        let html = chart.html()
        #expect(try html == String(decoding: kept("curves.svg.html", Array(html.utf8)), as: UTF8.self))
    }
}
