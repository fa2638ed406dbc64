import Foundation
import RRDatasets
import RRTensor
import TestSupport
import Testing

@testable import RRStreaming

/// Changes that resample or recolour, against torchvision: `Fixtures/streaming/torchvision_changes.py`.
@Suite("Resampled changes")
struct ResampledChangesTests {
    struct Reference: Decodable {
        struct Case: Decodable {
            let changes, resizeCrop, seed: String?
            let epoch, index: Int?
            let shape: [Int]
            let image: [Float]
            let mask: String
        }
        let cases, resized: [Case]

        static func read() throws -> Reference {
            let data = try Data(
                contentsOf: URL(filePath: Fixtures.path("streaming/torchvision_changes.json")))
            return try JSONDecoder().decode(Reference.self, from: data)
        }
    }

    private struct Result {
        let image: [Float]
        let mask: [UInt8]
        let shape: ImageShape
    }

    private func shape(_ extents: [Int]) throws -> ImageShape {
        try ImageShape(channels: extents[0], height: extents[1], width: extents[2])
    }

    /// The reference's image and mask.
    private func picture(_ shape: ImageShape) -> (image: [Float], mask: [UInt8]) {
        let (height, width) = (shape.height, shape.width)
        let rows = height / 4..<height / 4 + (height + 1) / 2
        let columns = width / 3..<min(width, width / 3 + (width + 2) / 3)
        let image = (0..<shape.elementCount).map { Float($0 * 7919 % 256) / 255 }
        let mask = (0..<shape.elementCount).map { element in
            let pixel = element % shape.pixelCount
            return UInt8(rows.contains(pixel / width) && columns.contains(pixel % width) ? 1 : 0)
        }
        return (image, mask)
    }

