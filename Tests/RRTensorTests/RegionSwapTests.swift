import Foundation
import RRTensor
import TestSupport
import Testing

/// Masks with their nearest marked pixels and images whose regions were swapped, by SciPy and NumPy.
struct RegionReference: Decodable {
    struct Mask: Decodable {
        let height: Int
        let width: Int
        let mask: String
        let squares: [Int]?
        let places: [Int32]?
    }

    struct Swap: Decodable {
        let shape: [Int]
        let image: [Float]
        let mask: [UInt8]
        let donor: [Float]
        let donorMask: [UInt8]
        let swapped: [Float]
    }

    let masks: [Mask]
    let swaps: [Swap]

    init() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(
            Self.self, from: Data(contentsOf: URL(filePath: Fixtures.path("reference/nearest-pixels.json"))))
    }
}

@Suite("Swapping what lies inside masks")
struct RegionSwapTests {
    let reference: RegionReference

    init() throws { reference = try RegionReference() }

    @Test(
        "distances to the nearest marked pixel are SciPy's, and of equally near ones it is the leftmost, upper one"
    )
    func nearest() {
        for (number, mask) in reference.masks.enumerated() {
            let bytes = mask.mask.utf8.map { $0 - UInt8(ascii: "0") }
            var nearest = NearestMarkedPixels(height: mask.height, width: mask.width)
            // The memory of one mask says nothing of the next.
            for _ in 0..<2 {
                let places = bytes.withUnsafeBufferPointer { nearest.find($0) { Array($0) } }
                #expect(places == mask.places, "mask \(number)")
                guard let places, let squares = mask.squares else { continue }
                for (place, square) in zip(places, squares).enumerated().map({ ($0, $1) }) {
                    let (row, column) = place.quotientAndRemainder(dividingBy: mask.width)
                    let (otherRow, otherColumn) = Int(square.0).quotientAndRemainder(dividingBy: mask.width)
                    let (down, across) = (row - otherRow, column - otherColumn)
                    #expect(down * down + across * across == square.1)
                }
            }
        }
        #expect(reference.masks.contains { $0.places == nil })
    }

    @Test(
        "what lies inside A comes from the donor, whose object is filled from the nearest pixels inside its A"
    )
    func swaps() throws {
        for (number, swap) in reference.swaps.enumerated() {
            var regions = RegionSwap(
                shape: try ImageShape(
                    channels: swap.shape[0], height: swap.shape[1], width: swap.shape[2]))
            let swapped = try regions.swap(
                swap.image, mask: swap.mask, donor: swap.donor, donorMask: swap.donorMask)
            #expect(swapped == swap.swapped, "swap \(number)")
            #expect(swapped != swap.image)
        }
    }

    @Test("an image keeps what lies outside its A, and one without a mask all of itself")
    func outside() throws {
        var regions = RegionSwap(shape: try ImageShape(channels: 1, height: 2, width: 3))
        let image: [Float] = [1, 2, 3, 4, 5, 6]
        let (donor, donorMask): ([Float], [UInt8]) = ([7, 8, 9, 10, 11, 12], [0, 1, 0, 0, 0, 0])
        let swapped = try regions.swap(
            image, mask: [1, 0, 0, 0, 0, 1], donor: donor, donorMask: donorMask)
        #expect(swapped == [8, 2, 3, 4, 5, 8])
        #expect(
            try regions.swap(image, mask: [0, 0, 0, 0, 0, 0], donor: donor, donorMask: donorMask) == image)
    }

    @Test("a donor whose mask marks nothing is refused, and so is an array of another shape")
    func refusals() throws {
        var regions = RegionSwap(shape: try ImageShape(channels: 2, height: 1, width: 2))
        let image: [Float] = [1, 2, 3, 4]
        let unmarked = #expect(throws: TensorError.self) {
            try regions.swap(image, mask: [1, 1], donor: image, donorMask: [0, 0])
        }
        #expect(unmarked?.code == .nothingMarked)
        for (donor, mask) in [([1, 2, 3], [1, 1]), (image, [1, 1, 1])] as [([Float], [UInt8])] {
            let error = #expect(throws: TensorError.self) {
                try regions.swap(image, mask: [1, 0], donor: donor, donorMask: mask)
            }
            #expect(error?.code == .countMismatch)
        }
    }
}
