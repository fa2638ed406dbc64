/// Which group each sample is in, such as the hospital that an image is from: what worst-group figures are over.
public struct SampleGroups: Hashable, Sendable {
    /// The number of each sample's group.
    public let numbers: [Int]
    /// The names of the groups by number; nil where they are bare numbers.
    public let names: [String]?

    /// - Parameters:
    ///   - numbers: from 0 on, below the number of names.
    ///   - names: the name of each group; nil where numbers are all there is.
    public init(numbers: [Int], names: [String]?) {
        self.numbers = numbers
        self.names = names
    }

    /// The number of groups: of names, else the largest number and one.
    public var count: Int { names?.count ?? (numbers.max() ?? -1) + 1 }

    /// The name of a group, or its digits where groups have no names.
    public func name(of group: Int) -> String {
        guard let names, names.indices.contains(group) else { return String(group) }
        return names[group]
    }

    /// The groups of some samples.
    package func keeping(_ samples: [Int]) -> SampleGroups {
        SampleGroups(numbers: samples.map { numbers[$0] }, names: names)
    }
}
