internal import RRFormats
internal import RRDatasets
internal import RRTensor

/// What was probably done to a dataset since masks were made for it, told by its fingerprint alone.
///
/// A fingerprint tells nothing of what it was made of, but a change can be undone and the fingerprint computed anew:
/// where it comes out right, the change is found.
struct FingerprintGuess {
    let code: Finding.Code
    let message: Message
    let repair: Repair

    /// The bytes that may be hashed on the search: some seconds.
    private static let budget = 2 << 30

    /// Looks for a change that explains a fingerprint; nil where none is found, or the dataset could not be read.
    init?(of facts: DatasetFacts, wanted: String) {
        guard let ids = facts.ids, let checksums = facts.checksums, facts.labels != nil || !facts.hasLabels,
            let extents = facts.imageShape, extents.count == 3,
            let shape = try? ImageShape(channels: extents[0], height: extents[1], width: extents[2])
        else { return nil }
        let size = ids.reduce(8 * ids.count + 4 * checksums.count) { $0 + $1.utf8.count + 1 }
        var trials = max(1, Self.budget / max(1, size))
        func fits(_ ids: [String], _ labels: [Int]?) -> Bool {
            trials -= 1
            return DatasetFingerprint.compute(
                id: { ids[$0] }, labels: labels, imageShape: shape, checksums: checksums) == wanted
        }
        let numbers = (0..<ids.count).map(String.init)
        if let labels = facts.labels {
            if fits(ids, nil) {
                self.init(
                    code: .classOrderChanged,
                    message: "the masks were made for the same samples without labels",
                    repair: .restoreLabels)
                return
            }
            for (offset, words) in [(1, "labels one higher"), (-1, "labels one lower")]
            where fits(ids, labels.map { $0 + offset }) {
                self.init(
                    code: .classOrderChanged,
                    message:
                        "the masks were made for the same samples with \(words): classes counted from 1 here "
                        + "or there",
                    repair: .restoreLabels)
                return
            }
            for order in Self.orders(of: facts, labels: labels) where trials > 0 {
                guard fits(ids, labels.map { order.indices.contains($0) ? order[$0] : $0 }) else { continue }
                self.init(
                    code: .classOrderChanged,
                    message: "the masks were made for the same samples with their classes in another order: "
                        + Self.describe(order, names: facts.classNames),
                    repair: .restoreLabels)
                return
            }
        }
        guard ids != numbers, fits(numbers, facts.labels) else { return nil }
        self.init(
            code: .otherDataset,
            message: "the masks were made for the same images and labels, whose ids were row numbers",
            repair: .removeIDs)
    }

    init(code: Finding.Code, message: Message, repair: Repair) {
        (self.code, self.message, self.repair) = (code, message, repair)
    }

    /// The orders of classes that are tried: element l is what label l may have been.
    private static func orders(of facts: DatasetFacts, labels: [Int]) -> [[Int]] {
        let count = facts.classNames?.count ?? min(Dataset.largestBareLabel, (labels.max() ?? 0)) + 1
        guard count > 1, count <= 10_000 else { return [] }
        var orders: [[Int]] = []
        /// Takes classes in a new order; both directions are tried, since either may be the old one.
        func add(_ sorted: [Int]) {
            var places = Array(repeating: 0, count: count)
            for (place, label) in sorted.enumerated() { places[label] = place }
            orders += [places, sorted]
        }
        let all = Array(0..<count)
        add(all.reversed())
        var seen = Set<Int>()
        let first = labels.filter { 0..<count ~= $0 && seen.insert($0).inserted }
        add(first + all.filter { !seen.contains($0) })
        let digits = all.map(String.init)
        for names in [facts.classNames, digits].compactMap({ $0 }) where names.count == count {
            add(all.sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) })
            add(all.sorted { names[$0].lowercased() < names[$1].lowercased() })
            add(all.sorted { (Int(names[$0]) ?? .max, $0) < (Int(names[$1]) ?? .max, $1) })
        }
        // Any two classes that changed places; every order where there are few.
        for first in all.prefix(40) {
            for second in all.prefix(40) where second > first {
                var order = all
                order.swapAt(first, second)
                orders.append(order)
            }
        }
        if count <= 6 { orders += permutations(of: all) }
        return orders.filter { $0 != all }
    }

    private static func permutations(of items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let item = rest.remove(at: index)
            return permutations(of: rest).map { [item] + $0 }
        }
    }

    /// `coat was 2, now 0; bag was 0, now 1`
    private static func describe(_ order: [Int], names: [String]?) -> String {
        let changed = order.indices.filter { order[$0] != $0 }
        let texts = changed.prefix(FindingList.exampleLimit).map { label in
            let name = names.map { "“\($0[label])”" } ?? "a class"
            return "\(name) was \(order[label]), now \(label)"
        }
        let rest = changed.count - texts.count
        return texts.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
    }
}
