package import RRSchemas

/// The size that all images of a dataset are brought to, and how.
///
/// Images are resampled with antialiasing and masks by their nearest pixels, along the same geometry, so that a
/// mask stays where it was on its image. The same resizing of the same pixels gives the same bytes everywhere.
public struct Resizing: Hashable, Sendable, Codable {
    /// What happens where an image has other proportions than the target.
    public enum Fit: String, Sendable, CaseIterable, Codable {
        /// Width and height are scaled each for itself.
        case stretch
        /// The largest centred part of the target's proportions is scaled; the rest is cut off.
        case crop
        /// The whole image is scaled, centred, and its surroundings are filled.
        case pad
    }

    /// The rows of a resized image, 1 to 1,000,000.
    public let height: Int
    /// The pixels in a row of a resized image, 1 to 1,000,000.
    public let width: Int
    public let fit: Fit

    private static let extents = 1...1_000_000

    /// Creates a resizing.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` for an extent outside 1 to 1,000,000.
    public init(height: Int, width: Int, fit: Fit = .stretch) throws(DatasetError) {
        guard Self.extents ~= height, Self.extents ~= width else {
            throw DatasetError(
                .invalidOption, path: "",
                "images cannot have \(height) rows of \(width) pixels: both are from 1 to 1,000,000")
        }
        self.height = height
        self.width = width
        self.fit = fit
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            height: container.decode(Int.self, forKey: .height),
            width: container.decode(Int.self, forKey: .width), fit: container.decode(Fit.self, forKey: .fit))
    }

    /// Reads what `json` makes; nil for anything else.
    package init?(json: JSONValue) {
        guard let height = json["height"]?.integerValue, let width = json["width"]?.integerValue,
            let fit = (json["fit"]?.stringValue).flatMap(Fit.init(rawValue:)),
            let resizing = try? Resizing(height: height, width: width, fit: fit)
        else { return nil }
        self = resizing
    }

    /// `{"fit":"crop","height":224,"width":224}`, as a dataset's provenance keeps it under `resize`.
    package var json: JSONValue {
        ["height": .integer(height), "width": .integer(width), "fit": .string(fit.rawValue)]
    }
}

extension Resizing {
    /// Resamples the channels of an image, with antialiasing.
    ///
    /// - Parameters:
    ///   - planes: `(C, height, width)` samples, no extent 0.
    ///   - filling: the value around the image in each channel, for `pad`.
    ///   - target: `(C, self.height, self.width)` samples to fill.
    package func resample(
        _ planes: UnsafeBufferPointer<UInt8>, height: Int, width: Int, filling: [UInt8],
        into target: UnsafeMutableBufferPointer<UInt8>
    ) {
        let (vertical, horizontal) = axes(height: height, width: width)
        let resampler = Resampler<UInt8, Int32>(vertical: vertical, horizontal: horizontal)
        fill(target, filling, around: vertical, horizontal)
        resampler.resampleBytes(
            planes, planeCount: filling.count, into: target, targetSize: self.height * self.width,
            rowLength: self.width)
    }

    /// Resamples the channels of an image of 16-bit samples, with antialiasing.
    package func resample(
        _ planes: UnsafeBufferPointer<UInt16>, height: Int, width: Int, filling: [UInt16],
        into target: UnsafeMutableBufferPointer<UInt16>
    ) {
        let (vertical, horizontal) = axes(height: height, width: width)
        let resampler = Resampler<UInt16, Int64>(vertical: vertical, horizontal: horizontal)
        fill(target, filling, around: vertical, horizontal)
        let (planeSize, targetSize) = (height * width, self.height * self.width)
        precondition(planes.count == filling.count * planeSize)
        for channel in filling.indices {
            resampler.resample(
                UnsafeBufferPointer(rebasing: planes[channel * planeSize..<(channel + 1) * planeSize]),
                into: UnsafeMutableBufferPointer(
                    rebasing: target[channel * targetSize..<(channel + 1) * targetSize]),
                rowLength: self.width)
        }
    }

    /// Fills each channel of a target that the image does not cover.
    @inline(__always)
    private func fill<Sample>(
        _ target: UnsafeMutableBufferPointer<Sample>, _ filling: [Sample], around vertical: ResizingAxis,
        _ horizontal: ResizingAxis
    ) {
        let size = height * width
        precondition(target.count == filling.count * size)
        guard vertical.count < height || horizontal.count < width else { return }
        for (channel, value) in filling.enumerated() {
            target[channel * size..<(channel + 1) * size].update(repeating: value)
        }
    }

    /// Brings one channel of a mask to the same geometry, taking the nearest pixel and so making no new values.
    ///
    /// The pixel whose area holds the centre of the target's pixel counts, as in Pillow's `NEAREST`.
    ///
    /// - Parameters:
    ///   - plane: `(height, width)` elements in rows, neither extent 0.
    ///   - target: `(self.height, self.width)` elements to fill; what `pad` adds is 0.
    package func pickNearest(
        _ plane: UnsafeBufferPointer<UInt8>, height: Int, width: Int,
        into target: UnsafeMutableBufferPointer<UInt8>
    ) {
        precondition(plane.count == height * width && target.count == self.height * self.width)
        let (vertical, horizontal) = axes(height: height, width: width)
        if vertical.count < self.height || horizontal.count < self.width { target.update(repeating: 0) }
        let columns = (0..<horizontal.count).map(horizontal.nearest)
        for row in 0..<vertical.count {
            let source = vertical.nearest(row) * width
            let start = (vertical.first + row) * self.width + horizontal.first
            for (column, nearest) in columns.enumerated() { target[start + column] = plane[source + nearest] }
        }
    }

    /// What becomes of the rows and of the columns of an image.
    ///
    /// `crop` and `pad` follow Pillow's `ImageOps.fit` and `ImageOps.pad`, centred.
    private func axes(height: Int, width: Int) -> (vertical: ResizingAxis, horizontal: ResizingAxis) {
        let (across, along) = (width * self.height, height * self.width)
        switch fit {
        case .crop where across > along:
            return (
                ResizingAxis(extent: height, to: self.height),
                ResizingAxis(extent: width, to: self.width, stepOf: height, count: self.height)
            )
        case .crop where along > across:
            return (
                ResizingAxis(extent: height, to: self.height, stepOf: width, count: self.width),
                ResizingAxis(extent: width, to: self.width)
            )
        case .pad where across > along:
            return (
                ResizingAxis(extent: height, to: self.height, filling: Self.rounded(along, over: width)),
                ResizingAxis(extent: width, to: self.width)
            )
        case .pad where along > across:
            return (
                ResizingAxis(extent: height, to: self.height),
                ResizingAxis(extent: width, to: self.width, filling: Self.rounded(across, over: height))
            )
        default:
            return (
                ResizingAxis(extent: height, to: self.height), ResizingAxis(extent: width, to: self.width)
            )
        }
    }

    private static func rounded(_ numerator: Int, over denominator: Int) -> Int {
        max(1, Int((Double(numerator) / Double(denominator)).rounded(.toNearestOrEven)))
    }
}
