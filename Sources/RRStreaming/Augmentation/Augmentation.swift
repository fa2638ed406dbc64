public import RRDatasets
internal import RRFormats
internal import RRTensor

/// Random changes of images and their masks: a pure function of (seed, epoch, index).
///
/// Changes are applied in the order in which they are listed. Those of place (flips, crops, rotations, cutout) are made
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
        /// Resamples a part of random size, proportions and place.
        case resizedCrop(RandomResizedCrop)
        /// Turns about the centre by degrees of a range, counterclockwise, zeros coming in.
        case rotation(degrees: ClosedRange<Double>)
        /// Turns the hue of RGB images by −amount to amount of the colour circle.
        case hue(amount: Double)
        /// Blurs the image with a Gaussian filter of so many pixels, whose standard deviation is of a range.
        case blur(size: Int, deviation: ClosedRange<Double>)
    }

    public let changes: [Change]

    /// Reads changes with commas between them, as `hflip,crop:4,resized-crop:224x224,rotate:15`.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption`, naming the part that is wrong.
    public init(_ text: String) throws(DatasetError) {
        var changes: [Change] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let change = Change(String(part)) else {
                throw DatasetError(
                    .invalidOption, path: "",
                    "“\(part)” is no augmentation: \(Change.grammar) are, with whole pixels from 1, amounts above 0 up "
                        + "to 1 (of hue up to 0.5), and ranges as LOW:HIGH")
            }
            guard !changes.contains(where: { $0.name == change.name }) else {
                throw DatasetError(
                    .invalidOption, path: "", "the augmentation “\(change.name)” is listed twice")
            }
            changes.append(change)
        }
        self.changes = changes
    }

    /// The text that `init(_:)` reads.
    public var text: String { changes.map(\.text).joined(separator: ",") }

    /// What can be written, as usage texts have it.
    package static var grammar: String { Change.grammar }

    /// Whether parts of images are resampled, to a size of their own.
    package var resizesCrops: Bool { changes.contains { $0.outputSize != nil } }

    /// The shape of images of a shape once they are changed.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where they would have too many elements to count.
    func imageShape(of shape: ImageShape) throws(DatasetError) -> ImageShape {
        guard let size = changes.lazy.compactMap(\.outputSize).first else { return shape }
        return try shape.with(height: size.height, width: size.width)
    }

    /// Checks that the changes can be made to images of a shape.
    ///
    /// - Parameter color: what the channels are, as `Dataset.color`.
    /// - Throws: `DatasetError` with the code `invalidOption`.
    func check(imageShape: ImageShape, color: String, hasMasks: Bool) throws(DatasetError) {
        var shape = imageShape
        for change in changes {
            let shortSide = min(shape.height, shape.width)
            switch change {
            case .quarterTurn where shape.height != shape.width:
                throw DatasetError(
                    .invalidOption, path: "",
                    "rot90 needs square images, and these have \(shape.height) × \(shape.width) pixels"
                )
            case .crop(let size) where size >= shortSide, .cutout(let size) where size > shortSide,
                .blur(let size, _) where size / 2 >= shortSide:
                throw DatasetError(
                    .invalidOption, path: "",
                    "\(change.text) is too large for images of \(shape.height) × \(shape.width) pixels"
                )
            case .erase where !hasMasks:
                throw DatasetError(
                    .invalidOption, path: "",
                    "erase puts random values inside the masks, and there are none: give \(option: .masks)")
            case .hue where color != "rgb":
                throw DatasetError(
                    .invalidOption, path: "",
                    "hue turns the colours of RGB images, and these are \(color): leave it out, or bring the images to "
                        + "\(option: .color) rgb")
            case .resizedCrop(let crop):
                shape = try shape.with(height: crop.height, width: crop.width)
            default: break
            }
        }
    }
}

extension ImageShape {
    /// The same channels of another size.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where there would be too many elements to count.
    func with(height: Int, width: Int) throws(DatasetError) -> ImageShape {
        do throws(TensorError) {
            return try ImageShape(channels: channels, height: height, width: width)
        } catch {
            throw DatasetError(.invalidOption, path: "", Message("\(error.message)"))
        }
    }
}
