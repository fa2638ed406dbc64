internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// What is done to masks before anything else is made of them.
public struct MaskAdjustment: Hashable, Sendable {
    /// Whether 0 and 1 change places: the source has 0 where it marks something.
    public var inverts = false
    /// How many pixels of the dataset's images what is marked grows by to every side, corners included; nil for none.
    public var dilation: Int?
    /// How many pixels what is marked shrinks by from every side; what lies outside of the image does not count.
    public var erosion: Int?

    public init(inverts: Bool = false, dilation: Int? = nil, erosion: Int? = nil) {
        self.inverts = inverts
        self.dilation = dilation
        self.erosion = erosion
    }

    private static let distances = 1...10_000

    /// - Throws: `DatasetError` with the code `invalidOption`.
    func check() throws(DatasetError) {
        for (option, distance) in [(OptionName.dilation, dilation), (.erosion, erosion)] {
            guard let distance, !(Self.distances ~= distance) else { continue }
            throw DatasetError(
                .invalidOption, path: "",
                "\(option: option) is a number of pixels from 1 to \(Self.distances.upperBound), not \(distance)"
            )
        }
        guard dilation == nil || erosion == nil else {
            throw DatasetError(
                .invalidOption, path: "", "give either \(option: .dilation) or \(option: .erosion)")
        }
    }

    /// The options that were given, as a provenance holds them.
    var json: [String: JSONValue] {
        var given: [String: JSONValue] = [:]
        if inverts { given["invert"] = true }
        given["dilate"] = dilation.map { .integer($0) }
        given["erode"] = erosion.map { .integer($0) }
        return given
    }

    /// Lets what masks mark grow or shrink.
    ///
    /// - Parameter mask: planes of `height · width` bytes that are 0 or 1.
    func resize(_ mask: UnsafeMutableBufferPointer<UInt8>, height: Int, width: Int) {
        guard let distance = dilation ?? erosion, height > 0, width > 0 else { return }
        let shrinks = erosion != nil
        for start in stride(from: 0, to: mask.count, by: height * width) {
            let plane = UnsafeMutableBufferPointer(rebasing: mask[start..<start + height * width])
            // What is marked shrinks where what is not marked grows.
            if shrinks { Self.invert(plane) }
            Self.grow(plane, height: height, width: width, by: distance)
            if shrinks { Self.invert(plane) }
        }
    }

    static func invert(_ plane: UnsafeMutableBufferPointer<UInt8>) {
        for pixel in plane.indices { plane[pixel] ^= 1 }
    }

    /// Marks what lies in the square of `2 · distance + 1` pixels around a marked one: along the rows, then the columns.
    private static func grow(
        _ plane: UnsafeMutableBufferPointer<UInt8>, height: Int, width: Int, by distance: Int
    ) {
        for row in 0..<height {
            grow(plane, line: row * width, step: 1, count: width, by: distance)
        }
        for column in 0..<width {
            grow(plane, line: column, step: width, count: height, by: distance)
        }
    }

    /// Marks what lies near a marked pixel of a line: those that are new are 2 until all are found.
    private static func grow(
        _ plane: UnsafeMutableBufferPointer<UInt8>, line start: Int, step: Int, count: Int, by distance: Int
    ) {
        var last = -distance - 1
        for place in 0..<count {
            if plane[start + place * step] == 1 {
                last = place
            } else if place - last <= distance {
                plane[start + place * step] = 2
            }
        }
        var next = count + distance
        for place in stride(from: count - 1, through: 0, by: -1) {
            if plane[start + place * step] == 1 {
                next = place
            } else if next - place <= distance {
                plane[start + place * step] = 2
            }
        }
        for place in 0..<count where plane[start + place * step] == 2 { plane[start + place * step] = 1 }
    }
}

extension OptionName {
    static let dilation = OptionName("dilation")
    static let erosion = OptionName("erosion")
    static let inverts = OptionName("inverts")
}
