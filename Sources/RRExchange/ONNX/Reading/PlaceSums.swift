internal import RRTensor

/// A tensor of which each element is, for every sample and channel, a sum of places of a map with weights.
///
/// PyTorch's dynamo exporter writes a pooling whose windows are not all alike as a gathering of the windows' places, zeros where a
/// window is shorter, sums, and a division. What these nodes compute of the places is known without the map, and is compared with the
/// pooling once another node wants it.
struct PlaceSums {
    /// The map of which they are.
    let map: Feature
    /// What each dimension of the tensor is.
    private(set) var kinds: [Kind]
    /// The extents, in which samples and channels count as one.
    private(set) var extents: [Int]
    /// By element, the weight of each place of the map.
    private var sums: [[Int: Double]]

    enum Kind {
        case samples, channels, places
    }

    /// More than all windows of a network's poolings have: each takes some hundred bytes.
    static let largestCount = 1 << 20

    /// The elements and the places that they are of.
    var termCount: Int { sums.reduce(0) { $0 + 1 + $1.count } }

    /// The places of a map, each by itself, as (N, C, H, W).
    ///
    /// - Returns: nil where they are too many.
    init?(_ map: Feature) {
        guard map.shape.pixelCount <= 1 << 16 else { return nil }
        self.map = map
        kinds = [.samples, .channels, .places, .places]
        extents = [1, 1, map.shape.height, map.shape.width]
        sums = (0..<map.shape.pixelCount).map { [$0: 1] }
    }

    // MARK: Other places

    /// The elements at positions of these, as a tensor of other extents.
    private func gathered(_ kinds: [Kind], _ extents: [Int], _ positions: [Int]) -> PlaceSums? {
        guard positions.reduce(0, { $0 + 1 + sums[$1].count }) <= Self.largestCount else { return nil }
        var result = self
        (result.kinds, result.extents) = (kinds, extents)
        result.sums = positions.map { sums[$0] }
        return result
    }

    func transposed(_ order: [Int]) -> PlaceSums? {
        guard order.sorted() == Array(kinds.indices) else { return nil }
        let strides = Constant.strides(of: extents)
        let extents = order.map { self.extents[$0] }
        return gathered(
            order.map { kinds[$0] }, extents, Constant.positions(extents, order.map { strides[$0] }))
    }

    /// The elements at indices along an axis, as `Gather` has them.
    func gathered(_ indices: [Int], shape: [Int], axis: Int) -> PlaceSums? {
        guard kinds.indices.contains(axis), kinds[axis] == .places else { return nil }
        let extent = extents[axis]
        let wanted = indices.map { $0 < 0 ? $0 + extent : $0 }
        guard wanted.allSatisfy({ 0..<extent ~= $0 }), isSmall(extents, shape) else { return nil }
        let (outer, inner) = (extents[..<axis].reduce(1, *), extents[(axis + 1)...].reduce(1, *))
        let positions = (0..<outer).flatMap { outer in
            wanted.flatMap { place in (0..<inner).map { (outer * extent + place) * inner + $0 } }
        }
        return gathered(
            kinds[..<axis] + shape.map { _ in .places } + kinds[(axis + 1)...],
            extents[..<axis] + shape + extents[(axis + 1)...], positions)
    }

    /// The elements at tuples of indices of the first axes, as `GatherND` has them.
    ///
    /// - Parameter shape: that of the indices, whose last extent is how many a tuple has.
    func gathered(tuples indices: [Int], shape: [Int]) -> PlaceSums? {
        guard let count = shape.last, 1...kinds.count ~= count,
            kinds[..<count].allSatisfy({ $0 == .places }), indices.count % count == 0, isSmall(extents, shape)
        else { return nil }
        let strides = Constant.strides(of: extents)
        let inner = extents[count...].reduce(1, *)
        var positions: [Int] = []
        for start in stride(from: 0, to: indices.count, by: count) {
            var position = 0
            for axis in 0..<count {
                let index = indices[start + axis]
                let place = index < 0 ? index + extents[axis] : index
                guard 0..<extents[axis] ~= place else { return nil }
                position += place * strides[axis]
            }
            positions += (0..<inner).map { position + $0 }
        }
        return gathered(
            shape.dropLast().map { _ in .places } + kinds[count...], shape.dropLast() + extents[count...],
            positions)
    }

    private func isSmall(_ extents: [Int], _ shape: [Int]) -> Bool {
        (extents + shape).reduce(1.0) { $0 * Double($1) } <= Double(Self.largestCount)
    }

    // MARK: Arithmetic

    private func broadcast(to kinds: [Kind], _ extents: [Int]) -> PlaceSums? {
        let padded = Array(repeating: 1, count: extents.count - self.extents.count) + self.extents
        let strides = zip(padded, Constant.strides(of: padded)).map { $0 == 1 ? 0 : $1 }
        guard isSmall(extents, []) else { return nil }
        return gathered(kinds, extents, Constant.positions(extents, strides))
    }

    /// The sums of these and others, of which one is repeated where its extent is 1.
    func plus(_ other: PlaceSums) -> PlaceSums? {
        guard map.value == other.map.value, let extents = Constant.commonShape(extents, other.extents) else {
            return nil
        }
        func padded(_ kinds: [Kind]) -> [Kind] {
            Array(repeating: .places, count: extents.count - kinds.count) + kinds
        }
        let kinds = padded(kinds)
        guard kinds == padded(other.kinds), var result = broadcast(to: kinds, extents),
            let terms = other.broadcast(to: kinds, extents)
        else { return nil }
        for index in result.sums.indices { result.sums[index].merge(terms.sums[index], uniquingKeysWith: +) }
        return result
    }

    /// The sums times constants, which are the same for all samples and channels.
    func times(_ factors: Constant) -> PlaceSums? {
        guard let extents = Constant.commonShape(extents, factors.dimensions), isSmall(extents, []),
            let factors = factors.broadcast(to: extents)?.doubles
        else { return nil }
        let kinds = Array(repeating: .places, count: extents.count - kinds.count) + kinds
        guard zip(kinds, extents).allSatisfy({ $0 == .places || $1 == 1 }),
            var result = broadcast(to: kinds, extents)
        else { return nil }
        for (index, factor) in factors.enumerated() {
            result.sums[index] = factor == 0 ? [:] : result.sums[index].mapValues { $0 * factor }
        }
        return result
    }

    // MARK: Pooling

    /// The extents of the adaptive average pooling that these are, as (N, C, H, W); nil for what is none.
    var pooling: (height: Int, width: Int)? {
        guard kinds == [.samples, .channels, .places, .places] else { return nil }
        let (height, width) = (extents[2], extents[3])
        func windows(_ extent: Int, _ count: Int) -> [Range<Int>] {
            (0..<count).map { $0 * extent / count..<(($0 + 1) * extent + count - 1) / count }
        }
        let rows = windows(map.shape.height, height)
        let columns = windows(map.shape.width, width)
        for (row, range) in rows.enumerated() {
            for (column, span) in columns.enumerated() {
                let sum = sums[row * width + column]
                let weight = 1 / Double(range.count * span.count)
                guard sum.count == range.count * span.count,
                    sum.allSatisfy({ place, found in
                        let (y, x) = place.quotientAndRemainder(dividingBy: map.shape.width)
                        return range ~= y && span ~= x && GraphReader.isNear(found, weight)
                    })
                else { return nil }
            }
        }
        return (height, width)
    }
}
