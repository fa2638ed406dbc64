internal import RRTensor

extension Augmentation {
    /// What is drawn for a sample of an epoch; `stream` tells what it is for.
    static func generator(seed: UInt64, epoch: Int, index: Int, stream: UInt64) -> SplitMix64 {
        let golden: UInt64 = 0x9E37_79B9_7F4A_7C15
        var state = SplitMix64.mix(seed &+ golden)
        state = SplitMix64.mix((state ^ UInt64(bitPattern: Int64(epoch))) &+ golden)
        state = SplitMix64.mix((state ^ UInt64(bitPattern: Int64(index))) &+ golden)
        return SplitMix64(seed: state &+ stream &* golden)
    }

    /// Changes a sample's image and mask, without allocating once the scratch has grown.
    ///
    /// The draws of a change come from SplitMix64, whose seed is mix((mix((mix(seed + G) ^ epoch) + G) ^ index) + G) +
    /// c · G, where c is the change's number in `Change.stream` and G is 0x9E3779B97F4A7C15.
    ///
    /// - Parameters:
    ///   - index: the row in the dataset.
    ///   - picture: image and mask, in memory that has room for them before and after every change.
    ///   - outputShape: `imageShape(of:)` of the image's shape as it is.
    ///   - isUnit: whether pixels are from 0 to 1, as integers are that were scaled; all changes leave them there, and
    ///     erased pixels are anywhere there. Else erased pixels lie between the image's extremes.
    ///   - scratch: this thread's.
    func apply(
        seed: UInt64, epoch: Int, index: Int, to picture: inout Picture, outputShape: ImageShape,
        isUnit: Bool, scratch: PictureScratch
    ) {
        for change in changes {
            var generator = Self.generator(seed: seed, epoch: epoch, index: index, stream: change.stream)
            let (shape, image, mask) = (picture.shape, picture.image, picture.mask)
            if let move = Move(change, shape: shape, &generator) {
                for planes in planes(of: image, shape) { move.apply(to: planes, shape) }
                if let mask { for planes in planes(of: mask, shape) { move.apply(to: planes, shape) } }
                continue
            }
            switch change {
            case .brightness(let amount):
                let factor = Float(1 + amount * (2 * generator.nextUnit() - 1))
                Self.scale(image, around: 0, by: factor, isUnit: isUnit)
            case .contrast(let amount):
                let factor = Float(1 + amount * (2 * generator.nextUnit() - 1))
                var sum = 0.0
                for pixel in image { sum += Double(pixel) }
                Self.scale(image, around: Float(sum / Double(image.count)), by: factor, isUnit: isUnit)
            case .erase:
                if let mask { Self.erase(image, inside: mask, isUnit: isUnit, &generator) }
            case .resizedCrop(let crop):
                picture.resample(
                    PictureResampling(
                        crop.draw(shape, &generator), height: crop.height, width: crop.width),
                    to: outputShape,
                    scratch)
                if isUnit { picture.clampImage() }
            case .rotation(let degrees):
                let angle = generator.nextUnit(in: degrees.lowerBound, degrees.upperBound)
                let rotation = Rotation(degrees: angle, shape)
                rotation.turn(image, scratch)
                if let mask { rotation.turn(mask, scratch) }
                if isUnit { picture.clampImage() }
            case .hue(let amount):
                turnHue(of: image, by: Float(amount * (2 * generator.nextUnit() - 1)))
                if isUnit { picture.clampImage() }
            case .blur(let size, let deviation):
                blur(
                    image, shape, size: size,
                    deviation: generator.nextUnit(in: deviation.lowerBound, deviation.upperBound), scratch)
                if isUnit { picture.clampImage() }
            case .horizontalFlip, .verticalFlip, .crop, .quarterTurn, .cutout: break
            }
        }
    }

    private func planes<Element>(
        of elements: UnsafeMutableBufferPointer<Element>, _ shape: ImageShape
    ) -> some Sequence<UnsafeMutableBufferPointer<Element>> {
        (0..<elements.count / shape.pixelCount).lazy.map { plane in
            UnsafeMutableBufferPointer(
                rebasing: elements[plane * shape.pixelCount..<(plane + 1) * shape.pixelCount])
        }
    }

    private static func scale(
        _ image: UnsafeMutableBufferPointer<Float>, around center: Float, by factor: Float, isUnit: Bool
    ) {
        for position in image.indices {
            let value = center + factor * (image[position] - center)
            image[position] = isUnit ? min(max(value, 0), 1) : value
        }
    }

    private static func erase(
        _ image: UnsafeMutableBufferPointer<Float>, inside mask: UnsafeMutableBufferPointer<UInt8>,
        isUnit: Bool, _ generator: inout SplitMix64
    ) {
        var low: Float = 0
        var high: Float = 1
        if !isUnit, let first = image.first {
            low = first
            high = first
            for pixel in image {
                low = min(low, pixel)
                high = max(high, pixel)
            }
        }
        // A mask of one channel is for every channel.
        for position in image.indices where mask[position % mask.count] != 0 {
            image[position] = low + (high - low) * Float(generator.nextUnit())
        }
    }
}
