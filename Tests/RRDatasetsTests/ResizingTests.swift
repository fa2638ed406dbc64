import CPixelPlanes
import Foundation
@testable import RRDatasets
import RRSchemas
import RRTensor
import TestSupport
import Testing

/// `Fixtures/formats/resizing.json` has what Pillow makes of a few planes.
@Suite("Resizing")
struct ResizingTests {
    struct Case: Decodable {
        struct Target: Decodable {
            let height: Int
            let width: Int
            let fit: Resizing.Fit
            let smooth: [UInt8]
            let nearest: [UInt8]
            let deep: [UInt16]
        }

        let height: Int
        let width: Int
        let bytes: [UInt8]
        let words: [UInt16]
        let targets: [Target]
    }

    struct File: Decodable {
        let filling: UInt8
        let cases: [Case]
    }

    static func file() throws -> File {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/resizing.json")))
        return try JSONDecoder().decode(File.self, from: data)
    }

    /// Calls a body for every source and target.
    func forEachTarget(_ body: (Case, Case.Target, Resizing, UInt8) throws -> Void) throws {
        let file = try Self.file()
        var count = 0
        for source in file.cases {
            for target in source.targets {
                let resizing = try Resizing(height: target.height, width: target.width, fit: target.fit)
                try body(source, target, resizing, file.filling)
                count += 1
            }
        }
        #expect(count == 45)
    }

    func resample(_ source: Case, _ resizing: Resizing, filling: UInt8) -> [UInt8] {
        var target = [UInt8](repeating: 1, count: resizing.height * resizing.width)
        source.bytes.withUnsafeBufferPointer { plane in
            target.withUnsafeMutableBufferPointer {
                resizing.resample(
                    plane, height: source.height, width: source.width, filling: [filling], into: $0)
            }
        }
        return target
    }

    @Test("8-bit images are antialiased within one step of Pillow, stretched, cropped and padded")
    func smooth() throws {
        try forEachTarget { source, target, resizing, filling in
            let found = resample(source, resizing, filling: filling)
            let difference = zip(found, target.smooth).map { abs(Int($0) - Int($1)) }.max()
            #expect(difference ?? 2 <= 1, "\(source.height)×\(source.width) to \(resizing)")
        }
    }

    /// On processors that lack wide vectors the others alone are tested.
    @Test(
        "vectors resample as plain loops do, whatever the extents",
        arguments: rr_has_wide_resampling() ? [false, true] : [false])
    func vectors(areWide: Bool) throws {
        var generator = SplitMix64(seed: 5)
        for number in 0..<300 {
            let isLarge = number % 9 == 0
            let largest: [UInt64] = isLarge ? [400, 400, 150, 150] : [70, 70, 40, 40]
            let extents = largest.map { Int(generator.next() % $0) + 1 }
            let (vertical, horizontal) = (
                ResizingAxis(extent: extents[0], to: extents[2], filling: max(1, extents[2] - number % 3)),
                ResizingAxis(extent: extents[1], to: extents[3], filling: max(1, extents[3] - number % 4))
            )
            let (planeCount, planeSize) = (number % 4 + 1, extents[0] * extents[1])
            let targetSize = extents[2] * extents[3]
            // Of the extremes too, where sums are largest.
            let planes = (0..<planeCount * planeSize).map { _ in
                number % 5 == 0 ? UInt8(255) : UInt8(truncatingIfNeeded: generator.next())
            }
            let resampler = Resampler<UInt8, Int32>(vertical: vertical, horizontal: horizontal)
            let background = [UInt8](repeating: 7, count: planeCount * targetSize)
            var (found, expected) = (background, background)
            planes.withUnsafeBufferPointer { planes in
                found.withUnsafeMutableBufferPointer {
                    resampler.resampleBytes(
                        planes, planeCount: planeCount, into: $0, targetSize: targetSize,
                        rowLength: extents[3], byWideVectors: areWide)
                }
                for plane in 0..<planeCount {
                    let source = planes[plane * planeSize..<(plane + 1) * planeSize]
                    expected.withUnsafeMutableBufferPointer { expected in
                        let target = expected[plane * targetSize..<(plane + 1) * targetSize]
                        resampler.resample(
                            UnsafeBufferPointer(rebasing: source),
                            into: UnsafeMutableBufferPointer(rebasing: target), rowLength: extents[3])
                    }
                }
            }
            #expect(found == expected, "\(extents[0])×\(extents[1]) to \(extents[2])×\(extents[3])")
        }
    }

