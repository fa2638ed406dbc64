internal import RRNetworks
internal import RRTensor

/// The images of a group and what is changed in them, as matrices (C · H · W, samples).
final class CounterexampleMemory<Scalar: NetworkScalar> {
    private let elementCount: Int
    private let capacity: Int
    /// A.
    private let masks: UnsafeMutablePointer<Scalar>
    /// x, where an adversary begins.
    private let originals: UnsafeMutablePointer<Scalar>
    /// δ.
    private let changes: UnsafeMutablePointer<Scalar>
    private var states: [UInt64]
    /// The logits of x̃, and then c(z) − c(z̃), a sample after the other.
    private var differences: [Double]
    private let classCount: Int

    init(elementCount: Int, classCount: Int, capacity: Int) {
        self.elementCount = elementCount
        self.classCount = classCount
        differences = Array(repeating: 0, count: classCount * capacity)
        self.capacity = capacity + 16
        let count = max(elementCount * self.capacity, 1)
        masks = .allocate(capacity: count)
        originals = .allocate(capacity: count)
        changes = .allocate(capacity: count)
        states = Array(repeating: 0, count: self.capacity)
    }

    deinit {
        masks.deallocate()
        originals.deallocate()
        changes.deallocate()
    }

    /// Takes the masks of a group, and what its random values follow from.
    func load(
        _ batchMasks: SharedElements<UInt8>, samples: ArraySlice<Int>, columnCount: Int,
        draws: SampleDraws, identities: SharedElements<Int64>?
    ) {
        batchMasks.withUnsafeBufferPointer { batchMasks in
            Transposition.write(
                masks: batchMasks, elementCount: elementCount, samples: samples, columnCount: columnCount,
                into: masks)
        }
        for (column, sample) in samples.enumerated() {
            states[column] = draws.state(sample: identities?[sample] ?? Int64(sample))
        }
    }

    /// Puts random values inside A.
    ///
    /// - Parameter ranges: the values of each channel.
    func randomize(
        _ input: UnsafeMutablePointer<Scalar>, in ranges: [ClosedRange<Float>], sampleCount: Int,
        columnCount: Int
    ) {
        let planeSize = elementCount / max(ranges.count, 1)
        for (channel, range) in ranges.enumerated() {
            states.withUnsafeBufferPointer { states in
                CounterexampleLoops.randomize(
                    input, masks: masks, states: states, from: range.lowerBound, to: range.upperBound,
                    rows: channel * planeSize..<(channel + 1) * planeSize, sampleCount: sampleCount,
                    columns: columnCount)
            }
        }
    }

    /// Puts normal values inside A.
    ///
    /// That of element e is mean + deviation · √(−2 ln(1 − u)) · cos 2πv, with u and v the wide numbers 2e and 2e + 1 of
    /// the sample's draws.
    ///
    /// - Parameter moments: those of each channel.
    func randomize(
        _ input: UnsafeMutablePointer<Scalar>, with moments: [ChannelMoments], sampleCount: Int,
        columnCount: Int
    ) {
        let planeSize = elementCount / max(moments.count, 1)
        for (channel, moments) in moments.enumerated() {
            for row in channel * planeSize..<(channel + 1) * planeSize {
                let start = row * columnCount
                for column in 0..<sampleCount where masks[start + column] != 0 {
                    let noise = SampleDraws.normal(state: states[column], element: row)
                    input[start + column] = Scalar(
                        Float(Double(moments.mean) + Double(moments.standardDeviation) * noise))
                }
            }
        }
    }

    /// Puts the values of other images inside A.
    ///
    /// - Parameters:
    ///   - images: (N, C, H, W) of the batch.
    ///   - samples: the rows of the batch that are in the first columns.
    func replace(
        _ input: UnsafeMutablePointer<Scalar>, by images: SharedElements<Float>, samples: ArraySlice<Int>,
        columnCount: Int
    ) {
        images.withUnsafeBufferPointer { images in
            for (column, sample) in samples.enumerated() {
                for row in 0..<elementCount where masks[row * columnCount + column] != 0 {
                    input[row * columnCount + column] = Scalar(images[sample * elementCount + row])
                }
            }
        }
    }

    /// Keeps the logits of x̃.
    func keep(logits: UnsafePointer<Scalar>, sampleCount: Int, columnCount: Int) {
        for column in 0..<sampleCount {
            for index in 0..<classCount {
                differences[column * classCount + index] = Double(logits[index * columnCount + column])
            }
        }
    }

