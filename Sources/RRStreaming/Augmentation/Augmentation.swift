public import RRDatasets
internal import RRFormats
internal import RRTensor

/// Random changes of images and their masks: a pure function of (seed, epoch, index).
///
/// Changes are applied in the order in which they are listed. Those of place (flips, crop, rotation, cutout) are made
/// to image and mask alike; the others change the image alone.
public struct Augmentation: Hashable, Sendable {
    /// A change by what is drawn for it; every draw is uniform.
    public enum Change: Hashable, Sendable {
        /// Mirrors left and right, for half of the samples.
        case horizontalFlip
        /// Mirrors top and bottom, for half of the samples.
        case verticalFlip
        /// Moves by −padding…padding pixels down and right, zeros coming in.
        case crop(padding: Int)
        /// Turns by 0 to 3 quarters; images must be square.
        case quarterTurn
        /// Sets a square to zero, of which as much lies in the image as its centre, a random pixel, allows.
        case cutout(size: Int)
        /// Multiplies the image by 1 − amount to 1 + amount.
        case brightness(amount: Double)
        /// Multiplies the distances to the image's mean by 1 − amount to 1 + amount.
        case contrast(amount: Double)
        /// Puts random values where the mask is 1.
        case erase
    }

    public let changes: [Change]

    /// Reads changes with commas between them: `hflip,vflip,crop:4,rot90,cutout:8,brightness:0.2,contrast:0.2,erase`.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption`, naming the part that is wrong.
    public init(_ text: String) throws(DatasetError) {
        var changes: [Change] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let change = try Self.change(String(part))
            guard !changes.contains(where: { $0.name == change.name }) else {
                throw DatasetError(
                    .invalidOption, path: "", "the augmentation “\(change.name)” is listed twice")
            }
            changes.append(change)
        }
        self.changes = changes
    }

    private static func change(_ text: String) throws(DatasetError) -> Change {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let value = parts.count > 1 ? parts[1] : nil
        switch (parts[0], value) {
        case ("hflip", nil): return .horizontalFlip
        case ("vflip", nil): return .verticalFlip
        case ("rot90", nil): return .quarterTurn
        case ("erase", nil): return .erase
        case ("crop", let value?):
            if let padding = Int(value), padding >= 1 { return .crop(padding: padding) }
        case ("cutout", let value?):
            if let size = Int(value), size >= 1 { return .cutout(size: size) }
        case ("brightness", let value?):
            if let amount = Double(value), amount > 0, amount <= 1 { return .brightness(amount: amount) }
        case ("contrast", let value?):
            if let amount = Double(value), amount > 0, amount <= 1 { return .contrast(amount: amount) }
        default: break
        }
        throw DatasetError(
            .invalidOption, path: "",
            "“\(text)” is no augmentation: hflip, vflip, crop:PIXELS, rot90, cutout:PIXELS, brightness:AMOUNT, "
                + "contrast:AMOUNT and erase are, with whole pixels from 1 and amounts above 0 up to 1")
    }

    /// The text that `init(_:)` reads.
    public var text: String { changes.map(\.text).joined(separator: ",") }

    /// Checks that the changes can be made to images of a shape.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption`.
    func check(imageShape: ImageShape, hasMasks: Bool) throws(DatasetError) {
        let shortSide = min(imageShape.height, imageShape.width)
        for change in changes {
            switch change {
            case .quarterTurn where imageShape.height != imageShape.width:
                throw DatasetError(
                    .invalidOption, path: "",
                    "rot90 needs square images, and these have \(imageShape.height) × \(imageShape.width) pixels"
                )
            case .crop(let size) where size >= shortSide, .cutout(let size) where size > shortSide:
                throw DatasetError(
                    .invalidOption, path: "",
                    "\(change.text) is too large for images of \(imageShape.height) × \(imageShape.width) pixels"
                )
            case .erase where !hasMasks:
                throw DatasetError(
                    .invalidOption, path: "",
                    "erase puts random values inside the masks, and there are none: give \(option: .masks)")
            default: break
            }
        }
    }
}

extension Augmentation.Change {
    /// The name without its amount.
    var name: String {
        switch self {
        case .horizontalFlip: "hflip"
        case .verticalFlip: "vflip"
        case .crop: "crop"
        case .quarterTurn: "rot90"
        case .cutout: "cutout"
        case .brightness: "brightness"
        case .contrast: "contrast"
        case .erase: "erase"
        }
    }

    var text: String {
        switch self {
        case .crop(let size), .cutout(let size): "\(name):\(size)"
        case .brightness(let amount), .contrast(let amount): "\(name):\(amount)"
        default: name
        }
    }

    /// Tells the draws of one change from those of another, so that adding one leaves the others as they are.
    var stream: UInt64 {
        switch self {
        case .horizontalFlip: 1
        case .verticalFlip: 2
        case .crop: 3
        case .quarterTurn: 4
        case .cutout: 5
        case .brightness: 6
        case .contrast: 7
        case .erase: 8
        }
    }
}