    private func changed(
        _ image: [Float], _ mask: [UInt8], _ shape: ImageShape, augment: String? = nil,
        resizeCrop: ResizeCrop? = nil, seed: UInt64 = 0, epoch: Int = 0, index: Int = 0, isUnit: Bool = true
    ) throws -> Result {
        var options = StreamOptions(batchSize: 1, seed: seed)
        options.augmentation = try augment.map { try Augmentation($0) }
        options.resizeCrop = resizeCrop
        let output = try options.imageShape(of: shape)
        let room = max(output.elementCount, shape.elementCount)
        let maskRoom = room / (mask.count == image.count ? 1 : shape.channels)
        // What no change may read or leave standing.
        var image = image + Array(repeating: Float.nan, count: room - image.count)
        var mask = mask + Array(repeating: 7, count: maskRoom - mask.count)
        let scratch = PictureScratch()
        return try image.withUnsafeMutableBufferPointer { image in
            try mask.withUnsafeMutableBufferPointer { mask in
                var picture = Picture(shape: shape, imageMemory: image, maskMemory: mask)
                if let resizeCrop = options.resizeCropOfStream {
                    picture.resample(resizeCrop.resampling(of: shape), to: output, scratch)
                }
                options.augmentation?.apply(
                    seed: seed, epoch: epoch, index: index, to: &picture, outputShape: output,
                    isUnit: isUnit, scratch: scratch)
                return Result(
                    image: Array(picture.image), mask: Array(try #require(picture.mask)), shape: picture.shape
                )
            }
        }
    }

    private func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
        one.count == other.count ? zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    @Test("changes are torchvision's, draw for draw")
    func torchvision() throws {
        let cases = try Reference.read().cases
        #expect(cases.count == 57)
        for item in cases {
            let shape = try shape(item.shape)
            let (image, mask) = picture(shape)
            let name = "\(item.changes ?? "") of \(item.index ?? 0)"
            let result = try changed(
                image, mask, shape, augment: item.changes,
                seed: try #require(item.seed.flatMap { UInt64($0) }),
                epoch: item.epoch ?? 0, index: item.index ?? 0)
            #expect(largestDifference(result.image, item.image) < 2e-4, "\(name)")
            #expect(result.mask.map { String($0) }.joined() == item.mask, "\(name)")
        }
    }

    @Test("resizing and cropping is torchvision's")
    func resizing() throws {
        let cases = try Reference.read().resized
        #expect(cases.count == 5)
        for item in cases {
            let shape = try shape(item.shape)
            let (image, mask) = picture(shape)
            let text = try #require(item.resizeCrop)
            let resizeCrop = try #require(ResizeCrop(text))
            let result = try changed(image, mask, shape, resizeCrop: resizeCrop)
            #expect(largestDifference(result.image, item.image) < 2e-4, "\(text)")
            #expect(result.mask.map { String($0) }.joined() == item.mask, "\(text)")
        }
    }

    @Test(
        "marked pixels stay under their mask",
        arguments: [
            "resized-crop:24x24", "resized-crop:60x51:0.4:1", "rotate:180", "hflip,rotate:45",
            "rotate:180:180,resized-crop:50x70:0.5:1",
        ], [1, 3])
    func marks(text: String, maskChannels: Int) throws {
        let shape = try ImageShape(channels: 3, height: 48, width: 56)
        var inside = 0
        for index in 0..<40 {
            // A white square on black, which is what is masked.
            let (top, left) = (4 + index % 7 * 4, 3 + index % 5 * 8)
            let plane = (0..<shape.pixelCount).map { pixel in
                UInt8(top..<top + 14 ~= pixel / 56 && left..<left + 12 ~= pixel % 56 ? 1 : 0)
            }
            let image = (plane + plane + plane).map { Float($0) }
            let result = try changed(
                image, maskChannels == 1 ? plane : plane + plane + plane, shape, augment: text, index: index)
            let count = result.shape.pixelCount
            #expect(result.mask.count == maskChannels * count && result.image.count == 3 * count)
            for element in result.mask.indices {
                // The mask's edge is where the image is half white, but for a pixel's width.
                if result.image[element] > 0.8 { #expect(result.mask[element] == 1) }
                if result.image[element] < 0.2 { #expect(result.mask[element] == 0) }
                inside += Int(result.mask[element])
            }
        }
        #expect(inside > 2000)
    }

    @Test("colour and blur leave the mask, and integers their range")
    func colour() throws {
        let shape = try ImageShape(channels: 3, height: 9, width: 8)
        let (image, mask) = picture(shape)
        for index in 0..<20 {
            let result = try changed(image, mask, shape, augment: "hue:0.5,blur:5:0.3:3", index: index)
            #expect(result.mask == mask)
            #expect(result.image.allSatisfy { 0...1 ~= $0 } && result.image != image)
        }
        let gray = [Float](repeating: 0.3, count: shape.elementCount)
        #expect(try changed(gray, mask, shape, augment: "hue:0.5").image == gray)
        // Floating-point images may be of any range, and their hue goes by differences.
        let lower = try changed(image.map { $0 - 2 }, mask, shape, augment: "hue:0.5", isUnit: false)
        let plain = try changed(image, mask, shape, augment: "hue:0.5", isUnit: false)
        #expect(largestDifference(lower.image.map { $0 + 2 }, plain.image) < 1e-5)
    }

    @Test(
        "a stream gives each sample as the changes make it, and says whether its mask has a pixel left",
        arguments: [
            ("resized-crop:2x2:0.1:0.3", nil), ("resized-crop:7x9,hflip", nil), ("hflip,blur:3", "4:3"),
            ("rotate:90", "2:1x2"), (nil, "9:5"),
        ] as [(String?, String?)])
    func stream(augment: String?, resizing: String?) throws {
        let small = try SmallDataset(sampleCount: 53)
        let resizeCrop = try resizing.map { text in
            let crop = ResizeCrop(text)
            return try #require(crop)
        }
        var options = StreamOptions(batchSize: 8, isShuffled: true, seed: 3, epochs: 2)
        options.augmentation = try augment.map { try Augmentation($0) }
        options.resizeCrop = resizeCrop
        (options.rank, options.world) = (1, 2)
        let stream = try BatchStream(
            dataset: small.dataset, masks: small.masks, options: options,
            resources: StreamResources(threadCount: 2))
        let shape = try options.imageShape(of: small.dataset.imageShape)
        var (annotated, padded) = (Set<Bool>(), 0)
        while let batch = try stream.next() {
            #expect(batch.imageShape == shape && batch.images.count == batch.count * shape.elementCount)
            for row in 0..<batch.count {
                let elements = row * shape.elementCount..<(row + 1) * shape.elementCount
                let index = Int(batch.indices[row])
                guard index >= 0 else {
                    padded += 1
                    #expect(
                        batch.images[elements].allSatisfy { $0 == 0 } && !batch.masks[elements].contains(1))
                    continue
                }
                let sample = small.expected(index)
                let expected = try changed(
                    sample.image, sample.mask, small.dataset.imageShape, augment: augment,
                    resizeCrop: resizeCrop, seed: 3, epoch: batch.epoch, index: index)
                #expect(largestDifference(Array(batch.images[elements]), expected.image) < 1e-6)
                #expect(Array(batch.masks[elements]) == expected.mask)
                #expect(batch.annotated[row] == expected.mask.contains(1))
                annotated.insert(batch.annotated[row])
            }
        }
        #expect(annotated.count == 2 && padded > 0)
        #expect(throws: DatasetError.self) {
            try BatchStream(dataset: small.dataset, options: options, givesStoredImages: true)
        }
    }

    @Test("what is read is written as it reads back, and what is left out is torchvision's")
    func text() throws {
        for (text, written) in [
            ("resized-crop:224", "resized-crop:224x224"), ("resized-crop:8x9:0.08:1", "resized-crop:8x9"),
            ("resized-crop:8x9:0.5:1", "resized-crop:8x9:0.5:1.0"),
            ("resized-crop:8x9:0.08:1:1:2", "resized-crop:8x9:0.08:1.0:1.0:2.0"),
            ("rotate:15", "rotate:15.0"), ("rotate:-15:15", "rotate:15.0"),
            ("rotate:0:90", "rotate:0.0:90.0"),
            ("hue:0.5", "hue:0.5"), ("blur:5", "blur:5"), ("blur:5:0.1:2", "blur:5"),
            ("blur:5:1:2", "blur:5:1.0:2.0"),
        ] {
            let augmentation = try Augmentation(text)
            #expect(augmentation.text == written)
            #expect(try Augmentation(written) == augmentation)
        }
        #expect(
            try Augmentation("resized-crop:8").changes
                == [
                    .resizedCrop(
                        RandomResizedCrop(height: 8, width: 8, area: 0.08...1, ratio: 0.75...4.0 / 3))
                ])
        #expect(try Augmentation("blur:7").changes == [.blur(size: 7, deviation: 0.1...2)])
        #expect(ResizeCrop("9:8x7")?.text == "9:8x7" && ResizeCrop("9:8") == ResizeCrop("9:8x8"))
    }

