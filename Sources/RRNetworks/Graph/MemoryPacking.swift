/// From when to when a map is wanted; never, where nothing writes it.
struct MapLife {
    private var start = Int.max
    private var end = Int.min
    /// When it is computed anew, and read at once.
    var again: Int?

    static var always: MapLife {
        var life = MapLife()
        life.include(.min + 1)
        life.include(.max - 1)
        return life
    }

    var isWanted: Bool { start <= end }

    mutating func include(_ time: Int) {
        start = min(start, time)
        end = max(end, time)
    }

    func overlaps(_ other: MapLife) -> Bool {
        if start <= other.end && other.start <= end { return true }
        if let again, again == other.again || (other.start...other.end).contains(again) { return true }
        if let again = other.again { return (start...end).contains(again) }
        return false
    }
}

/// A map that wants memory.
struct PackedMap {
    let count: Int
    /// The segment that it lies inside; nil for one that is kept whatever segment is computed.
    let owner: Int?
    let life: MapLife
}

/// Lays maps in memory so that those which are wanted at once do not overlap: the largest first, each as low as it can be.
struct MemoryPacking {
    /// Where each map begins; 0 for one that is not wanted.
    private(set) var starts: [Int]
    private(set) var elementCount = 0

    /// More maps than any network in use has, in all passes, would take seconds to lay out: none shares memory then.
    private static var mostShared: Int { 1 << 13 }

    init(_ maps: [PackedMap], segmentCount: Int) {
        starts = maps.map { _ in 0 }
        let order = maps.indices.sorted { (maps[$1].count, $0) < (maps[$0].count, $1) }
        let kept = lay(maps, order.filter { maps[$0].owner == nil }, from: 0)
        elementCount = kept
        for segment in 0..<segmentCount {
            elementCount = max(
                elementCount, lay(maps, order.filter { maps[$0].owner == segment }, from: kept))
        }
    }

    /// Lays some of the maps behind others.
    ///
    /// - Returns: where they end.
    private mutating func lay(_ maps: [PackedMap], _ order: [Int], from first: Int) -> Int {
        var placed: [(range: Range<Int>, life: MapLife)] = []
        var end = first
        for map in order where maps[map].life.isWanted {
            // A sample's maps begin where vectors do.
            let count = (maps[map].count + 15) / 16 * 16
            var start = first
            if maps.count <= Self.mostShared {
                for other in placed where other.life.overlaps(maps[map].life) {
                    if start + count <= other.range.lowerBound { break }
                    start = max(start, other.range.upperBound)
                }
            } else {
                start = end
            }
            starts[map] = start
            end = max(end, start + count)
            let index = placed.firstIndex { $0.range.lowerBound > start } ?? placed.count
            placed.insert((start..<start + count, maps[map].life), at: index)
        }
        return end
    }
}
