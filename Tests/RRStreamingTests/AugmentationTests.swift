import Foundation
import RRDatasets
import RRTensor
import TestSupport
import Testing

@testable import RRStreaming

@Suite("Augmentation")
struct AugmentationTests {
    struct Case: Decodable {
        let changes: String
        let shape: [Int]
        let seed: String
        let epoch, index: Int
        let result: [Float]

        static func all() throws -> [Case] {
            let data = try Data(contentsOf: URL(filePath: Fixtures.path("streaming/augmentation.json")))
            return try JSONDecoder().decode([Case].self, from: data)
        }
    }

    private func changed(
        _ text: String, _ image: [Float], _ mask: [UInt8], _ shape: ImageShape, seed: UInt64 = 1,
        epoch: Int = 0,
        index: Int = 0, isUnit: Bool = true
    ) throws -> (image: [Float], mask: [UInt8]) {
        var (image, mask) = (image, mask)
        let augmentation = try Augmentation(text)
        let outputShape = try augmentation.imageShape(of: shape)
        image.withUnsafeMutableBufferPointer { image in
            mask.withUnsafeMutableBufferPointer { mask in
                var picture = Picture(shape: shape, imageMemory: image, maskMemory: mask)
                augmentation.apply(
                    seed: seed, epoch: epoch, index: index, to: &picture, outputShape: outputShape,
                    isUnit: isUnit, scratch: PictureScratch())
            }
        }
        return (image, mask)
    }

    @Test("changes of place are NumPy's, draw for draw")
    func numpy() throws {
        let cases = try Case.all()
        #expect(cases.count == 48)
        for item in cases {
            let shape = try ImageShape(channels: item.shape[0], height: item.shape[1], width: item.shape[2])
            let image = (0..<shape.elementCount).map { Float($0 + 1) }
            let (result, mask) = try changed(
                item.changes, image, image.map { UInt8($0) }, shape, seed: try #require(UInt64(item.seed)),
                epoch: item.epoch, index: item.index)
            #expect(result == item.result, "\(item.changes) of \(item.index)")
            #expect(mask.map { Float($0) } == item.result)
        }
    }

