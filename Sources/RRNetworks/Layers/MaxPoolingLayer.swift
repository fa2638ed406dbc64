import RRTensor

/// The largest element of each window; of equal ones the first in row-major order, as in PyTorch.
///
/// An element that is not a number wins over all others, so that it shows in the loss.
struct MaxPoolingLayer<Scalar: NetworkScalar>: Layer {
    let geometry: WindowGeometry
    let inputShape: ImageShape
    let outputShape: ImageShape

    /// - Throws: `LayerMisfit` where the options do not fit the input.
    init(input: ImageShape, _ options: LayerDescription.Pooling) throws(LayerMisfit) {
        guard input.pixelCount <= Int(Int32.max) else {
            throw LayerMisfit("cannot pool over an input of \(input), which is more than 2³¹ pixels")
        }
        geometry = try WindowGeometry(
            pooling: input, kernel: options.kernel, stride: options.stride, padding: options.padding,
            dilation: options.dilation, ceilMode: options.ceilMode)
        inputShape = input
        outputShape = try geometry.outputShape(channels: input.channels)
        // Of no elements there is no largest; dilated windows may have none at the edges.
        guard geometry.rows.allWindowsMeetInput, geometry.columns.allWindowsMeetInput else {
            throw LayerMisfit(
                "a window of the kernel of \(options.kernel) with dilation \(options.dilation) and padding "
                    + "\(options.padding) has nothing of the input of \(input): give less padding or dilation"
            )
        }
    }

    var receptiveAxes: (rows: ReceptiveAxis, columns: ReceptiveAxis) {
        (geometry.rows.receptive, geometry.columns.receptive)
    }

    var parameters: [ParameterSpecification] { [] }

    var largestShareCount: Int { inputShape.channels }
    var needs: LayerNeeds { [] }

    func scratchCounts(capacity: Int) -> ScratchCounts {
        ScratchCounts(maximumPositions: outputShape.elementCount * capacity)
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        MaxPooling.pool(
            input, geometry, channels(group), sampleCount: group.sampleCount, into: output,
            sources: group.scratch.maximumPositions.start)
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        MaxPooling.scatter(
            outputCotangent, geometry, channels(group), sampleCount: group.sampleCount,
            sources: group.scratch.maximumPositions.start,
            into: inputCotangent)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        MaxPooling.gather(
            inputTangent, geometry, channels(group), sampleCount: group.sampleCount,
            sources: group.scratch.maximumPositions.start,
            into: outputTangent)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        guard let inputAdjoint else { return }
        MaxPooling.scatter(
            outputAdjoint, geometry, channels(group), sampleCount: group.sampleCount,
            sources: group.scratch.maximumPositions.start,
            into: inputAdjoint)
    }

    /// The channels that are the call's.
    private func channels(_ group: LayerGroup<Scalar>) -> Range<Int> {
        group.share.range(of: inputShape.channels)
    }
}

