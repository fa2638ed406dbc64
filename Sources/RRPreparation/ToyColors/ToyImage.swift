internal import RRDatasets
internal import RRTensor

/// One image of the toy colours: 5×5 pixels, each of one of four colours, drawn by the rules of its class.
struct ToyImage: Equatable {
    /// The height and width in pixels.
    static let size = 5

    /// Red, green, blue and violet, of which each pixel is one: the four that the paper's code draws.
    static let colors: [[UInt8]] = [[255, 0, 0], [0, 255, 0], [0, 128, 255], [128, 0, 255]]

    /// The pixels of the first rule, row-major: top left, top right, bottom left, bottom right.
    static let corners = [0, 4, 20, 24]
    /// The pixels of the second rule: the top row without its corners.
    static let topMiddle = [1, 2, 3]

    /// 1 where the image satisfies both rules, 0 where it satisfies neither.
    let label: Int
    /// The number of each pixel's colour, row-major.
    private(set) var pixels: [Int]

    /// Draws an image.
    ///
    /// Source: `rrr/toy_colors.py` in github.com/dtak/rrr, where both rules hold in class 0 and here in class 1.
    init(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        label = Int(generator.next() & 1)
        pixels = (0..<Self.size * Self.size).map { _ in Self.color(&generator) }
        if label == 1 { satisfyRules(&generator) } else { breakRules(&generator) }
    }

    /// The elements `(3, 5, 5)`, 0 to 255.
    var elements: [UInt8] {
        (0..<3).flatMap { channel in pixels.map { Self.colors[$0][channel] } }
    }

    private mutating func satisfyRules(_ generator: inout SplitMix64) {
        for corner in Self.corners.dropLast() { pixels[corner] = pixels[24] }
        while topMiddleColorCount < Self.topMiddle.count { redrawTopMiddle(&generator) }
    }

    private mutating func breakRules(_ generator: inout SplitMix64) {
        // Two opposite corners are made to differ, which two by a fair coin.
        let (changed, other) = generator.next() & 1 == 0 ? (4, 20) : (0, 24)
        while pixels[changed] == pixels[other] { pixels[changed] = Self.color(&generator) }
        while topMiddleColorCount == Self.topMiddle.count { redrawTopMiddle(&generator) }
    }

    private var topMiddleColorCount: Int { Set(Self.topMiddle.map { pixels[$0] }).count }

    private mutating func redrawTopMiddle(_ generator: inout SplitMix64) {
        let place = Int(generator.nextUnit() * Double(Self.topMiddle.count))
        pixels[Self.topMiddle[place]] = Self.color(&generator)
    }

    private static func color(_ generator: inout SplitMix64) -> Int { Int(generator.next() & 3) }
}
