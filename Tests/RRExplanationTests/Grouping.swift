import RRNetworks

/// How batches are cut: as the size of the maps asks for, or as if the maps were large, so that one or two samples go
/// through the network at a time and vectors run over pixels.
enum Grouping: CaseIterable {
    case bySize
    case largeMaps

    func callAsFunction<Scalar>(_ network: Network<Scalar>) -> Network<Scalar> {
        var network = network
        if self == .largeMaps { network.groupLimits = .largeMaps }
        return network
    }
}
