import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRPreparation
import RRSchemas
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Masks from gradients that another program computed")
struct StoredGradientsTests {
    let shades: TwoShades
    /// The gradients of all samples, (48, 1, 4, 4).
    let gradients: [Double]

    init() throws {
        let shades = try TwoShades()
        self.shades = shades
        let network = try Network<Double>(shades.model)
        var images: [Float] = []
        for index in 0..<48 {
            images += try shades.dataset.image(at: index).elements
        }
        gradients = try InputGradients(network: network).compute(
            LabelledBatch(
                imageShape: shades.dataset.imageShape, images: images,
                labels: Array(repeating: 0, count: 48)),
            at: network.initialParameters(seed: 4)
        ).gradients
    }

    private func write<Element>(_ elements: [Element], _ type: String, shape: [Int]) throws -> String {
        let bytes = elements.withUnsafeBytes { Array($0) }
        try shades.folder.write(NPYHeader.bytes(shape: shape, descriptor: type) + bytes, to: "g.npy")
        return shades.folder.path("g.npy")
    }

    private func masks(_ making: MaskMaking, _ path: String) throws -> MaskSet {
        let stored = try StoredGradients(path: path, for: making.dataset, split: making.split)
        let output = shades.folder.path("made.h5")
        let written = try making.write(gradients: stored, provenance: [:], path: output, force: true)
        let set = try MaskSet(path: output, for: making.dataset)
        #expect(written.annotatedCount == set.annotatedCount && written.maskShape == set.maskShape)
        return set
    }

    @Test(
        "they are those that the model itself gives", arguments: [1, 3],
        [MaskSelection.top(count: 3), .topFraction(0.3), .threshold(0.67)])
    func sameAsModel(threads: Int, selection: MaskSelection) throws {
        var making = MaskMaking(dataset: shades.dataset, selection: selection)
        making.threadCount = threads
        making.union = shades.masks
        let network = try Network<Double>(shades.model)
        let (expected, _) = try making.run(network: network, parameters: network.initialParameters(seed: 4))
        for shape in [[48, 1, 4, 4], [48, 4, 4], [48, 16]] {
            let found = try masks(making, try write(gradients, "<f8", shape: shape))
            #expect(found.bits == expected.bits && found.rows == expected.rows)
        }
        // Other gradients give other masks.
        let other = try masks(making, try write(Array(gradients.reversed()), "<f8", shape: [48, 16]))
        #expect(other.bits != expected.bits)
    }

    /// Six samples of 3×2×2, of which the first, the second and the fifth are in `train`.
    private func coloured() throws -> Dataset {
        let path = shades.folder.path("coloured.h5")
        let writer = try DatasetWriter(
            path: path, force: true, sampleCount: 6,
            imageShape: try ImageShape(channels: 3, height: 2, width: 2), elementType: .uint8, color: "rgb",
            compression: .none)
        let pixels = Array(repeating: UInt8(7), count: 12)
        for index in 0..<6 {
            try pixels.withUnsafeBytes {
                try writer.write(images: $0, rows: index..<index + 1, checksums: [CRC32.checksum(of: $0)])
            }
        }
        _ = try writer.complete(
            SampleTable(
                ids: (0..<6).map(String.init), splits: [0, 0, 1, 1, 0, 1], splitNames: ["train", "test"]),
            provenance: [:])
        try writer.output.commit()
        return try Dataset(path: path)
    }

    /// A row for each of some samples, largest at the sample's own position.
    private func peaks(_ samples: [Int], size: Int) -> [Float] {
        samples.flatMap { sample in (0..<size).map { $0 == sample % size ? -2 : 1 } }
    }

    private func position(ofOnlyOneIn set: MaskSet, _ sample: Int) -> Int? {
        let ones = (0..<set.maskShape.elementCount).filter { set.bits[set.rows[sample], $0] }
        return ones.count == 1 ? ones[0] : nil
    }

    @Test("a split has its rows in a file of all samples, or a file of its own")
    func split() throws {
        var making = MaskMaking(dataset: try coloured(), selection: .top(count: 1))
        making.split = "test"
        for samples in [Array(0..<6), [2, 3, 5]] {
            let file = try write(peaks(samples, size: 12), "<f4", shape: [samples.count, 3, 2, 2])
            let set = try masks(making, file)
            #expect((0..<6).map { position(ofOnlyOneIn: set, $0) } == [nil, nil, 2, 3, nil, 5])
        }
    }

    @Test("one number a pixel gives masks of whole pixels, and --per-pixel sums the channels")
    func perPixel() throws {
        var making = MaskMaking(dataset: try coloured(), selection: .top(count: 1))
        for shape in [[6, 2, 2], [6, 1, 2, 2]] {
            let set = try masks(making, try write(peaks(Array(0..<6), size: 4), "<f4", shape: shape))
            #expect(set.maskShape.dimensions == [1, 2, 2])
            #expect((0..<6).map { position(ofOnlyOneIn: set, $0) } == [0, 1, 2, 3, 0, 1])
        }
        making.isPerPixel = true
        // Of the channels 1, 1 and −1.5 the sum of magnitudes is the largest, though 3 is the largest element.
        let row: [Float] = [1, 3, 0, 0, 1, 0, 0, 0, -1.5, 0, 0, 0]
        let rows = Array(repeating: row, count: 6).flatMap { $0 }
        let set = try masks(making, try write(rows, "<f4", shape: [6, 3, 2, 2]))
        #expect(set.maskShape.dimensions == [1, 2, 2])
        #expect((0..<6).allSatisfy { position(ofOnlyOneIn: set, $0) == 0 })
    }