    @Test(
        "what is no change is refused",
        arguments: [
            "resized-crop", "resized-crop:8x", "resized-crop:8x8x8", "resized-crop:-1x8",
            "resized-crop:8:0.5",
            "resized-crop:8:0:1", "resized-crop:8:0.5:1.5", "resized-crop:8:0.5:1:2",
            "resized-crop:8:0.5:1:2:1",
            "resized-crop:8:0.5:1:0:1", "rotate", "rotate:0", "rotate:nan", "rotate:10:5", "rotate:-400:0",
            "rotate:1:2:3", "hue:0", "hue:0.51", "hue", "blur", "blur:4", "blur:1", "blur:5:1", "blur:5:0:1",
            "blur:5:2:1", "blur:5:1:inf", "rotate:5,rotate:5:6",
        ])
    func refusals(text: String) {
        let error = #expect(throws: DatasetError.self) { try Augmentation(text) }
        #expect(error?.code == .invalidOption)
    }

    @Test(
        "what is no resizing is refused",
        arguments: ["", "9", "9:", ":9", "8:9", "9:8x9x8", "9:10x4", "0:0", "9:0"])
    func noResizing(text: String) { #expect(ResizeCrop(text) == nil) }

    @Test("what is not a number passes through every change")
    func notANumber() throws {
        let shape = try ImageShape(channels: 3, height: 6, width: 6)
        let image = [Float](repeating: .nan, count: 108)
        let result = try changed(
            image, [UInt8](repeating: 1, count: 108), shape,
            augment: "hue:0.5,blur:3,rotate:30,resized-crop:4x4", isUnit: false)
        #expect(result.image.allSatisfy { $0.isNaN || $0 == 0 })
    }

    @Test("a crop's proportions and area are those that were asked for")
    func boxes() throws {
        let shape = try ImageShape(channels: 1, height: 100, width: 80)
        let crop = RandomResizedCrop(height: 8, width: 8, area: 0.2...0.5, ratio: 0.5...2)
        var areas: [Double] = []
        var generator = SplitMix64(seed: 5)
        for _ in 0..<500 {
            let box = crop.draw(shape, &generator)
            #expect(
                box.top >= 0 && box.left >= 0 && box.top + box.height <= 100 && box.left + box.width <= 80)
            #expect(0.47...2.1 ~= Double(box.width) / Double(box.height))
            areas.append(Double(box.width * box.height) / 8000)
        }
        #expect((areas.min() ?? 0) > 0.19 && (areas.max() ?? 1) < 0.51)
        #expect((areas.min() ?? 1) < 0.22 && (areas.max() ?? 0) > 0.48)
        // No part of three times the height's width and nine tenths of the area lies in it: the widest centred one.
        let wide = RandomResizedCrop(height: 8, width: 8, area: 0.9...1, ratio: 3...4)
        #expect(wide.draw(shape, &generator) == PixelBox(top: 36, left: 0, height: 27, width: 80))
        let high = RandomResizedCrop(height: 8, width: 8, area: 0.9...1, ratio: 0.2...0.25)
        #expect(high.draw(shape, &generator) == PixelBox(top: 0, left: 27, height: 100, width: 25))
    }
}