private enum MaxPooling {
    /// Writes each window's maximum, and its pixel's position within the channel to `sources`.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func pool<Scalar: NetworkScalar>(
        _ input: UnsafePointer<Scalar>, _ geometry: WindowGeometry, _ channels: Range<Int>, sampleCount: Int,
        into output: UnsafeMutablePointer<Scalar>, sources: UnsafeMutablePointer<Int32>
    ) {
        let shape = geometry.input
        let isTwoByTwo = [geometry.rows, geometry.columns].allSatisfy { $0.kernel == 2 && $0.dilation == 1 }
        var position = channels.lowerBound &* geometry.outputPixelCount &* sampleCount
        for channel in channels {
            let plane = input + channel &* shape.pixelCount &* sampleCount
            for outputRow in 0..<geometry.outputHeight {
                for outputColumn in 0..<geometry.outputWidth {
                    let largest = output + position
                    let source = sources + position
                    position &+= sampleCount
                    let top = geometry.rows.place(window: outputRow, tap: 0)
                    let left = geometry.columns.place(window: outputColumn, tap: 0)
                    if isTwoByTwo, top >= 0, left >= 0, top &+ 2 <= shape.height, left &+ 2 <= shape.width {
                        poolFour(
                            plane, first: top &* shape.width &+ left, rowWidth: shape.width,
                            sampleCount: sampleCount, into: largest, sources: source)
                        continue
                    }
                    var isFirst = true
                    for rowTap in geometry.rows.taps(window: outputRow) {
                        for columnTap in geometry.columns.taps(window: outputColumn) {
                            let row = top &+ rowTap &* geometry.rows.dilation
                            let column = left &+ columnTap &* geometry.columns.dilation
                            let pixel = row &* shape.width &+ column
                            let candidates = plane + pixel &* sampleCount
                            if isFirst {
                                largest.update(from: candidates, count: sampleCount)
                                source.update(repeating: Int32(truncatingIfNeeded: pixel), count: sampleCount)
                                isFirst = false
                                continue
                            }
                            for sample in 0..<sampleCount {
                                let candidate = candidates[sample]
                                let wins = candidate > largest[sample] || candidate != candidate
                                largest[sample] = wins ? candidate : largest[sample]
                                source[sample] = wins ? Int32(truncatingIfNeeded: pixel) : source[sample]
                            }
                        }
                    }
                }
            }
        }
    }

    /// The same for a window of 2×2 pixels, of which most are: every sample is visited once.
    @inline(__always)
    private static func poolFour<Scalar: NetworkScalar>(
        _ plane: UnsafePointer<Scalar>, first: Int, rowWidth: Int, sampleCount: Int,
        into largest: UnsafeMutablePointer<Scalar>, sources: UnsafeMutablePointer<Int32>
    ) {
        let second = first &+ 1
        let third = first &+ rowWidth
        let fourth = third &+ 1
        let firsts = plane + first &* sampleCount
        let seconds = plane + second &* sampleCount
        let thirds = plane + third &* sampleCount
        let fourths = plane + fourth &* sampleCount
        for sample in 0..<sampleCount {
            var value = firsts[sample]
            var source = Int32(truncatingIfNeeded: first)
            func consider(_ candidate: Scalar, at pixel: Int) {
                let wins = candidate > value || candidate != candidate
                value = wins ? candidate : value
                source = wins ? Int32(truncatingIfNeeded: pixel) : source
            }
            consider(seconds[sample], at: second)
            consider(thirds[sample], at: third)
            consider(fourths[sample], at: fourth)
            largest[sample] = value
            sources[sample] = source
        }
    }

    /// Adds every window's value at the pixel that the maximum came from; all others are zero.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scatter<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, _ geometry: WindowGeometry, _ channels: Range<Int>, sampleCount: Int,
        sources: UnsafePointer<Int32>, into input: UnsafeMutablePointer<Scalar>
    ) {
        let planeCount = geometry.input.pixelCount &* sampleCount
        (input + channels.lowerBound &* planeCount).update(
            repeating: 0, count: channels.count &* planeCount)
        var position = channels.lowerBound &* geometry.outputPixelCount &* sampleCount
        for channel in channels {
            let plane = input + channel &* geometry.input.pixelCount &* sampleCount
            for _ in 0..<geometry.outputPixelCount {
                for sample in 0..<sampleCount {
                    plane[Int(sources[position]) &* sampleCount &+ sample] += values[position]
                    position &+= 1
                }
            }
        }
    }

    /// Copies, for every window, the value at the pixel that the maximum came from.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func gather<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, _ geometry: WindowGeometry, _ channels: Range<Int>, sampleCount: Int,
        sources: UnsafePointer<Int32>, into output: UnsafeMutablePointer<Scalar>
    ) {
        var position = channels.lowerBound &* geometry.outputPixelCount &* sampleCount
        for channel in channels {
            let plane = values + channel &* geometry.input.pixelCount &* sampleCount
            for _ in 0..<geometry.outputPixelCount {
                for sample in 0..<sampleCount {
                    output[position] = plane[Int(sources[position]) &* sampleCount &+ sample]
                    position &+= 1
                }
            }
        }
    }
}