    @Test("whole pixels join older masks of one channel as such, and spread over the channels of others")
    func union() throws {
        let dataset = try coloured()
        var making = MaskMaking(dataset: dataset, selection: .top(count: 1))
        making.split = "train"
        let file = try write(peaks(Array(0..<6), size: 4), "<f4", shape: [6, 2, 2])
        for channels in [1, 3] {
            let shape = try ImageShape(channels: channels, height: 2, width: 2)
            // The second sample and the fourth, which is in no split that is asked for, have the last element.
            var bits = try MaskBits(rowCount: 2, elementsPerRow: shape.elementCount)
            bits[0, shape.elementCount - 1] = true
            making.union = try MaskSet(
                bits: bits, rows: [1, 0, 1, 0, 1, 1], maskShape: shape,
                datasetFingerprint: dataset.fingerprint)
            let set = try masks(making, file)
            func ones(_ sample: Int) -> [Int] {
                (0..<set.maskShape.elementCount).filter { set.bits[set.rows[sample], $0] }
            }
            #expect(set.maskShape == shape)
            let last = shape.elementCount - 1
            let found = (0..<6).map(ones)
            #expect(found[0] == (0..<channels).map { $0 * 4 })
            #expect(found[1] == ((0..<channels).map { $0 * 4 + 1 } + [last]).sorted())
            #expect(found[2] == [] && found[3] == [last] && found[5] == [])
            #expect(found[4] == (0..<channels).map { $0 * 4 })
        }
    }

    @Test(
        "every floating-point type is read, and equal values rank by position",
        arguments: ["<f2", ">f4", "<f8"])
    func types(type: String) throws {
        let rows = peaks(Array(0..<6), size: 12)
        let file =
            switch type {
            case "<f2": try write(rows.map { Float16($0) }, type, shape: [6, 12])
            case ">f4": try write(rows.map { $0.bitPattern.bigEndian }, type, shape: [6, 12])
            default: try write(rows.map { Double($0) }, type, shape: [6, 12])
            }
        let set = try masks(MaskMaking(dataset: try coloured(), selection: .top(count: 3)), file)
        for sample in 0..<6 {
            let ones = (0..<12).filter { set.bits[set.rows[sample], $0] }
            // The peak, and the first two or three of the others.
            #expect(ones == (sample < 3 ? [0, 1, 2] : [0, 1, sample]))
        }
    }

    @Test("a row of zeros gives no mask and is counted")
    func zeros() throws {
        let dataset = try coloured()
        let making = MaskMaking(dataset: dataset, selection: .top(count: 2))
        var rows = peaks(Array(0..<6), size: 12)
        for index in 24..<36 { rows[index] = 0 }
        let stored = try StoredGradients(
            path: try write(rows, "<f4", shape: [6, 12]), for: dataset, split: "all")
        let written = try making.write(
            gradients: stored, provenance: [:], path: shades.folder.path("zeros.h5"), force: false)
        #expect(written.zeroGradientCount == 1 && written.annotatedCount == 5 && written.oneCount == 10)
        #expect(written.sampleCount == 6)
    }

    @Test("an array of another shape is refused, with what was expected")
    func wrongShape() throws {
        let dataset = try coloured()
        for (shape, hint) in [
            ([5, 3, 2, 2], "6 samples"), ([6, 3, 2, 1], "2, 1"), ([6, 2, 2, 3], "channels to the front"),
            ([6, 5], "(3, 2, 2)"), ([12], "12"),
        ] {
            let count = shape.reduce(1, *)
            let path = try write(Array(repeating: Float(1), count: count), "<f4", shape: shape)
            let error = #expect(throws: DatasetError.self) {
                try StoredGradients(path: path, for: dataset, split: "all")
            }
            #expect(error?.code == .wrongShape && error?.path.contains("g.npy") == true)
            #expect(error?.message.contains(hint) == true, "\(error.map(String.init(describing:)) ?? "")")
        }
        let path = try write(Array(repeating: Float(1), count: 24), "<f4", shape: [2, 12])
        let error = #expect(throws: DatasetError.self) {
            try StoredGradients(path: path, for: dataset, split: "test")
        }
        #expect(error?.message.contains("3 of them in the split “test”") == true)
    }

    @Test("integers are no gradients, and a number that is not finite names its sample")
    func wrongValues() throws {
        let dataset = try coloured()
        let integers = try write(Array(repeating: Int32(1), count: 72), "<i4", shape: [6, 12])
        let type = #expect(throws: DatasetError.self) {
            try StoredGradients(path: integers, for: dataset, split: "all")
        }
        #expect(type?.code == .wrongType && type?.message.contains("int32") == true)
        var rows = peaks(Array(0..<6), size: 12)
        rows[4 * 12 + 5] = .infinity
        let stored = try StoredGradients(
            path: try write(rows, "<f4", shape: [6, 12]), for: dataset, split: "all")
        let making = MaskMaking(dataset: dataset, selection: .top(count: 2))
        let before = try shades.folder.names()
        let error = #expect(throws: DatasetError.self) {
            try making.write(
                gradients: stored, provenance: [:], path: shades.folder.path("no.h5"), force: false)
        }
        #expect(
            error?.code == .valueOutOfRange && error?.path.contains("g.npy") == true
                && error?.message.contains("sample 4") == true)
        #expect(try shades.folder.names() == before)
    }
}
