internal import RRDatasets

extension Augmentation.Change {
    /// What can be written, for messages.
    static let grammar =
        "hflip, vflip, crop:PIXELS, rot90, cutout:PIXELS, brightness:AMOUNT, contrast:AMOUNT, erase, "
        + "resized-crop:HEIGHTxWIDTH[:AREA:AREA[:RATIO:RATIO]], rotate:DEGREES[:DEGREES], hue:AMOUNT and "
        + "blur:PIXELS[:SIGMA:SIGMA]"

    /// The standard deviations of a blur that names none, as torchvision's `GaussianBlur` has them.
    static let usualDeviation = 0.1...2

    /// Reads one change; nil for what is none.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let values = Array(parts.dropFirst())
        switch (parts[0], values.count) {
        case ("hflip", 0): self = .horizontalFlip
        case ("vflip", 0): self = .verticalFlip
        case ("rot90", 0): self = .quarterTurn
        case ("erase", 0): self = .erase
        case ("crop", 1):
            guard let padding = Int(values[0]), padding >= 1 else { return nil }
            self = .crop(padding: padding)
        case ("cutout", 1):
            guard let size = Int(values[0]), size >= 1 else { return nil }
            self = .cutout(size: size)
        case ("brightness", 1):
            guard let amount = Self.amount(values[0], upTo: 1) else { return nil }
            self = .brightness(amount: amount)
        case ("contrast", 1):
            guard let amount = Self.amount(values[0], upTo: 1) else { return nil }
            self = .contrast(amount: amount)
        case ("hue", 1):
            guard let amount = Self.amount(values[0], upTo: 0.5) else { return nil }
            self = .hue(amount: amount)
        case ("rotate", 1):
            guard let angle = Self.amount(values[0], upTo: 360) else { return nil }
            self = .rotation(degrees: -angle...angle)
        case ("rotate", 2):
            guard let angles = Self.range(values, within: -360...360) else { return nil }
            self = .rotation(degrees: angles)
        case ("blur", 1), ("blur", 3):
            guard let size = Int(values[0]), 3...1001 ~= size, size % 2 == 1,
                let deviation = values.count == 1
                    ? Self.usualDeviation : Self.range(Array(values[1...]), within: 1e-3...1e3)
            else { return nil }
            self = .blur(size: size, deviation: deviation)
        case ("resized-crop", 1), ("resized-crop", 3), ("resized-crop", 5):
            guard let size = PixelExtents(values[0]),
                let area = values.count < 3
                    ? RandomResizedCrop.usualArea : Self.range(Array(values[1...2]), within: 1e-6...1),
                let ratio = values.count < 5
                    ? RandomResizedCrop.usualRatio : Self.range(Array(values[3...4]), within: 1e-3...1e3)
            else { return nil }
            self = .resizedCrop(
                RandomResizedCrop(height: size.height, width: size.width, area: area, ratio: ratio))
        default: return nil
        }
    }

    private static func amount(_ text: String, upTo largest: Double) -> Double? {
        Double(text).flatMap { $0 > 0 && $0 <= largest ? $0 : nil }
    }

    private static func range(_ texts: [String], within bounds: ClosedRange<Double>) -> ClosedRange<Double>? {
        guard texts.count == 2, let low = Double(texts[0]), let high = Double(texts[1]),
            low <= high, bounds.contains(low), bounds.contains(high)
        else { return nil }
        return low...high
    }

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
        case .resizedCrop: "resized-crop"
        case .rotation: "rotate"
        case .hue: "hue"
        case .blur: "blur"
        }
    }

    var text: String {
        func written(_ range: ClosedRange<Double>) -> String { ":\(range.lowerBound):\(range.upperBound)" }
        switch self {
        case .crop(let size), .cutout(let size): return "\(name):\(size)"
        case .brightness(let amount), .contrast(let amount), .hue(let amount): return "\(name):\(amount)"
        case .rotation(let angles):
            return angles.lowerBound == -angles.upperBound && angles.upperBound > 0
                ? "\(name):\(angles.upperBound)" : name + written(angles)
        case .blur(let size, let deviation):
            return "\(name):\(size)" + (deviation == Self.usualDeviation ? "" : written(deviation))
        case .resizedCrop(let crop):
            let hasUsualRatio = crop.ratio == RandomResizedCrop.usualRatio
            return "\(name):\(crop.height)x\(crop.width)"
                + (hasUsualRatio && crop.area == RandomResizedCrop.usualArea ? "" : written(crop.area))
                + (hasUsualRatio ? "" : written(crop.ratio))
        default: return name
        }
    }

    /// The size of what comes out, where the change decides it.
    var outputSize: (height: Int, width: Int)? {
        if case .resizedCrop(let crop) = self { (crop.height, crop.width) } else { nil }
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
        case .resizedCrop: 9
        case .rotation: 10
        case .hue: 11
        case .blur: 12
        }
    }
}

/// `HEIGHTxWIDTH`, or one number for a square; each from 1 to 1,000,000.
struct PixelExtents {
    let height: Int
    let width: Int

    init?(_ text: String) {
        let extents = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard 1...2 ~= extents.count, let height = extents[0], let width = extents[extents.count - 1],
            1...1_000_000 ~= height, 1...1_000_000 ~= width
        else { return nil }
        self.height = height
        self.width = width
    }
}
