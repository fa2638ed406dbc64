/// The column `group` of a list of images, as it is read.
struct PNGGroupColumn {
    /// By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
    private var numbers: [[UInt8]: Int] = [:]
    private var names: [String] = []
    private var values: [Int] = []

    /// Adds the next image's group.
    ///
    /// - Parameters:
    ///   - name: nil or empty where the image has none.
    ///   - count: the number of images before.
    /// - Returns: whether every image so far has a group, or none has.
    mutating func add(_ name: String?, after count: Int) -> Bool {
        guard let name, !name.isEmpty else { return values.isEmpty }
        guard values.count == count else { return false }
        let bytes = Array(name.utf8)
        let number = numbers[bytes] ?? names.count
        if number == names.count {
            numbers[bytes] = number
            names.append(name)
        }
        values.append(number)
        return true
    }

    /// The groups of the images in an order; nil where there are none.
    ///
    /// Where all names are whole numbers they are the groups' numbers; else the names are sorted by their bytes.
    func groups(inOrder order: [Int]) -> SampleGroups? {
        guard !values.isEmpty else { return nil }
        if let bare = bareNumbers {
            return SampleGroups(numbers: order.map { bare[values[$0]] }, names: nil)
        }
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return groups(named: sorted, inOrder: order)
    }

    /// The groups with the names that an export gives them, nil for bare numbers; nil where they do not fit.
    func groups(ofExportNaming exported: [String]?) -> SampleGroups? {
        let order = Array(values.indices)
        guard let exported else {
            return bareNumbers.map { bare in SampleGroups(numbers: values.map { bare[$0] }, names: nil) }
        }
        return groups(named: exported, inOrder: order)
    }

    /// Whether no image has a group.
    var isEmpty: Bool { values.isEmpty }

    private func groups(named list: [String], inOrder order: [Int]) -> SampleGroups? {
        let known = Dictionary(list.enumerated().map { (Array($1.utf8), $0) }) { first, _ in first }
        let places = names.compactMap { known[Array($0.utf8)] }
        guard places.count == names.count else { return nil }
        return SampleGroups(numbers: order.map { places[values[$0]] }, names: list)
    }

    private var bareNumbers: [Int]? {
        let bare = names.compactMap { Int($0) }.filter { 0...Dataset.largestBareLabel ~= $0 }
        return bare.count == names.count ? bare : nil
    }
}
