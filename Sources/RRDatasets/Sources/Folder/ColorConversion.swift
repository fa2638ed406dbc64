internal import RRFormats

/// Brings the planes of an image to another colour type, at the same depth.
///
/// - Gray of a colour is `(19,595 R + 38,470 G + 7,471 B + 32,768) >> 16`: the weights of ITU-R BT.601, 0.299, 0.587 and
///   0.114, in 16 binary places, rounded, as Pillow's `convert("L")`.
/// - A transparent pixel on the background is `round((a v + (M − a) b) / M)`, with M the largest sample. It is
///   composited before it becomes gray.
/// - An alpha channel that an image lacks is opaque.
struct ColorConversion {
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    let sourceChannels: Int
    let targetChannels: Int
    let background: RGBColor

    /// The weighted sum of a colour.
    @inline(__always)
    static func gray<Sample: FixedWidthInteger>(_ red: Sample, _ green: Sample, _ blue: Sample) -> Sample {
        let sum = 19_595 &* UInt32(red) &+ 38_470 &* UInt32(green) &+ 7_471 &* UInt32(blue) &+ 32_768
        return Sample(truncatingIfNeeded: sum >> 16)
    }

    /// The background's samples in a colour type, alpha opaque, at a depth.
    func background<Sample: FixedWidthInteger & UnsignedInteger>(
        channels: Int, as type: Sample.Type
    ) -> [Sample] {
        let factor = Sample.max / 255
        let color = [background.red, background.green, background.blue].map { Sample($0) * factor }
        let gray = Self.gray(color[0], color[1], color[2])
        switch channels {
        case 1: return [gray]
        case 2: return [gray, .max]
        case 3: return color
        default: return color + [.max]
        }
    }

    /// Converts an image.
    ///
    /// - Parameters:
    ///   - source: `sourceChannels` planes. A conversion that composites uses them as its scratch.
    ///   - target: `targetChannels` planes of as many samples.
    @specialized(where Sample == UInt8)
    @specialized(where Sample == UInt16)
    func convert<Sample: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ source: UnsafeMutableBufferPointer<Sample>, into target: UnsafeMutableBufferPointer<Sample>
    ) {
        let count = source.count / sourceChannels
        precondition(source.count == count * sourceChannels && target.count == count * targetChannels)
        func plane(_ buffer: UnsafeMutableBufferPointer<Sample>, _ channel: Int)
            -> UnsafeMutableBufferPointer<Sample>
        {
            UnsafeMutableBufferPointer(rebasing: buffer[channel * count..<(channel + 1) * count])
        }
        let sourceHasAlpha = sourceChannels % 2 == 0
        let sourceColors = sourceChannels - (sourceHasAlpha ? 1 : 0)
        let targetHasAlpha = targetChannels % 2 == 0
        let targetColors = targetChannels - (targetHasAlpha ? 1 : 0)
        if sourceHasAlpha && !targetHasAlpha {
            let colors = background(channels: sourceColors, as: Sample.self)
            let alpha = UnsafeBufferPointer(plane(source, sourceColors))
            for channel in 0..<sourceColors {
                Self.composite(plane(source, channel), alpha: alpha, on: colors[channel])
            }
        }
        if targetColors == sourceColors {
            for channel in 0..<sourceColors {
                _ = plane(target, channel).update(fromContentsOf: plane(source, channel))
            }
        } else if targetColors == 1 {
            let (red, green, blue) = (plane(source, 0), plane(source, 1), plane(source, 2))
            let gray = plane(target, 0)
            for position in 0..<count {
                gray[position] = Self.gray(red[position], green[position], blue[position])
            }
        } else {
            for channel in 0..<targetColors {
                _ = plane(target, channel).update(fromContentsOf: plane(source, 0))
            }
        }
        guard targetHasAlpha else { return }
        if sourceHasAlpha {
            _ = plane(target, targetColors).update(fromContentsOf: plane(source, sourceColors))
        } else {
            plane(target, targetColors).update(repeating: .max)
        }
    }

    @inline(__always)
    private static func composite<Sample: FixedWidthInteger & UnsignedInteger>(
        _ plane: UnsafeMutableBufferPointer<Sample>, alpha: UnsafeBufferPointer<Sample>, on background: Sample
    ) {
        let largest = UInt64(Sample.max)
        for position in plane.indices {
            let share = UInt64(alpha[position])
            let sum = share * UInt64(plane[position]) + (largest - share) * UInt64(background)
            plane[position] = Sample(truncatingIfNeeded: (sum + largest / 2) / largest)
        }
    }
}