    @Test("a mask that equals its image equals it after every change of place", arguments: [1, 3])
    func equality(maskChannels: Int) throws {
        let shape = try ImageShape(channels: 3, height: 9, width: 9)
        var generator = SplitMix64(seed: 3)
        let texts = [
            "hflip", "vflip", "crop:4", "rot90", "cutout:5", "rot90,crop:2,cutout:3,vflip,hflip",
        ]
        var changedCount = 0
        for index in 0..<300 {
            let plane = (0..<81).map { _ in UInt8(generator.next() & 1) }
            let pixels = plane + plane + plane
            let (image, mask) = try changed(
                texts[index % texts.count], pixels.map { Float($0) }, maskChannels == 1 ? plane : pixels,
                shape,
                seed: UInt64(index / 50), epoch: index % 7, index: index)
            for channel in 0..<3 {
                let from = maskChannels == 1 ? 0 : channel * 81
                #expect(
                    image[channel * 81..<(channel + 1) * 81].elementsEqual(
                        mask[from..<from + 81].map(Float.init)))
            }
            changedCount += image.map { UInt8($0) } == pixels ? 0 : 1
        }
        #expect(changedCount > 150)
    }

    @Test("a change depends on seed, epoch and index, and not on the other changes")
    func draws() throws {
        let shape = try ImageShape(channels: 1, height: 8, width: 8)
        let image = (0..<64).map { Float($0) / 64 }
        let mask = [UInt8](repeating: 1, count: 64)
        func result(_ text: String, _ seed: UInt64, _ epoch: Int, _ index: Int) throws -> [Float] {
            try changed(text, image, mask, shape, seed: seed, epoch: epoch, index: index).image
        }
        let results = try [
            result("crop:7", 0, 0, 0), result("crop:7", 1, 0, 0), result("crop:7", 0, 1, 0),
            result("crop:7", 0, 0, 1),
        ]
        #expect(Set(results).count == 4)
        #expect(try result("crop:7", 0, 0, 0) == results[0])
        let flipped = try (0..<400).count { try result("hflip", 4, 0, $0) != image }
        #expect(150...250 ~= flipped)
        for index in 0..<20 {
            let isFlipped = try result("hflip", 4, 0, index) != image
            let both = try result("contrast:0.5,hflip", 4, 0, index)
            #expect((both[32] > both[39]) == isFlipped)
        }
    }

    @Test("brightness and contrast change the image within their amounts and leave the mask alone")
    func lightness() throws {
        let shape = try ImageShape(channels: 2, height: 2, width: 2)
        let image: [Float] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.3, 0.2, 0.4]
        let mask: [UInt8] = [1, 0, 1, 0, 0, 1, 0, 1]
        let mean = image.reduce(0, +) / 8
        var factors: [Float] = []
        for index in 0..<200 {
            let bright = try changed("brightness:0.25", image, mask, shape, index: index)
            let factor = bright.image[0] / image[0]
            factors.append(factor)
            #expect(zip(bright.image, image).allSatisfy { abs($0 - factor * $1) < 1e-6 })
            let contrasted = try changed("contrast:0.25", image, mask, shape, index: index)
            let spread = (contrasted.image[0] - mean) / (image[0] - mean)
            #expect(0.75 - 1e-5...1.25 + 1e-5 ~= spread)
            #expect(zip(contrasted.image, image).allSatisfy { abs($0 - mean - spread * ($1 - mean)) < 1e-6 })
            #expect(bright.mask == mask && contrasted.mask == mask)
        }
        #expect(factors.allSatisfy { 0.75 - 1e-5...1.25 + 1e-5 ~= $0 })
        #expect(factors.min() ?? 1 < 0.8 && factors.max() ?? 1 > 1.2)
        let white = [Float](repeating: 1, count: 8)
        let results = try (0..<50).map { try changed("brightness:1", white, mask, shape, index: $0).image[0] }
        #expect(results.allSatisfy { $0 <= 1 } && results.contains(1) && results.contains { $0 < 1 })
        let free = try (0..<50).map {
            try changed("brightness:1", white, mask, shape, index: $0, isUnit: false).image[0]
        }
        #expect(free.contains { $0 > 1 })
    }

    @Test("erase puts random values where the mask is, and nowhere else")
    func erase() throws {
        let shape = try ImageShape(channels: 2, height: 20, width: 20)
        let mask = (0..<400).map { UInt8($0 % 3 == 0 ? 1 : 0) }
        let image = (0..<800).map { Float($0) / 100 - 3 }
        let erased = try changed("erase", image, mask + mask, shape)
        let single = try changed("erase", image, mask, shape)
        #expect(erased.image == single.image && erased.mask == mask + mask)
        for element in 0..<800 where mask[element % 400] == 0 {
            #expect(erased.image[element] == image[element])
        }
        let values = (0..<800).filter { mask[$0 % 400] == 1 }.map { erased.image[$0] }
        #expect(
            values.allSatisfy { 0..<1 ~= $0 } && abs(values.reduce(0, +) / Float(values.count) - 0.5) < 0.1)
        let free = try changed("erase", image, mask, shape, isUnit: false)
        #expect(free.image.allSatisfy { -3...5 ~= $0 } && free.image != erased.image)
        let other = try changed("erase", image, mask, shape, epoch: 1)
        #expect(other.image != single.image)
    }

    @Test("the text of an augmentation reads back as the same")
    func text() throws {
        let text = "hflip,vflip,crop:4,rot90,cutout:8,brightness:0.2,contrast:0.5,erase"
        let augmentation = try Augmentation(text)
        #expect(augmentation.changes.count == 8)
        #expect(augmentation.text == text)
    }

    @Test(
        "what is no augmentation is refused",
        arguments: [
            "", "flip", "hflip,", "hflip:2", "crop", "crop:0", "crop:-1", "crop:1.5", "cutout:x",
            "brightness:0",
            "brightness:2", "contrast:nan", "hflip,hflip", "crop:1,crop:2", "rot90:1", "erase,erase",
        ])
    func refusals(text: String) {
        let error = #expect(throws: DatasetError.self) { try Augmentation(text) }
        #expect(error?.code == .invalidOption)
    }
}
