import RRDatasets
import RRTensor
import Testing

@testable import RRReports

@Suite("panels of images, masks and attributions")
struct PanelPainterTests {
    private func painter(_ channels: Int, _ height: Int, _ width: Int, edge: Int = 32) throws -> PanelPainter
    {
        PanelPainter(shape: try ImageShape(channels: channels, height: height, width: width), edge: edge)
    }

    @Test(
        "a panel has the image's proportions within its edge",
        arguments: [
            ((8, 8), (32, 32)), ((28, 28), (28, 28)), ((10, 5), (30, 15)), ((64, 32), (32, 16)),
            ((1024, 1024), (32, 32)), ((1, 1), (32, 32)), ((1, 1000), (1, 32)), ((33, 33), (32, 32)),
        ])
    func size(image: (Int, Int), panel: (Int, Int)) throws {
        let painter = try painter(1, image.0, image.1)
        #expect((painter.height, painter.width) == panel)
        let picture = painter.picture(Array(repeating: 0.5, count: image.0 * image.1))
        #expect(picture.samples.allSatisfy { $0 == 128 })
    }

    @Test("each pixel of a small image is a square of its colour")
    func enlarged() throws {
        let painter = try painter(3, 2, 2, edge: 8)
        let picture = painter.picture([1, 0, 0, 0.2, 0, 1, 0, 0.4, 0, 0, 1, 0.6])
        for row in 0..<8 {
            for column in 0..<8 {
                let color = [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (51, 102, 153)]][row / 4][column / 4]
                let found = picture[row, column]
                #expect((Int(found.red), Int(found.green), Int(found.blue)) == color)
            }
        }
    }

    @Test("of a large image each pixel has the mean colour of those that it covers")
    func reduced() throws {
        let picture = try painter(1, 2, 4, edge: 2).picture([0, 1, 1, 1, 0, 1, 1, 1])
        #expect(picture.samples == [128, 128, 128, 255, 255, 255])
    }

    @Test("transparent pixels show the ground, and alpha alone decides how much")
    func transparency() throws {
        for channels in [2, 4] {
            let colors = Array(repeating: Float(0), count: channels - 1)
            let opaque = try painter(channels, 1, 1).picture(colors + [1])
            let clear = try painter(channels, 1, 1).picture(colors + [0])
            #expect(opaque[0, 0] == .black && clear[0, 0] == Palette.checker.1)
        }
    }

    @Test("values outside 0 to 1 go from the smallest to the largest, and none that is not finite counts")
    func floats() throws {
        let picture = try painter(1, 1, 4, edge: 4).picture([-3, 5, 1, .nan])
        #expect((0..<4).map { picture[0, $0].red } == [0, 255, 128, 0])
        let constant = try painter(1, 1, 2, edge: 2).picture([7, 7])
        #expect(constant.samples.allSatisfy { $0 == 0 })
        #expect(try painter(1, 1, 1).picture([.infinity])[0, 0] == .black)
        #expect(try painter(5, 1, 1).picture([1, 0, 0, 0, 0])[0, 0].red == 51)
    }

    @Test(
        "the order of heat is the order of attributions, and the largest has the lightest colour",
        arguments: [32, 2])
    func heat(edge: Int) throws {
        let magnitudes: [Float] = [0, 1e-6, 0.1, 0.5, 2, 0.5, 0, 3, 8, 7, 6, 5, 0.01, 0.02, 0.04, 0.08]
        let painter = try painter(1, 4, 4, edge: edge)
        let panel = painter.heat(magnitudes)
        func step(_ row: Int, _ column: Int) throws -> Int {
            try #require(Palette.heatSteps.lastIndex(of: panel[row, column]))
        }
        var found: [(magnitude: Float, step: Int)] = []
        for row in 0..<panel.height {
            for column in 0..<panel.width {
                let pixels = edge == 2 ? 2 : 1
                let (top, left) = (row * 4 / panel.height, column * 4 / panel.width)
                var peak: Float = 0
                for y in top..<top + pixels {
                    for x in left..<left + pixels { peak = max(peak, magnitudes[y * 4 + x]) }
                }
                found.append((peak, try step(row, column)))
            }
        }
        for one in found {
            for other in found where one.magnitude > other.magnitude { #expect(one.step >= other.step) }
        }
        #expect(found.map(\.step).max() == 255)
        let dark = painter.heat(Array(repeating: 0, count: 16))
        #expect(dark[0, 0] == Palette.heat(0))
    }

    @Test("where A is 1 the tint is, its border the line, and around it the edge", arguments: [16, 64])
    func mask(edge: Int) throws {
        let painter = try painter(1, 16, 16, edge: edge)
        var mask = Array(repeating: UInt8(0), count: 256)
        for row in 4..<10 { for column in 6..<12 { mask[row * 16 + column] = 1 } }
        let plain = painter.picture((0..<256).map { Float($0) / 255 })
        var panel = plain
        painter.mark(mask, on: &panel, isTinted: true)
        let scale = edge / 16
        let (rows, columns) = (4 * scale..<10 * scale, 6 * scale..<12 * scale)
        for row in 0..<edge {
            for column in 0..<edge {
                let isInside = rows ~= row && columns ~= column
                let isDeep =
                    rows.dropFirst().dropLast() ~= row && columns.dropFirst().dropLast() ~= column
                let nearby =
                    (rows.lowerBound - 1...rows.upperBound ~= row && columns ~= column)
                    || (rows ~= row && columns.lowerBound - 1...columns.upperBound ~= column)
                let expected: RGBColor
                if isDeep {
                    expected = Palette.blend(plain[row, column], Palette.mask, share: Palette.tintShare)
                } else if isInside {
                    expected = Palette.mask
                } else {
                    expected = nearby ? Palette.maskEdge : plain[row, column]
                }
                #expect(panel[row, column] == expected)
            }
        }
    }

    @Test("a lone marked pixel of a large image is still seen")
    func thinMask() throws {
        var mask = Array(repeating: UInt8(0), count: 1024 * 1024)
        mask[700 * 1024 + 100] = 1
        let painter = try painter(1, 1024, 1024, edge: 64)
        var panel = PixelPanel(width: 64, height: 64)
        painter.mark(mask, on: &panel, isTinted: true)
        #expect(panel[700 / 16, 100 / 16] == Palette.mask)
    }
}