    /// Takes c(z) − c(z̃) from the logits of x and those that were kept.
    func compare(logits: UnsafePointer<Scalar>, sampleCount: Int, columnCount: Int) {
        for column in 0..<sampleCount {
            let elements = column * classCount..<(column + 1) * classCount
            for (index, position) in elements.enumerated() {
                differences[position] = Double(logits[index * columnCount + column]) - differences[position]
            }
            let mean = differences[elements].reduce(0, +) / Double(classCount)
            for position in elements { differences[position] -= mean }
        }
    }

    /// |c(z) − c(z̃)|² of a sample.
    func squaredDifference(_ column: Int) -> Double {
        differences[column * classCount..<(column + 1) * classCount].reduce(0) { $0 + $1 * $1 }
    }

    /// Adds c(z) − c(z̃), times a factor, to a column of a matrix (classes, samples).
    func addDifference(
        _ column: Int, times factor: Double, to adjoints: UnsafeMutablePointer<Scalar>, columnCount: Int
    ) {
        for index in 0..<classCount {
            adjoints[index * columnCount + column] += Scalar(
                factor * differences[column * classCount + index])
        }
    }

    /// Puts δ anywhere in the box.
    func beginSearch(
        _ input: UnsafeMutablePointer<Scalar>, radius: Double, sampleCount: Int, columnCount: Int
    ) {
        originals.update(from: input, count: elementCount * columnCount)
        states.withUnsafeBufferPointer { states in
            CounterexampleLoops.scatter(
                changes, masks: masks, states: states, radius: Scalar(radius), rows: elementCount,
                sampleCount: sampleCount, columns: columnCount)
        }
        CounterexampleLoops.add(
            changes, to: originals, into: input, rows: elementCount, sampleCount: sampleCount,
            columns: columnCount)
    }

    /// Takes one step along the sign of the gradient, back into the box.
    func climb(
        _ input: UnsafeMutablePointer<Scalar>, along gradient: UnsafePointer<Scalar>,
        _ options: AdversaryOptions,
        sampleCount: Int, columnCount: Int
    ) {
        CounterexampleLoops.climb(
            changes, masks: masks, along: gradient, radius: Scalar(options.radius),
            stepSize: Scalar(options.stepSize), rows: elementCount, sampleCount: sampleCount,
            columns: columnCount)
        CounterexampleLoops.add(
            changes, to: originals, into: input, rows: elementCount, sampleCount: sampleCount,
            columns: columnCount)
    }
}

private enum CounterexampleLoops {
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func randomize<Scalar: NetworkScalar>(
        _ input: UnsafeMutablePointer<Scalar>, masks: UnsafePointer<Scalar>,
        states: UnsafeBufferPointer<UInt64>, from low: Float, to high: Float, rows: Range<Int>,
        sampleCount: Int, columns: Int
    ) {
        for row in rows {
            let start = row &* columns
            for column in 0..<sampleCount where masks[start &+ column] != 0 {
                let unit = SampleDraws.unit(state: states[column], element: row)
                input[start &+ column] = Scalar(low + (high - low) * unit)
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scatter<Scalar: NetworkScalar>(
        _ changes: UnsafeMutablePointer<Scalar>, masks: UnsafePointer<Scalar>,
        states: UnsafeBufferPointer<UInt64>, radius: Scalar, rows: Int, sampleCount: Int, columns: Int
    ) {
        for row in 0..<rows {
            let start = row &* columns
            for column in 0..<sampleCount {
                guard masks[start &+ column] != 0 else {
                    changes[start &+ column] = 0
                    continue
                }
                let unit = Scalar(SampleDraws.unit(state: states[column], element: row))
                changes[start &+ column] = radius * (2 * unit - 1)
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func climb<Scalar: NetworkScalar>(
        _ changes: UnsafeMutablePointer<Scalar>, masks: UnsafePointer<Scalar>,
        along gradient: UnsafePointer<Scalar>, radius: Scalar, stepSize: Scalar, rows: Int, sampleCount: Int,
        columns: Int
    ) {
        for row in 0..<rows {
            let start = row &* columns
            for column in 0..<sampleCount where masks[start &+ column] != 0 {
                let slope = gradient[start &+ column]
                let step = slope > 0 ? stepSize : slope < 0 ? -stepSize : 0
                changes[start &+ column] = min(max(changes[start &+ column] + step, -radius), radius)
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func add<Scalar: NetworkScalar>(
        _ changes: UnsafePointer<Scalar>, to originals: UnsafePointer<Scalar>,
        into input: UnsafeMutablePointer<Scalar>, rows: Int, sampleCount: Int, columns: Int
    ) {
        for row in 0..<rows {
            let start = row &* columns
            for column in 0..<sampleCount {
                input[start &+ column] = originals[start &+ column] + changes[start &+ column]
            }
        }
    }
}
