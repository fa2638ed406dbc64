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

    init(elementCount: Int, capacity: Int) {
        self.elementCount = elementCount
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
                batchMasks, elementCount: elementCount, samples: samples, columnCount: columnCount,
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
