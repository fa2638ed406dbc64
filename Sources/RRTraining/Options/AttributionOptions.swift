internal import RRExplanation
internal import RRFormats
internal import RRNetworks

/// What of the network's answer is held against the masks, before there is a network: `gradcam:layer4` in text.
public struct AttributionOptions: Hashable, Sendable, LosslessStringConvertible {
    /// The attributions, which `Attribution` gives formulas for.
    public enum Method: String, CaseIterable, Sendable {
        case inputGradient = "input-gradient"
        case inputTimesGradient = "input-times-gradient"
        case featureGradient = "feature-gradient"
        case gradCAM = "gradcam"

        /// Whether it is about a feature map.
        public var hasLayer: Bool { self == .featureGradient || self == .gradCAM }
    }

    public let method: Method
    /// The layer whose output a feature map is, by its name or position; nil for the last that holds a convolution.
    public let layer: String?

    /// The input gradient.
    public static let inputGradient = AttributionOptions(.inputGradient)

    private init(_ method: Method) {
        self.method = method
        layer = nil
    }

    /// Returns nil where there is no such attribution, or it has no layer.
    ///
    /// - Parameter description: `METHOD` or `METHOD:LAYER`.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let method = Method(rawValue: String(name)) else { return nil }
        let layer = parts.count > 1 ? String(parts[1]) : nil
        guard layer == nil || method.hasLayer && layer?.isEmpty == false else { return nil }
        self.method = method
        self.layer = layer
    }

    public var description: String { layer.map { "\(method.rawValue):\($0)" } ?? method.rawValue }

    /// The attribution in a network.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption` where the network has no such layer.
    func attribution<Scalar: NetworkScalar>(in network: Network<Scalar>) throws(TrainingError) -> Attribution
    {
        func features() throws(TrainingError) -> FeatureMap {
            do {
                return try network.featureMap(of: layer)
            } catch {
                throw TrainingError(
                    .invalidOption, .option(.attribution),
                    "\(description): \(error.message)" + question(among: network.featureMapNames))
            }
        }
        return switch method {
        case .inputGradient: .inputGradient
        case .inputTimesGradient: .inputTimesGradient
        case .featureGradient: .featureGradient(try features())
        case .gradCAM: .gradCAM(try features())
        }
    }

    /// Asks for the layers that were meant; `layer4` is asked for as `layer4.1` is.
    private func question(among names: [String]) -> Message {
        var known: [String] = []
        for name in names {
            let ends = name.indices.filter { name[$0] == "." } + [name.endIndex]
            for beginning in ends.map({ String(name[..<$0]) }) where !known.contains(beginning) {
                known.append(beginning)
            }
        }
        return layer.map { NearestNames(to: $0, among: known).question } ?? ""
    }
}
