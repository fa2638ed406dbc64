import RRTensor

/// The mean of each window.
struct AveragePoolingLayer<Scalar: NetworkScalar>: LinearMapLayer {
    let inputShape: ImageShape
    let outputShape: ImageShape
    private let rows: PoolingAxis
    private let columns: PoolingAxis
    /// What every window's sum is divided by; nil for the number of its elements.
    private let divisor: Int?

    /// Pools over windows of one size at even distances.
    ///
    /// - Throws: `LayerMisfit` where the options do not fit the input.
    init(input: ImageShape, _ options: LayerDescription.AveragePooling) throws(LayerMisfit) {
        let geometry = try WindowGeometry(
            pooling: input, kernel: options.kernel, stride: options.stride, padding: options.padding,
            ceilMode: options.ceilMode)
        inputShape = input
        outputShape = try geometry.outputShape(channels: input.channels)
        rows = PoolingAxis(
            input: input.height,
            placement: .even(geometry.rows, countsPadding: options.countIncludePad))
        columns = PoolingAxis(
            input: input.width,
            placement: .even(geometry.columns, countsPadding: options.countIncludePad))
        divisor = options.divisorOverride
    }

    /// Pools to an output of a fixed extent, whatever the input's.
    ///
    /// - Throws: `TensorError` where the output has too many elements.
    init(input: ImageShape, _ options: LayerDescription.AdaptivePooling) throws(TensorError) {
        inputShape = input
        outputShape = try ImageShape(
            channels: input.channels, height: options.height, width: options.width)
        rows = PoolingAxis(input: input.height, placement: .adaptive(output: options.height))
        columns = PoolingAxis(input: input.width, placement: .adaptive(output: options.width))
        divisor = nil
    }

    var receptiveAxes: (rows: ReceptiveAxis, columns: ReceptiveAxis) { (rows.receptive, columns.receptive) }

    var parameters: [ParameterSpecification] { [] }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    var largestShareCount: Int { inputShape.channels }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) { multiply(group, input, into: output) }

    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) { AveragePooling.gather(input, windows(group), into: output) }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) { AveragePooling.scatter(output, windows(group), into: input) }

    private func windows(_ group: LayerGroup<Scalar>) -> AveragePooling.Windows {
        AveragePooling.Windows(
            input: inputShape, output: outputShape, channels: group.share.range(of: inputShape.channels),
            rows: rows, columns: columns, divisor: divisor, sampleCount: group.sampleCount)
    }
}

private enum AveragePooling {
    struct Windows {
        let input: ImageShape
        let output: ImageShape
        /// The channels that are the call's.
        let channels: Range<Int>
        let rows: PoolingAxis
        let columns: PoolingAxis
        let divisor: Int?
        let sampleCount: Int

        /// Visits each window: its offset in the output, each of its elements' offsets in the input, and what
        /// an element weighs.
        @inline(__always)
        func forEach(_ body: (_ output: Int, _ elements: Elements, _ divisor: Int) -> Void) {
            var position = channels.lowerBound &* output.pixelCount &* sampleCount
            for channel in channels {
                for outputRow in 0..<output.height {
                    let row = rows.window(outputRow)
                    for outputColumn in 0..<output.width {
                        let column = columns.window(outputColumn)
                        let elements = Elements(
                            rows: row.elements, columns: column.elements, width: input.width,
                            plane: channel &* input.pixelCount, sampleCount: sampleCount)
                        body(position, elements, divisor ?? row.divisor &* column.divisor)
                        position &+= sampleCount
                    }
                }
            }
        }
    }

    /// The elements of the input under one window.
    struct Elements {
        let rows: Range<Int>
        let columns: Range<Int>
        let width: Int
        let plane: Int
        let sampleCount: Int

        /// Where they lie next to each other, as under a window of whole rows, and vectors hold as many samples; nil elsewhere.
        var span: Range<Int>? {
            guard columns.count == width, sampleCount > 0, 16 % sampleCount == 0 else { return nil }
            let start = (plane &+ rows.lowerBound &* width) &* sampleCount
            return start..<start &+ rows.count &* width &* sampleCount
        }

        @inline(__always)
        func forEach(_ body: (_ input: Int) -> Void) {
            for row in rows {
                for column in columns {
                    body((plane &+ row &* width &+ column) &* sampleCount)
                }
            }
        }
    }

    /// Writes the mean of each window.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func gather<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, _ windows: Windows, into result: UnsafeMutablePointer<Scalar>
    ) {
        let sampleCount = windows.sampleCount
        windows.forEach { output, elements, divisor in
            let means = result + output
            for sample in 0..<sampleCount { means[sample] = 0 }
            if let span = elements.span {
                addSums(of: values + span.lowerBound, count: span.count, sampleCount, to: means)
            } else {
                elements.forEach { input in
                    for sample in 0..<sampleCount { means[sample] += values[input &+ sample] }
                }
            }
            let divisor = Scalar(divisor)
            for sample in 0..<sampleCount { means[sample] /= divisor }
        }
    }

    /// Adds, at every element of the input, its share of each window's value.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scatter<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, _ windows: Windows, into input: UnsafeMutablePointer<Scalar>
    ) {
        let sampleCount = windows.sampleCount
        let planeCount = windows.input.pixelCount &* sampleCount
        (input + windows.channels.lowerBound &* planeCount).update(
            repeating: 0, count: windows.channels.count &* planeCount)
        windows.forEach { output, elements, divisor in
            let share = 1 / Scalar(divisor)
            if let span = elements.span {
                add(
                    values + output, times: share, sampleCount, to: input + span.lowerBound,
                    count: span.count)
                return
            }
            elements.forEach { element in
                for sample in 0..<sampleCount {
                    input[element &+ sample] += values[output &+ sample] * share
                }
            }
        }
    }

    /// Adds the sum of each sample's elements, which lie next to each other.
    @inline(__always)
    private static func addSums<Scalar: NetworkScalar>(
        of elements: UnsafePointer<Scalar>, count: Int, _ sampleCount: Int,
        to sums: UnsafeMutablePointer<Scalar>
    ) {
        var wide = SIMD16<Scalar>.zero
        var index = 0
        while index &+ 16 <= count {
            wide += UnsafeRawPointer(elements + index).loadUnaligned(as: SIMD16<Scalar>.self)
            index &+= 16
        }
        for lane in 0..<16 { sums[lane % sampleCount] += wide[lane] }
        while index < count {
            sums[index % sampleCount] += elements[index]
            index &+= 1
        }
    }

    /// Adds one value times a factor to each of a sample's elements, which lie next to each other.
    @inline(__always)
    private static func add<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, times factor: Scalar, _ sampleCount: Int,
        to elements: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        var wide = SIMD16<Scalar>.zero
        for lane in 0..<16 { wide[lane] = values[lane % sampleCount] * factor }
        var index = 0
        while index &+ 16 <= count {
            let place = UnsafeMutableRawPointer(elements + index)
            place.storeBytes(
                of: place.loadUnaligned(as: SIMD16<Scalar>.self) + wide, as: SIMD16<Scalar>.self)
            index &+= 16
        }
        while index < count {
            elements[index] += wide[index % sampleCount]
            index &+= 1
        }
    }
}