    @Test("16-bit images keep their depth: within one step of Pillow")
    func deep() throws {
        try forEachTarget { source, target, resizing, filling in
            var found = [UInt16](repeating: 1, count: target.deep.count)
            source.words.withUnsafeBufferPointer { plane in
                found.withUnsafeMutableBufferPointer {
                    resizing.resample(
                        plane, height: source.height, width: source.width, filling: [UInt16(filling) * 257],
                        into: $0)
                }
            }
            let difference = zip(found, target.deep).map { abs(Int($0) - Int($1)) }.max()
            #expect(difference ?? 2 <= 1, "\(source.height)×\(source.width) to \(resizing)")
        }
    }

    @Test("masks get Pillow's nearest pixels, along the geometry of the images")
    func nearest() throws {
        try forEachTarget { source, target, resizing, _ in
            var found = [UInt8](repeating: 1, count: target.nearest.count)
            source.bytes.withUnsafeBufferPointer { plane in
                found.withUnsafeMutableBufferPointer {
                    resizing.pickNearest(plane, height: source.height, width: source.width, into: $0)
                }
            }
            #expect(found == target.nearest, "\(source.height)×\(source.width) to \(resizing)")
        }
    }

    @Test("a mask covers what its image shows", arguments: Resizing.Fit.allCases)
    func alignment(fit: Resizing.Fit) throws {
        // A white square on black, and the mask of the square.
        let (height, width) = (60, 90)
        let plane = (0..<height * width).map { position in
            (20..<40).contains(position / width) && (35..<65).contains(position % width) ? UInt8(255) : 0
        }
        let resizing = try Resizing(height: 24, width: 30, fit: fit)
        var (image, mask) = ([UInt8](repeating: 0, count: 720), [UInt8](repeating: 0, count: 720))
        plane.withUnsafeBufferPointer { plane in
            image.withUnsafeMutableBufferPointer {
                resizing.resample(plane, height: height, width: width, filling: [0], into: $0)
            }
            mask.withUnsafeMutableBufferPointer {
                resizing.pickNearest(plane, height: height, width: width, into: $0)
            }
        }
        #expect(mask.contains(255) && mask.contains(0))
        for (pixel, marked) in zip(image, mask) { #expect(abs(Int(pixel) - Int(marked)) <= 128) }
    }

    @Test("extents outside 1 to 1,000,000 are refused", arguments: [(0, 5), (5, -1), (5, 1_000_001)])
    func extents(height: Int, width: Int) {
        let error = #expect(throws: DatasetError.self) { try Resizing(height: height, width: width) }
        #expect(error?.code == .invalidOption)
        let text = #"{"height":\#(height),"width":\#(width),"fit":"pad"}"#
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(Resizing.self, from: Data(text.utf8))
        }
    }

    @Test("a dataset remembers how its images were resized")
    func memory() throws {
        let folder = try TemporaryFolder()
        var sample = try SampleDataset(folder)
        #expect(try Dataset(path: sample.write()).resizing() == nil)
        sample.provenance = ["resize": ["height": 5, "width": 4, "fit": "crop"]]
        let resizing = try Resizing(height: 5, width: 4, fit: .crop)
        #expect(try Dataset(path: sample.write()).resizing() == resizing)
        sample.provenance = ["resize": ["height": 5, "width": 4, "fit": "shrink"]]
        let dataset = try Dataset(path: sample.write())
        let error = #expect(throws: DatasetError.self) { try dataset.resizing() }
        #expect(error?.code == .wrongAttribute)
    }

    @Test("a resizing is written and read as JSON")
    func coding() throws {
        let resizing = try Resizing(height: 224, width: 160, fit: .pad)
        let data = try JSONEncoder().encode(resizing)
        #expect(try JSONDecoder().decode(Resizing.self, from: data) == resizing)
        #expect(Resizing(json: try JSONValue(parsing: String(decoding: data, as: UTF8.self))) == resizing)
        #expect(resizing.json.serialized() == #"{"fit":"pad","height":224,"width":160}"#)
    }
}
