internal import RRDatasets
internal import RRTensor

extension ArrayArrangement {
    /// Brings the elements of one image into the order `(C, H, W)`, converting each.
    func rearrange<Source, Target>(
        _ source: UnsafeBufferPointer<Source>, into target: UnsafeMutableBufferPointer<Target>,
        _ convert: (Source) -> Target
    ) {
        precondition(source.count == imageShape.elementCount && target.count == imageShape.elementCount)
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        if isInOrder {
            for position in 0..<imageShape.elementCount { target[position] = convert(source[position]) }
        } else if layout == .nhwc {
            separate(source, into: target, convert)
        } else {
            turn(source, into: target, convert)
        }
    }

    /// Takes channels apart that stand together at each pixel.
    private func separate<Source, Target>(
        _ source: UnsafePointer<Source>, into target: UnsafeMutablePointer<Target>,
        _ convert: (Source) -> Target
    ) {
        let count = imageShape.pixelCount
        switch imageShape.channels {
        case 3:
            let (first, second, third) = (target, target + count, target + 2 * count)
            for pixel in 0..<count {
                first[pixel] = convert(source[3 * pixel])
                second[pixel] = convert(source[3 * pixel + 1])
                third[pixel] = convert(source[3 * pixel + 2])
            }
        case 4:
            let (first, second) = (target, target + count)
            let (third, fourth) = (target + 2 * count, target + 3 * count)
            for pixel in 0..<count {
                first[pixel] = convert(source[4 * pixel])
                second[pixel] = convert(source[4 * pixel + 1])
                third[pixel] = convert(source[4 * pixel + 2])
                fourth[pixel] = convert(source[4 * pixel + 3])
            }
        default:
            let channels = imageShape.channels
            for channel in 0..<channels {
                let plane = target + channel * count
                for pixel in 0..<count { plane[pixel] = convert(source[pixel * channels + channel]) }
            }
        }
    }

    /// Reads W before H, or both before C, in squares that stay in the cache.
    private func turn<Source, Target>(
        _ source: UnsafePointer<Source>, into target: UnsafeMutablePointer<Target>,
        _ convert: (Source) -> Target
    ) {
        let (channelStep, rowStep, columnStep) = (steps[0], steps[1], steps[2])
        let (height, width) = (imageShape.height, imageShape.width)
        let side = 32
        for channel in 0..<imageShape.channels {
            let plane = target + channel * height * width
            for top in stride(from: 0, to: height, by: side) {
                for left in stride(from: 0, to: width, by: side) {
                    for row in top..<min(top + side, height) {
                        let from = source + channel * channelStep + row * rowStep
                        let to = plane + row * width
                        for column in left..<min(left + side, width) {
                            to[column] = convert(from[column * columnStep])
                        }
                    }
                }
            }
        }
    }
}
