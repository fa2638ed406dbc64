internal import RRFormats

/// Which pixels of a mask count as 1, whether they come from an image file or from an array.
enum MaskPixelRule: Hashable, Sendable {
    /// Those that are 1 throughout, or the largest value throughout; all others must be 0.
    case binary
    /// Those of certain values; all others are 0.
    case values([Int])
    /// Those that are at least this, or whose share of the largest value is.
    case threshold(Double)

    /// The rule of two options of which at most one is given.
    init(values: [Int]?, threshold: Double?) {
        self =
            if let values {
                .values(values)
            } else if let threshold {
                .threshold(threshold)
            } else {
                .binary
            }
    }

    /// Marks the pixels that count with 1 and the others with 0.
    ///
    /// - Parameters:
    ///   - pixels: the values, one for each byte of `mask`, `step` elements apart.
    ///   - largest: the value that a binary mask may have in place of 1.
    ///   - scale: what a threshold is a share of; nil where it is a value itself.
    ///   - mark: the one value beside 0 that a binary mask has, nil until it was met. Masks that must agree share it.
    /// - Returns: the first pixel with a value that a binary mask cannot have; `mask` is undefined then.
    @specialized(where Element == UInt8)
    @specialized(where Element == UInt16)
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func firstUnmarkable<Element: MaskElement>(
        _ pixels: UnsafeBufferPointer<Element>, step: Int = 1, largest: Int, scale: Int? = nil,
        mark: inout Element?, into mask: UnsafeMutableBufferPointer<UInt8>
    ) -> Int? {
        switch self {
        case .binary:
            guard let one = mark ?? mask.indices.lazy.map({ pixels[$0 * step] }).first(where: { $0 != 0 })
            else {
                mask.update(repeating: 0)
                return nil
            }
            let serves = one == 1 || one == Element(exactly: largest)
            var others = !serves
            for pixel in mask.indices {
                let value = pixels[pixel * step]
                mask[pixel] = value == one ? 1 : 0
                others = others || (value != one && value != 0)
            }
            if others {
                return mask.indices.first { pixel in
                    let value = pixels[pixel * step]
                    return value != 0 && !(serves && value == one)
                }
            }
            mark = one
        case .values(let values):
            let wanted = values.compactMap { Element(exactly: $0) }
            for pixel in mask.indices { mask[pixel] = wanted.contains(pixels[pixel * step]) ? 1 : 0 }
        case .threshold(let threshold):
            if let scale {
                for pixel in mask.indices {
                    mask[pixel] = pixels[pixel * step].number / Double(scale) >= threshold ? 1 : 0
                }
            } else {
                for pixel in mask.indices { mask[pixel] = pixels[pixel * step].number >= threshold ? 1 : 0 }
            }
        }
        return nil
    }
}

/// A number that a pixel of a mask may be.
protocol MaskElement: Numeric, BitwiseCopyable {
    var number: Double { get }
}

extension UInt8: MaskElement { var number: Double { Double(self) } }
extension Int8: MaskElement { var number: Double { Double(self) } }
extension UInt16: MaskElement { var number: Double { Double(self) } }
extension Int16: MaskElement { var number: Double { Double(self) } }
extension UInt32: MaskElement { var number: Double { Double(self) } }
extension Int32: MaskElement { var number: Double { Double(self) } }
extension UInt64: MaskElement { var number: Double { Double(self) } }
extension Int64: MaskElement { var number: Double { Double(self) } }
extension Float16: MaskElement { var number: Double { Double(self) } }
extension Float: MaskElement { var number: Double { Double(self) } }
extension Double: MaskElement { var number: Double { self } }

extension OptionName {
    // What the pixels of masks mean.
    static let empty = OptionName("empty")
    static let marks = OptionName("marks")
    static let maskThreshold = OptionName("maskThreshold")
    static let maskValues = OptionName("maskValues")
}
